#!/usr/bin/env bash
# Clients that are commands: commands.sh aws|s3cmd|rclone. Needs ENDPOINT, KEY, SECRET and WORK, a folder of its own.
set -uo pipefail
client=$1
cd "$WORK" || exit 1
host=${ENDPOINT#http://}
head -c 12582929 /dev/urandom >big
mkdir -p tree/deep && echo one >tree/one.txt && echo 'two words' >'tree/deep/two words+ä.txt' && cp big tree/deep/big
# S3 tells times in whole seconds: a file of the same second would be newer than its copy.
find tree -type f -exec touch -d '1 minute ago' {} +
export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL=$ENDPOINT AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true

# check NAME COMMAND…      runs a command that must succeed, and says so
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then echo "ok $client $name"; else echo "not ok $client $name: $(tail -n 3 <<<"$said" | tr '\n' ' ')"; fi
}
# says PATTERN COMMAND…      runs a command that must succeed and say so; silent: one that must succeed and not say so
says() { local pattern=$1 said; shift; said=$("$@" 2>&1) && grep -q -- "$pattern" <<<"$said"; }
silent() { local pattern=$1 said; shift; said=$("$@" 2>&1) && ! grep -q -- "$pattern" <<<"$said"; }
# gone PATTERN COMMAND…      runs a command that must fail, and say that
gone() { local pattern=$1 said; shift; ! said=$("$@" 2>&1) && grep -q -- "$pattern" <<<"$said"; }
same_tree() { diff -r tree "$1"; }

aws_sync() { aws s3 mb s3://cli-bucket && aws s3 sync tree s3://cli-bucket/t --metadata colour=blue && rm -rf back && aws s3 sync s3://cli-bucket/t back && same_tree back; }
aws_sync_again() { silent upload aws s3 sync tree s3://cli-bucket/t; }
aws_sync_delete() { rm -rf less && cp -r tree less && rm less/one.txt && says 'delete: .*one.txt' aws s3 sync less s3://cli-bucket/t --delete --size-only; }
aws_metadata() { [ "$(aws s3api head-object --bucket cli-bucket --key t/deep/big --query Metadata.colour --output text)" = blue ]; }
aws_mv() { aws s3 cp big s3://cli-bucket/from && aws s3 mv s3://cli-bucket/from s3://cli-bucket/to && gone 'Not Found' aws s3api head-object --bucket cli-bucket --key from && aws s3 mv s3://cli-bucket/to moved && cmp big moved; }
aws_presign() { curl -fsS "$(aws s3 presign s3://cli-bucket/t/deep/big)" | cmp - big; }
aws_pipe() { aws s3 cp - s3://cli-bucket/piped <big && aws s3 cp s3://cli-bucket/piped - | cmp - big; }
aws_class() { aws s3 cp big s3://cli-bucket/class --storage-class STANDARD_IA && [ "$(aws s3api head-object --bucket cli-bucket --key class --query StorageClass --output text)" = STANDARD_IA ]; }
aws_rb() { aws s3 rb s3://cli-bucket --force && gone NoSuchBucket aws s3 ls s3://cli-bucket; }

s3cmd() { command s3cmd --access_key="$KEY" --secret_key="$SECRET" --host="$host" --host-bucket="$host" --no-ssl --region=us-east-1 -c /dev/null --no-progress "$@"; }
s3cmd_sync() { s3cmd mb s3://s3cmd-bucket && s3cmd sync --add-header=x-amz-meta-colour:blue tree/ s3://s3cmd-bucket/t/ && rm -rf back && mkdir back && s3cmd sync s3://s3cmd-bucket/t/ back/ && same_tree back; }
s3cmd_multipart() { s3cmd put --multipart-chunk-size-mb=5 big s3://s3cmd-bucket/big && s3cmd get --force s3://s3cmd-bucket/big got && cmp big got; }
s3cmd_metadata() { says 'x-amz-meta-colour: *blue' s3cmd info s3://s3cmd-bucket/t/one.txt; }
# Told that it is private, it does not copy the object's ACL, which buckets of today do not take.
s3cmd_copy() { s3cmd cp --acl-private s3://s3cmd-bucket/big s3://s3cmd-bucket/copy && s3cmd mv --acl-private s3://s3cmd-bucket/copy s3://s3cmd-bucket/moved && s3cmd get --force s3://s3cmd-bucket/moved got && cmp big got; }
s3cmd_list() { [ "$(s3cmd ls --recursive s3://s3cmd-bucket/t/ | wc -l)" = 3 ] && says 'two words+ä.txt' s3cmd ls s3://s3cmd-bucket/t/deep/; }
s3cmd_tags() { s3cmd settagging s3://s3cmd-bucket/big 'a=b&c=d' && says 'c:[[:space:]]*d' s3cmd gettagging s3://s3cmd-bucket/big; }
s3cmd_delete() { s3cmd del --recursive --force s3://s3cmd-bucket && s3cmd rb s3://s3cmd-bucket; }

rclone() { command rclone --config /dev/null --s3-provider Other --s3-acl bucket-owner-full-control --s3-bucket-acl private --s3-endpoint "$ENDPOINT" --s3-region us-east-1 --s3-access-key-id "$KEY" --s3-secret-access-key "$SECRET" --s3-force-path-style --s3-upload-cutoff 5M --s3-chunk-size 5M "$@"; }
rclone_sync() { rclone mkdir :s3:rclone-bucket && rclone sync tree :s3:rclone-bucket/t && rm -rf back && rclone copy :s3:rclone-bucket/t back && same_tree back; }
rclone_check() { rclone check tree :s3:rclone-bucket/t --download; }
rclone_again() { silent Copied rclone sync -v tree :s3:rclone-bucket/t; }
rclone_range() { rclone cat --offset 5000000 --count 1000 :s3:rclone-bucket/t/deep/big | cmp - <(tail -c +5000001 big | head -c 1000); }
rclone_move() { rclone moveto :s3:rclone-bucket/t/one.txt :s3:rclone-bucket/u/1 && [ "$(rclone cat :s3:rclone-bucket/u/1)" = one ] && [ "$(rclone lsf -R --files-only :s3:rclone-bucket | wc -l)" = 3 ]; }
rclone_link() { curl -fsS "$(rclone link :s3:rclone-bucket/t/deep/big)" | cmp - big; }
rclone_purge() { rclone purge :s3:rclone-bucket && gone 'not found' rclone lsf :s3:rclone-bucket; }

case $client in
aws) for name in sync sync_again sync_delete metadata mv presign pipe class rb; do check $name aws_$name; done ;;
s3cmd) for name in sync multipart metadata copy list tags delete; do check $name s3cmd_$name; done ;;
rclone) for name in sync check again range move link purge; do check $name rclone_$name; done ;;
esac
