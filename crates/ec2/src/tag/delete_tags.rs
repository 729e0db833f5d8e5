//! `ec2:DeleteTags`: of a key whatever its value, of a key and a value only both, or of all.

use daypass_core::model::ec2::{DeleteTagsRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::default_network;
use crate::fault;
use crate::resource::Home;

operation!(DELETE_TAGS, ops::DeleteTags, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteTagsRequest) -> Result<Checks, StoreError> {
    let tags =
        || input.tags.iter().map(|t| (t.key.as_deref().unwrap_or(""), t.value.as_deref().unwrap_or("")));
    super::ask_about(cx, tx, "ec2:DeleteTags", &input.resources, |check| check.request_tags(tags()))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteTagsRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    if input.resources.is_empty() {
        return Err(fault::missing("resourceIdSet").into());
    }
    let home = Home::of(cx);
    for id in &input.resources {
        let (taggable, mut tags) = super::tags_of(tx, &home, id)?;
        // What AWS itself put there stays.
        tags.retain(|tag| {
            let named = input.tags.iter().any(|t| {
                t.key.as_deref() == Some(&tag.key) && t.value.as_ref().is_none_or(|value| *value == tag.value)
            });
            tag.key.starts_with("aws:") || !(named || input.tags.is_empty())
        });
        (taggable.set)(tx, &home, id, tags)?;
    }
    Ok(())
}
