//! `sts:AssumeRoleWithWebIdentity`: a role for somebody of whom an OpenID Connect provider says who it is. Nobody signs the
//! request; the token is what proves it.

use daypass_core::model::sts::{AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Vouched, VouchedBy, prepared_operation};

use crate::federated_role::{self, Asked, DEFAULT_SECONDS};
use crate::session_tags::is_source_identity;
use crate::web_identity::{WebIdentity, invalid, no_provider};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

prepared_operation!(ASSUME_ROLE_WITH_WEB_IDENTITY, ops::AssumeRoleWithWebIdentity, prepare, checks, run);

/// Verifies the token; from here on the caller is whom it is about.
async fn prepare(cx: &Cx, input: &AssumeRoleWithWebIdentityRequest) -> Result<WebIdentity, Error> {
    let account = federated_role::account(&input.role_arn, ACTION)?;
    if let Some(provider) = &input.provider_id {
        // Access tokens of OAuth 2.0 are for providers that AWS knows by itself (Amazon, Facebook), which we cannot ask.
        return Err(no_provider(provider).into());
    }
    let identity = WebIdentity::verify(cx, &account, &input.web_identity_token).await?;
    if identity.source_identity.as_deref().is_some_and(|text| !is_source_identity(text)) {
        let words = "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"";
        return Err(invalid(words).into());
    }
    let provider = identity.provider.arn();
    cx.vouch(Vouched {
        by: VouchedBy::WebIdentity,
        account,
        principal_id: format!("{provider}:{}:{}", identity.audience, identity.subject),
        identity_provider: provider.clone(),
        provider,
        user_name: identity.subject.clone(),
    });
    Ok(identity)
}

fn asked<'a>(input: &'a AssumeRoleWithWebIdentityRequest, identity: &'a WebIdentity) -> Asked<'a> {
    Asked {
        role_arn: &input.role_arn,
        session_name: &input.role_session_name,
        seconds: input.duration_seconds.unwrap_or(DEFAULT_SECONDS),
        tags: &identity.tags,
        source_identity: identity.source_identity.as_deref(),
        keys: &identity.keys,
    }
}

fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &AssumeRoleWithWebIdentityRequest,
    identity: &WebIdentity,
) -> Result<Checks, StoreError> {
    federated_role::checks(cx, tx, ACTION, &asked(input, identity))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    mut input: AssumeRoleWithWebIdentityRequest,
    identity: &WebIdentity,
) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
    let policies = (input.policy.take(), std::mem::take(&mut input.policy_arns));
    let asked = asked(&input, identity);
    let given = federated_role::give(cx, tx, &asked, policies, identity.federation(), None)?;
    Ok(AssumeRoleWithWebIdentityResponse {
        credentials: Some(given.credentials),
        subject_from_web_identity_token: Some(identity.subject.clone()),
        assumed_role_user: Some(given.user),
        packed_policy_size: given.packed_percent,
        provider: Some(identity.provider.arn()),
        audience: Some(identity.audience.clone()),
        source_identity: identity.source_identity.clone(),
    })
}
