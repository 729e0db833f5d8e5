#!/usr/bin/env bash
# One instance role end to end, told step by step. Leaves the server up; run it again to start over.
set -euo pipefail
cd "$(dirname "$0")/.."

daypass=$PWD/target/release/daypass
data=$PWD/.demo/data
port=${DAYPASS_DEMO_PORT:-4566}
export AWS_PAGER= AWS_EC2_METADATA_DISABLED=true PATH="$PWD/target/release:$PATH"
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN 2>/dev/null || true
aws=$(scripts/prerequisites.sh cli)

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'; else bold='' dim='' green='' red='' off=''; fi
step=0
say()  { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$*" "$off"; }
note() { printf '   %s\n' "$*"; }
show() { printf '   %s$ %s%s\n' "$dim" "$*" "$off"; }
# allowed "words" cmd... : must succeed
allowed() { local words=$1; shift; show "${*/#$daypass/daypass}"; local out
  if out=$("$@" 2>&1); then sed 's/^/   /' <<<"$out" | head -n "${LINES_SHOWN:-12}"; printf '   %s✓ %s%s\n' "$green" "$words" "$off"
  else sed 's/^/   /' <<<"$out"; printf '   %s✗ this should have been allowed%s\n' "$red" "$off"; exit 1; fi; }
# denied "words" cmd... : must be refused
denied() { local words=$1; shift; show "${*/#$daypass/daypass}"; local out
  if out=$("$@" 2>&1); then sed 's/^/   /' <<<"$out"; printf '   %s✗ this should have been denied%s\n' "$red" "$off"; exit 1
  else { grep -v '^$' || echo "(refused without a word)"; } <<<"$out" | fold -s -w 110 | sed 's/^/   /'; printf '   %s✓ %s%s\n' "$green" "$words" "$off"; fi; }
quiet() { "$@" >/dev/null; }
inside() { "$daypass" exec --data "$data" "$id" -- "$@"; }

if [ -f "$data/lock" ] && kill -0 "$(cat "$data/lock")" 2>/dev/null; then
  note "ending the server of an earlier demo"
  eval "$("$daypass" env --data "$data")"
  ids=$("$aws" ec2 describe-instances --filters Name=instance-state-name,Values=pending,running,stopping,stopped \
    --query 'Reservations[].Instances[].InstanceId' --output text)
  [ -z "$ids" ] || { quiet "$aws" ec2 terminate-instances --instance-ids $ids
                     quiet "$aws" ec2 wait instance-terminated --instance-ids $ids; }
  pid=$(cat "$data/lock"); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
rm -rf .demo; mkdir -p .demo

say "A server: one process, one port, state in one directory"
show "daypass up --data $data --listen 127.0.0.1:$port"
began=$(date +%s%N)
"$daypass" up --data "$data" --listen "127.0.0.1:$port" >.demo/out 2>.demo/log &
server=$!
until curl -fs "http://127.0.0.1:$port/_daypass/health" >/dev/null 2>&1; do
  kill -0 $server 2>/dev/null || { cat .demo/log; exit 1; }; sleep 0.02
done
note "ready after $(( ($(date +%s%N) - began) / 1000000 )) ms"
if grep -q 'no instances can run' .demo/out; then
  sed 's/^/   /' .demo/out; note "run this as root to see the rest"; exit 1
fi

say "Its owner: no key on disk; a session of an hour, because this user owns the data directory"
show 'eval "$(daypass env)"'
eval "$("$daypass" env --data "$data")"
allowed "the administrator's session, by the unmodified AWS CLI" "$aws" sts get-caller-identity --query Arn --output text
account=$("$aws" sts get-caller-identity --query Account --output text)

say "A bucket with a letter in it, and another that is nobody's business"
quiet "$aws" s3 mb s3://app-data; quiet "$aws" s3 mb s3://payroll
echo "hello from S3" | "$aws" s3 cp - s3://app-data/greeting
echo "salaries" | "$aws" s3 cp - s3://payroll/list
note "s3://app-data/greeting and s3://payroll/list"

say "A policy that grants that one bucket, on a role that EC2 may give to instances, in an instance profile"
cat > .demo/policy.json <<'J'
{"Version":"2012-10-17","Statement":[{"Sid":"ReadAppData","Effect":"Allow",
 "Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::app-data","arn:aws:s3:::app-data/*"]}]}
J
sed 's/^/   /' .demo/policy.json
quiet "$aws" iam create-policy --policy-name ReadAppData --policy-document file://.demo/policy.json
quiet "$aws" iam create-role --role-name app --assume-role-policy-document \
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
"$aws" iam attach-role-policy --role-name app --policy-arn "arn:aws:iam::$account:policy/ReadAppData"
quiet "$aws" iam create-instance-profile --instance-profile-name app
"$aws" iam add-role-to-instance-profile --instance-profile-name app --role-name app
denied "the role trusts EC2; not even the administrator can assume it" \
  "$aws" sts assume-role --role-arn "arn:aws:iam::$account:role/app" --role-session-name me

say "An instance with that profile: a process tree of its own, with its own network, files and users"
ami=$("$aws" ssm get-parameter --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64 \
  --query Parameter.Value --output text)
show "aws ec2 run-instances --image-id $ami --instance-type t3.micro --iam-instance-profile Name=app"
began=$(date +%s%N)
id=$("$aws" ec2 run-instances --image-id "$ami" --instance-type t3.micro --iam-instance-profile Name=app \
  --query 'Instances[0].InstanceId' --output text)
"$aws" ec2 wait instance-running --instance-ids "$id"
note "$id runs, $(( ($(date +%s%N) - began) / 1000000 )) ms after it was asked for (most of it the CLI's own start)"

say "Its metadata service: 169.254.169.254, inside it alone, by its own link"
denied "a request without a token (IMDSv1) is refused" \
  inside curl -sf -m 3 http://169.254.169.254/latest/meta-data/iam/security-credentials/
allowed "with a token: the role that it carries" inside bash -c \
  'token=$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
   curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/iam/security-credentials/; echo'

say "Its application: the plain AWS CLI, which finds its credentials there by itself"
allowed "the caller is the role, and the session is named by the instance" \
  inside aws sts get-caller-identity --query Arn --output text
allowed "it reads the bucket that it may read" inside aws s3 cp s3://app-data/greeting -
denied "it may not write there" inside bash -c 'echo x | aws s3 cp - s3://app-data/mine'
allowed "and why: what came close, and what would have allowed it" "$daypass" why --data "$data"
denied "it may not read the other bucket" inside aws s3 cp s3://payroll/list -
denied "it may not widen itself" inside aws iam attach-role-policy --role-name app \
  --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
denied "it may not see the machine that it stands on" inside cat /etc/shadow

say "The audit log: which instance did what"
sleep 1
LINES_SHOWN=20 allowed "every call, allowed or denied, under the instance's id" "$aws" cloudtrail lookup-events \
  --lookup-attributes "AttributeKey=Username,AttributeValue=$id" --max-items 6 \
  --query 'Events[].[EventTime,EventName,EventSource]' --output text

say "The profile is removed: the credentials are gone from the instance"
association=$("$aws" ec2 describe-iam-instance-profile-associations --filters "Name=instance-id,Values=$id" \
  --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)
leaked=$(inside bash -c 'token=$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
   curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/iam/security-credentials/app')
quiet "$aws" ec2 disassociate-iam-instance-profile --association-id "$association"
denied "the application has no credentials any more" inside aws sts get-caller-identity

say "A session that leaked before: it still works, until the role's sessions are revoked"
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<<"$leaked"; }
thief() { AWS_ACCESS_KEY_ID=$(field AccessKeyId) AWS_SECRET_ACCESS_KEY=$(field SecretAccessKey) \
  AWS_SESSION_TOKEN=$(field Token) "$aws" "$@"; }
allowed "credentials are bearer tokens, here as on AWS" thief s3 cp s3://app-data/greeting -
cat > .demo/revoke.json <<J
{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",
 "Condition":{"DateLessThan":{"aws:TokenIssueTime":"$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)"}}}]}
J
"$aws" iam put-role-policy --role-name app --policy-name AWSRevokeOlderSessions --policy-document file://.demo/revoke.json
denied "revoked: denied at the next request" thief s3 cp s3://app-data/greeting -

cat <<TXT

${bold}The server is still up${off} (process $server, log in .demo/log). In this shell:

   export PATH="$PWD/target/release:\$PATH"
   eval "\$(daypass env --data $data)"
   aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name]'
   daypass exec --data $data $id -- bash
   daypass status --data $data
   daypass why --data $data

   kill $server        stops the server; the instance runs on, and the next start finds it
   make demo           ends it and starts over
TXT
disown "$server"
