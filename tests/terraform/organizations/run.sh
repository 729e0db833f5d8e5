#!/usr/bin/env bash
# Organizations with unmodified Terraform: apply, a plan without difference, a change, import, destroy. Needs AWS_ENDPOINT_URL and
# administrator credentials of an account that is in no organization in the environment. Ends with 'N passed, N failed'.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok $((passed + failed)) - $1"; }
bad() { failed=$((failed + 1)); echo "not ok $((passed + failed)) - $1"; head -n 20 <<<"${2:-}" | sed 's/^/#   /'; }
tf() { timeout 300 terraform "$@" -no-color 2>&1; }
does() { local words=$1 out; shift; if out=$(tf "$@"); then ok "$words"; else bad "$words" "$(grep -A8 -E 'Error' <<<"$out")"; return 1; fi; }
same() { local words=$1 out; shift; if out=$(tf plan -input=false -detailed-exitcode "$@"); then ok "$words"; else bad "$words" "$(grep -E '^ *[~+/-]|Error|Plan:' <<<"$out")"; fi; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1" "is '$2', not '$3'"; fi; }

export TF_CLI_CONFIG_FILE=$work/terraform.rc TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
mirror=${TF_PLUGINS:-$(dirname "$(find /opt /usr/local /usr/share "$HOME/.terraform.d" -maxdepth 4 -type d -name registry.terraform.io 2>/dev/null | head -n 1)")}
printf 'provider_installation {\n  filesystem_mirror { path = "%s" }\n}\n' "$mirror" >"$TF_CLI_CONFIG_FILE"
cp "$here/main.tf" "$work/" && cd "$work" || exit 1

does "init" init -input=false
does "apply" apply -auto-approve -input=false
same "a plan right after it shows no difference"
seen() { terraform output -json seen 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
is "the organization has both accounts" "$(seen accounts)" 2
is "the unit is found by its name" "$(seen inner)" True
is "one unit is under the root" "$(seen top)" 1
is "the account is in the unit" "$(seen children)" 1
is "every account is below the root" "$(seen descendants)" 2
is "every unit is below the root" "$(seen units)" 2
is "both service control policies are listed" "$(seen scps)" 2
is "both hang on the account" "$(seen hung)" 2
is "FullAWSAccess is AWS's" "$(seen full)" True
is "the unit has its tag" "$(seen team)" red
is "the delegated administrator is listed" "$(seen delegates)" 1
is "and its service" "$(seen services)" 1
account=$(terraform output -raw account 2>/dev/null) unit=$(terraform output -raw unit 2>/dev/null)
is "Terraform's organization is the CLI's" "$(aws organizations describe-organization --query Organization.Id --output text)" "$(terraform output -raw organization)"
change=(-var unit=Live -var team=blue -var 'denied=["organizations:LeaveOrganization","s3:DeleteBucket"]' -var parent=inner)
does "a change: names, tags, a policy, another unit" apply -auto-approve -input=false "${change[@]}"
same "a plan after the change shows no difference" "${change[@]}"
is "the account moved in place" "$(aws organizations list-parents --child-id "$account" --query 'Parents[0].Id' --output text)" "$(terraform state show -no-color aws_organizations_organizational_unit.inner | awk '$1 == "id" { gsub(/"/, "", $3); print $3 }')"
is "the unit is the same one by another name" "$(aws organizations describe-organizational-unit --organizational-unit-id "$unit" --query OrganizationalUnit.Name --output text)" Live
for resource in aws_organizations_account.dev="$account" aws_organizations_organizational_unit.live="$unit" \
  aws_organizations_organization.this="$(terraform output -raw organization)" aws_organizations_policy.scp="$(terraform output -raw scp)" \
  aws_organizations_policy_attachment.account="$account:$(terraform output -raw scp)" \
  aws_organizations_delegated_administrator.guardduty="$account/guardduty.amazonaws.com"; do
  terraform state rm "${resource%%=*}" >/dev/null 2>&1
  does "import of ${resource%%=*}" import -input=false "${change[@]}" "${resource%%=*}" "${resource#*=}"
done
same "a plan after the imports shows no difference" "${change[@]}"
does "destroy" destroy -auto-approve -input=false "${change[@]}"
is "nothing is left in the state" "$(terraform state list 2>/dev/null)" ""
if aws organizations describe-organization >/dev/null 2>"$work/left"; then bad "the organization is gone"
elif grep -q AWSOrganizationsNotInUseException "$work/left"; then ok "the organization is gone"
else bad "the organization is gone" "$(cat "$work/left")"; fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
