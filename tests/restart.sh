#!/usr/bin/env bash
# A server that is killed with -9 while instances run, stop and end: nothing acknowledged is lost, and the next start brings every
# instance back to what it should be. Starts and kills servers of its own on the data directory and port that it is given, and ends the
# last one.
#   restart.sh DATA PORT
set -u
. "$(dirname "$0")/acceptance/lib/lib.sh"
data=$1 port=$2
export DAYPASS_DATA=$data
server() { cat "$data/lock"; }
killed() { local pid; pid=$(server); kill -9 "$pid" || bad restart.kill "the server can be killed"; while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done; }
again() {
  setsid daypass up --data "$data" --listen "127.0.0.1:$port" >>"$data/../server-restart.log" 2>&1 </dev/null &
  local i; for i in $(seq 200); do curl -fs "http://127.0.0.1:$port/_daypass/health" >/dev/null && return; sleep 0.05; done; return 1; }
state() { aws ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].State.Name' --output text; }
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
name=restart-$SUF
aws iam create-role --role-name "$name" --assume-role-policy-document "$trust" >/dev/null
aws iam create-instance-profile --instance-profile-name "$name" >/dev/null
aws iam add-role-to-instance-profile --instance-profile-name "$name" --role-name "$name"
aws s3api create-bucket --bucket "$name" >/dev/null
pick_ami restart.00
launch() { aws ec2 run-instances --image-id "$AMI" --instance-type t3.micro --iam-instance-profile "Name=$name" --query 'Instances[0].InstanceId' --output text; }
one=$(launch) two=$(launch) three=$(launch)
aws ec2 wait instance-running --instance-ids "$one" "$two" "$three"
INSIDE='daypass exec {id} --'
does restart.01 "a process is left running inside" inside "$one" 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/run/sleeper; echo kept >/var/tmp/mark'
boot=$(inside "$one" 'cat /proc/1/stat | cut -d" " -f22')
gives restart.02 "credentials inside before" "assumed-role/$name/$one" inside "$one" 'aws sts get-caller-identity'
# Acknowledged right before the server dies.
does restart.03 "an object is put" aws s3api put-object --bucket "$name" --key k --body "$0"
does restart.04 "a stop is asked for" aws ec2 stop-instances --instance-ids "$two"
does restart.05 "a termination is asked for" aws ec2 terminate-instances --instance-ids "$three"
does restart.06 "a user is made" aws iam create-user --user-name "$name"
killed
ok restart.07 "the server is killed with -9"
does restart.08 "it starts again on the same data" again
does restart.10 "what was acknowledged is there: the user" aws iam get-user --user-name "$name"
gives restart.11 "what was acknowledged is there: the object, whole" '^0$' bash -c "aws s3api get-object --bucket $name --key k $T/k >/dev/null && cmp -s '$0' $T/k; echo \$?"
eventually 20 gives restart.12 "the instance runs on, found again" '^running$' state "$one"
gives restart.13 "it is the same one, not another: its first process and the one left inside" "^$boot kept alive\$" \
  inside "$one" 'echo $(cut -d" " -f22 /proc/1/stat) $(cat /var/tmp/mark) $(kill -0 $(cat /run/sleeper) && echo alive)'
eventually 20 gives restart.14 "its metadata service answers again" "assumed-role/$name/$one" inside "$one" 'aws sts get-caller-identity'
eventually 60 gives restart.15 "the stop is carried out" '^stopped$' state "$two"
eventually 60 gives restart.16 "the termination is carried out" '^terminated$' state "$three"
eventually 30 gives restart.17 "the audit log knows what was asked before the end" TerminateInstances \
  aws cloudtrail lookup-events --lookup-attributes "AttributeKey=ResourceName,AttributeValue=$three"
does restart.20 "the stopped instance starts" aws ec2 start-instances --instance-ids "$two"
killed; does restart.2x "it starts again" again
eventually 30 gives restart.21 "a start that the server was killed in is carried out" '^running$' state "$two"
eventually 20 gives restart.22 "with its credentials" "assumed-role/$name/$two" inside "$two" 'aws sts get-caller-identity'
# An instance that dies while nobody looks comes back by itself, as EC2 recovers one whose host is lost.
killed
for p in $(pgrep -f 'sleep 1000'); do [ "$(readlink "/proc/$p/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] && pid=$p; done
first=$(python3 - "$pid" <<'P'
import os, sys
ns = os.readlink(f"/proc/{sys.argv[1]}/ns/pid")
print(min(int(p) for p in os.listdir("/proc") if p.isdigit() and os.path.exists(f"/proc/{p}/ns/pid") and os.readlink(f"/proc/{p}/ns/pid") == ns))
P
)
kill -9 "$first"; sleep 0.2; does restart.3x "it starts again" again
eventually 30 gives restart.30 "an instance that died with the server away is started again" '^no sleeper$' \
  inside "$one" 'kill -0 $(cat /run/sleeper 2>/dev/null) 2>/dev/null || echo no sleeper'
gives restart.31 "and is running" '^running$' state "$one"
eventually 30 gives restart.32 "and its disk is the one it had" '^kept$' inside "$one" 'cat /var/tmp/mark'
refuses restart.40 "a second server on the same data is refused" 'is in use|another|already' daypass up --data "$data" --listen 127.0.0.1:0
aws ec2 terminate-instances --instance-ids "$one" "$two" >/dev/null
aws ec2 wait instance-terminated --instance-ids "$one" "$two"
gives restart.41 "nothing of ended instances is left on the disk" '^0$' bash -c "ls '$data/instances' 2>/dev/null | grep -cE '$one|$two|$three' || true"
last=$(server); kill "$last"; for _ in $(seq 100); do kill -0 "$last" 2>/dev/null || break; sleep 0.1; done
refuses restart.42 "SIGTERM stops it" . kill -0 "$last"
finish
