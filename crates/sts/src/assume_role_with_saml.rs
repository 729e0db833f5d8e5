//! `sts:AssumeRoleWithSAML`: a role for somebody of whom a SAML provider says who it is. Nobody signs the request; the
//! assertion is what proves it.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::federation::saml::Assertion;
use daypass_core::model::sts::{AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse, ops};
use daypass_core::store::records::UsedAssertion;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Federation, FederationKey, Vouched, VouchedBy, prepared_operation};

use crate::federated_role::{self, Asked};
use crate::saml_identity::{ACTION, SamlIdentity};
use crate::web_identity::invalid;

prepared_operation!(ASSUME_ROLE_WITH_SAML, ops::AssumeRoleWithSAML, prepare, checks, run);

/// So many assertions that were taken and have ended are forgotten with each that is taken.
const FORGOTTEN_AT_A_TIME: usize = 10;

/// Verifies the assertion; from here on the caller is whom it is about.
async fn prepare(cx: &Cx, input: &AssumeRoleWithSAMLRequest) -> Result<SamlIdentity, Error> {
    let identity = SamlIdentity::verify(cx, input)?;
    cx.vouch(Vouched {
        by: VouchedBy::Saml,
        account: identity.provider.account.clone(),
        provider: identity.provider.arn(),
        identity_provider: identity.name_qualifier.clone(),
        principal_id: format!("{}:{}", identity.name_qualifier, identity.assertion.subject),
        user_name: identity.assertion.subject.clone(),
    });
    Ok(identity)
}

/// SHA-1 of the issuer and the provider, in base64 (IAM user guide, `saml:namequalifier`).
pub(crate) fn name_qualifier(issuer: &str, account: &str, provider: &str) -> String {
    let text = format!("{issuer}{account}/{provider}");
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

fn asked<'a>(input: &'a AssumeRoleWithSAMLRequest, identity: &'a SamlIdentity) -> Asked<'a> {
    Asked {
        role_arn: &input.role_arn,
        session_name: &identity.session_name,
        seconds: identity.seconds,
        tags: &identity.tags,
        source_identity: identity.source_identity.as_deref(),
        keys: &identity.keys,
    }
}

fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &AssumeRoleWithSAMLRequest,
    identity: &SamlIdentity,
) -> Result<Checks, StoreError> {
    federated_role::checks(cx, tx, ACTION, &asked(input, identity))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    mut input: AssumeRoleWithSAMLRequest,
    identity: &SamlIdentity,
) -> Result<AssumeRoleWithSAMLResponse, Error> {
    use_once(cx, tx, &input.role_arn, identity)?;
    let policies = (input.policy.take(), std::mem::take(&mut input.policy_arns));
    let asked = asked(&input, identity);
    let until = identity.assertion.session_not_on_or_after;
    let given = federated_role::give(cx, tx, &asked, policies, federation(identity), until)?;
    let assertion = &identity.assertion;
    Ok(AssumeRoleWithSAMLResponse {
        credentials: Some(given.credentials),
        assumed_role_user: Some(given.user),
        packed_policy_size: given.packed_percent,
        subject: Some(assertion.subject.clone()),
        subject_type: Some(subject_type(assertion)),
        issuer: Some(assertion.issuer.clone()),
        audience: Some(identity.recipient.clone()),
        name_qualifier: Some(identity.name_qualifier.clone()),
        source_identity: identity.source_identity.clone(),
    })
}

/// `persistent` or `transient` for the formats of that name, else the whole format (IAM user guide, `saml:sub_type`).
pub(crate) fn subject_type(assertion: &Assertion) -> String {
    let format = assertion.subject_format.as_deref();
    let format = format.unwrap_or("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified");
    let short = format.strip_prefix("urn:oasis:names:tc:SAML:2.0:nameid-format:");
    short.filter(|s| matches!(*s, "persistent" | "transient")).unwrap_or(format).to_owned()
}

/// What the session goes on to say of who vouched for it.
fn federation(identity: &SamlIdentity) -> Federation {
    let lasting = |key: &(String, FederationKey)| {
        matches!(key.0.as_str(), "saml:namequalifier" | "saml:sub" | "saml:sub_type")
    };
    let keys = identity.keys.iter().filter(|key| lasting(key)).cloned().collect();
    Federation { provider: identity.provider.arn(), keys }
}

/// An assertion is worth one session of each role that it names: who finds it later has nothing.
fn use_once(cx: &Cx, tx: &mut Tx<'_>, role_arn: &str, identity: &SamlIdentity) -> Result<(), Error> {
    let account = &identity.provider.account;
    let parts = [identity.provider.arn(), identity.assertion.id.clone(), role_arn.to_owned()];
    let hash = digest(&SHA256, serde_json::Value::from(parts.to_vec()).to_string().as_bytes());
    let used = UsedAssertion {
        account: account.clone(),
        digest: hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        expires: identity.ends,
    };
    if tx.get::<UsedAssertion>(&UsedAssertion::key_of(account, used.expires, &used.digest))?.is_some() {
        // Not AWS's, which takes an assertion as often as it is shown within its five minutes.
        return Err(invalid("The assertion was used for this role before").into());
    }
    for old in tx.list::<UsedAssertion>(&UsedAssertion::all(account), None, FORGOTTEN_AT_A_TIME)? {
        if old.expires < cx.now() {
            tx.delete(&UsedAssertion::key_of(&old.account, old.expires, &old.digest));
        }
    }
    Ok(tx.put(&used)?)
}
