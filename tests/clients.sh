#!/usr/bin/env bash
# Clients of S3 that are not ours, each with its defaults: bytes and metadata that come back, parts, copies, ranges, presigned URLs,
# keys that are easily got wrong. Ends with 'N passed, N failed, N skipped'.
#   tests/clients.sh [CLIENT …]      aws s3cmd rclone boto3 minio-py aws-sdk-js minio-js
# Installs what it needs into .test/clients. Needs DAYPASS or target/debug/daypass, and starts a server of its own on PORT.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/tests/clients
home=$root/.test/clients
declare -A checks=([aws]=9 [s3cmd]=7 [rclone]=7 [boto3]=6 [minio-py]=6 [aws-sdk-js]=6 [minio-js]=6)
clients=("$@")
[ $# -gt 0 ] || clients=(aws s3cmd rclone boto3 minio-py aws-sdk-js minio-js)
daypass=${DAYPASS:-$root/target/debug/daypass} port=${PORT:-5123}
work=$(mktemp -d)
mkdir -p "$home"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_PROFILE AWS_CA_BUNDLE

# What is not there is installed; what cannot be is not there.
of_python() { [ -x "$home/venv/bin/python" ] || python3 -m venv "$home/venv"; "$home/venv/bin/python" -c "import $1" 2>/dev/null || "$home/venv/bin/pip" install -q "$2"; }
of_node() { command -v npm >/dev/null && { [ -d "$home/node_modules/${!#}" ] || npm install --silent --no-audit --no-fund --prefix "$home" "$@"; }; }
rclone_of_debian() {
  command -v rclone >/dev/null || [ -x "$home/rclone/usr/bin/rclone" ] || {
    (cd "$home" && apt-get download rclone && dpkg -x rclone_*.deb rclone && rm rclone_*.deb); }; }
get() {
  case $1 in
  aws) command -v aws ;;
  s3cmd) of_python S3 s3cmd==2.4.0 ;;
  rclone) rclone_of_debian ;;
  boto3) of_python boto3 boto3 ;;
  minio-py) of_python minio minio==7.2.20 ;;
  aws-sdk-js) of_node @aws-sdk/lib-storage @aws-sdk/s3-request-presigner @aws-sdk/client-s3 ;;
  minio-js) of_node minio ;;
  *) false ;;
  esac
}
script() {
  mkdir -p "$work/$1"
  export WORK=$work/$1
  case $1 in
  aws | s3cmd | rclone) bash "$here/commands.sh" "$1" ;;
  boto3) "$home/venv/bin/python" "$here/boto3_transfer.py" ;;
  minio-py) "$home/venv/bin/python" "$here/minio_py.py" ;;
  # Modules are looked for beside the script.
  aws-sdk-js) cp "$here/sdk.mjs" "$home/" && node "$home/sdk.mjs" ;;
  minio-js) cp "$here/minio.mjs" "$home/" && node "$home/minio.mjs" ;;
  esac
}

"$daypass" up --data "$work/data" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 200); do curl -fs "http://127.0.0.1:$port/_daypass/health" >/dev/null && break; sleep 0.05; done
# A key that lasts, as these clients are configured with.
read -r KEY SECRET <<<"$(eval "$("$daypass" env --data "$work/data")" && export AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true &&
  aws iam create-user --user-name clients >/dev/null && aws iam attach-user-policy --user-name clients --policy-arn arn:aws:iam::aws:policy/AdministratorAccess &&
  aws iam create-access-key --user-name clients --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)"
export KEY SECRET ENDPOINT=http://127.0.0.1:$port PATH=$home/venv/bin:$home/rclone/usr/bin:$PATH AWS_EC2_METADATA_DISABLED=true

passed=0 failed=0 skipped=0
for client in "${clients[@]}"; do
  if ! get "$client" >"$work/install.log" 2>&1; then
    echo "# SKIP $client: it cannot be had here ($(tail -n 1 "$work/install.log"))"
    skipped=$((skipped + 1))
    continue
  fi
  # A client whose script ends badly, or before all of its checks, has failed whatever it said until then.
  script "$client" >"$work/$client.out" 2>"$work/$client.err"
  status=$? ran=$(grep -cE '^(not )?ok ' "$work/$client.out")
  [ "$status" = 0 ] && [ "$ran" = "${checks[$client]}" ] ||
    echo "not ok $client ended with $status after $ran of ${checks[$client]} checks: $(tail -n 3 "$work/$client.err" | tr '\n' ' ')" >>"$work/$client.out"
  grep -E '^(not )?ok ' "$work/$client.out"
  passed=$((passed + $(grep -c '^ok ' "$work/$client.out"))) failed=$((failed + $(grep -c '^not ok ' "$work/$client.out")))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
