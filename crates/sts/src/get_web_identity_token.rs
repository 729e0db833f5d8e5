//! `sts:GetWebIdentityToken`: a token that says who the caller is, for services elsewhere that verify it with the keys that the
//! account publishes.

use daypass_core::federation::Algorithm;
use daypass_core::model::sts::{GetWebIdentityTokenRequest, GetWebIdentityTokenResponse, Tag, errors, ops};
use daypass_core::store::records::{TokenIssuer, TokenKey};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{
    CallerKind, Check, Checks, Cx, Error, Fault, Session, Who, prepared_operation, token_issuer,
};
use serde_json::{Map, Value, json};

use crate::session_tags::ClaimedTags;

prepared_operation!(GET_WEB_IDENTITY_TOKEN, ops::GetWebIdentityToken, prepare, checks, run);

/// Five minutes (STS API reference, GetWebIdentityToken).
const DEFAULT_SECONDS: i32 = 300;
/// The longest payload that we make; AWS does not say what its limit is.
const MAX_PAYLOAD: usize = 16 << 10;
/// The claim that AWS's own claims stand in (IAM user guide, `id_roles_providers_outbound_token_claims`).
const NAMESPACE: &str = "https://sts.amazonaws.com/";

fn questions(cx: &Cx, input: &GetWebIdentityTokenRequest) -> Checks {
    let tags = || input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let check = |action| {
        Check::new(action, format!("arn:aws:sts::{}:self", cx.account()))
            .with_list("sts:IdentityTokenAudience", input.audience.clone())
            .with_number("sts:DurationSeconds", i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)))
            .with("sts:SigningAlgorithm", input.signing_algorithm.clone())
            .request_tags(tags())
    };
    let checks = Checks::from(check("sts:GetWebIdentityToken"));
    if input.tags.is_empty() { checks } else { checks.and(check("sts:TagGetWebIdentityToken")) }
}

/// A new key where the one that signs has had its time; making one takes its own.
async fn prepare(cx: &Cx, input: &GetWebIdentityTokenRequest) -> Result<Option<TokenKey>, Error> {
    cx.authorize(&questions(cx, input))?;
    let (account, algorithm) = (cx.account(), algorithm(input)?);
    let issuer = cx.state().store.read(|tx| tx.get::<TokenIssuer>(&TokenIssuer::key_of(&account)))?;
    match issuer {
        Some(issuer) if issuer.enabled && token_issuer::current(&issuer, algorithm, cx.now()).is_none() => {
            let key = token_issuer::new_key(cx.state(), &account, algorithm, cx.now().truncated());
            Ok(Some(key.await.map_err(|error| Error::Internal(Box::new(error)))?))
        }
        _ => Ok(None),
    }
}

fn checks(
    cx: &Cx,
    _: &Tx<'_>,
    input: &GetWebIdentityTokenRequest,
    _: &Option<TokenKey>,
) -> Result<Checks, StoreError> {
    Ok(questions(cx, input))
}

fn algorithm(input: &GetWebIdentityTokenRequest) -> Result<Algorithm, Fault> {
    match Algorithm::parse(&input.signing_algorithm) {
        Some(algorithm @ (Algorithm::Rs256 | Algorithm::Es384)) => Ok(algorithm),
        _ => {
            let words = "1 validation error detected: Value at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RS256, ES384]";
            Err(Fault::new(&errors::VALIDATION_ERROR, words))
        }
    }
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetWebIdentityTokenRequest,
    new: &Option<TokenKey>,
) -> Result<GetWebIdentityTokenResponse, Error> {
    let (account, algorithm) = (cx.account(), algorithm(&input)?);
    let known = tx.get::<TokenIssuer>(&TokenIssuer::key_of(&account))?.filter(|issuer| issuer.enabled);
    let mut issuer = known.ok_or_else(|| {
        let words = "Outbound web identity federation is not enabled for this account.";
        Fault::new(&errors::OUTBOUND_WEB_IDENTITY_FEDERATION_DISABLED_EXCEPTION, words)
    })?;
    let now = cx.now().truncated();
    let expires = now.plus_seconds(i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)));
    if cx.caller().session().is_some_and(|session| expires > session.expires) {
        let words =
            "The requested token duration would extend the session beyond its original expiration time.";
        return Err(Fault::new(&errors::SESSION_DURATION_ESCALATION_EXCEPTION, words).into());
    }
    if let (None, Some(new)) = (token_issuer::current(&issuer, algorithm, cx.now()), new) {
        token_issuer::add_key(&mut issuer, new.clone());
        tx.put(&issuer)?;
    }
    let claims = claims(cx, &issuer, &input, (now.seconds(), expires.seconds()))?;
    if Value::Object(claims.clone()).to_string().len() > MAX_PAYLOAD {
        let words = "The requested token payload size exceeds the maximum allowed size. Reduce the number of request tags.";
        return Err(Fault::new(&errors::JWT_PAYLOAD_SIZE_EXCEEDED_EXCEPTION, words).into());
    }
    let key = token_issuer::current(&issuer, algorithm, cx.now()).ok_or_else(|| cx.internal_failure())?;
    let internal = |error| Error::Internal(Box::new(error));
    let key = token_issuer::open(cx.state(), &issuer, key).map_err(internal)?;
    let token = key.sign(&claims).map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(GetWebIdentityTokenResponse { web_identity_token: Some(token), expiration: Some(expires) })
}

fn claims(
    cx: &Cx,
    issuer: &TokenIssuer,
    input: &GetWebIdentityTokenRequest,
    (issued, expires): (i64, i64),
) -> Result<Map<String, Value>, Error> {
    let caller = cx.caller();
    let mut own = Map::new();
    own.insert("aws_account".to_owned(), cx.account().to_string().into());
    own.insert("source_region".to_owned(), cx.region().into());
    if let Some(standing) = cx.state().organizations.standing(&cx.account())? {
        own.insert("org_id".to_owned(), standing.organization.id.as_str().into());
        own.insert("ou_path".to_owned(), standing.path.as_str().into());
    }
    let mut tags = Map::new();
    for tag in caller.identity().map_or(&[][..], |identity| identity.who.tags()) {
        tags.insert(tag.key.clone(), tag.value.clone().into());
    }
    if let Some(session) = caller.session() {
        for (key, value) in &session.tags {
            tags.retain(|known, _| !known.eq_ignore_ascii_case(key));
            tags.insert(key.clone(), value.clone().into());
        }
        describe_session(session, &mut own);
    }
    if !tags.is_empty() {
        own.insert("principal_tags".to_owned(), Value::Object(tags));
    }
    let requested = requested(&input.tags)?;
    if !requested.is_empty() {
        own.insert("request_tags".to_owned(), Value::Object(requested));
    }
    let audience = match input.audience.as_slice() {
        [one] => json!(one),
        many => json!(many),
    };
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), token_issuer::url(cx.state(), &issuer.id).into());
    claims.insert("aud".to_owned(), audience);
    claims.insert("sub".to_owned(), subject(cx).into());
    claims.insert("iat".to_owned(), issued.into());
    claims.insert("exp".to_owned(), expires.into());
    claims.insert("jti".to_owned(), cx.ids().uuid().into());
    claims.insert(NAMESPACE.to_owned(), Value::Object(own));
    Ok(claims)
}

/// The principal's ARN; of a session that of its role.
fn subject(cx: &Cx) -> String {
    match (cx.caller().kind(), cx.caller().identity().map(|identity| &identity.who)) {
        (CallerKind::Role(..), Some(Who::Role(role))) => role.arn(),
        _ => cx.caller().arn().to_owned(),
    }
}

/// What the session itself knows of where it came from.
fn describe_session(session: &Session, own: &mut Map<String, Value>) {
    let mut set = |name: &str, value: &str| {
        own.insert(name.to_owned(), value.into());
    };
    set("original_session_exp", &session.expires.to_string());
    if let Some(identity) = &session.source_identity {
        set("source_identity", identity);
    }
    if let Some(federation) = &session.federation {
        set("federated_provider", &federation.provider);
    }
    if let Some(instance) = &session.instance {
        set("ec2_source_instance_arn", &instance.arn);
        set("ec2_instance_source_vpc", &instance.vpc_id);
        set("ec2_instance_source_private_ipv4", &instance.private_ip.to_string());
        set("ec2_role_delivery", &instance.role_delivery);
    }
}

fn requested(tags: &[Tag]) -> Result<Map<String, Value>, Fault> {
    let given = tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    let checked = ClaimedTags { tags: given, transitive: vec![] }.check();
    let checked = checked.map_err(|why| Fault::coded("InvalidParameterValue", 400, why))?;
    Ok(checked.tags.into_iter().map(|(key, value)| (key, value.into())).collect())
}
