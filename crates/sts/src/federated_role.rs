//! A role for somebody whom an identity provider vouches for: what a web identity and a SAML assertion have in common.

use daypass_core::model::AccountId;
use daypass_core::model::sts::{AssumedRoleUser, Credentials, PolicyDescriptorType};
use daypass_core::store::records::Role;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{
    Check, Checks, Cx, Error, Fault, Federation, FederationKey, Session, SessionPrincipal, assume,
};

use crate::assume_role::{find_role, parse_role_arn};
use crate::get_session_token::issue;
use crate::session_policy;
use crate::session_tags::ClaimedTags;

/// One hour (STS API reference).
pub(crate) const DEFAULT_SECONDS: i32 = 3600;

/// A role, asked for.
pub(crate) struct Asked<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) session_name: &'a str,
    pub(crate) seconds: i32,
    pub(crate) tags: &'a ClaimedTags,
    pub(crate) source_identity: Option<&'a str>,
    /// The provider's condition keys.
    pub(crate) keys: &'a [(String, FederationKey)],
}

/// The role, given.
pub(crate) struct Given {
    pub(crate) credentials: Credentials,
    pub(crate) user: AssumedRoleUser,
    pub(crate) packed_percent: Option<i32>,
}

/// The account of the role.
///
/// # Errors
/// Where the ARN is none of a role, nobody may have it.
pub(crate) fn account(role_arn: &str, action: &str) -> Result<AccountId, Fault> {
    match parse_role_arn(role_arn) {
        Some((account, _)) => Ok(account),
        None => Err(denied(action)),
    }
}

/// AWS's words, which do not tell whether the role is there.
pub(crate) fn denied(action: &str) -> Fault {
    let words = format!("Not authorized to perform {action}");
    Fault::new(&daypass_core::model::sts::errors::ACCESS_DENIED, words)
}

/// What the role's trust policy is asked: to assume the role, to tag the session, to set its source identity.
pub(crate) fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    asked: &Asked<'_>,
) -> Result<Checks, StoreError> {
    let role = find_role(tx, asked.role_arn)?;
    let trust = assume::trust_of(cx.state(), role.as_ref());
    let check = |action| {
        let tags = asked.tags.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut check = Check::new(action, asked.role_arn)
            .guarded_by(trust.clone())
            .of_account(cx.account())
            .with("sts:RoleSessionName", asked.session_name)
            .with_some("sts:SourceIdentity", asked.source_identity)
            .with_number("sts:DurationSeconds", i64::from(asked.seconds))
            .request_tags(tags);
        if !asked.tags.transitive.is_empty() {
            check = check.with_list("sts:TransitiveTagKeys", asked.tags.transitive.clone());
        }
        for (key, value) in asked.keys {
            check = match value {
                FederationKey::Text(text) => check.with(key.clone(), text.clone()),
                FederationKey::List(list) => check.with_list(key.clone(), list.clone()),
            };
        }
        match &role {
            Some(role) => check.resource_tags(&role.tags),
            None => check,
        }
    };
    let mut checks = Checks::from(check(action));
    if !asked.tags.tags.is_empty() {
        checks = checks.and(check("sts:TagSession"));
    }
    if asked.source_identity.is_some() {
        checks = checks.and(check("sts:SetSourceIdentity"));
    }
    Ok(checks)
}

/// Gives the role. `until` ends the session earlier where the provider says so.
pub(crate) fn give(
    cx: &Cx,
    tx: &Tx<'_>,
    asked: &Asked<'_>,
    (policy, policy_arns): (Option<String>, Vec<PolicyDescriptorType>),
    federation: Federation,
    until: Option<i64>,
) -> Result<Given, Error> {
    let role: Role = find_role(tx, asked.role_arn)?.ok_or_else(|| cx.internal_failure())?;
    if asked.seconds > role.max_session_seconds {
        let words = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Fault::new(&daypass_core::model::sts::errors::VALIDATION_ERROR, words).into());
    }
    let policy = session_policy::read(&role.account, policy, policy_arns, &asked.tags.tags)?;
    let issued = cx.now().truncated();
    let seconds = until.map_or(i64::from(asked.seconds), |until| {
        i64::from(asked.seconds).min((until - issued.seconds()).max(0))
    });
    let principal = SessionPrincipal::AssumedRole {
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        session_name: asked.session_name.to_owned(),
    };
    let session = Session {
        policy: policy.inline,
        policy_arns: policy.arns,
        tags: asked.tags.tags.clone(),
        transitive_tag_keys: asked.tags.transitive.clone(),
        source_identity: asked.source_identity.map(str::to_owned),
        federation: Some(Box::new(federation)),
        ..Session::plain(role.account.clone(), principal, issued, issued.plus_seconds(seconds))
    };
    Ok(Given {
        credentials: issue(cx, &session)?,
        user: AssumedRoleUser {
            assumed_role_id: format!("{}:{}", role.id, asked.session_name),
            arn: role.session_arn(asked.session_name),
        },
        packed_percent: policy.packed_percent,
    })
}
