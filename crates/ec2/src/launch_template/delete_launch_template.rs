//! `ec2:DeleteLaunchTemplate`: with all its versions.

use daypass_core::model::ec2::{DeleteLaunchTemplateRequest, DeleteLaunchTemplateResult, ops};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Named, Version};
use crate::resource::Home;

operation!(DELETE_LAUNCH_TEMPLATE, ops::DeleteLaunchTemplate, checks, run);

fn named(input: &DeleteLaunchTemplateRequest) -> Named<'_> {
    Named { id: input.launch_template_id.as_deref(), name: input.launch_template_name.as_deref() }
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteLaunchTemplateRequest) -> Result<Checks, StoreError> {
    Ok(named(input).ask(cx, tx, "ec2:DeleteLaunchTemplate")?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DeleteLaunchTemplateRequest,
) -> Result<DeleteLaunchTemplateResult, Error> {
    let home = Home::of(cx);
    let template = named(&input).load(tx, &home)?;
    for key in tx.keys(&Version::all(&home, &template.id), None, usize::MAX)? {
        tx.delete(&key);
    }
    tx.delete(&template.key());
    Ok(DeleteLaunchTemplateResult { launch_template: Some(template.describe_as()) })
}
