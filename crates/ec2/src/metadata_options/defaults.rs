//! `ec2:GetInstanceMetadataDefaults` and `ec2:ModifyInstanceMetadataDefaults`: what new instances of a region get whose
//! launch does not say.

use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{
    DefaultHttpTokensEnforcedState, DefaultInstanceMetadataEndpointState, DefaultInstanceMetadataTagsState,
    GetInstanceMetadataDefaultsRequest, GetInstanceMetadataDefaultsResult, HttpTokensEnforcedState,
    HttpTokensState, InstanceMetadataDefaultsResponse, InstanceMetadataEndpointState,
    InstanceMetadataTagsState, ManagedBy, MetadataDefaultHttpTokensState,
    ModifyInstanceMetadataDefaultsRequest, ModifyInstanceMetadataDefaultsResult, ops,
};
use daypass_core::store::records::{Endpoint, HttpTokens, MetadataOptions};
use daypass_core::store::{Key, Read, Record, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};
use serde::{Deserialize, Serialize};

use super::{Asked, hop_limit};
use crate::resource::{Home, ask_all};
use crate::{attribute, fault};

operation!(
    GET_INSTANCE_METADATA_DEFAULTS,
    ops::GetInstanceMetadataDefaults,
    |cx, _, _| Ok(ask_all(cx, "ec2:GetInstanceMetadataDefaults").into()),
    get
);
operation!(MODIFY_INSTANCE_METADATA_DEFAULTS, ops::ModifyInstanceMetadataDefaults, checks, modify);

/// The defaults of a region: what is not set is for the image to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    home: Home,
    #[serde(default)]
    http_tokens: Option<HttpTokens>,
    #[serde(default)]
    hop_limit: Option<u8>,
    #[serde(default)]
    http_endpoint: Option<Endpoint>,
    #[serde(default)]
    instance_metadata_tags: Option<Endpoint>,
    /// Whether no instance may do without tokens.
    #[serde(default)]
    http_tokens_enforced: Option<bool>,
}

impl Record for Defaults {
    fn key(&self) -> Key {
        Self::key_of(&self.home)
    }
}

impl Defaults {
    fn key_of(home: &Home) -> Key {
        home.key("defaults", "instance-metadata")
    }

    /// The defaults of a region.
    pub(super) fn of(tx: &impl Read, home: &Home) -> Result<Self, StoreError> {
        Ok(tx.get(&Self::key_of(home))?.unwrap_or_else(|| Self {
            home: home.clone(),
            http_tokens: None,
            hop_limit: None,
            http_endpoint: None,
            instance_metadata_tags: None,
            http_tokens_enforced: None,
        }))
    }

    pub(super) fn asked(&self) -> Asked {
        Asked {
            tokens: self.http_tokens,
            hop_limit: self.hop_limit.map(i32::from),
            endpoint: self.http_endpoint,
            ipv6: None,
            tags: self.instance_metadata_tags,
        }
    }

    /// Refuses options that the region does not allow.
    pub(super) fn check(&self, options: &MetadataOptions) -> Result<(), Fault> {
        if self.http_tokens_enforced == Some(true) && options.http_tokens == HttpTokens::Optional {
            let words = "You can't launch instances with IMDSv1 because httpTokensEnforced is enabled for this account. Either launch the instance with httpTokens=required or contact your account owner to disable httpTokensEnforced using the ModifyInstanceMetadataDefaults API or the account settings in the EC2 console.";
            return Err(fault::unsupported(words));
        }
        Ok(())
    }
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    _: GetInstanceMetadataDefaultsRequest,
) -> Result<GetInstanceMetadataDefaultsResult, Error> {
    let defaults = Defaults::of(tx, &Home::of(cx))?;
    let any = defaults.http_tokens.is_some()
        || defaults.hop_limit.is_some()
        || defaults.http_endpoint.is_some()
        || defaults.instance_metadata_tags.is_some()
        || defaults.http_tokens_enforced.is_some();
    let answer = InstanceMetadataDefaultsResponse {
        http_tokens: defaults.http_tokens.map(|t| match t {
            HttpTokens::Optional => HttpTokensState::Optional,
            HttpTokens::Required => HttpTokensState::Required,
        }),
        http_put_response_hop_limit: defaults.hop_limit.map(i32::from),
        http_endpoint: defaults.http_endpoint.map(|e| match e {
            Endpoint::Enabled => InstanceMetadataEndpointState::Enabled,
            Endpoint::Disabled => InstanceMetadataEndpointState::Disabled,
        }),
        instance_metadata_tags: defaults.instance_metadata_tags.map(|e| match e {
            Endpoint::Enabled => InstanceMetadataTagsState::Enabled,
            Endpoint::Disabled => InstanceMetadataTagsState::Disabled,
        }),
        managed_by: any.then_some(ManagedBy::Account),
        managed_exception_message: None,
        http_tokens_enforced: defaults
            .http_tokens_enforced
            .map(|on| if on { HttpTokensEnforcedState::Enabled } else { HttpTokensEnforcedState::Disabled }),
    };
    Ok(GetInstanceMetadataDefaultsResult { account_level: Some(answer) })
}

fn checks(cx: &Cx, _: &Tx<'_>, input: &ModifyInstanceMetadataDefaultsRequest) -> Result<Checks, StoreError> {
    let given = [
        ("HttpTokens", input.http_tokens.map(|v| v.as_str().to_owned())),
        ("HttpPutResponseHopLimit", input.http_put_response_hop_limit.map(|v| v.to_string())),
        ("HttpEndpoint", input.http_endpoint.map(|v| v.as_str().to_owned())),
        ("InstanceMetadataTags", input.instance_metadata_tags.map(|v| v.as_str().to_owned())),
        ("HttpTokensEnforced", input.http_tokens_enforced.map(|v| v.as_str().to_owned())),
    ];
    let given: Vec<(&str, String)> =
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Ok(attribute::ask_about(ask_all(cx, "ec2:ModifyInstanceMetadataDefaults"), &given))
}

fn modify(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ModifyInstanceMetadataDefaultsRequest,
) -> Result<ModifyInstanceMetadataDefaultsResult, Error> {
    let mut defaults = Defaults::of(tx, &Home::of(cx))?;
    if let Some(tokens) = input.http_tokens {
        defaults.http_tokens = match tokens {
            MetadataDefaultHttpTokensState::Optional => Some(HttpTokens::Optional),
            MetadataDefaultHttpTokensState::Required => Some(HttpTokens::Required),
            MetadataDefaultHttpTokensState::NoPreference => None,
        };
    }
    if let Some(hops) = input.http_put_response_hop_limit {
        // -1 is no preference (EC2 API Reference, ModifyInstanceMetadataDefaults).
        defaults.hop_limit = if hops == -1 { None } else { Some(hop_limit(hops)?) };
    }
    if let Some(endpoint) = input.http_endpoint {
        defaults.http_endpoint = match endpoint {
            DefaultInstanceMetadataEndpointState::Enabled => Some(Endpoint::Enabled),
            DefaultInstanceMetadataEndpointState::Disabled => Some(Endpoint::Disabled),
            DefaultInstanceMetadataEndpointState::NoPreference => None,
        };
    }
    if let Some(tags) = input.instance_metadata_tags {
        defaults.instance_metadata_tags = match tags {
            DefaultInstanceMetadataTagsState::Enabled => Some(Endpoint::Enabled),
            DefaultInstanceMetadataTagsState::Disabled => Some(Endpoint::Disabled),
            DefaultInstanceMetadataTagsState::NoPreference => None,
        };
    }
    if let Some(enforced) = input.http_tokens_enforced {
        defaults.http_tokens_enforced = match enforced {
            DefaultHttpTokensEnforcedState::Enabled => Some(true),
            DefaultHttpTokensEnforcedState::Disabled => Some(false),
            DefaultHttpTokensEnforcedState::NoPreference => None,
        };
    }
    tx.put(&defaults)?;
    Ok(ModifyInstanceMetadataDefaultsResult { return_: Some(true) })
}
