//! `ec2:ModifyInstanceMetadataOptions`: in effect with the answer, for the metadata service reads the record.

use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{
    InstanceMetadataEndpointState, InstanceMetadataOptionsState, InstanceMetadataProtocolState,
    InstanceMetadataTagsState, ModifyInstanceMetadataOptionsRequest, ModifyInstanceMetadataOptionsResult,
    ops,
};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Asked, Defaults, on, tokens};
use crate::instance::{incorrect_state, is_on};
use crate::resource::{Home, Resource as _};
use crate::{attribute, fault, instance};

operation!(MODIFY_INSTANCE_METADATA_OPTIONS, ops::ModifyInstanceMetadataOptions, checks, run);

/// What the request sets: names and values.
fn given(input: &ModifyInstanceMetadataOptionsRequest) -> Vec<(&'static str, String)> {
    [
        ("HttpTokens", input.http_tokens.map(|v| v.as_str().to_owned())),
        ("HttpPutResponseHopLimit", input.http_put_response_hop_limit.map(|v| v.to_string())),
        ("HttpEndpoint", input.http_endpoint.map(|v| v.as_str().to_owned())),
        ("HttpProtocolIpv6", input.http_protocol_ipv6.map(|v| v.as_str().to_owned())),
        ("InstanceMetadataTags", input.instance_metadata_tags.map(|v| v.as_str().to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifyInstanceMetadataOptionsRequest) -> Result<Checks, StoreError> {
    let check = Instance::ask(cx, tx, "ec2:ModifyInstanceMetadataOptions", &input.instance_id)?;
    Ok(attribute::ask_about(check, &given(input)))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ModifyInstanceMetadataOptionsRequest,
) -> Result<ModifyInstanceMetadataOptionsResult, Error> {
    let home = Home::of(cx);
    let mut instance = instance::load(tx, &home, &input.instance_id)?;
    if !is_on(&instance) {
        let words = format!("The instance '{}' is not in a valid state for this operation.", instance.id);
        return Err(incorrect_state(words).into());
    }
    if given(&input).is_empty() {
        return Err(fault::invalid_combination("No attributes specified.").into());
    }
    let asked = Asked {
        tokens: input.http_tokens.map(tokens),
        hop_limit: input.http_put_response_hop_limit,
        endpoint: input.http_endpoint.map(|e| on(e == InstanceMetadataEndpointState::Enabled)),
        ipv6: input.http_protocol_ipv6.map(|p| on(p == InstanceMetadataProtocolState::Enabled)),
        tags: input.instance_metadata_tags.map(|t| on(t == InstanceMetadataTagsState::Enabled)),
    };
    let options = asked.over(&instance.metadata)?;
    Defaults::of(tx, &home)?.check(&options)?;
    instance.metadata = options;
    tx.put(&instance)?;
    let answer = instance::metadata(&instance.metadata, InstanceMetadataOptionsState::Pending);
    Ok(ModifyInstanceMetadataOptionsResult {
        instance_id: Some(instance.id),
        instance_metadata_options: Some(answer),
    })
}
