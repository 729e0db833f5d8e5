//! `ec2:DescribeTags`: the tags of everything.

use daypass_core::model::ec2::{DescribeTagsRequest, DescribeTagsResult, TagDescription, ops};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::default_network;
use crate::filter::{self, Field, Listed, one};
use crate::page::Page;
use crate::resource::{Home, ask_all};

operation!(DESCRIBE_TAGS, ops::DescribeTags, checks, run);

/// One tag of one thing.
struct Tagged {
    id: String,
    kind: &'static str,
    /// One at most.
    tag: Vec<Tag>,
}

impl Tagged {
    fn part(&self, part: impl Fn(&Tag) -> &String) -> String {
        self.tag.first().map(part).cloned().unwrap_or_default()
    }
}

impl Listed for Tagged {
    fn order(&self) -> String {
        format!("{}\0{}", self.id, self.part(|t| &t.key))
    }

    fn tags(&self) -> &[Tag] {
        &self.tag
    }
}

const FILTERS: &[Field<Tagged>] = &[
    ("key", |t| one(t.part(|t| &t.key))),
    ("resource-id", |t| one(&t.id)),
    ("resource-type", |t| one(t.kind)),
    ("value", |t| one(t.part(|t| &t.value))),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeTagsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeTags").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeTagsRequest) -> Result<DescribeTagsResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut tagged = vec![];
    for taggable in super::TAGGABLE {
        for (id, tags) in (taggable.all)(tx, &home)? {
            let kind = taggable.kind.name;
            tagged.extend(tags.into_iter().map(|tag| Tagged { id: id.clone(), kind, tag: vec![tag] }));
        }
    }
    let tagged = filter::select(tagged, &input.filters, FILTERS)?;
    let (tagged, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, tagged)?;
    let describe = |t: &Tagged| TagDescription {
        key: Some(t.part(|t| &t.key)),
        resource_id: Some(t.id.clone()),
        resource_type: Some(t.kind.to_owned()),
        value: Some(t.part(|t| &t.value)),
    };
    Ok(DescribeTagsResult { next_token, tags: Some(tagged.iter().map(describe).collect()) })
}
