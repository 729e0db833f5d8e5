//! `ec2:ModifyLaunchTemplate`: which version is the default.

use daypass_core::model::ec2::{ModifyLaunchTemplateRequest, ModifyLaunchTemplateResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Named;
use crate::attribute;
use crate::resource::Home;

operation!(MODIFY_LAUNCH_TEMPLATE, ops::ModifyLaunchTemplate, checks, run);

fn named(input: &ModifyLaunchTemplateRequest) -> Named<'_> {
    Named { id: input.launch_template_id.as_deref(), name: input.launch_template_name.as_deref() }
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifyLaunchTemplateRequest) -> Result<Checks, StoreError> {
    let check = named(input).ask(cx, tx, "ec2:ModifyLaunchTemplate")?;
    let given: Vec<(&str, String)> =
        input.default_version.iter().map(|v| ("DefaultVersion", v.clone())).collect();
    Ok(attribute::ask_about(check, &given))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ModifyLaunchTemplateRequest,
) -> Result<ModifyLaunchTemplateResult, Error> {
    let mut template = named(&input).load(tx, &Home::of(cx))?;
    // The same request again sets the same version: its token needs no memory.
    if let Some(version) = &input.default_version {
        template.default_version = template.version(tx, version)?.number;
        tx.put(&template)?;
    }
    Ok(ModifyLaunchTemplateResult { launch_template: Some(template.describe_as()) })
}
