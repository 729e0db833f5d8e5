#!/usr/bin/env bash
# Terraform over every aws_iam_* resource and data source (iam/main.tf): apply, a plan that shows no difference, a change in place, no
# difference again, import of what can be imported, destroy. Unmodified terraform and AWS provider. Ends with 'N passed, N failed'.
# Needs a server and its administrator's credentials in the environment (eval "$(daypass env)"), and the provider in TF_PLUGINS.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cp "$here/iam/main.tf" "$work/"; cd "$work" || exit 1
cat >terraform.rc <<J
provider_installation {
  filesystem_mirror { path = "${TF_PLUGINS:-/opt/tf-plugins}" }
}
J
suffix=$(date +%s | tail -c 6)
export TF_CLI_CONFIG_FILE=$work/terraform.rc TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 TF_VAR_suffix=$suffix TF_VAR_data=$here/../../crates/iam/tests/data
export AWS_REGION=${AWS_REGION:-us-east-1}; unset AWS_EC2_METADATA_DISABLED
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok - $1"; }
bad() { failed=$((failed + 1)); echo "not ok - $1"; grep -E -A8 'Error|^ *[~+/-]|Plan:' last.log | head -n "${2:-24}" | sed 's/^/#  /'; }
# terraform WORDS ARGUMENTS…
does() { local words=$1; shift; if terraform "$@" -no-color >last.log 2>&1; then ok "$words"; else bad "$words"; return 1; fi; }
same() { local words=$1; shift; terraform plan -input=false -detailed-exitcode -no-color "$@" >last.log 2>&1; [ $? = 0 ] && ok "$words" || bad "$words"; }
holds() { if terraform output -json checks 2>/dev/null | python3 -c "import json,sys; c=json.load(sys.stdin); sys.exit(0 if ($2) else 1)"; then ok "$1"; else : >last.log; bad "$1"; terraform output checks | sed 's/^/#  /'; fi; }

does "init" init -input=false || { echo "$passed passed, $failed failed"; exit 1; }
does "apply" apply -auto-approve -input=false || { terraform destroy -auto-approve -input=false >/dev/null 2>&1; echo "$passed passed, $failed failed"; exit 1; }
same "a plan right after shows no difference"
holds "the data sources tell what was made" "c['alias'].endswith('$suffix') and c['allowed']==['s3:GetObject'] and c['key'] and c['members']==['tf-exclusive-$suffix'] and c['profile']==['tf-profile-$suffix'] and c['roles']==['tf-role-$suffix'] and c['user'] and c['users']>=2 and c['pem'] and c['expires'].startswith('2126')"
changed=(-var changed=true)
does "a change" apply -auto-approve -input=false "${changed[@]}"
grep -qE 'Resources: 0 added, [0-9]+ changed, 0 destroyed' last.log && ok "nothing was replaced" || bad "nothing was replaced" 40
same "a plan after the change shows no difference" "${changed[@]}"

# What each is imported by.
id() { terraform state show -no-color "$1" | sed -nE "s/^ *$2 += \"(.*)\"/\1/p" | head -n 1; }
policy=$(id aws_iam_policy.main arn)
declare -A imports=(
  [aws_iam_user.main]=tf-user-$suffix [aws_iam_group.main]=tf-group-$suffix [aws_iam_role.main]=tf-role-$suffix
  [aws_iam_policy.main]=$policy [aws_iam_instance_profile.main]=tf-profile-$suffix
  [aws_iam_user_policy.main]=tf-user-$suffix:inline [aws_iam_group_policy.main]=tf-group-$suffix:inline [aws_iam_role_policy.main]=tf-role-$suffix:inline
  [aws_iam_user_policy_attachment.main]=tf-user-$suffix/$policy [aws_iam_role_policy_attachment.main]=tf-role-$suffix/$policy
  [aws_iam_account_alias.main]=tf-alias-$suffix [aws_iam_account_password_policy.main]=iam-account-password-policy
  [aws_iam_service_linked_role.main]=$(id aws_iam_service_linked_role.main arn)
  [aws_iam_user_group_membership.main]=tf-user-$suffix/tf-group-$suffix
  [aws_iam_service_specific_credential.main]=codecommit.amazonaws.com:tf-user-$suffix:$(id aws_iam_service_specific_credential.main service_specific_credential_id)
)
for address in $(printf '%s\n' "${!imports[@]}" | sort); do
  printf 'import {\n  to = %s\n  id = "%s"\n}\n' "$address" "${imports[$address]}"
done >imports.tf
does "all that can be imported is forgotten" state rm "${!imports[@]}"
# What AWS never tells again is what an import cannot know: it is not compared.
does "a plan that imports it" plan -input=false -out=after.plan "${changed[@]}"
if terraform show -json after.plan | python3 -c "
import json, sys
quiet = {'force_destroy', 'force_detach_policies', 'name_prefix', 'service_password'}
real = []
for resource in json.load(sys.stdin)['resource_changes']:
    change = resource['change']
    before, after = change['before'] or {}, change['after'] or {}
    differs = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    if change['actions'] not in (['no-op'], ['read']) and (change['actions'] != ['update'] or set(differs) - quiet):
        real.append((resource['address'], change['actions'], differs))
print(*real, sep='\n'); sys.exit(1 if real else 0)" >last.log 2>&1; then ok "what is imported is as it was made"; else bad "what is imported is as it was made"; sed 's/^/#  /' last.log; fi
does "the import" apply -input=false after.plan
rm imports.tf

does "destroy" destroy -auto-approve -input=false "${changed[@]}"
[ -z "$(terraform state list 2>/dev/null)" ] && ok "nothing is left" || bad "nothing is left"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
