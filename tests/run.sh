#!/usr/bin/env bash
# Everything that CI runs, in order, with a summary. Ends with 1 where anything failed, where a suite ran nothing, or where one ran
# less than tests/floors.txt says it must.
#   tests/run.sh             all of it; where there is no Terraform its stories are skipped, unless DAYPASS_TEST_TERRAFORM=1
#   tests/run.sh STAGE …     some of it: house lint unit wire release policy strangers chain boto3 imds terraform crash escalation probes events replication clients upstream
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=$root/.test/out
mkdir -p "$out"
alone=(house lint unit wire release) with_instances=(chain boto3 imds terraform) without_instances=(policy strangers escalation crash probes events replication clients upstream)
stages=("$@")
[ $# -gt 0 ] || stages=("${alone[@]}" "${with_instances[@]}" "${without_instances[@]}")
export AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN 2>/dev/null

scripts/prerequisites.sh test || exit 1
# shellcheck disable=SC1091
command -v cargo >/dev/null || . "$HOME/.cargo/env"
export PATH=$root/.test/venv/bin:$root/target/release:/usr/sbin:/sbin:$PATH
# The CLI that instances can read, and no other.
mkdir -p .test/bin && ln -sf "$(scripts/prerequisites.sh cli)" .test/bin/aws && export PATH=$root/.test/bin:$PATH

failed=() ran=() servers=()
say() { printf '\n\e[1m== %s\e[0m\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$1"; failed+=("$1"); }
# step WORDS COMMAND…      must succeed; it is shown what went wrong
step() { local words=$1 log; shift; log=$out/$(tr -c 'a-z0-9\n' - <<<"${words,,}").log; local began=$SECONDS
  if "$@" >"$log" 2>&1; then printf 'ok      %s (%ds)\n' "$words" $((SECONDS - began))
  else fail "$words"; tail -n 60 "$log"; return 1; fi; }
# count SUITE PASSED FAILED SKIPPED      what a suite ran
count() { ran+=("$1 $2 $3 $4"); [ "$3" = 0 ] || fail "$1: $3 failed"; }
# tally SUITE LOG [STATUS]      the same, from a line 'N passed, N failed[, N skipped]' at its end; and it must have ended well, by
# its status: that of the command before, where none is given
tally() { local status=${3:-$?} line; line=$(grep -Eo '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$2" | tail -n 1)
  [ -n "$line" ] || { fail "$1 did not finish"; tail -n 20 "$2"; ran+=("$1 0 1 0"); return; }
  read -r p f s <<<"$(grep -Eo '[0-9]+' <<<"$line" | tr '\n' ' ')"; count "$1" "$p" "$f" "${s:-0}"
  [ "$status" = 0 ] || [ "$f" != 0 ] || { fail "$1 ended with status $status, and says that nothing failed"; tail -n 20 "$2"; }
  grep -E '^(not ok|FAIL)|# SKIP' "$2" | head -n 40; true; }

# start NAME PORT [OPTION …]      a server with a data directory of its own; sets DATA, SERVER and the environment of its administrator
# start NAME PORT again           the same on the directory that is there
start() { DATA=$root/.test/data-$1; export DAYPASS_DATA=$DATA; local more=("${@:3}")
  if [ "${3:-}" = again ]; then more=(); else rm -rf "$DATA"; fi
  daypass up --data "$DATA" --listen "127.0.0.1:$2" "${more[@]}" >"$out/server-$1.out" 2>>"$out/server-$1.log" & SERVER=$!; servers+=("$SERVER")
  for _ in $(seq 200); do curl -fs "http://127.0.0.1:$2/_daypass/health" >/dev/null && break; sleep 0.05; done
  administrator || { fail "server $1 does not start"; cat "$out/server-$1.out"; tail -n 20 "$out/server-$1.log"; return 1; }; }
administrator() { local text; text=$(daypass env --data "$DATA" --duration 7200) && eval "$text"; }
end() { [ -z "${SERVER:-}" ] || { kill "$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null; }; SERVER=; }
cleanup() { local s; for s in "${servers[@]}"; do kill "$s" 2>/dev/null; done; wait 2>/dev/null; }
trap cleanup EXIT
# story NAME SCRIPT      an acceptance script with its own results folder
story() { OUT=$out/story-$1 INSIDE='daypass exec {id} --' bash "tests/acceptance/$2" >"$out/story-$1.tap" 2>&1; }

stage_house() { say "House: places of crates, style, generated files, documents"
  step "crates use only what lies below them" cargo xtask deps
  step "rules of style" cargo xtask style
  step "generated code is what the models say" generated; }
generated() { cp -r crates/model/src/generated .test/generated-before && cargo xtask codegen && diff -r .test/generated-before crates/model/src/generated; local rc=$?; rm -rf .test/generated-before; return $rc; }

stage_lint() { say "Lint: formatting, clippy"
  step "formatting" cargo fmt --all --check
  step "clippy, warnings denied" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings; }

stage_unit() { say "Unit, property and integration tests"
  local log=$out/unit.log
  DAYPASS_SEED=${DAYPASS_SEED:-1} cargo test --workspace --locked --no-fail-fast >"$log" 2>&1; local rc=$?
  local passed failures ignored
  read -r passed failures ignored <<<"$(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p+0, f+0, i+0 }' "$log")"
  count unit "$passed" "$failures" "$ignored"
  [ $rc = 0 ] || { fail "cargo test"; grep -E '^(error|test .* FAILED|failures:|---- )' -A 12 "$log" | head -n 80; }; }

stage_wire() { say "Wire: what botocore writes we read, what we write botocore reads, for every operation of every table"
  step "the oracle's other half builds" cargo build -p daypass-wire --example oracle --locked || return
  python tests/wire_oracle.py target/debug/examples/oracle >"$out/wire.log" 2>&1; tally wire "$out/wire.log"; }

stage_release() { say "Release build"
  step "release build" cargo build --release --locked -p daypass || exit 1
  step "docs/operations.md is what the program says" bash -c 'daypass operations --output markdown | diff docs/operations.md -'
  built=$(daypass operations --output json | python -c 'import json,sys; print(sum(len(s["built"]) for s in json.load(sys.stdin)))')
  count operations "${built:-0}" 0 0
  step "man page, completions and help" bash -c 'daypass man >/dev/null && for s in bash zsh fish; do daypass completions $s >/dev/null || exit 1; done
    for c in up env credentials exec status why operations bucket partner policy fsck backup restore; do daypass $c --help >/dev/null || exit 1; done'; }

stage_policy() { say "Decisions that must come out as AWS's guide says"
  daypass policy simulate --cases crates/policy/tests/corpus/guide.jsonl >"$out/corpus.log" 2>&1; tally corpus "$out/corpus.log"
  # Tables of other projects cannot be part of this one.
  local file; for file in ${DAYPASS_POLICY_CORPUS:+"$DAYPASS_POLICY_CORPUS"/*.jsonl}; do
    step "$(basename "$file")" daypass policy simulate --cases "$file"; done; }

stage_strangers() { say "Every operation of every service: without credentials, forged, and by a user without a policy"
  start strangers 4671 || return
  python tests/strangers.py --data "$DATA" >"$out/strangers.log" 2>&1; tally strangers "$out/strangers.log"; end; }

stage_chain() { say "The chain, with the AWS CLI: two stories at once, a server killed, two more"
  instances_can_run cli_001 cli_004 || return
  start chain 4672 || return
  story chain-1a cli_001.sh & local a=$!; story chain-1b cli_004.sh & local b=$!
  wait $a; tally cli_001 "$out/story-chain-1a.tap"; wait $b; tally cli_004 "$out/story-chain-1b.tap"
  kill -9 "$SERVER"; wait "$SERVER" 2>/dev/null; start chain 4672 again || return
  story chain-2a cli_004.sh & a=$!; story chain-2b cli_001.sh & b=$!
  wait $a; tally cli_004_after_kill "$out/story-chain-2a.tap"; wait $b; tally cli_001_after_kill "$out/story-chain-2b.tap"
  bash tests/restart.sh "$DATA" 4672 >"$out/restart.tap" 2>&1; tally restart "$out/restart.tap"; SERVER=
  end; }

stage_boto3() { say "The chain and what surrounds it, with boto3: session policies, MFA, OIDC, two accounts"
  instances_can_run boto3_story || return
  start boto3 4675 || return
  local request account
  aws organizations create-organization >/dev/null
  request=$(aws organizations create-account --account-name partner --email partner@example.com --query CreateAccountStatus.Id --output text)
  account=$(aws organizations describe-create-account-status --create-account-request-id "$request" --query CreateAccountStatus.AccountId --output text)
  OUT=$out/story-boto3 INSIDE='daypass exec {id} --' ACCT2_ID=$account /opt/daypass-boto3/bin/python tests/acceptance/boto3_story.py >"$out/story-boto3.tap" 2>&1
  tally boto3_story "$out/story-boto3.tap"; end; }

stage_terraform() { say "The chain, with Terraform"
  if ! command -v terraform >/dev/null || [ -z "$(find /opt /usr/local /usr/share "$HOME/.terraform.d" -maxdepth 4 -type d -name registry.terraform.io -print -quit 2>/dev/null)" ]; then
    local name; for name in terraform_001 cli_004_beside terraform_s3 terraform_iam terraform_organizations; do
      echo "SKIPPED: $name (there is no terraform with a provider mirror here)"; ran+=("$name skipped 0 0"); done
    [ -z "${DAYPASS_TEST_TERRAFORM:-}" ] || fail "terraform: DAYPASS_TEST_TERRAFORM asks for it, and it is not here"
    return; fi
  terraform_services
  instances_can_run terraform_001 cli_004_beside || return
  start terraform 4673 || return
  story terraform terraform_001.sh & local a=$!; story terraform-beside cli_004.sh & local b=$!
  wait $a; tally terraform_001 "$out/story-terraform.tap"; wait $b; tally cli_004_beside "$out/story-terraform-beside.tap"; end; }

# Each service's resources need no instances: on servers of their own, two at a time.
terraform_services() { local a s3
  local queue=arn:aws:sqs:us-east-1:123456789012:uploads
  start terraform-s3 4677 --event-destination "$queue=file:$root/.test/events.jsonl" || return
  TF_VAR_event_queue=$queue bash tests/terraform/s3.sh >"$out/terraform-s3.log" 2>&1 & a=$!; s3=$SERVER
  start terraform-iam 4678 || return
  bash tests/terraform/iam.sh >"$out/terraform-iam.log" 2>&1; tally terraform_iam "$out/terraform-iam.log"; end
  start terraform-organizations 4679 || return
  bash tests/terraform/organizations/run.sh >"$out/terraform-organizations.log" 2>&1
  tally terraform_organizations "$out/terraform-organizations.log"; end
  wait $a; tally terraform_s3 "$out/terraform-s3.log"; SERVER=$s3; end; }

stage_crash() { say "What the program does when the machine fails it: killed, syncs and writes that fail, a full disk, flipped bytes, backups"
  local part; for part in kill sync-errors write-errors full-disk flips backup; do
    python tests/crash.py "$part" --binary target/release/daypass --port 4680 >"$out/crash-$part.log" 2>&1; tally "crash_${part//-/_}" "$out/crash-$part.log"; done; }

stage_escalation() { say "Ways to more rights than one was given"
  start escalation 4676 || return
  python tests/escalation.py >"$out/escalation.log" 2>&1; tally attacks_escalation "$out/escalation.log"; end; }

stage_probes() { say "Attacks"
  start probes 4674 || return
  # With a key that has no session token, for some of them add one; and the signature's once more with a session.
  local key secret keys session
  aws iam create-user --user-name attacker >/dev/null
  aws iam attach-user-policy --user-name attacker --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
  read -r key secret <<<"$(aws iam create-access-key --user-name attacker --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)"
  keys=(--endpoint "$AWS_ENDPOINT_URL" --access-key "$key" --secret-key "$secret")
  session=(--endpoint "$AWS_ENDPOINT_URL" --access-key "$AWS_ACCESS_KEY_ID" --secret-key "$AWS_SECRET_ACCESS_KEY" --session-token "$AWS_SESSION_TOKEN")
  env -u AWS_SESSION_TOKEN python tests/probes/probes_sigv4.py "${keys[@]}" >"$out/probes-sigv4.log" 2>&1; tally attacks_sigv4 "$out/probes-sigv4.log"
  python tests/probes/probes_sigv4.py "${session[@]}" >"$out/probes-sigv4-session.log" 2>&1; tally attacks_sigv4_session "$out/probes-sigv4-session.log"
  env -u AWS_SESSION_TOKEN python tests/probes/probes_s3.py "${keys[@]}" --pid "$SERVER" >"$out/probes-s3.log" 2>&1; tally attacks_s3 "$out/probes-s3.log"
  python tests/presigned.py "${session[@]}" >"$out/probes-presigned.log" 2>&1; tally attacks_presigned "$out/probes-presigned.log"
  end; }

stage_events() { say "Notifications of buckets, through refusals and kill -9"
  python tests/events.py --binary target/release/daypass --port 4684 >"$out/events.log" 2>&1; tally events "$out/events.log"; }

stage_replication() { say "Replication between buckets, through refusals and kill -9"
  python tests/replication.py --binary target/release/daypass --port 4688 >"$out/replication.log" 2>&1; tally replication "$out/replication.log"; }

stage_clients() { say "Other clients of S3"
  DAYPASS=$root/target/release/daypass PORT=4686 bash tests/clients.sh >"$out/clients.log" 2>&1; tally clients "$out/clients.log"; }

# Against other stores it runs at night: they have to be fetched. Here the other store is another Daypass.
stage_upstream() { say "Buckets in another store"
  DAYPASS=$root/target/release/daypass PORT=4690 bash tests/upstream.sh daypass >"$out/upstream.log" 2>&1; tally upstream "$out/upstream.log"; }

stage_imds() { say "Attacks on the metadata service, from inside an instance"
  instances_can_run attacks_imds || return
  start imds 4683 || return
  bash tests/imds.sh >"$out/probes-imds.log" 2>&1; tally attacks_imds "$out/probes-imds.log"; end; }

# Where instances cannot run their stories are skipped by name; as root they must run.
instances_can_run() { daypass up --check --data "$root/.test/check-$BASHPID" >"$out/check.log" 2>&1 && return 0
  if [ "$(id -u)" = 0 ] && [ -z "${DAYPASS_TEST_WITHOUT_INSTANCES:-}" ]; then fail "instances cannot run here: $(tail -n 3 "$out/check.log")"; return 1; fi
  local name; for name in "$@"; do echo "SKIPPED: $name (no instances can run here)"; ran+=("$name skipped 0 0"); done; return 1; }

# lane NAME STAGE …      stages one after the other, in a process of their own; what they ran is left in files
lane() { local name=$1 stage; shift; ran=() failed=() servers=(); trap cleanup EXIT
  for stage in "$@"; do "stage_$stage"; done >"$out/lane-$name.log" 2>&1
  printf '%s\n' "${ran[@]}" >"$out/lane-$name.ran"; printf '%s\n' "${failed[@]}" >"$out/lane-$name.failed"; }
# joined NAME      takes over what a lane ran
joined() { local line; cat "$out/lane-$1.log"
  while read -r line; do [ -z "$line" ] || ran+=("$line"); done <"$out/lane-$1.ran"
  while read -r line; do [ -z "$line" ] || failed+=("$line"); done <"$out/lane-$1.failed"; }

for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || { echo "there is no stage $stage"; exit 2; }
done
if [ $# -gt 0 ]; then for stage in "${stages[@]}"; do "stage_$stage"; done
else
  for stage in "${alone[@]}"; do "stage_$stage"; done
  # Clients wait more than they work: those with instances on one side, the others on the other.
  rm -f "$out"/lane-*
  (lane instances "${with_instances[@]}") & (lane others "${without_instances[@]}") & wait
  joined instances; joined others
fi

say "Summary (${SECONDS}s)"
tests=0 attacks=0 skipped_here=()
for line in "${ran[@]}"; do
  read -r suite passed failures skipped <<<"$line"
  floor=$(awk -v s="$suite" '$1 == s { print $2 }' tests/floors.txt)
  if [ "$passed" = skipped ]; then printf '%-22s NOT RUN\n' "$suite"; skipped_here+=("$suite"); continue; fi
  printf '%-22s %6d passed %4d failed %4d skipped   floor %s\n' "$suite" "$passed" "$failures" "$skipped" "${floor:-none}"
  [ -n "$floor" ] || fail "$suite has no floor in tests/floors.txt"
  [ "$passed" -ge "${floor:-0}" ] && [ "$passed" -gt 0 ] || fail "$suite ran $passed, fewer than its floor ${floor:-0}"
  case $suite in attacks_* | strangers) attacks=$((attacks + passed + failures)) ;; operations) ;; *) tests=$((tests + passed + failures)) ;; esac
done
if [ $# = 0 ]; then # whoever runs everything sees every suite that has a floor
  while read -r suite _; do case $suite in '' | '#'*) continue ;; esac
    printf '%s\n' "${ran[@]}" | grep -q "^$suite " || fail "$suite did not run"; done <tests/floors.txt
fi
printf '\n%d tests and %d attacks ran\n' $tests $attacks
[ ${#skipped_here[@]} = 0 ] || printf '\n\e[1mNOT RUN HERE, and so not known to work: %s\e[0m\n' "${skipped_here[*]}"
if [ ${#failed[@]} -gt 0 ]; then printf 'failed: %s\n' "${failed[@]}"; exit 1; fi
