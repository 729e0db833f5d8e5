//! `sts:GetFederationToken`: temporary credentials for somebody whom a user of the account vouches for.

use daypass_core::model::sts::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{CallerKind, Check, Checks, Cx, Error, Fault, Session, SessionPrincipal, Who, operation};

use crate::get_session_token::issue;
use crate::session_policy;
use crate::session_tags::ClaimedTags;

operation!(GET_FEDERATION_TOKEN, ops::GetFederationToken, checks, run);

/// Twelve hours (STS API reference, GetFederationToken).
const DEFAULT_SECONDS: i32 = 43_200;

fn arn(cx: &Cx, name: &str) -> String {
    format!("arn:aws:sts::{}:federated-user/{name}", cx.account())
}

fn checks(cx: &Cx, _: &Tx<'_>, input: &GetFederationTokenRequest) -> Result<Checks, StoreError> {
    let check = |action| {
        let tags = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        Check::new(action, arn(cx, &input.name))
            .request_tags(tags)
            .with_number("sts:DurationSeconds", i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)))
    };
    let checks = Checks::from(check("sts:GetFederationToken"));
    Ok(if input.tags.is_empty() { checks } else { checks.and(check("sts:TagSession")) })
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: GetFederationTokenRequest,
) -> Result<GetFederationTokenResponse, Error> {
    let denied = || {
        let words = "Cannot call GetFederationToken with session credentials";
        Fault::new(&errors::ACCESS_DENIED, words)
    };
    let CallerKind::User(identity, None) = cx.caller().kind() else { return Err(denied().into()) };
    let Who::User(user) = &identity.who else { return Err(denied().into()) };
    let tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let tags = ClaimedTags { tags, transitive: vec![] }.check();
    let tags = tags.map_err(|why| Fault::coded("InvalidParameterValue", 400, why))?.tags;
    let policy = session_policy::read(&user.account, input.policy, input.policy_arns, &tags)?;
    let issued = cx.now().truncated();
    let expires = issued.plus_seconds(i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)));
    let principal = SessionPrincipal::FederatedUser {
        name: input.name.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
    };
    let session = Session {
        policy: policy.inline,
        policy_arns: policy.arns,
        tags,
        ..Session::plain(user.account.clone(), principal, issued, expires)
    };
    Ok(GetFederationTokenResponse {
        credentials: Some(issue(cx, &session)?),
        federated_user: Some(FederatedUser {
            federated_user_id: format!("{}:{}", user.account, input.name),
            arn: arn(cx, &input.name),
        }),
        packed_policy_size: Some(policy.packed_percent.unwrap_or(0)),
    })
}
