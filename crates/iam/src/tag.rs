//! Tags: `Tag…`, `Untag…` and `List…Tags` for everything that has them.

use std::collections::BTreeSet;

use daypass_core::model::iam::{
    ListInstanceProfileTagsResponse, ListMFADeviceTagsResponse, ListOpenIDConnectProviderTagsResponse,
    ListPolicyTagsResponse, ListRoleTagsResponse, ListSAMLProviderTagsResponse,
    ListServerCertificateTagsResponse, ListUserTagsResponse, Tag as ApiTag, ops,
};
use daypass_core::store::records::{
    InstanceProfile, ManagedPolicy, MfaDevice, OidcProvider, Role, SamlProvider, Tag, User,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Check, Checks, Cx, Error, Fault, operation};

use crate::entity::Tagged;
use crate::fault::{invalid_input, limit_exceeded};
use crate::paging::{Page, Paging};
use crate::quota;
use crate::server_certificate::ServerCertificate;

/// `tagging!(record, member that names it: three entries);`
macro_rules! tagging {
    ($record:ty, $handle:ident:
     $tag:ident = $Tag:ident, $untag:ident = $Untag:ident, $list:ident = $List:ident -> $Response:ident) => {
        operation!(
            $tag,
            ops::$Tag,
            |cx, tx, input| Ok(requested(
                <$record as crate::entity::Entity>::check(cx, tx, &input.$handle)?,
                &input.tags
            )
            .into()),
            |cx, tx, input| tag::<$record>(cx, tx, &input.$handle, input.tags)
        );
        operation!(
            $untag,
            ops::$Untag,
            |cx, tx, input| untag_checks::<$record>(cx, tx, &input.$handle, &input.tag_keys),
            |cx, tx, input| untag::<$record>(cx, tx, &input.$handle, &input.tag_keys)
        );
        operation!(
            $list,
            ops::$List,
            |cx, tx, input| Ok(<$record as crate::entity::Entity>::check(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| {
                let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
                let Page { items, is_truncated, marker } = list::<$record>(cx, tx, &input.$handle, &paging)?;
                Ok($Response { tags: items, is_truncated, marker })
            }
        );
    };
}

tagging!(User, user_name:
    TAG_USER = TagUser, UNTAG_USER = UntagUser, LIST_USER_TAGS = ListUserTags -> ListUserTagsResponse);
tagging!(Role, role_name:
    TAG_ROLE = TagRole, UNTAG_ROLE = UntagRole, LIST_ROLE_TAGS = ListRoleTags -> ListRoleTagsResponse);
tagging!(ManagedPolicy, policy_arn:
    TAG_POLICY = TagPolicy, UNTAG_POLICY = UntagPolicy, LIST_POLICY_TAGS = ListPolicyTags -> ListPolicyTagsResponse);
tagging!(InstanceProfile, instance_profile_name:
    TAG_INSTANCE_PROFILE = TagInstanceProfile, UNTAG_INSTANCE_PROFILE = UntagInstanceProfile,
    LIST_INSTANCE_PROFILE_TAGS = ListInstanceProfileTags -> ListInstanceProfileTagsResponse);

tagging!(MfaDevice, serial_number:
    TAG_MFA_DEVICE = TagMFADevice, UNTAG_MFA_DEVICE = UntagMFADevice,
    LIST_MFA_DEVICE_TAGS = ListMFADeviceTags -> ListMFADeviceTagsResponse);
tagging!(ServerCertificate, server_certificate_name:
    TAG_SERVER_CERTIFICATE = TagServerCertificate, UNTAG_SERVER_CERTIFICATE = UntagServerCertificate,
    LIST_SERVER_CERTIFICATE_TAGS = ListServerCertificateTags -> ListServerCertificateTagsResponse);
tagging!(OidcProvider, open_id_connect_provider_arn:
    TAG_OPEN_ID_CONNECT_PROVIDER = TagOpenIDConnectProvider,
    UNTAG_OPEN_ID_CONNECT_PROVIDER = UntagOpenIDConnectProvider,
    LIST_OPEN_ID_CONNECT_PROVIDER_TAGS = ListOpenIDConnectProviderTags -> ListOpenIDConnectProviderTagsResponse);

tagging!(SamlProvider, saml_provider_arn:
    TAG_SAML_PROVIDER = TagSAMLProvider, UNTAG_SAML_PROVIDER = UntagSAMLProvider,
    LIST_SAML_PROVIDER_TAGS = ListSAMLProviderTags -> ListSAMLProviderTagsResponse);

/// The question with the tags that the request sets.
pub(crate) fn requested(check: Check, tags: &[ApiTag]) -> Check {
    check.request_tags(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())))
}

/// What creating something with tags asks: to create it, and to tag it if there are any (IAM user guide, `id_tags`:
/// creating with tags takes both permissions).
pub(crate) fn creating(check: Check, tag_action: &'static str, arn: &str, tags: &[ApiTag]) -> Checks {
    let checks = Checks::from(requested(check, tags));
    if tags.is_empty() { checks } else { checks.and(requested(Check::new(tag_action, arn), tags)) }
}

fn tag<T: Tagged>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, tags: Vec<ApiTag>) -> Result<(), Error> {
    let tags = read(tags)?;
    let mut tagged = T::load(cx, tx, handle)?;
    set(tagged.tags_mut(), tags)?;
    Ok(tagged.save(tx)?)
}

fn untag_checks<T: Tagged>(
    cx: &Cx,
    tx: &Tx<'_>,
    handle: &str,
    keys: &[String],
) -> Result<Checks, StoreError> {
    Ok(T::check(cx, tx, handle)?.with_list("aws:TagKeys", keys.to_vec()).into())
}

fn untag<T: Tagged>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, keys: &[String]) -> Result<(), Error> {
    let mut tagged = T::load(cx, tx, handle)?;
    tagged.tags_mut().retain(|tag| !keys.iter().any(|key| same(key, &tag.key)));
    Ok(tagged.save(tx)?)
}

fn list<T: Tagged>(cx: &Cx, tx: &Tx<'_>, handle: &str, paging: &Paging<'_>) -> Result<Page<ApiTag>, Error> {
    // AWS's own policies are no records, and have no tags; no other handle is an ARN.
    if AwsManagedPolicy::find(handle).is_some() {
        return paging.list(vec![]);
    }
    paging.list(shown(T::load(cx, tx, handle)?.tags()))
}

/// The tags of a request, checked.
///
/// # Errors
/// If a key stands there twice, without regard to case, or is AWS's own.
pub(crate) fn read(tags: Vec<ApiTag>) -> Result<Vec<Tag>, Fault> {
    let mut seen = BTreeSet::new();
    for tag in &tags {
        if !seen.insert(tag.key.to_lowercase()) {
            let words = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(invalid_input(words));
        }
        if tag.key.to_lowercase().starts_with("aws:") {
            // AWS's words in other services; IAM's own were not seen recorded.
            return Err(invalid_input("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    let mut read: Vec<Tag> = tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect();
    read.sort();
    Ok(read)
}

/// Adds tags to those that are there. A tag whose key is there already takes its place, and the new case stays.
fn set(known: &mut Vec<Tag>, new: Vec<Tag>) -> Result<(), Fault> {
    known.retain(|tag| !new.iter().any(|n| same(&n.key, &tag.key)));
    known.extend(new);
    known.sort();
    if known.len() > quota::TAGS {
        return Err(limit_exceeded("The number of tags has reached the maximum limit."));
    }
    Ok(())
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Tags as answers have them.
pub(crate) fn shown(tags: &[Tag]) -> Vec<ApiTag> {
    tags.iter().map(|tag| ApiTag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

/// Tags where an answer leaves them out if there are none.
pub(crate) fn shown_if_any(tags: &[Tag]) -> Option<Vec<ApiTag>> {
    if tags.is_empty() { None } else { Some(shown(tags)) }
}
