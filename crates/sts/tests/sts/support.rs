//! An account that trusts an issuer, and the issuer.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_core::federation::{Algorithm, SigningKey};
use daypass_core::model::Timestamp;
use daypass_core::store::records::{Indexed as _, OidcProvider, Policies, Role, Tag};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{Client, NOW, TestAnswer, TestServer, account};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://token.example.com";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/ci";

/// A key of RSA, and what signs with it.
pub(crate) struct Key {
    pkcs8: Vec<u8>,
    pub(crate) jwk: Value,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Rs256).unwrap().to_vec();
        let mut jwk = SigningKey::from_pkcs8(Algorithm::Rs256, &pkcs8).unwrap().jwk().clone();
        jwk["kid"] = kid.into();
        Self { pkcs8, jwk }
    }

    /// A token of exactly this header and these claims.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(claims));
        let pair = KeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let kid = self.jwk["kid"].as_str().unwrap();
        self.raw(&json!({ "alg": "RS256", "kid": kid, "typ": "JWT" }).to_string(), &claims.to_string())
    }
}

pub(crate) fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The claims of a good token, with changes: a null takes one away.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main",
        "iat": NOW, "exp": NOW + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// Trusts the issuer under a condition (`"StringEquals":{…}` or nothing) for these actions.
pub(crate) fn trust(actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.example.com"}},"Action":{actions},"Condition":{{{condition}}}}}}}"#
    )
}

pub(crate) const ACTION: &str = r#""sts:AssumeRoleWithWebIdentity""#;
pub(crate) const ONLY_MAIN: &str = r#""StringEquals":{"token.example.com:aud":"sts.amazonaws.com","token.example.com:sub":"repo:acme/app:ref:refs/heads/main"}"#;

/// A server, its issuer and a role `ci` that trusts it.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) key: Key,
    pub(crate) anonymous: Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::trusting(&trust(ACTION, ONLY_MAIN)).await
    }

    pub(crate) async fn trusting(trust: &str) -> Self {
        let server = TestServer::new(daypass_sts::OPERATIONS.iter().copied()).await;
        let anonymous = server.anonymous();
        let world = Self { server, key: Key::new("k1"), anonymous };
        world.provider(ISSUER, &["sts.amazonaws.com", "other-client"]).await;
        world.role("ci", trust).await;
        world.publish(ISSUER, &[&world.key]);
        world
    }

    pub(crate) async fn provider(&self, issuer: &str, client_ids: &[&str]) {
        let provider = OidcProvider {
            account: account(),
            name: issuer.strip_prefix("https://").unwrap().to_owned(),
            client_ids: client_ids.iter().map(|&id| id.to_owned()).collect(),
            thumbprints: vec![],
            created: Timestamp::default(),
            tags: vec![],
        };
        let put: Result<(), TransactError<StoreError>> =
            self.server.gate.state().store.transact(|tx| provider.save(tx)).await;
        put.unwrap();
    }

    pub(crate) async fn role(&self, name: &str, trust: &str) {
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetAccessKeyInfo","Resource":"*","Condition":{"StringEqualsIfExists":{"token.example.com:sub":"repo:acme/app:ref:refs/heads/main"}}}}"#;
        let role = Role {
            account: account(),
            path: "/".into(),
            name: name.into(),
            id: format!("AROA{:Q<17}", name.to_uppercase()),
            created: Timestamp::default(),
            description: None,
            trust_policy: trust.into(),
            max_session_seconds: 7200,
            policies: Policies { inline: [("p".to_owned(), policy.to_owned())].into(), attached: vec![] },
            permissions_boundary: None,
            tags: vec![Tag { key: "team".into(), value: "red".into() }],
            instance_profiles: vec![],
        };
        let put: Result<(), TransactError<StoreError>> =
            self.server.gate.state().store.transact(|tx| role.save(tx)).await;
        put.unwrap();
    }

    /// Has an issuer say what it is, and publish these keys.
    pub(crate) fn publish(&self, issuer: &str, keys: &[&Key]) {
        let address = format!("{issuer}/keys");
        let discovery = json!({ "issuer": issuer, "jwks_uri": address });
        let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
        let bare = issuer.trim_end_matches('/');
        self.server.web.publish(&format!("{bare}/.well-known/openid-configuration"), discovery.to_string());
        self.server.web.publish(&address, json!({ "keys": keys }).to_string());
    }

    pub(crate) async fn assume(&self, token: &str, more: &[(&str, &str)]) -> TestAnswer {
        let mut form = vec![("WebIdentityToken", token)];
        if !more.iter().any(|(name, _)| *name == "RoleArn") {
            form.push(("RoleArn", ROLE));
        }
        form.push(("RoleSessionName", "run-1"));
        form.extend(more);
        self.anonymous.query("sts", "AssumeRoleWithWebIdentity", &form).await
    }

    /// What comes of a good token with these changes: `ok`, or the code of the refusal.
    pub(crate) async fn outcome(&self, changes: &Value) -> String {
        outcome(&self.assume(&self.key.token(&claims(changes)), &[]).await)
    }

    pub(crate) fn session(&self, answer: &TestAnswer) -> Client {
        self.server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        )
    }
}

pub(crate) fn outcome(answer: &TestAnswer) -> String {
    if answer.status == 200 { "ok".to_owned() } else { answer.refused().0 }
}
