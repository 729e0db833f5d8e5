//! `ec2:CreateLaunchTemplateVersion`: of its own, or a version that is there with changes.

use daypass_core::model::ec2::{CreateLaunchTemplateVersionRequest, CreateLaunchTemplateVersionResult, ops};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{MAX_VERSIONS, Named, Version, data};
use crate::fault;
use crate::idempotency::Token;
use crate::resource::Home;

operation!(CREATE_LAUNCH_TEMPLATE_VERSION, ops::CreateLaunchTemplateVersion, checks, run);

fn named(input: &CreateLaunchTemplateVersionRequest) -> Named<'_> {
    Named { id: input.launch_template_id.as_deref(), name: input.launch_template_name.as_deref() }
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateLaunchTemplateVersionRequest) -> Result<Checks, StoreError> {
    Ok(named(input).ask(cx, tx, "ec2:CreateLaunchTemplateVersion")?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateLaunchTemplateVersionRequest,
) -> Result<CreateLaunchTemplateVersionResult, Error> {
    let home = Home::of(cx);
    let token = Token::of(input.client_token.as_ref(), input.clone());
    let mut template = named(&input).load(tx, &home)?;
    let made = token.made(cx, tx)?.and_then(|number| number.parse().ok());
    if let Some(number) = made {
        let version: Option<Version> = tx.get(&Version::key_of(&home, &template.id, number))?;
        let version = version.map(|version| version.describe_as(&template));
        return Ok(CreateLaunchTemplateVersionResult { launch_template_version: version, warning: None });
    }
    if template.latest_version >= MAX_VERSIONS {
        let words = "The maximum number of versions of the launch template has been reached.";
        return Err(fault::coded("VersionLimitExceeded", words).into());
    }
    let mut all = match input.source_version.as_deref().filter(|v| !v.is_empty()) {
        Some(source) => template.version(tx, source)?.data,
        None => serde_json::Map::new(),
    };
    let based = !all.is_empty();
    match data(input.launch_template_data) {
        Ok(given) => all.extend(given),
        // Nothing new over what is there is a copy.
        Err(fault) if based && fault.code == "MissingParameter" => {}
        Err(fault) => return Err(fault.into()),
    }
    template.latest_version += 1;
    let version = Version {
        home,
        template_id: template.id.clone(),
        number: template.latest_version,
        created: cx.now(),
        created_by: cx.caller().arn().to_owned(),
        description: input.version_description,
        data: all,
    };
    tx.put(&version)?;
    tx.put(&template)?;
    token.remember(cx, tx, &version.number.to_string())?;
    let version = version.describe_as(&template);
    Ok(CreateLaunchTemplateVersionResult { launch_template_version: Some(version), warning: None })
}
