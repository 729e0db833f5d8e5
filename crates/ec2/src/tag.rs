//! Tags: their rules, those that a request gives to what it makes, and the kinds that have them (EC2 User Guide, "Tag
//! your Amazon EC2 resources").

mod create_tags;
mod delete_tags;
mod describe_tags;

use std::collections::BTreeSet;

use daypass_core::model::ec2::{self, TagSpecification, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Entry, Error, Fault};

use crate::fault;
use crate::resource::{Home, Kind, Resource, ask};

pub(crate) const OPERATIONS: &[&Entry] =
    &[&create_tags::CREATE_TAGS, &delete_tags::DELETE_TAGS, &describe_tags::DESCRIBE_TAGS];

/// The most tags of one thing.
const MAX_TAGS: usize = 50;
/// The longest key, in characters.
const MAX_KEY: usize = 128;
/// The longest value, in characters.
const MAX_VALUE: usize = 256;

/// Tags as the API answers them; `None` where it leaves an empty set out.
pub(crate) fn some(tags: &[Tag]) -> Option<Vec<ec2::Tag>> {
    Some(all(tags)).filter(|t| !t.is_empty())
}

/// Tags as the API answers them.
pub(crate) fn all(tags: &[Tag]) -> Vec<ec2::Tag> {
    tags.iter().map(|t| ec2::Tag { key: Some(t.key.clone()), value: Some(t.value.clone()) }).collect()
}

/// Tags as a request has them, by the rules.
pub(crate) fn read(tags: &[ec2::Tag]) -> Result<Vec<Tag>, Fault> {
    let mut keys = BTreeSet::new();
    let mut read = vec![];
    for tag in tags {
        let key = tag.key.clone().unwrap_or_default();
        let value = tag.value.clone().unwrap_or_default();
        if key.is_empty() {
            return Err(fault::invalid_value("Tag key cannot be null or empty"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(fault::invalid_value("Tag keys starting with 'aws:' are reserved for internal use"));
        }
        if key.chars().count() > MAX_KEY {
            return Err(fault::invalid_value(format!(
                "Tag key exceeds the maximum length of {MAX_KEY} characters"
            )));
        }
        if value.chars().count() > MAX_VALUE {
            return Err(fault::invalid_value(format!(
                "Tag value exceeds the maximum length of {MAX_VALUE} characters"
            )));
        }
        if !keys.insert(key.clone()) {
            return Err(fault::invalid_value(format!("Duplicate tag key '{key}' specified.")));
        }
        read.push(Tag { key, value });
    }
    if read.len() > MAX_TAGS {
        return Err(too_many());
    }
    read.sort();
    Ok(read)
}

fn too_many() -> Fault {
    Fault::new(&errors::TAG_LIMIT_EXCEEDED, "The maximum number of Tags for a resource has been reached.")
}

/// Sets tags on what has some: those of the same key get the new value.
pub(crate) fn merge(tags: &mut Vec<Tag>, new: &[Tag]) -> Result<(), Fault> {
    tags.retain(|tag| !new.iter().any(|n| n.key == tag.key));
    tags.extend_from_slice(new);
    tags.sort();
    // What AWS itself puts on a thing does not count.
    if tags.iter().filter(|t| !t.key.starts_with("aws:")).count() > MAX_TAGS {
        Err(too_many())
    } else {
        Ok(())
    }
}

/// The tags that a request gives to what it makes, for one kind of several that it may make.
pub(crate) fn of_new(
    specifications: &[TagSpecification],
    kind: &Kind,
    made: &[&Kind],
) -> Result<Vec<Tag>, Fault> {
    let mut tags: Option<Vec<Tag>> = None;
    for specification in specifications {
        let named = specification.resource_type.as_deref().unwrap_or("");
        if !made.iter().any(|k| k.name == named) {
            let words = format!("'{named}' is not a valid taggable resource type for this operation.");
            return Err(fault::invalid_value(words));
        }
        let read = read(&specification.tags)?;
        if read.is_empty() {
            return Err(fault::invalid_value("Tag specification must have at least one tag"));
        }
        if named == kind.name && tags.replace(read).is_some() {
            let words = format!("'{named}' was specified more than once in TagSpecifications");
            return Err(fault::invalid_value(words));
        }
    }
    Ok(tags.unwrap_or_default())
}

/// What a request would tag new things of a kind with, right or wrong.
fn asked<'t>(specifications: &'t [TagSpecification], kind: &Kind) -> Vec<(&'t str, &'t str)> {
    let of_kind = specifications.iter().filter(|s| s.resource_type.as_deref() == Some(kind.name));
    let tags = of_kind.flat_map(|s| &s.tags);
    tags.map(|t| (t.key.as_deref().unwrap_or(""), t.value.as_deref().unwrap_or(""))).collect()
}

/// May the caller make a thing of a kind, with the tags that it asks for? Tags on creation need `ec2:CreateTags` too,
/// for this very operation (EC2 User Guide, "Grant permission to tag resources during creation"). `describe` adds what
/// is known of the thing before it is there.
pub(crate) fn ask_to_make(
    cx: &Cx,
    action: &'static str,
    kind: &Kind,
    specifications: &[TagSpecification],
    describe: impl FnOnce(Check) -> Check,
) -> Checks {
    ask_to_make_named(cx, action, kind, "*", specifications, describe)
}

/// The same of a thing whose ARN is known before it is there.
pub(crate) fn ask_to_make_named(
    cx: &Cx,
    action: &'static str,
    kind: &Kind,
    name: &str,
    specifications: &[TagSpecification],
    describe: impl FnOnce(Check) -> Check,
) -> Checks {
    let arn = Home::of(cx).arn(kind.name, name);
    let tags = asked(specifications, kind);
    let make = describe(ask(cx, action, arn.clone()).request_tags(tags.iter().copied()));
    if tags.is_empty() {
        return make.into();
    }
    let tag = ask(cx, "ec2:CreateTags", arn)
        .with("ec2:CreateAction", cx.operation().name)
        .request_tags(tags.iter().copied());
    Checks::from(make).and(tag)
}

/// The tags of a thing, if there is such a thing.
type Found = Result<Option<Vec<Tag>>, StoreError>;
/// Ids, and the tags of what has them.
type Tagged = Result<Vec<(String, Vec<Tag>)>, StoreError>;

/// A kind of thing that can be tagged.
pub(crate) struct Taggable {
    /// The kind itself.
    pub(crate) kind: &'static Kind,
    /// The tags of the thing of that id.
    pub(crate) tags: fn(&Tx<'_>, &Home, &str) -> Found,
    /// Sets them.
    pub(crate) set: fn(&mut Tx<'_>, &Home, &str, Vec<Tag>) -> Result<(), StoreError>,
    /// All things of the kind.
    pub(crate) all: fn(&Tx<'_>, &Home) -> Tagged,
    /// May the caller do this to the thing of that id?
    pub(crate) ask: fn(&Cx, &Tx<'_>, &'static str, &str) -> Result<Check, StoreError>,
}

const fn taggable<R: Resource>() -> Taggable {
    Taggable {
        kind: R::KIND,
        tags: |tx, home, id| Ok(R::find(tx, home, id)?.map(|thing| thing.tags().to_vec())),
        set: |tx, home, id, tags| {
            if let Some(mut thing) = R::find(tx, home, id)? {
                *thing.tags_mut() = tags;
                tx.put(&thing)?;
            }
            Ok(())
        },
        all: |tx, home| {
            Ok(R::list(tx, home)?.into_iter().map(|t| (t.id().to_owned(), t.tags().to_vec())).collect())
        },
        ask: |cx, tx, action, id| R::ask(cx, tx, action, id),
    }
}

/// Every kind that can be tagged. `CreateTags` knows a thing's kind by its id alone.
static TAGGABLE: &[Taggable] = &[
    taggable::<crate::vpc::Vpc>(),
    taggable::<crate::subnet::Subnet>(),
    taggable::<crate::security_group::SecurityGroup>(),
    crate::security_group::RULES,
    taggable::<crate::route_table::RouteTable>(),
    taggable::<crate::internet_gateway::InternetGateway>(),
    taggable::<crate::network_acl::NetworkAcl>(),
    taggable::<crate::dhcp_options::DhcpOptions>(),
    taggable::<crate::key_pair::KeyPair>(),
    taggable::<crate::volume::Volume>(),
    taggable::<crate::launch_template::LaunchTemplate>(),
    taggable::<daypass_core::store::records::Instance>(),
    crate::network_interface::TAGGABLE,
];

/// The kind that an id is of.
fn kind_of(id: &str) -> Result<&'static Taggable, Fault> {
    let refused = || Fault::new(&errors::INVALID_ID, format!("The ID '{id}' is not valid"));
    TAGGABLE.iter().find(|t| t.kind.may_be(id)).ok_or_else(refused)
}

/// The tags of the thing of that id, whatever its kind.
fn tags_of(tx: &Tx<'_>, home: &Home, id: &str) -> Result<(&'static Taggable, Vec<Tag>), Error> {
    let taggable = kind_of(id)?;
    let tags = (taggable.tags)(tx, home, id)?.ok_or_else(|| (taggable.kind.not_found)(id))?;
    Ok((taggable, tags))
}

/// May the caller do this to the tags of these things?
fn ask_about(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    ids: &[String],
    tell: impl Fn(Check) -> Check,
) -> Result<Checks, StoreError> {
    let mut checks = vec![];
    for id in ids {
        checks.push(tell(match kind_of(id) {
            Ok(taggable) => (taggable.ask)(cx, tx, action, id)?,
            // Whoever may do it to anything may learn that this is nothing.
            Err(_) => ask(cx, action, Home::of(cx).arn("*", "*")),
        }));
    }
    let mut checks = checks.into_iter();
    let first = checks.next().unwrap_or_else(|| ask(cx, action, "*"));
    Ok(Checks::from(first).and_all(checks))
}
