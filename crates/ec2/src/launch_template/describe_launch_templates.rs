//! `ec2:DescribeLaunchTemplates`.

use daypass_core::model::ec2::{DescribeLaunchTemplatesRequest, DescribeLaunchTemplatesResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::LaunchTemplate;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_LAUNCH_TEMPLATES, ops::DescribeLaunchTemplates, checks, run);

const FILTERS: &[Field<LaunchTemplate>] =
    &[("create-time", |t| one(t.created)), ("launch-template-name", |t| one(&t.name))];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeLaunchTemplatesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeLaunchTemplates").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeLaunchTemplatesRequest,
) -> Result<DescribeLaunchTemplatesResult, Error> {
    let mut templates = LaunchTemplate::choose(tx, &Home::of(cx), &input.launch_template_ids)?;
    if input.launch_template_names.iter().any(|name| !templates.iter().any(|t| t.name == *name)) {
        let words = "At least one of the launch templates specified in the request does not exist.";
        return Err(Fault::new(&errors::INVALID_LAUNCH_TEMPLATE_NAME_NOT_FOUND_EXCEPTION, words).into());
    }
    let names = &input.launch_template_names;
    templates.retain(|t| names.is_empty() || names.contains(&t.name));
    let templates = filter::select(templates, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref()).within(1..=200);
    let (templates, next_token) = page.take(cx, templates)?;
    let templates = templates.iter().map(LaunchTemplate::describe_as).collect();
    Ok(DescribeLaunchTemplatesResult { launch_templates: Some(templates), next_token })
}
