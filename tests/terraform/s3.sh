#!/usr/bin/env bash
# Terraform's resources of S3 and of the keys that seal its objects, against a running server, whose administrator the environment names: apply, a plan without a
# difference, a change in place, imports, destroy. Ends with a line 'N passed, N failed'.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export TF_CLI_CONFIG_FILE=$work/tf.rc TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 TF_PLUGIN_TIMEOUT=120
export TF_VAR_suffix=${TF_VAR_suffix:-$$-$RANDOM}
mirror=$(find /opt /usr/local /usr/share "$HOME/.terraform.d" -maxdepth 4 -type d -name registry.terraform.io 2>/dev/null | head -n 1)
printf 'provider_installation {\n  filesystem_mirror { path = "%s" }\n}\n' "${TF_PLUGINS:-$(dirname "${mirror:-/nowhere/x}")}" >"$TF_CLI_CONFIG_FILE"
# Requests about an account go to ACCOUNT.HOST, as the SDKs make of any endpoint, and those of a number as 127.0.0.1 are hosts that
# no DNS knows. A proxy is told them as they are; the endpoint itself is one.
case ${AWS_ENDPOINT_URL:-} in http://*) export HTTP_PROXY=$AWS_ENDPOINT_URL http_proxy=$AWS_ENDPOINT_URL ;; esac
cp "$here"/s3/*.tf "$work/" && cd "$work" || exit 1

passed=0 failed=0
check() { local what=$1 log; shift; log=$work/log
  if "$@" >"$log" 2>&1; then passed=$((passed + 1)); echo "ok $what"
  else failed=$((failed + 1)); echo "not ok $what"; grep -E -A8 'Error|Plan:|^ *[~+/-]' "$log" | head -n 30; fi; }
tf() { timeout 600 terraform "$@" -no-color; }
same() { tf plan -input=false -detailed-exitcode "$@"; }
in_place() { grep -qE '0 added, [0-9]+ changed, 0 destroyed' "$work/applied"; }
import_again() { terraform state rm "$1" && tf import "$1" "$2"; }
replicated() { # the object is in the other bucket; S3 takes its time
  for _ in $(seq 50); do
    aws s3api head-object --bucket "terraform-s3-to-$TF_VAR_suffix" --key replicated/object --query ReplicationStatus --output text | grep -x REPLICA && return
    sleep 0.2
  done
  return 1
}
changed=(-var days=60 -var payer=Requester -var content=two)
bucket=terraform-s3-$TF_VAR_suffix
account=${AWS_ACCOUNT_ID:-$(aws sts get-caller-identity --query Account --output text)}

check "init" tf init -input=false
check "apply" tf apply -auto-approve -input=false
check "a plan right after shows no difference" same
check "a change" bash -c "timeout 600 terraform apply -auto-approve -input=false -no-color ${changed[*]} | tee '$work/applied'; exit \${PIPESTATUS[0]}"
check "the change was made in place" in_place
check "a plan after the change shows no difference" same "${changed[@]}"
check "what was put is replicated" replicated
for kind in bucket bucket_versioning bucket_ownership_controls bucket_public_access_block bucket_policy \
  bucket_server_side_encryption_configuration bucket_lifecycle_configuration bucket_cors_configuration \
  bucket_request_payment_configuration bucket_accelerate_configuration bucket_website_configuration bucket_logging; do
  check "import aws_s3_$kind" import_again "aws_s3_$kind.b" "$bucket"
done
check "import aws_s3_bucket_intelligent_tiering_configuration" import_again aws_s3_bucket_intelligent_tiering_configuration.b "$bucket:all"
check "import aws_s3_bucket_object_lock_configuration" import_again aws_s3_bucket_object_lock_configuration.b "terraform-s3-locked-$TF_VAR_suffix"
check "import aws_s3_bucket_metric" import_again aws_s3_bucket_metric.b "$bucket:all"
check "import aws_s3_bucket_analytics_configuration" import_again aws_s3_bucket_analytics_configuration.b "$bucket:all"
check "import aws_s3_bucket_inventory" import_again aws_s3_bucket_inventory.b "$bucket:daily"
check "import aws_s3_bucket_replication_configuration" import_again aws_s3_bucket_replication_configuration.b "terraform-s3-from-$TF_VAR_suffix"
check "import aws_s3_account_public_access_block" import_again aws_s3_account_public_access_block.a "$account"
door=arn:aws:s3:${AWS_REGION:-us-east-1}:$account:accesspoint/terraform-$TF_VAR_suffix
check "import aws_s3_access_point" import_again aws_s3_access_point.door "$account:terraform-$TF_VAR_suffix"
check "import aws_s3control_access_point_policy" import_again aws_s3control_access_point_policy.door "$door"
[ -z "${TF_VAR_event_queue:-}" ] || check "import aws_s3_bucket_notification" import_again 'aws_s3_bucket_notification.b[0]' "$bucket"
key=$(terraform state show -no-color aws_kms_key.k | sed -n 's/^ *key_id *= "\(.*\)"/\1/p')
check "import aws_kms_key" import_again aws_kms_key.k "$key"
check "import aws_kms_alias" import_again aws_kms_alias.k "alias/terraform-$TF_VAR_suffix"
check "import the encryption of a bucket with a key" import_again aws_s3_bucket_server_side_encryption_configuration.sealed "terraform-s3-sealed-$TF_VAR_suffix"
# What an import cannot know (force_destroy) is written once more.
check "apply after the imports" tf apply -auto-approve -input=false "${changed[@]}"
check "a plan after the imports shows no difference" same "${changed[@]}"
check "destroy" tf destroy -auto-approve -input=false "${changed[@]}"
check "nothing is left" bash -c '[ -z "$(terraform state list)" ]'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
