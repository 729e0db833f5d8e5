#!/usr/bin/env bash
# Attacks on the metadata service from inside two instances of one VPC. Needs a running server: its administrator's credentials and
# endpoint in the environment, DAYPASS_DATA, `daypass` and `aws` on PATH. Ends with 'N passed, N failed, N skipped'.
set -euo pipefail
cd "$(dirname "$0")"
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
suffix=$$
for name in "imds-a-$suffix" "imds-b-$suffix"; do
  aws iam create-role --role-name "$name" --assume-role-policy-document "$trust" >/dev/null
  aws iam create-instance-profile --instance-profile-name "$name" >/dev/null
  aws iam add-role-to-instance-profile --instance-profile-name "$name" --role-name "$name"
done
# The attacks use a key that has no session token.
aws iam create-user --user-name "imds-$suffix" >/dev/null
aws iam attach-user-policy --user-name "imds-$suffix" --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
read -r key secret <<<"$(aws iam create-access-key --user-name "imds-$suffix" --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)"
ami=$(aws ssm get-parameter --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64 --query Parameter.Value --output text)
launch() { aws ec2 run-instances --image-id "$ami" --instance-type t3.small --iam-instance-profile "Name=$1" \
  --metadata-options HttpTokens=required,HttpPutResponseHopLimit=1,HttpProtocolIpv6=enabled --query 'Instances[0].InstanceId' --output text; }
a=$(launch "imds-a-$suffix") b=$(launch "imds-b-$suffix")
aws ec2 wait instance-running --instance-ids "$a" "$b"
ip=$(aws ec2 describe-instances --instance-ids "$a" --query 'Reservations[0].Instances[0].PrivateIpAddress' --output text)
mac=$(aws ec2 describe-instances --instance-ids "$a" --query 'Reservations[0].Instances[0].NetworkInterfaces[0].MacAddress' --output text)
device=$(daypass exec "$b" -- ip -o route show default | sed -nE 's/.* dev ([^ ]+).*/\1/p')
python3 probes/probes_imds.py --exec "daypass exec $a --" --exec-b "daypass exec $b --" --ip-a "$ip" --dev-b "${device:-eth0}" \
  --tokens required --hop-limit 1 --role "imds-a-$suffix" --instance-id "$a" --instance-id-b "$b" --profile-b "imds-b-$suffix" \
  --base-url6 'http://[fd00:ec2::254]' --endpoint "$AWS_ENDPOINT_URL" --access-key "$key" --secret-key "$secret" \
  --mac-a "$mac" --control && rc=0 || rc=$?
aws ec2 terminate-instances --instance-ids "$a" "$b" >/dev/null
exit $rc
