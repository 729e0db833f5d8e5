//! How the metadata service of an instance behaves: at its launch, later, and by default in a region.
//!
//! A launch decides in AWS's order: the request, then the account's defaults, then the image. Every image of Daypass
//! supports nothing but IMDSv2 (`imds-support v2.0`), so that tokens are required unless somebody says otherwise (EC2
//! User Guide, "Configure the instance metadata options for new instances", order of precedence).

mod defaults;
mod modify_instance_metadata_options;

use daypass_core::model::ec2::{
    HttpTokensState, InstanceMetadataEndpointState, InstanceMetadataOptionsRequest,
    InstanceMetadataProtocolState, InstanceMetadataTagsState,
};
use daypass_core::store::Read;
use daypass_core::store::records::{Endpoint, HttpTokens, MetadataOptions};
use daypass_core::{Entry, Error, Fault};

use crate::fault;
use crate::resource::Home;
use defaults::Defaults;

pub(crate) const OPERATIONS: &[&Entry] = &[
    &defaults::GET_INSTANCE_METADATA_DEFAULTS,
    &defaults::MODIFY_INSTANCE_METADATA_DEFAULTS,
    &modify_instance_metadata_options::MODIFY_INSTANCE_METADATA_OPTIONS,
];

/// What an image that supports nothing but IMDSv2 gives: tokens, and a second hop for containers.
const OF_IMAGE: MetadataOptions = MetadataOptions {
    http_tokens: HttpTokens::Required,
    hop_limit: 2,
    http_endpoint: Endpoint::Enabled,
    http_protocol_ipv6: Endpoint::Disabled,
    instance_metadata_tags: Endpoint::Disabled,
};

/// What a request says.
#[derive(Default)]
struct Asked {
    tokens: Option<HttpTokens>,
    hop_limit: Option<i32>,
    endpoint: Option<Endpoint>,
    ipv6: Option<Endpoint>,
    tags: Option<Endpoint>,
}

impl Asked {
    /// These options, with what is asked for changed.
    fn over(&self, options: &MetadataOptions) -> Result<MetadataOptions, Fault> {
        Ok(MetadataOptions {
            http_tokens: self.tokens.unwrap_or(options.http_tokens),
            hop_limit: match self.hop_limit {
                Some(hops) => hop_limit(hops)?,
                None => options.hop_limit,
            },
            http_endpoint: self.endpoint.unwrap_or(options.http_endpoint),
            http_protocol_ipv6: self.ipv6.unwrap_or(options.http_protocol_ipv6),
            instance_metadata_tags: self.tags.unwrap_or(options.instance_metadata_tags),
        })
    }
}

/// 1 to 64 hops (EC2 API Reference, ModifyInstanceMetadataOptions).
fn hop_limit(hops: i32) -> Result<u8, Fault> {
    let within = u8::try_from(hops).ok().filter(|hops| (1..=64).contains(hops));
    within.ok_or_else(|| {
        let why = "The value must be between 1 and 64.";
        fault::invalid_parameter(hops, "HttpPutResponseHopLimit", why)
    })
}

fn tokens(state: HttpTokensState) -> HttpTokens {
    match state {
        HttpTokensState::Optional => HttpTokens::Optional,
        HttpTokensState::Required => HttpTokens::Required,
    }
}

fn on(enabled: bool) -> Endpoint {
    if enabled { Endpoint::Enabled } else { Endpoint::Disabled }
}

/// The options of a new instance.
pub(crate) fn at_launch(
    tx: &impl Read,
    home: &Home,
    request: Option<&InstanceMetadataOptionsRequest>,
) -> Result<MetadataOptions, Error> {
    let defaults = Defaults::of(tx, home)?;
    let of_account = defaults.asked().over(&OF_IMAGE)?;
    let asked = request.map_or_else(Asked::default, |request| Asked {
        tokens: request.http_tokens.map(tokens),
        hop_limit: request.http_put_response_hop_limit,
        endpoint: request.http_endpoint.map(|e| on(e == InstanceMetadataEndpointState::Enabled)),
        ipv6: request.http_protocol_ipv6.map(|p| on(p == InstanceMetadataProtocolState::Enabled)),
        tags: request.instance_metadata_tags.map(|t| on(t == InstanceMetadataTagsState::Enabled)),
    });
    let options = asked.over(&of_account)?;
    defaults.check(&options)?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_1_to_64() {
        for (hops, limit) in [(1, Some(1)), (64, Some(64)), (0, None), (65, None), (-1, None), (300, None)] {
            assert_eq!(hop_limit(hops).ok(), limit, "{hops}");
        }
    }
}
