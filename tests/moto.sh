#!/usr/bin/env bash
# moto's own tests of a service against Daypass, as a report: which pass, and of those that do not, which are explained in
# tests/moto/known.tsv (docs/compatibility.md says why). Ends with 'N passed, N failed': failed are those that nobody explained, and
# those that are explained and pass.
#   tests/moto.sh CHECKOUT [TEST …]      a checkout of https://github.com/getmoto/moto; default: its tests of IAM and STS
# Needs python with pytest and what moto's tests import (pip install pytest freezegun pyjwt CHECKOUT), and DAYPASS or target/debug/daypass.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
checkout=${1:?a checkout of moto}; shift
tests=("$@"); [ $# -gt 0 ] || tests=(tests/test_iam tests/test_sts)
out=${OUT:-$(mktemp -d)}
export DAYPASS=${DAYPASS:-$root/target/debug/daypass} PORT=${PORT:-5121} PYTHONPATH=$root/tests/moto RESULTS=$out/moto.tsv
: >"$RESULTS"
(cd "$checkout" && ${PYTHON:-python} -m pytest -p conftest_daypass -p no:cacheprovider -q --tb=short --color=no "${tests[@]}") >"$out/moto.log" 2>&1
passed=0 failed=0 explained=0
names=$(cut -f1 "$root/tests/moto/known.tsv")
while IFS=$'\t' read -r result test why; do
  # Explained is a whole file or a test; what stands in brackets behind a name is a case of it.
  if grep -qxF -e "$test" -e "${test%%[*}" -e "${test%%::*}" <<<"$names"; then known=yes; else known=no; fi
  case $result-$known in
    skipped-*) ;;
    passed-no) passed=$((passed + 1));;
    passed-yes) failed=$((failed + 1)); echo "FAIL passes, but is explained as failing: $test";;
    *-yes) explained=$((explained + 1));;
    *) failed=$((failed + 1)); echo "FAIL $test: $why";;
  esac
done <"$RESULTS"
[ $((passed + failed + explained)) -gt 0 ] || { tail -n 20 "$out/moto.log"; failed=1; }
echo "$explained fail as docs/compatibility.md explains; what each answered is in $out"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
