//! What attackers make of tokens. Each is a good token but for one thing, and none is worth anything.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_core::testing::NOW;
use serde_json::{Value, json};

use crate::support::{ISSUER, Key, World, b64, claims, outcome};

const INVALID: &str = "InvalidIdentityToken";

/// A token of this header over good claims, signed by the key.
fn headed(key: &Key, header: &Value) -> String {
    key.raw(&header.to_string(), &claims(&json!({})).to_string())
}

/// A token with a code of a secret instead of a signature.
fn coded(header: &Value, secret: &[u8]) -> String {
    let signed = format!("{}.{}", b64(&header.to_string()), b64(&claims(&json!({})).to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

async fn refuses(world: &World, attacks: Vec<(&str, String)>) {
    for (what, token) in attacks {
        let answer = world.assume(&token, &[]).await;
        let code = outcome(&answer);
        let expected: &[&str] =
            if token.len() > 20_000 || token.len() < 4 { &["ValidationError"] } else { &[INVALID] };
        assert!(expected.contains(&code.as_str()), "{what}: {code} {}", answer.body);
    }
    // The world is as it was: a good token still works.
    assert_eq!(world.outcome(&json!({})).await, "ok");
}

#[tokio::test]
async fn another_algorithm_or_key_than_the_issuer_s_is_refused() {
    let world = World::new().await;
    let (key, other) = (&world.key, Key::new("k1"));
    let (n, jwk) = (key.jwk["n"].as_str().unwrap(), key.jwk.to_string());
    let modulus = URL_SAFE_NO_PAD.decode(n).unwrap();
    let good = key.token(&claims(&json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let none = |alg: &str| format!("{}.{}.", b64(&json!({ "alg": alg }).to_string()), parts[1]);
    let with = |alg: &str| json!({ "alg": alg, "kid": "k1" });
    refuses(
        &world,
        vec![
            ("alg none", none("none")),
            ("alg None", none("None")),
            ("alg NONE", none("NONE")),
            ("alg nOnE with the signature of another", format!("{}{}", none("nOnE"), parts[2])),
            ("alg empty", none("")),
            ("HS256 with the modulus", coded(&with("HS256"), &modulus)),
            ("HS256 with the modulus as text", coded(&with("HS256"), n.as_bytes())),
            ("HS256 with the key as JSON", coded(&with("HS256"), jwk.as_bytes())),
            ("HS512 with the modulus", coded(&with("HS512"), &modulus)),
            ("HS256 with nothing", coded(&with("HS256"), b"")),
            ("RS256 with a code instead of a signature", coded(&with("RS256"), &modulus)),
            ("RS384 for a key of RS256", headed(key, &with("RS384"))),
            ("ES256 for a key of RSA", headed(key, &with("ES256"))),
            ("PS256", headed(key, &with("PS256"))),
            ("EdDSA", headed(key, &with("EdDSA"))),
            ("rs256 in small letters", headed(key, &with("rs256"))),
            ("alg as a list", headed(key, &json!({ "alg": ["RS256"], "kid": "k1" }))),
            ("alg as a number", headed(key, &json!({ "alg": 256, "kid": "k1" }))),
            ("alg missing", headed(key, &json!({ "kid": "k1" }))),
            (
                "alg twice",
                key.raw(r#"{"alg":"RS256","kid":"k1","alg":"none"}"#, &claims(&json!({})).to_string()),
            ),
            ("another key under the same id", other.token(&claims(&json!({})))),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            (
                "a signature of zeros",
                format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 256])),
            ),
            ("half a signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..170])),
            ("a longer signature", format!("{good}AAAA")),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_token_says_of_its_own_key_is_not_believed() {
    let world = World::new().await;
    let mine = Key::new("mine");
    world.publish("https://evil.example", &[&mine]);
    let (jwk, evil) = (mine.jwk.clone(), "https://evil.example/keys");
    refuses(
        &world,
        vec![
            ("jwk", headed(&mine, &json!({ "alg": "RS256", "jwk": jwk }))),
            ("jwk with the issuer's id", headed(&mine, &json!({ "alg": "RS256", "kid": "k1", "jwk": jwk }))),
            ("jku", headed(&mine, &json!({ "alg": "RS256", "kid": "mine", "jku": evil }))),
            ("jku with the issuer's id", headed(&mine, &json!({ "alg": "RS256", "kid": "k1", "jku": evil }))),
            ("x5u", headed(&mine, &json!({ "alg": "RS256", "kid": "mine", "x5u": evil }))),
            ("x5c", headed(&mine, &json!({ "alg": "RS256", "kid": "k1", "x5c": ["MIIB"] }))),
            ("kid that is an address", headed(&mine, &json!({ "alg": "RS256", "kid": evil }))),
            ("kid that is a path", headed(&mine, &json!({ "alg": "RS256", "kid": "../../../../dev/null" }))),
            ("kid that is SQL", headed(&mine, &json!({ "alg": "RS256", "kid": "k1' OR '1'='1" }))),
            ("kid with a null character", headed(&mine, &json!({ "alg": "RS256", "kid": "k1\u{0}" }))),
            ("kid in capitals", headed(&world.key, &json!({ "alg": "RS256", "kid": "K1" }))),
            ("kid that is a list", headed(&world.key, &json!({ "alg": "RS256", "kid": ["k1"] }))),
            ("kid that is empty", headed(&world.key, &json!({ "alg": "RS256", "kid": "" }))),
            ("kid without end", headed(&world.key, &json!({ "alg": "RS256", "kid": "k".repeat(5000) }))),
            ("no kid, and not the issuer's key", headed(&mine, &json!({ "alg": "RS256" }))),
            ("crit", headed(&world.key, &json!({ "alg": "RS256", "kid": "k1", "crit": ["exp"] }))),
            ("b64", headed(&world.key, &json!({ "alg": "RS256", "kid": "k1", "b64": false }))),
            ("encrypted", headed(&world.key, &json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "k1" }))),
        ],
    )
    .await;
    assert!(world.server.web.fetched().iter().all(|url| url.starts_with(ISSUER)), "a token led us elsewhere");
}

#[tokio::test]
async fn claims_that_two_readers_may_read_differently_are_refused() {
    let world = World::new().await;
    let good = claims(&json!({})).to_string();
    let body = good.strip_suffix('}').unwrap();
    let raw = |claims: String| world.key.raw(r#"{"alg":"RS256","kid":"k1"}"#, &claims);
    let text = world.key.token(&claims(&json!({})));
    let parts: Vec<&str> = text.split('.').collect();
    let padded = format!("{}==.{}.{}", parts[0], parts[1], parts[2]);
    let evil = b64(&claims(&json!({ "sub": "evil" })).to_string());
    refuses(
        &world,
        vec![
            ("sub twice", raw(format!(r#"{body},"sub":"repo:acme/app:ref:refs/heads/main"}}"#))),
            ("aud twice", raw(format!(r#"{body},"aud":"sts.amazonaws.com"}}"#))),
            ("iss twice", raw(format!(r#"{body},"iss":"{ISSUER}"}}"#))),
            ("exp twice", raw(format!(r#"{body},"exp":{}}}"#, NOW + 9))),
            ("sub twice, escaped", raw(format!(r#"{body},"\u0073ub":"x"}}"#))),
            ("a name twice deep within", raw(format!(r#"{body},"o":{{"a":1,"a":2}}}}"#))),
            ("something after the claims", raw(format!("{good} {{}}"))),
            ("claims that are a list", raw(format!("[{good}]"))),
            ("claims that end too early", raw(body.to_owned())),
            (
                "sub that is a list",
                raw(claims(&json!({ "sub": ["repo:acme/app:ref:refs/heads/main"] })).to_string()),
            ),
            ("sub that is a number", raw(claims(&json!({ "sub": 1 })).to_string())),
            ("sub that is empty", raw(claims(&json!({ "sub": "" })).to_string())),
            ("sub without end", raw(claims(&json!({ "sub": "x".repeat(256) })).to_string())),
            ("aud that is an object", raw(claims(&json!({ "aud": { "sts.amazonaws.com": 1 } })).to_string())),
            ("aud with a number", raw(claims(&json!({ "aud": ["sts.amazonaws.com", 1] })).to_string())),
            ("azp that is a list", raw(claims(&json!({ "azp": ["sts.amazonaws.com"] })).to_string())),
            ("amr that is an object", raw(claims(&json!({ "amr": {} })).to_string())),
            ("exp that is a text", raw(claims(&json!({ "exp": (NOW + 600).to_string() })).to_string())),
            ("exp without end", raw(claims(&json!({ "exp": 1e300 })).to_string())),
            ("exp before time", raw(claims(&json!({ "exp": -1 })).to_string())),
            ("exp as true", raw(claims(&json!({ "exp": true })).to_string())),
            ("iat that is a text", raw(claims(&json!({ "iat": "now" })).to_string())),
            ("nbf in an hour", raw(claims(&json!({ "nbf": NOW + 3600 })).to_string())),
            ("iss that is a list", raw(claims(&json!({ "iss": [ISSUER] })).to_string())),
            ("other claims under the signature", format!("{}.{evil}.{}", parts[0], parts[2])),
            ("padding", padded),
            ("four parts", format!("{text}.x")),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("white space before", format!(" {text}")),
            ("white space after", format!("{text}\n")),
            ("the alphabet of plain base64", text.replace(['-', '_'], "+")),
            (
                "JSON serialization",
                json!({ "payload": parts[1], "protected": parts[0], "signature": parts[2] }).to_string(),
            ),
            ("a token of 20,001 characters", "x".repeat(20_001)),
            (
                "objects without end",
                raw(format!(r#"{body},"o":{}1{}}}"#, r#"{"a":"#.repeat(2000), "}".repeat(2000))),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_issuer_is_itself_to_the_byte() {
    let world = World::new().await;
    let mine = Key::new("k1");
    // An issuer of the attacker's own, registered for something else, and one below a path.
    world.provider("https://tenants.example/evil", &["sts.amazonaws.com"]).await;
    world.publish("https://tenants.example/evil", &[&mine]);
    for issuer in [
        "https://token.example.com/",
        "https://TOKEN.example.com",
        "https://token.example.com:443",
        "https://token.example.com/x",
        "https://token.example.com?",
        "https://token.example.com#",
        "https://token.example.com.",
        "http://token.example.com",
        "token.example.com",
        "https://x@token.example.com",
        "https://token.example.com%00",
        "https://token.example.com@evil.example",
        " https://token.example.com",
        "https://tenants.example",
        "https://tenants.example/",
        "https://tenants.example/evil/",
        "https://tenants.example/Evil",
        "https://tenants.example/evil/../good",
        "",
    ] {
        let token = world.key.token(&claims(&json!({ "iss": issuer })));
        let (code, words) = world.assume(&token, &[]).await.refused();
        assert_eq!(code, INVALID, "{issuer}");
        assert!(
            words.starts_with("No OpenIDConnect provider found in your account for "),
            "{issuer}: {words}"
        );
        let token = mine.token(&claims(&json!({ "iss": issuer })));
        assert_eq!(outcome(&world.assume(&token, &[]).await), INVALID, "{issuer}");
    }
    // The attacker's issuer vouches for its own alone: its good token does not open the other's role …
    let own = mine.token(&claims(&json!({ "iss": "https://tenants.example/evil" })));
    assert_eq!(outcome(&world.assume(&own, &[]).await), "AccessDenied");
    // … nor does its key sign for the other.
    assert_eq!(outcome(&world.assume(&mine.token(&claims(&json!({}))), &[]).await), INVALID);
}

#[tokio::test]
async fn what_an_issuer_publishes_wrong_vouches_for_nobody() {
    let discovery = format!("{ISSUER}/.well-known/openid-configuration");
    let keys = format!("{ISSUER}/keys");
    let good = json!({ "issuer": ISSUER, "jwks_uri": keys });
    let change = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let world = World::new().await;
    let jwk = world.key.jwk.clone();
    let set = |jwk: Value| json!({ "keys": [jwk] }).to_string();
    let with = |name: &str, value: Value| {
        let mut changed = jwk.clone();
        changed[name] = value;
        set(changed)
    };
    let short = json!({ "kty": "RSA", "kid": "k1", "n": b64(&"\u{7f}".repeat(128)), "e": "AQAB" });
    for (what, url, document) in [
        ("another issuer", &discovery, change("issuer", "https://evil.example".into())),
        ("no issuer", &discovery, change("issuer", Value::Null)),
        ("an issuer with a slash", &discovery, change("issuer", format!("{ISSUER}/").into())),
        ("keys without TLS", &discovery, change("jwks_uri", "http://token.example.com/keys".into())),
        ("keys in a file", &discovery, change("jwks_uri", "file:///etc/passwd".into())),
        ("keys nowhere", &discovery, change("jwks_uri", Value::Null)),
        ("no JSON", &discovery, "<html>".to_owned()),
        ("issuer twice", &discovery, format!(r#"{{"issuer":"x","issuer":"{ISSUER}","jwks_uri":"{keys}"}}"#)),
        ("no keys", &keys, "{}".to_owned()),
        ("keys that are an object", &keys, r#"{"keys":{}}"#.to_owned()),
        ("a key for encryption", &keys, with("use", "enc".into())),
        ("a key that does not verify", &keys, with("key_ops", json!(["sign"]))),
        ("a key of another type", &keys, with("kty", "oct".into())),
        ("a key for another algorithm", &keys, with("alg", "RS512".into())),
        ("a key for HMAC", &keys, with("alg", "HS256".into())),
        ("a short key", &keys, set(short)),
        ("an exponent of one", &keys, with("e", "AQ".into())),
        ("an exponent of zero", &keys, with("e", "AA".into())),
        ("a modulus of nothing", &keys, with("n", "".into())),
        ("more keys than are read", &keys, json!({ "keys": vec![jwk.clone(); 201] }).to_string()),
    ] {
        world.publish(ISSUER, &[&world.key]);
        world.server.web.publish(url, document);
        world.server.clock.advance(4000);
        let token = world.key.token(&claims(&json!({ "exp": NOW + 1_000_000 })));
        assert_eq!(outcome(&world.assume(&token, &[]).await), INVALID, "{what}");
    }
    world.publish(ISSUER, &[&world.key]);
    world.server.clock.advance(4000);
    assert_eq!(world.outcome(&json!({ "exp": NOW + 1_000_000 })).await, "ok");
}
