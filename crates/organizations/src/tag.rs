//! Tags: `TagResource`, `UntagResource`, `ListTagsForResource` for roots, units, accounts and policies.

use std::collections::BTreeSet;

use daypass_core::model::organizations::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag as ApiTag, TagResourceRequest,
    UntagResourceRequest, ops,
};
use daypass_core::store::records::{Organization, OrganizationNode, OrganizationPolicy, Tag};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::fault::{constraint, invalid, no_target};
use crate::home;
use crate::node;
use crate::paging::page;
use crate::policy::Found;
use crate::resource_policy::ResourcePolicy;

operation!(TAG_RESOURCE, ops::TagResource, tag_checks, tag);
operation!(UNTAG_RESOURCE, ops::UntagResource, untag_checks, untag);
operation!(
    LIST_TAGS_FOR_RESOURCE,
    ops::ListTagsForResource,
    |cx, tx, input| home::checks(cx, tx, &[&input.resource_id]),
    list
);

/// The most tags of one resource (user guide, `orgs_tagging`).
const MAX_TAGS: usize = 50;

/// What creating something with tags asks: to create it, and to tag it if there are any (user guide, `orgs_tagging`,
/// permissions required to add tags when creating).
pub(crate) fn creating(cx: &Cx, tx: &Tx<'_>, ids: &[&str], tags: &[ApiTag]) -> Result<Checks, StoreError> {
    creating_with(cx, tx, ids, tags, |check| check)
}

/// The same with more to say of it.
pub(crate) fn creating_with(
    cx: &Cx,
    tx: &Tx<'_>,
    ids: &[&str],
    tags: &[ApiTag],
    say: impl Fn(Check) -> Check,
) -> Result<Checks, StoreError> {
    let checks = home::checks_with(cx, tx, ids, |check| say(requested(check, tags)))?;
    if tags.is_empty() {
        return Ok(checks);
    }
    Ok(checks.and(say(requested(Check::on_all("organizations:TagResource"), tags))))
}

fn requested(check: Check, tags: &[ApiTag]) -> Check {
    check.request_tags(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())))
}

fn tag_checks(cx: &Cx, tx: &Tx<'_>, input: &TagResourceRequest) -> Result<Checks, StoreError> {
    home::checks_with(cx, tx, &[&input.resource_id], |check| requested(check, &input.tags))
}

fn untag_checks(cx: &Cx, tx: &Tx<'_>, input: &UntagResourceRequest) -> Result<Checks, StoreError> {
    let say = |check: Check| check.with_list("aws:TagKeys", input.tag_keys.clone());
    home::checks_with(cx, tx, &[&input.resource_id], say)
}

/// The tags of a request, checked.
///
/// # Errors
/// If a key stands there twice or is AWS's own, or if there are too many.
pub(crate) fn read(tags: Vec<ApiTag>) -> Result<Vec<Tag>, Fault> {
    let mut seen = BTreeSet::new();
    for tag in &tags {
        if !seen.insert(tag.key.clone()) {
            return Err(invalid(
                "DUPLICATE_TAG_KEY",
                "Tag keys must be unique among the tags attached to the same entity.",
            ));
        }
        if tag.key.to_lowercase().starts_with("aws:") {
            let words = "You specified a tag key that isn't valid. You can't use system tags, whose keys begin with aws:.";
            return Err(invalid("INVALID_SYSTEM_TAGS_PARAMETER", words));
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(too_many());
    }
    Ok(tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect())
}

fn too_many() -> Fault {
    constraint("MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the number of tags allowed on this resource.")
}

/// What can have tags.
enum Tagged {
    Node(Box<OrganizationNode>),
    Policy(Box<OrganizationPolicy>),
    ResourcePolicy(Box<ResourcePolicy>),
}

impl Tagged {
    fn load(tx: &Tx<'_>, organization: &Organization, id: &str) -> Result<Self, Error> {
        if id.starts_with("p-") {
            return Ok(Self::Policy(Box::new(
                Found::load(tx, organization, id).map_err(|_| no_target())?.own()?,
            )));
        }
        if id.starts_with("rp-") {
            let policy = tx.get::<ResourcePolicy>(&ResourcePolicy::key_of(&organization.id))?;
            let policy = policy.filter(|policy| policy.id == id).ok_or_else(no_target)?;
            return Ok(Self::ResourcePolicy(Box::new(policy)));
        }
        let kinds = [node::Kind::Root, node::Kind::Unit, node::Kind::Account];
        Ok(Self::Node(Box::new(node::load(tx, organization, id, &kinds, no_target)?)))
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        match self {
            Self::Node(node) => &mut node.tags,
            Self::Policy(policy) => &mut policy.tags,
            Self::ResourcePolicy(policy) => &mut policy.tags,
        }
    }

    fn save(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match self {
            Self::Node(node) => tx.put(&**node),
            Self::Policy(policy) => tx.put(&**policy),
            Self::ResourcePolicy(policy) => tx.put(&**policy),
        }
    }
}

fn tag(cx: &Cx, tx: &mut Tx<'_>, input: TagResourceRequest) -> Result<(), Error> {
    let organization = home::delegated(cx, tx, tag_checks(cx, tx, &input)?)?;
    let new = read(input.tags)?;
    let mut tagged = Tagged::load(tx, &organization, &input.resource_id)?;
    let tags = tagged.tags_mut();
    tags.retain(|known| !new.iter().any(|tag| tag.key == known.key));
    tags.extend(new);
    if tags.len() > MAX_TAGS {
        return Err(too_many().into());
    }
    Ok(tagged.save(tx)?)
}

fn untag(cx: &Cx, tx: &mut Tx<'_>, input: UntagResourceRequest) -> Result<(), Error> {
    let organization = home::delegated(cx, tx, untag_checks(cx, tx, &input)?)?;
    let mut tagged = Tagged::load(tx, &organization, &input.resource_id)?;
    tagged.tags_mut().retain(|known| !input.tag_keys.contains(&known.key));
    Ok(tagged.save(tx)?)
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.resource_id])?)?;
    // AWS's own policies have none.
    let of_aws = daypass_core::organizations::FULL_ACCESS.iter().any(|full| full.id == input.resource_id);
    let tags = match of_aws {
        true => vec![],
        false => std::mem::take(Tagged::load(tx, &organization, &input.resource_id)?.tags_mut()),
    };
    let shown = tags.into_iter().map(|tag| (tag.key.clone(), ApiTag { key: tag.key, value: tag.value }));
    let (tags, next_token) = page(cx, shown.collect(), input.next_token.as_deref(), None)?;
    Ok(ListTagsForResourceResponse { tags: Some(tags), next_token })
}
