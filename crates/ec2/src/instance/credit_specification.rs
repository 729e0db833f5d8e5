//! `ec2:DescribeInstanceCreditSpecifications` and `ec2:ModifyInstanceCreditSpecification`: how burstable instances may
//! spend their credits. Nothing is counted.

use daypass_core::model::ec2::{
    DescribeInstanceCreditSpecificationsRequest, DescribeInstanceCreditSpecificationsResult,
    InstanceCreditSpecification, ModifyInstanceCreditSpecificationRequest,
    ModifyInstanceCreditSpecificationResult, SuccessfulInstanceCreditSpecificationItem,
    UnsuccessfulInstanceCreditSpecificationErrorCode, UnsuccessfulInstanceCreditSpecificationItem,
    UnsuccessfulInstanceCreditSpecificationItemError, ops,
};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::view::Alone;
use super::{is_shown, load_all};
use crate::attribute;
use crate::fault;
use crate::filter::{self, Field, one, some};
use crate::instance_type::InstanceType;
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(
    DESCRIBE_INSTANCE_CREDIT_SPECIFICATIONS,
    ops::DescribeInstanceCreditSpecifications,
    |cx, _, _| Ok(ask_all(cx, "ec2:DescribeInstanceCreditSpecifications").into()),
    describe
);
operation!(
    MODIFY_INSTANCE_CREDIT_SPECIFICATION,
    ops::ModifyInstanceCreditSpecification,
    checks_of_modify,
    modify
);

const FILTERS: &[Field<Alone>] =
    &[("instance-id", |a| one(&a.0.id)), ("cpu-credits", |a| some(a.0.cpu_credits.as_deref()))];

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeInstanceCreditSpecificationsRequest,
) -> Result<DescribeInstanceCreditSpecificationsResult, Error> {
    let home = Home::of(cx);
    let instances = match input.instance_ids.as_slice() {
        [] => Instance::list(tx, &home)?,
        ids => load_all(tx, &home, ids)?,
    };
    let given = !input.instance_ids.is_empty();
    let burstable = |i: &Instance| given || i.cpu_credits.is_some();
    let instances = instances.into_iter().filter(|i| is_shown(i, cx.now()) && burstable(i)).map(Alone);
    let instances = filter::select(instances.collect(), &input.filters, FILTERS)?;
    let (instances, next_token) =
        Page::new(input.max_results, input.next_token.as_ref()).take(cx, instances)?;
    let describe = |Alone(instance): &Alone| InstanceCreditSpecification {
        instance_id: Some(instance.id.clone()),
        // Types that are not burstable are said to be standard.
        cpu_credits: Some(instance.cpu_credits.clone().unwrap_or_else(|| "standard".to_owned())),
    };
    Ok(DescribeInstanceCreditSpecificationsResult {
        instance_credit_specifications: Some(instances.iter().map(describe).collect()),
        next_token,
    })
}

/// The credits of a request.
pub(crate) fn check(credits: &str) -> Result<String, Fault> {
    match credits {
        "standard" | "unlimited" => Ok(credits.to_owned()),
        other => {
            let words =
                format!("Invalid value '{other}' for CpuCredits. Valid values are standard and unlimited.");
            Err(fault::invalid_value(words))
        }
    }
}

fn checks_of_modify(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &ModifyInstanceCreditSpecificationRequest,
) -> Result<Checks, StoreError> {
    let action = "ec2:ModifyInstanceCreditSpecification";
    let mut all: Option<Checks> = None;
    for specification in &input.instance_credit_specifications {
        let check = Instance::ask(cx, tx, action, &specification.instance_id)?;
        let given: Vec<(&str, String)> =
            specification.cpu_credits.iter().map(|c| ("CpuCredits", c.clone())).collect();
        let checks = attribute::ask_about(check, &given);
        all = Some(match all {
            Some(others) => others.and_those_of(checks),
            None => checks,
        });
    }
    match all {
        Some(checks) => Ok(checks),
        None => super::ask_about_all(cx, tx, action, &[]),
    }
}

fn modify(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ModifyInstanceCreditSpecificationRequest,
) -> Result<ModifyInstanceCreditSpecificationResult, Error> {
    use UnsuccessfulInstanceCreditSpecificationErrorCode as Code;
    let home = Home::of(cx);
    let (mut done, mut failed) = (vec![], vec![]);
    for specification in input.instance_credit_specifications {
        let id = Instance::KIND.check(&specification.instance_id)?;
        let credits = check(specification.cpu_credits.as_deref().unwrap_or(""))?;
        let refusal = match Instance::find(tx, &home, id)? {
            None => Some((Code::InvalidInstanceIDNotFound, format!("The instance ID '{id}' does not exist"))),
            Some(instance)
                if !InstanceType::named(&instance.instance_type).is_some_and(InstanceType::is_burstable) =>
            {
                let words = format!("The instance type of the instance '{id}' does not support CPU credits.");
                Some((Code::InstanceCreditSpecificationNotSupported, words))
            }
            Some(mut instance) => {
                instance.cpu_credits = Some(credits);
                tx.put(&instance)?;
                None
            }
        };
        let id = Some(id.to_owned());
        match refusal {
            None => done.push(SuccessfulInstanceCreditSpecificationItem { instance_id: id }),
            Some((code, message)) => failed.push(UnsuccessfulInstanceCreditSpecificationItem {
                instance_id: id,
                error: Some(UnsuccessfulInstanceCreditSpecificationItemError {
                    code: Some(code),
                    message: Some(message),
                }),
            }),
        }
    }
    Ok(ModifyInstanceCreditSpecificationResult {
        successful_instance_credit_specifications: Some(done),
        unsuccessful_instance_credit_specifications: Some(failed),
    })
}
