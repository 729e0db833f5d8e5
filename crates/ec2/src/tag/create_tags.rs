//! `ec2:CreateTags`, for every kind that can be tagged.

use daypass_core::model::ec2::{CreateTagsRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::default_network;
use crate::fault;
use crate::resource::Home;

operation!(CREATE_TAGS, ops::CreateTags, checks, run);

/// EC2 API Reference, CreateTags.
const MAX_RESOURCES: usize = 1000;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateTagsRequest) -> Result<Checks, StoreError> {
    let tags =
        || input.tags.iter().map(|t| (t.key.as_deref().unwrap_or(""), t.value.as_deref().unwrap_or("")));
    super::ask_about(cx, tx, "ec2:CreateTags", &input.resources, |check| check.request_tags(tags()))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateTagsRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    if input.resources.is_empty() {
        return Err(fault::missing("resourceIdSet").into());
    }
    if input.tags.is_empty() {
        return Err(fault::missing("tagSet").into());
    }
    if input.resources.len() > MAX_RESOURCES {
        return Err(
            fault::invalid_value(format!("The maximum number of resources is {MAX_RESOURCES}")).into()
        );
    }
    let (home, new) = (Home::of(cx), super::read(&input.tags)?);
    for id in &input.resources {
        let (taggable, mut tags) = super::tags_of(tx, &home, id)?;
        super::merge(&mut tags, &new)?;
        (taggable.set)(tx, &home, id, tags)?;
    }
    Ok(())
}
