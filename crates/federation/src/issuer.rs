//! The URL of an issuer of tokens.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest (IAM API reference, CreateOpenIDConnectProvider).
const MAX_LENGTH: usize = 255;

/// The URL of an OpenID Connect provider, as it was given: `https://host[:port][/path]`. What a token says of its issuer is
/// compared with it byte for byte, so `https://host` and `https://host/` are two issuers, as they are to AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

/// The text is no URL of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the URL of an OpenID Connect provider")]
pub struct InvalidIssuer;

impl Issuer {
    /// Reads a URL: `https`, a host, perhaps a port and a path; no user, query or fragment, and nothing in it that two
    /// readers may understand differently. A single word is none: with it condition keys begin, and those of `https://saml`
    /// would be SAML's own.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        Self::of_any_host(text).and_then(|issuer| {
            if issuer.name().contains(['.', ':', '/']) { Ok(issuer) } else { Err(InvalidIssuer) }
        })
    }

    fn of_any_host(text: &str) -> Result<Self, InvalidIssuer> {
        let rest = text.strip_prefix("https://").filter(|_| text.len() <= MAX_LENGTH).ok_or(InvalidIssuer)?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let port_fits = port.is_none_or(|port| {
            port.len() <= 5
                && port.bytes().all(|b| b.is_ascii_digit())
                && port.parse().is_ok_and(|p: u16| p > 0)
        });
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~');
        let no_dots = path.split('/').all(|part| part != "." && part != "..");
        if is_host(host) && port_fits && path.bytes().all(plain) && no_dots {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIssuer)
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL without its scheme: what ARNs and condition keys have.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.strip_prefix("https://").unwrap_or(&self.0)
    }

    /// Where it says what it is (OpenID Connect Discovery 1.0, section 4).
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }
}

/// A name of DNS or an address of IPv4, in letters that need no decoding.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            !label.is_empty() && label.len() <= 63 && label.bytes().all(plain) && !label.starts_with('-')
        })
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Issuer {
    type Error = InvalidIssuer;

    fn try_from(text: String) -> Result<Self, InvalidIssuer> {
        Self::of_any_host(&text)
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_https_with_a_host() {
        for text in [
            "https://token.actions.githubusercontent.com",
            "https://localhost:8443",
            "https://10.0.0.1/path/a~b",
            "https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
            "https://dev.auth0.com/",
            "https://aws/",
            "https://saml:443",
            "https://keycloak/realms/one",
        ] {
            assert_eq!(Issuer::parse(text).unwrap().as_str(), text);
        }
        let long = format!("https://a/{}", "x".repeat(250));
        for text in [
            "",
            "https://",
            "http://a.example",
            "HTTPS://a.example",
            "a.example",
            "https:///x",
            "https://a:0",
            "https://a:65536",
            "https://a:",
            "https://a:+1",
            "https://u@a",
            "https://a?x",
            "https://a/x?y",
            "https://a/#f",
            "https://a/%2e",
            "https://a/../b",
            "https://a/./b",
            "https://a\\b",
            "https://a b",
            "https://[::1]",
            "https://é",
            "https://aws",
            "https://saml",
            "https://localhost",
            "https://a..b",
            "https://-a",
            "https://a/\n",
            long.as_str(),
        ] {
            assert_eq!(Issuer::parse(text), Err(InvalidIssuer), "{text}");
        }
    }

    #[test]
    fn discovery_is_below_the_path() {
        let url = |text| Issuer::parse(text).unwrap().discovery_url();
        assert_eq!(url("https://a.example"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(url("https://a.example/"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(url("https://a.example/x"), "https://a.example/x/.well-known/openid-configuration");
    }
}
