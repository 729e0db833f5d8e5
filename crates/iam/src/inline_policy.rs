//! Inline policies: `Put…Policy`, `Get…Policy`, `Delete…Policy` and `List…Policies` for users, groups and roles.

use daypass_core::model::iam::{
    GetGroupPolicyResponse, GetRolePolicyResponse, GetUserPolicyResponse, ListGroupPoliciesResponse,
    ListRolePoliciesResponse, ListUserPoliciesResponse, ops,
};
use daypass_core::policy::{DocumentKind, size_without_white_space};
use daypass_core::store::Tx;
use daypass_core::store::records::{Group, Role, User};
use daypass_core::{Cx, Error, Fault, operation};

use crate::document;
use crate::entity::{Entity as _, Identity, check_identity};
use crate::fault::{limit_exceeded, no_such_entity};
use crate::paging::{Page, Paging};

/// `inline_policies!(record, member that names it: four entries);`
macro_rules! inline_policies {
    ($record:ty, $handle:ident:
     $put:ident = $Put:ident, $get:ident = $Get:ident -> $Got:ident, $delete:ident = $Delete:ident,
     $list:ident = $List:ident -> $Listed:ident) => {
        operation!(
            $put,
            ops::$Put,
            |cx, tx, input| Ok(check_identity::<$record>(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| put::<$record>(cx, tx, &input.$handle, input.policy_name, input.policy_document)
        );
        operation!(
            $get,
            ops::$Get,
            |cx, tx, input| Ok(<$record>::check(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| {
                let ($handle, policy_name, policy_document) =
                    get::<$record>(cx, tx, &input.$handle, &input.policy_name)?;
                Ok($Got { $handle, policy_name, policy_document })
            }
        );
        operation!(
            $delete,
            ops::$Delete,
            |cx, tx, input| Ok(check_identity::<$record>(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| delete::<$record>(cx, tx, &input.$handle, &input.policy_name)
        );
        operation!(
            $list,
            ops::$List,
            |cx, tx, input| Ok(<$record>::check(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| {
                let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
                let identity = <$record>::load(cx, tx, &input.$handle)?;
                let names = identity.policies.inline.into_keys().collect();
                let Page { items, is_truncated, marker } = paging.list(names)?;
                Ok($Listed { policy_names: items, is_truncated, marker })
            }
        );
    };
}

inline_policies!(User, user_name:
    PUT_USER_POLICY = PutUserPolicy, GET_USER_POLICY = GetUserPolicy -> GetUserPolicyResponse,
    DELETE_USER_POLICY = DeleteUserPolicy, LIST_USER_POLICIES = ListUserPolicies -> ListUserPoliciesResponse);
inline_policies!(Group, group_name:
    PUT_GROUP_POLICY = PutGroupPolicy, GET_GROUP_POLICY = GetGroupPolicy -> GetGroupPolicyResponse,
    DELETE_GROUP_POLICY = DeleteGroupPolicy, LIST_GROUP_POLICIES = ListGroupPolicies -> ListGroupPoliciesResponse);
inline_policies!(Role, role_name:
    PUT_ROLE_POLICY = PutRolePolicy, GET_ROLE_POLICY = GetRolePolicy -> GetRolePolicyResponse,
    DELETE_ROLE_POLICY = DeleteRolePolicy, LIST_ROLE_POLICIES = ListRolePolicies -> ListRolePoliciesResponse);

fn put<I: Identity>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, name: String, text: String) -> Result<(), Error> {
    let mut identity = I::load(cx, tx, handle)?;
    let policies = identity.policies_mut()?;
    document::parse(DocumentKind::Inline, &text)?;
    policies.inline.insert(name, text);
    let size: usize = policies.inline.values().map(|text| size_without_white_space(text)).sum();
    if size > I::INLINE_SIZE {
        let (limit, kind, name) = (I::INLINE_SIZE, I::KIND, identity.name());
        let words = format!("Maximum policy size of {limit} bytes exceeded for {kind} {name}");
        return Err(limit_exceeded(words).into());
    }
    Ok(identity.save(tx)?)
}

/// The names of the identity and the policy, and the document.
fn get<I: Identity>(
    cx: &Cx,
    tx: &Tx<'_>,
    handle: &str,
    name: &str,
) -> Result<(String, String, String), Error> {
    let identity = I::load(cx, tx, handle)?;
    let text = identity.policies().inline.get(name).ok_or_else(|| missing::<I>(name))?;
    Ok((identity.name().to_owned(), name.to_owned(), document::encoded(text)))
}

fn delete<I: Identity>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, name: &str) -> Result<(), Error> {
    let mut identity = I::load(cx, tx, handle)?;
    let gone = identity.policies_mut()?.inline.remove(name);
    gone.ok_or_else(|| missing::<I>(name))?;
    Ok(identity.save(tx)?)
}

fn missing<I: Identity>(name: &str) -> Fault {
    no_such_entity(format!("The {} policy with name {name} cannot be found.", I::KIND))
}
