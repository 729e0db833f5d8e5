#!/usr/bin/env bash
# ceph/s3-tests against a running server, as a report: tests/s3tests/run.sh SUITE [pytest's arguments]
#   SUITE is a checkout of https://github.com/ceph/s3-tests with its requirements in SUITE/.venv; none of it is ours to keep.
# Needs the server's administrator in the environment (eval "$(daypass env)"). The suite wants users of four accounts: the
# administrator's own, and three that are made as members of its organization. Ends with 'N passed, N failed'.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
suite=$(cd "${1:?the folder of ceph/s3-tests}" && pwd)
shift
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1 AWS_DEFAULT_REGION=us-east-1

# key NAME      makes an administrator of the account that the environment names, and prints its key
key() {
  aws iam create-user --user-name "$1" >/dev/null 2>&1
  aws iam attach-user-policy --user-name "$1" --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
  aws iam create-access-key --user-name "$1" --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text
}
# member NAME      the same in an account of its own
member() {
  local account id secret token
  account=$(aws organizations create-account --account-name "$1" --email "$1-$RANDOM@example.com" --query CreateAccountStatus.Id --output text)
  for _ in $(seq 50); do
    id=$(aws organizations describe-create-account-status --create-account-request-id "$account" --query CreateAccountStatus.AccountId --output text)
    [ "$id" != None ] && break
    sleep 0.2
  done
  account=$id
  read -r id secret token <<<"$(aws sts assume-role --role-arn "arn:aws:iam::$account:role/OrganizationAccountAccessRole" --role-session-name s3tests \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)"
  AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token key "$1"
}
# section NAME USER KEY SECRET      a section of the suite's configuration
section() {
  local id
  id=$(env -u AWS_SESSION_TOKEN AWS_ACCESS_KEY_ID="$3" AWS_SECRET_ACCESS_KEY="$4" aws s3api list-buckets --query Owner.ID --output text)
  printf '[%s]\ndisplay_name = %s\nuser_id = %s\nemail = %s@example.com\naccess_key = %s\nsecret_key = %s\n\n' "$1" "$2" "$id" "$2" "$3" "$4"
}

aws organizations create-organization --feature-set ALL >/dev/null 2>&1
main=$(key s3tests-main) alt=$(member alt) tenant=$(member tenant) other=$(member other)
endpoint=${AWS_ENDPOINT_URL#http://}
{
  printf '[DEFAULT]\nhost = localhost\nport = %s\nis_secure = False\nssl_verify = False\n\n' "${endpoint##*:}"
  printf '[fixtures]\nbucket prefix = s3t-{random}-\niam name prefix = s3-tests-\niam path prefix = /s3-tests/\n\n'
  # shellcheck disable=SC2086
  { section 's3 main' main $main; section 's3 alt' alt $alt; section 's3 tenant' tenant $tenant; echo 'tenant ='; echo
    section iam main $main; section 'iam root' alt $alt; section 'iam alt root' other $other; }
  printf '[webidentity]\ntoken = x\naud = x\nsub = x\nazp = x\nuser_token = x\nthumbprint = x\nKC_REALM = x\n'
} >"$work/s3tests.conf"

# What is about Ceph alone, and what Daypass does not have (docs/compatibility.md), is left out.
left_out='not appendobject and not bucket_logging and not bucket_logging_cleanup and not cloud_transition and not cloud_restore
  and not fails_on_aws and not auth_aws2 and not s3select and not sns and not webidentity_test and not lifecycle and not lifecycle_expiration
  and not encryption and not sse_s3'
tests=("$@")
[ $# -gt 0 ] || tests=(s3tests/functional/test_s3.py s3tests/functional/test_headers.py)
cd "$suite" || exit 1
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u AWS_ENDPOINT_URL S3TEST_CONF="$work/s3tests.conf" PYTHONPATH="$here" \
  .venv/bin/python -m pytest -p as_before_2023 -p no:cacheprovider -q -rf --tb=no -m "${left_out//$'\n'/}" \
  "${tests[@]}" | tee "$work/out"
passed=$(grep -oE '[0-9]+ passed' "$work/out" | tail -n 1 | cut -d' ' -f1)
failed=$(grep -oE '[0-9]+ failed' "$work/out" | tail -n 1 | cut -d' ' -f1)
echo "${passed:-0} passed, ${failed:-0} failed"
