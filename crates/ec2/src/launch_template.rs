//! Launch templates and their versions.

mod create_launch_template;
mod create_launch_template_version;
mod delete_launch_template;
mod describe_launch_template_versions;
mod describe_launch_templates;
mod merge;
mod modify_launch_template;

use daypass_core::model::ec2::{self, RequestLaunchTemplateData, ResponseLaunchTemplateData, errors, ops};
use daypass_core::model::{
    FromValue as _, IntoValue as _, Kind as ShapeKind, Structure, Timestamp, TypedOperation as _,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Prefix, Read, Record, StoreError};
use daypass_core::{Check, Cx, Entry, Error, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::resource::{Home, Kind, Resource, ask};
use crate::{fault, json, tag};

pub(crate) use merge::{Used, merge};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &create_launch_template::CREATE_LAUNCH_TEMPLATE,
    &create_launch_template_version::CREATE_LAUNCH_TEMPLATE_VERSION,
    &delete_launch_template::DELETE_LAUNCH_TEMPLATE,
    &describe_launch_template_versions::DESCRIBE_LAUNCH_TEMPLATE_VERSIONS,
    &describe_launch_templates::DESCRIBE_LAUNCH_TEMPLATES,
    &modify_launch_template::MODIFY_LAUNCH_TEMPLATE,
];

/// So many a region may have (EC2 User Guide, "Launch template restrictions").
const MAX_TEMPLATES: usize = 5000;
/// So many versions a template may have (likewise).
const MAX_VERSIONS: i64 = 10_000;

/// A launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaunchTemplate {
    home: Home,
    id: String,
    name: String,
    created: Timestamp,
    /// The ARN of who made it.
    created_by: String,
    default_version: i64,
    latest_version: i64,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// One version of a template: it never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    home: Home,
    template_id: String,
    number: i64,
    created: Timestamp,
    created_by: String,
    #[serde(default)]
    description: Option<String>,
    /// What it was given, by the model's names.
    data: Map<String, Json>,
}

impl Record for LaunchTemplate {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Record for Version {
    fn key(&self) -> Key {
        Self::key_of(&self.home, &self.template_id, self.number)
    }
}

impl Resource for LaunchTemplate {
    const KIND: &'static Kind = &Kind {
        name: "launch-template",
        prefix: "lt",
        malformed: "InvalidLaunchTemplateId.Malformed",
        not_found: |id| {
            let words = format!("The specified launch template, with template ID {id}, does not exist.");
            Fault::new(&errors::INVALID_LAUNCH_TEMPLATE_ID_NOT_FOUND, words)
        },
    };

    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

impl Version {
    fn key_of(home: &Home, template_id: &str, number: i64) -> Key {
        let number = format!("{number:010}");
        Key::new(&[
            "ec2",
            home.account.as_str(),
            &home.region,
            "launch-template-version",
            template_id,
            &number,
        ])
    }

    fn all(home: &Home, template_id: &str) -> Prefix {
        Prefix::new(&["ec2", home.account.as_str(), &home.region, "launch-template-version", template_id])
    }

    fn describe_as(&self, template: &LaunchTemplate) -> ec2::LaunchTemplateVersion {
        ec2::LaunchTemplateVersion {
            launch_template_id: Some(self.template_id.clone()),
            launch_template_name: Some(template.name.clone()),
            version_number: Some(self.number),
            version_description: self.description.clone(),
            create_time: Some(self.created),
            created_by: Some(self.created_by.clone()),
            default_version: Some(self.number == template.default_version),
            launch_template_data: ResponseLaunchTemplateData::from_value(json::read(
                &self.data,
                response_shape(),
            )),
            ..ec2::LaunchTemplateVersion::default()
        }
    }
}

impl LaunchTemplate {
    fn describe_as(&self) -> ec2::LaunchTemplate {
        ec2::LaunchTemplate {
            launch_template_id: Some(self.id.clone()),
            launch_template_name: Some(self.name.clone()),
            create_time: Some(self.created),
            created_by: Some(self.created_by.clone()),
            default_version_number: Some(self.default_version),
            latest_version_number: Some(self.latest_version),
            tags: tag::some(&self.tags),
            ..ec2::LaunchTemplate::default()
        }
    }

    fn named(tx: &impl Read, home: &Home, name: &str) -> Result<Option<Self>, StoreError> {
        Ok(Self::list(tx, home)?.into_iter().find(|template| template.name == name))
    }

    /// A version by its number, or by `$Latest` or `$Default`.
    fn version(&self, tx: &impl Read, version: &str) -> Result<Version, Error> {
        let number = match version {
            "$Latest" => Some(self.latest_version),
            "$Default" => Some(self.default_version),
            number => number.parse().ok(),
        };
        let found = match number {
            Some(number) => tx.get(&Version::key_of(&self.home, &self.id, number))?,
            None => None,
        };
        Ok(found.ok_or_else(|| {
            let words = format!(
                "Could not find the specified version {version} for the launch template with ID {}.",
                self.id
            );
            fault::coded("InvalidLaunchTemplateId.VersionNotFound", words)
        })?)
    }
}

/// How a request names a template: by id or by name.
struct Named<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
}

impl Named<'_> {
    fn load(&self, tx: &impl Read, home: &Home) -> Result<LaunchTemplate, Error> {
        match (self.id, self.name) {
            (Some(id), None) => LaunchTemplate::load(tx, home, id),
            (None, Some(name)) => {
                let words =
                    || format!("The specified launch template, with template name {name}, does not exist.");
                let found = LaunchTemplate::named(tx, home, name)?;
                let code = &errors::INVALID_LAUNCH_TEMPLATE_NAME_NOT_FOUND_EXCEPTION;
                Ok(found.ok_or_else(|| Fault::new(code, words()))?)
            }
            (Some(_), Some(_)) => {
                let words = "Launch template ID and launch template name cannot both be specified.";
                Err(fault::invalid_combination(words).into())
            }
            (None, None) => Err(fault::missing("LaunchTemplateId or LaunchTemplateName").into()),
        }
    }

    fn ask(&self, cx: &Cx, tx: &impl Read, action: &'static str) -> Result<Check, StoreError> {
        let home = Home::of(cx);
        match (self.id, self.name) {
            (Some(id), _) => LaunchTemplate::ask(cx, tx, action, id),
            (None, Some(name)) => match LaunchTemplate::named(tx, &home, name)? {
                Some(template) => LaunchTemplate::ask(cx, tx, action, &template.id),
                None => Ok(ask(cx, action, home.arn(LaunchTemplate::KIND.name, "*"))),
            },
            (None, None) => Ok(ask(cx, action, home.arn(LaunchTemplate::KIND.name, "*"))),
        }
    }
}

/// What a request says of its instances, checked as far as it is before a launch.
fn data(given: RequestLaunchTemplateData) -> Result<Map<String, Json>, Fault> {
    crate::launch::user_data(given.user_data.as_deref())?;
    let data = json::write(&given.into_value(), request_shape());
    if data.is_empty() {
        return Err(fault::missing("LaunchTemplateData"));
    }
    Ok(data)
}

/// A structure that is a member of another, through the list that it may be in.
fn inner(shape: &'static Structure, name: &str) -> &'static Structure {
    let kind = shape.index(name).and_then(|index| shape.member(index)).map(|member| member.kind);
    match kind {
        Some(ShapeKind::Structure(inner)) => inner,
        Some(ShapeKind::List(list)) => match list.item {
            ShapeKind::Structure(inner) => inner,
            _ => shape,
        },
        _ => shape,
    }
}

fn request_shape() -> &'static Structure {
    inner(ops::CreateLaunchTemplate::row().input, "LaunchTemplateData")
}

fn response_shape() -> &'static Structure {
    let versions = inner(ops::DescribeLaunchTemplateVersions::row().output, "LaunchTemplateVersions");
    inner(versions, "LaunchTemplateData")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_are_those_of_the_data() {
        assert_eq!(request_shape().name, "RequestLaunchTemplateData");
        assert_eq!(response_shape().name, "ResponseLaunchTemplateData");
        // What a template was given can be answered: but for the data that no launch here takes, the names are the same.
        for member in request_shape().members {
            assert!(response_shape().index(member.name).is_some(), "{}", member.name);
        }
    }
}
