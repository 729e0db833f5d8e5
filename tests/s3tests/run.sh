#!/usr/bin/env bash
# ceph/s3-tests against Daypass: which pass, and of those that do not, which are explained in tests/s3tests/known.tsv
# (docs/compatibility.md says why). Ends with 'N passed, N failed, N skipped': failed are those that nobody explained, and those that
# are explained and pass; those that fail as explained are counted in a line of their own.
#   tests/s3tests/run.sh [CHECKOUT [pytest's arguments]]
# CHECKOUT is one of https://github.com/ceph/s3-tests; without one, the pinned commit is cloned into .test/s3-tests, with a virtual
# environment of its own beside it. Needs DAYPASS or target/debug/daypass, and starts a server of its own on PORT.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
commit=8f0ae7b404a3a2fcf7038bf1e6bf29544fe9b6a3
checkout=${1:-$root/.test/s3-tests}
[ $# = 0 ] || shift
out=${OUT:-$root/.test/out/s3-tests}
mkdir -p "$out"
if [ ! -d "$checkout" ]; then
  { git clone -q https://github.com/ceph/s3-tests "$checkout" && git -C "$checkout" checkout -q "$commit"; } || {
    rm -rf "$checkout"
    echo "# SKIP s3-tests: ceph/s3-tests cannot be cloned here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  }
fi
python=$checkout/.venv/bin/python
if [ ! -x "$python" ]; then
  { "${PYTHON:-python3}" -m venv "$checkout/.venv" && "$python" -m pip install -q -r "$checkout/requirements.txt" pytest-xdist pytest-timeout; } || {
    rm -rf "$checkout/.venv"
    echo "# SKIP s3-tests: what ceph/s3-tests requires cannot be installed here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  }
fi

export DAYPASS=${DAYPASS:-$root/target/debug/daypass} AWS_EC2_METADATA_DISABLED=true WORKERS=${WORKERS:-2} PYTHONPATH=$here
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_PROFILE
port=${PORT:-5122} server= DAYPASS_DATA=
ends() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$DAYPASS_DATA"; }; server=; }
trap ends EXIT
# serves OPTION …      a server with nothing on it, in place of the one before
serves() {
  ends
  DAYPASS_DATA=$(mktemp -d) && export DAYPASS_DATA
  "$DAYPASS" up --data "$DAYPASS_DATA" --listen "127.0.0.1:$port" "$@" >>"$out/server.log" 2>&1 &
  server=$!
  for _ in $(seq 200); do curl -fs "http://127.0.0.1:$port/_daypass/health" >/dev/null && break; sleep 0.05; done
}
# Days that last six seconds, and the suite waits for them.
days=(--lifecycle-day 6)
export LIFECYCLE_DAY=${days[1]}

# part SHAPE TEST …      some of the suite, with accounts of that shape (accounts.py)
part() {
  local shape=$1
  shift
  (cd "$checkout" && SHAPE=$shape "$python" -m pytest -p issuer -p accounts -p as_before_2023 -p as_in_ceph -p no:cacheprovider \
    -n "$WORKERS" --timeout 180 -q --tb=short --color=no "$@") >>"$out/$shape.log" 2>&1
}
export RESULTS=$out/results.tsv
: >"$RESULTS"
rm -f "$out"/{s3,iam}.log
: >"$out/server.log"
if [ $# -gt 0 ]; then
  serves ${DAYS:+"${days[@]}"}
  part "${SHAPE:-s3}" "$@"
else
  passing='lifecycle and expiration and not header or delete_marker_expiration or lifecyclev2'
  serves
  # Left out: queries of objects, which AWS gives to nobody new; and a test that sleeps for a quarter of an hour.
  part s3 s3tests/functional/test_s3.py s3tests/functional/test_headers.py -k "not ($passing)"
  part iam s3tests/functional/test_iam.py s3tests/functional/test_sts.py s3tests/functional/test_sns.py -k 'not creds_expiry'
  serves "${days[@]}"
  part s3 s3tests/functional/test_s3.py -k "$passing"
fi
"$python" "$here/judge.py" "$RESULTS" "$here/known.tsv" || { tail -n 20 "$out"/*.log; exit 1; }
