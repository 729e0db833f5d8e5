//! A web identity token, held against the OpenID Connect provider that is to have issued it: its signature, its time, whom
//! it is for and whom it is about; and what of it policies may ask.

use daypass_core::federation::{Claims, InvalidClaim, Issuer, Token};
use daypass_core::model::AccountId;
use daypass_core::model::sts::errors;
use daypass_core::store::Read as _;
use daypass_core::store::records::OidcProvider;
use daypass_core::{Cx, Error, Fault, Federation, FederationKey};
use serde_json::Value;

use crate::session_tags::{self, ClaimedTags};

/// How far the clocks of issuers may be from ours where a token is not good yet, in seconds.
const SKEW_SECONDS: i64 = 300;
/// The longest subject (STS API reference, `SubjectFromWebIdentityToken`).
const MAX_SUBJECT: usize = 255;

/// Claims that are condition keys beside `aud`, `sub`, `amr`, `azp` and `oaud`: those of GitHub, GitLab, CircleCI and Oracle
/// that AWS evaluates (service authorization reference, AWS STS). AWS ties them to the hosts of those services; here they are
/// any issuer's, since GitHub and GitLab run on one's own machines too.
const CLAIM_KEYS: &[&str] = &[
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "namespace_id",
    "oidc.circleci.com/project-id",
    "pipeline_source",
    "project_id",
    "ref",
    "ref_protected",
    "repository",
    "repository_id",
    "repository_owner_id",
    "rpst_id",
    "runner_environment",
    "user_access_level",
    "user_email",
    "user_id",
    "user_login",
    "workflow",
];
/// What Kubernetes says of a pod stands in a claim of its own; its texts are keys as `kubernetes.io/serviceaccount/name`. AWS
/// has no such keys.
const KUBERNETES: &str = "kubernetes.io";
/// So many keys come of that claim at most.
const MAX_NESTED_KEYS: usize = 20;
/// `https://aws.amazon.com/source_identity`: the source identity (IAM user guide, `id_credentials_temp_control-access_monitor`).
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// A token that was verified.
pub(crate) struct WebIdentity {
    pub(crate) provider: OidcProvider,
    pub(crate) subject: String,
    pub(crate) audience: String,
    /// All condition keys.
    pub(crate) keys: Vec<(String, FederationKey)>,
    pub(crate) tags: ClaimedTags,
    pub(crate) source_identity: Option<String>,
}

impl WebIdentity {
    /// Verifies a token of a provider of the account. What costs nothing is looked at before the issuer is asked for keys.
    ///
    /// # Errors
    /// AWS's refusals.
    pub(crate) async fn verify(cx: &Cx, account: &AccountId, text: &str) -> Result<Self, Error> {
        let token = Token::parse(text).map_err(|_| {
            invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
        })?;
        let claims = token.claims();
        let issuer = claims.text("iss").map_err(wrong)?.ok_or_else(|| missing("iss"))?;
        let provider = find(cx, account, issuer)?;
        let (Some(provider), Ok(issuer)) = (provider, Issuer::parse(issuer)) else {
            return Err(no_provider(issuer).into());
        };
        check_times(claims, cx.now().seconds())?;
        let audience = audience(claims, &provider)?;
        let subject = claims.text("sub").map_err(wrong)?.filter(|s| !s.is_empty());
        let subject = subject.ok_or_else(|| missing("sub"))?.to_owned();
        if subject.chars().count() > MAX_SUBJECT {
            return Err(invalid(&format!(
                "The subject of the token is longer than {MAX_SUBJECT} characters"
            ))
            .into());
        }
        let keys = cx.state().provider_keys.get(&issuer, &provider.thumbprints, &token, cx.now()).await;
        // Two spaces, as AWS writes it.
        let no_key = || {
            invalid(
                "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
            )
        };
        let keys = keys.map_err(|_| no_key())?;
        token.verify(&keys).map_err(|error| match error {
            daypass_core::federation::Unverified::NoKey => no_key(),
            daypass_core::federation::Unverified::Signature => {
                invalid("The signature of the web identity token is not valid")
            }
        })?;
        Ok(Self {
            keys: condition_keys(claims, &provider.name, &audience)?,
            tags: session_tags::of_claims(claims).map_err(|why| invalid(&why))?,
            source_identity: claims.text(SOURCE_IDENTITY).map_err(wrong)?.map(str::to_owned),
            provider,
            subject,
            audience,
        })
    }

    /// What the session goes on to say of who vouched for it.
    pub(crate) fn federation(&self) -> Federation {
        let lasting = |key: &str| {
            let claim = key.get(self.provider.name.len() + 1..).unwrap_or("");
            matches!(claim, "aud" | "sub" | "amr" | "azp" | "oaud")
        };
        let keys = self.keys.iter().filter(|(key, _)| lasting(key)).cloned().collect();
        Federation { provider: self.provider.arn(), keys }
    }
}

/// The account's provider of that issuer, to the byte.
fn find(cx: &Cx, account: &AccountId, issuer: &str) -> Result<Option<OidcProvider>, Error> {
    // Amazon's and Google's tokens have been seen without the scheme; AWS takes the others with it alone.
    let Some(name) = issuer.strip_prefix("https://").filter(|name| name.len() <= 255) else {
        return Ok(None);
    };
    let found = cx.state().store.read(|tx| tx.get::<OidcProvider>(&OidcProvider::key_of(account, name)))?;
    Ok(found.filter(|provider| provider.name == name))
}

pub(crate) fn no_provider(issuer: &str) -> Fault {
    let shown: String = issuer.chars().take(512).collect();
    invalid(&format!("No OpenIDConnect provider found in your account for {shown}"))
}

/// A token has to end and to have begun.
fn check_times(claims: &Claims, now: i64) -> Result<(), Fault> {
    let seconds = |name: &str| claims.seconds(name).map_err(wrong);
    let expires = seconds("exp")?.ok_or_else(|| missing("exp"))?;
    if expires <= now {
        let words = format!(
            "Token expired: current date/time {now} must be before the expiration date/time {expires}"
        );
        return Err(Fault::new(&errors::EXPIRED_TOKEN_EXCEPTION, words));
    }
    let issued = seconds("iat")?.ok_or_else(|| missing("iat"))?;
    for (what, from) in [("issued at", Some(issued)), ("not before", seconds("nbf")?)] {
        if let Some(from) = from.filter(|from| *from > now + SKEW_SECONDS) {
            // Not seen recorded; after the words for what has expired.
            let words = format!(
                "Token not yet valid: current date/time {now} must not be before the {what} date/time {from}"
            );
            return Err(invalid(&words));
        }
    }
    Ok(())
}

/// Whom the token is for, as one of the provider's client ids: the authorized party if it names one, else one of its
/// audiences (IAM user guide, `id_roles_providers_create_oidc`).
fn audience(claims: &Claims, provider: &OidcProvider) -> Result<String, Fault> {
    let audiences = claims.texts("aud").map_err(wrong)?;
    if audiences.is_empty() {
        return Err(missing("aud"));
    }
    let candidates = match claims.text("azp").map_err(wrong)? {
        Some(party) => vec![party],
        None => audiences,
    };
    let known = candidates.into_iter().find(|c| provider.client_ids.iter().any(|id| id == c));
    known.map(str::to_owned).ok_or_else(|| invalid("Incorrect token audience"))
}

/// `<issuer>:aud` and its kin. `aud` is the client that was found; what the token itself says is `oaud`.
fn condition_keys(
    claims: &Claims,
    issuer: &str,
    audience: &str,
) -> Result<Vec<(String, FederationKey)>, Fault> {
    let mut keys = vec![(format!("{issuer}:aud"), FederationKey::Text(audience.to_owned()))];
    let mut text = |name: &str, value: &Value| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        keys.push((format!("{issuer}:{name}"), FederationKey::Text(value)));
    };
    for name in ["sub", "azp"].iter().chain(CLAIM_KEYS) {
        if let Some(value) = claims.get(name) {
            text(name, value);
        }
    }
    if let Some(Value::Object(pod)) = claims.get(KUBERNETES) {
        for (name, value) in pod.iter().take(MAX_NESTED_KEYS) {
            match value {
                Value::Object(inner) => {
                    for (part, value) in inner.iter().take(MAX_NESTED_KEYS) {
                        text(&format!("{KUBERNETES}/{name}/{part}"), value);
                    }
                }
                value => text(&format!("{KUBERNETES}/{name}"), value),
            }
        }
    }
    for (claim, name) in [("aud", "oaud"), ("amr", "amr")] {
        let values: Vec<String> =
            claims.texts(claim).map_err(wrong)?.into_iter().map(str::to_owned).collect();
        if !values.is_empty() {
            keys.push((format!("{issuer}:{name}"), FederationKey::List(values)));
        }
    }
    Ok(keys)
}

fn wrong(error: InvalidClaim) -> Fault {
    // Not seen recorded.
    invalid(&format!("The claim {} of the token is not valid", error.0))
}

fn missing(claim: &str) -> Fault {
    invalid(&format!("Missing a required claim: {claim}"))
}

pub(crate) fn invalid(words: &str) -> Fault {
    Fault::new(&errors::INVALID_IDENTITY_TOKEN, words)
}
