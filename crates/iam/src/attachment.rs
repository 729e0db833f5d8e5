//! Attached managed policies: `Attach…Policy`, `Detach…Policy` and `ListAttached…Policies` for users, groups and roles.

use daypass_core::model::iam::{
    AttachedPolicy, ListAttachedGroupPoliciesResponse, ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesResponse, ops,
};
use daypass_core::store::records::{Group, Role, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Checks, Cx, Error, operation};

use crate::entity::{Entity as _, Identity, SERVICE_LINKED_PATH, check_identity};
use crate::fault::{no_such_policy, not_attachable};
use crate::paging::{Page, Paging};
use crate::policy_arn::{PolicyArn, attachable};
use crate::quota;

/// `attachments!(record, member that names it: three entries);`
macro_rules! attachments {
    ($record:ty, $handle:ident:
     $attach:ident = $Attach:ident, $detach:ident = $Detach:ident, $list:ident = $List:ident -> $Listed:ident) => {
        operation!(
            $attach,
            ops::$Attach,
            |cx, tx, input| checks::<$record>(cx, tx, &input.$handle, &input.policy_arn),
            |cx, tx, input| attach::<$record>(cx, tx, &input.$handle, &input.policy_arn)
        );
        operation!(
            $detach,
            ops::$Detach,
            |cx, tx, input| checks::<$record>(cx, tx, &input.$handle, &input.policy_arn),
            |cx, tx, input| detach::<$record>(cx, tx, &input.$handle, &input.policy_arn)
        );
        operation!(
            $list,
            ops::$List,
            |cx, tx, input| Ok(<$record>::check(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| {
                let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
                let identity = <$record>::load(cx, tx, &input.$handle)?;
                let prefix = input.path_prefix.as_deref().unwrap_or("/");
                let Page { items, is_truncated, marker } = paging.list(shown(&identity, prefix))?;
                Ok($Listed { attached_policies: Some(items), is_truncated, marker })
            }
        );
    };
}

attachments!(User, user_name:
    ATTACH_USER_POLICY = AttachUserPolicy, DETACH_USER_POLICY = DetachUserPolicy,
    LIST_ATTACHED_USER_POLICIES = ListAttachedUserPolicies -> ListAttachedUserPoliciesResponse);
attachments!(Group, group_name:
    ATTACH_GROUP_POLICY = AttachGroupPolicy, DETACH_GROUP_POLICY = DetachGroupPolicy,
    LIST_ATTACHED_GROUP_POLICIES = ListAttachedGroupPolicies -> ListAttachedGroupPoliciesResponse);
attachments!(Role, role_name:
    ATTACH_ROLE_POLICY = AttachRolePolicy, DETACH_ROLE_POLICY = DetachRolePolicy,
    LIST_ATTACHED_ROLE_POLICIES = ListAttachedRolePolicies -> ListAttachedRolePoliciesResponse);

fn checks<I: Identity>(cx: &Cx, tx: &Tx<'_>, handle: &str, arn: &str) -> Result<Checks, StoreError> {
    Ok(check_identity::<I>(cx, tx, handle)?.with("iam:PolicyARN", arn).into())
}

fn attach<I: Identity>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, arn: &str) -> Result<(), Error> {
    PolicyArn::parse(arn)?;
    let mut identity = I::load(cx, tx, handle)?;
    let policies = identity.policies_mut()?;
    let parsed = attachable(cx, tx, arn)?;
    if AwsManagedPolicy::find(arn).is_some() && parsed.path.starts_with(SERVICE_LINKED_PATH) {
        return Err(not_attachable(I::NOT_FOR_SERVICES).into());
    }
    if policies.attached.iter().any(|known| known == arn) {
        return Ok(());
    }
    quota::within(cx, I::ATTACHED_QUOTA, policies.attached.len() + 1)?;
    policies.attached.push(arn.to_owned());
    Ok(identity.save(tx)?)
}

fn detach<I: Identity>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, arn: &str) -> Result<(), Error> {
    PolicyArn::parse(arn)?;
    let mut identity = I::load(cx, tx, handle)?;
    let attached = &mut identity.policies_mut()?.attached;
    let place = attached.iter().position(|known| known == arn).ok_or_else(|| no_such_policy(arn))?;
    attached.remove(place);
    Ok(identity.save(tx)?)
}

/// The attached policies below a path, in the order of attachment.
pub(crate) fn shown(identity: &impl Identity, path_prefix: &str) -> Vec<AttachedPolicy> {
    let attached = identity.policies().attached.iter();
    let parsed = attached.filter_map(|arn| Some((arn, PolicyArn::parse(arn).ok()?)));
    parsed
        .filter(|(_, parsed)| parsed.path.starts_with(path_prefix))
        .map(|(arn, parsed)| AttachedPolicy {
            policy_name: Some(parsed.name.to_owned()),
            policy_arn: Some(arn.clone()),
        })
        .collect()
}
