//! Requests as clients sign them that the usual test client does not make: presigned URLs, and bodies in chunks.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::testing::{TestAnswer, TestServer};
use daypass_core::{Clock as _, Peer, full};
use http_body_util::BodyExt as _;

/// The key of a user that the test server made.
pub(crate) struct Signer<'s> {
    server: &'s TestServer,
    access_key_id: String,
    secret: String,
}

/// A request before it is signed.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// In order, without what the signature adds.
    pub(crate) query: &'a str,
    /// Headers that are signed, by their lower-case names.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Headers that are added when everything is signed.
    pub(crate) unsigned: &'a [(&'a str, &'a str)],
    /// What the signature says of the body.
    pub(crate) payload: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'s> Signer<'s> {
    /// Of the user of that name.
    pub(crate) fn of(server: &'s TestServer, name: &str) -> Self {
        let access_key_id = format!("AKIA{:Q<16}", name.to_uppercase());
        Self { server, access_key_id, secret: format!("{name:s<40}") }
    }

    /// Sends a request that is signed in its query.
    pub(crate) async fn presigned(&self, outgoing: Outgoing<'_>) -> TestAnswer {
        let date = self.server.clock.now().basic();
        let names = names(outgoing.headers, &["host"]);
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={date}&X-Amz-Expires=60&X-Amz-SignedHeaders={}",
            format!("{}/{}", self.access_key_id, scope(&date)).replace('/', "%2F"),
            names.replace(';', "%3B"),
        );
        let query = if outgoing.query.is_empty() { query } else { format!("{query}&{}", outgoing.query) };
        let mut headers = outgoing.headers.to_vec();
        headers.push(("host", "127.0.0.1:4566"));
        let signature = self.sign(&date, &outgoing, &query, &mut headers);
        headers.extend(outgoing.unsigned);
        self.send(&outgoing, &format!("{query}&X-Amz-Signature={signature}"), &headers).await
    }

    /// Sends a request that is signed in its header.
    pub(crate) async fn signed(&self, outgoing: Outgoing<'_>) -> TestAnswer {
        let date = self.server.clock.now().basic();
        let mut headers = outgoing.headers.to_vec();
        headers.extend([
            ("host", "127.0.0.1:4566"),
            ("x-amz-content-sha256", outgoing.payload),
            ("x-amz-date", &date),
        ]);
        let authorization = self.authorization(&date, &outgoing, &mut headers);
        headers.push(("authorization", &authorization));
        headers.extend(outgoing.unsigned);
        self.send(&outgoing, outgoing.query, &headers).await
    }

    /// The query of a presigned URL of Signature Version 2, which reads `path`.
    pub(crate) async fn presigned_v2(&self, path: &str) -> TestAnswer {
        let expires = self.server.clock.now().seconds() + 60;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let signature = hmac::sign(&key, format!("GET\n\n\n{expires}\n{path}").as_bytes());
        let signature = BASE64.encode(signature).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let query = format!("AWSAccessKeyId={}&Signature={signature}&Expires={expires}", self.access_key_id);
        let outgoing =
            Outgoing { method: "GET", path, query: "", headers: &[], unsigned: &[], payload: "", body: b"" };
        self.send(&outgoing, &query, &[("host", "127.0.0.1:4566")]).await
    }

    /// Sends a request that is signed in its header for a set of regions (SigV4A).
    pub(crate) async fn regional(&self, outgoing: Outgoing<'_>, host: &str, regions: &str) -> TestAnswer {
        let date = self.server.clock.now().basic();
        let scope = format!("{}/s3/aws4_request", date.split_once('T').unwrap().0);
        let mut headers = outgoing.headers.to_vec();
        headers.extend([
            ("host", host),
            ("x-amz-content-sha256", outgoing.payload),
            ("x-amz-date", &date),
            ("x-amz-region-set", regions),
        ]);
        let hash = canonical_hash(&outgoing, outgoing.query, &mut headers);
        let text = format!("AWS4-ECDSA-P256-SHA256\n{date}\n{scope}\n{hash}");
        let authorization = format!(
            "AWS4-ECDSA-P256-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.access_key_id,
            names(&headers, &[]),
            hex(&self.sign_with_pair(&text))
        );
        headers.push(("authorization", &authorization));
        self.send(&outgoing, outgoing.query, &headers).await
    }

    /// A signature by the key pair of SigV4A: the first candidate, for the secrets of these tests need no second.
    fn sign_with_pair(&self, text: &str) -> Vec<u8> {
        let input = format!("\0\0\0\x01AWS4-ECDSA-P256-SHA256\0{}\x01\0\0\x01\0", self.access_key_id);
        let mut private = mac(format!("AWS4A{}", self.secret).as_bytes(), &input);
        let last = private.last_mut().unwrap();
        *last = last.checked_add(1).unwrap();
        let key = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap();
        let point = key.compute_public_key().unwrap();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, point.as_ref()).unwrap();
        pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// Sends a request that is signed in its header for a host, to another target and with other `Host` headers.
    pub(crate) async fn redirected(
        &self,
        outgoing: Outgoing<'_>,
        host: &str,
        target: &str,
        hosts: &[&str],
    ) -> TestAnswer {
        let date = self.server.clock.now().basic();
        let mut headers =
            vec![("host", host), ("x-amz-content-sha256", outgoing.payload), ("x-amz-date", &date)];
        let authorization = self.authorization(&date, &outgoing, &mut headers);
        headers.retain(|(name, _)| *name != "host");
        headers.push(("authorization", &authorization));
        headers.extend(hosts.iter().map(|host| ("host", *host)));
        headers.extend(outgoing.unsigned);
        self.send_to(&outgoing, target, &headers).await
    }

    fn authorization(&self, date: &str, outgoing: &Outgoing<'_>, headers: &mut [(&str, &str)]) -> String {
        let signature = self.sign(date, outgoing, outgoing.query, headers);
        let (scope, names) = (scope(date), names(headers, &[]));
        let credential = format!("{}/{scope}", self.access_key_id);
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}")
    }

    fn sign(&self, date: &str, outgoing: &Outgoing<'_>, query: &str, headers: &mut [(&str, &str)]) -> String {
        let hash = canonical_hash(outgoing, query, headers);
        self.signature(date, &format!("AWS4-HMAC-SHA256\n{date}\n{}\n{hash}", scope(date)))
    }

    /// The fields of a form that sign its policy.
    pub(crate) fn form(&self, policy: &str) -> Vec<(&'static str, String)> {
        let date = self.server.clock.now().basic();
        let policy = BASE64.encode(policy);
        let signature = self.signature(&date, &policy);
        vec![
            ("policy", policy),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", format!("{}/{}", self.access_key_id, scope(&date))),
            ("x-amz-date", date),
            ("x-amz-signature", signature),
        ]
    }

    fn signature(&self, date: &str, text: &str) -> String {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in scope(date).split('/') {
            key = mac(&key, part);
        }
        hex(&mac(&key, text))
    }

    async fn send(&self, outgoing: &Outgoing<'_>, query: &str, headers: &[(&str, &str)]) -> TestAnswer {
        self.send_to(outgoing, &format!("{}?{query}", outgoing.path), headers).await
    }

    async fn send_to(&self, outgoing: &Outgoing<'_>, uri: &str, headers: &[(&str, &str)]) -> TestAnswer {
        let mut request = http::Request::builder().method(outgoing.method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(full(outgoing.body.to_vec())).unwrap();
        let peer = Peer { address: [192, 0, 2, 1].into(), tls: None, instance: None };
        let (head, body) = self.server.gate.serve(peer, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        TestAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// The hash of the request as it is signed; puts the headers in order.
fn canonical_hash(outgoing: &Outgoing<'_>, query: &str, headers: &mut [(&str, &str)]) -> String {
    headers.sort_unstable();
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{}\n{}",
        outgoing.method,
        outgoing.path,
        pairs.join("&"),
        names(headers, &[]),
        outgoing.payload
    );
    hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}

fn scope(date: &str) -> String {
    format!("{}/us-east-1/s3/aws4_request", date.split_once('T').unwrap().0)
}

fn names(headers: &[(&str, &str)], more: &[&str]) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).chain(more.iter().copied()).collect();
    names.sort_unstable();
    names.join(";")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
