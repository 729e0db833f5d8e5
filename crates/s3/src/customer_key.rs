//! Keys that callers bring along (SSE-C; S3 user guide, "Using server-side encryption with customer-provided keys"): the object
//! is sealed with such a key, and what is kept is a salted code by which the key is known again, never the key.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::objects::SealKey;
use daypass_core::{Cx, Fault, Secret};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use crate::fault::{invalid_argument, invalid_request};

/// The one algorithm there is.
pub(crate) const ALGORITHM: &str = "AES256";
const INFO: &[u8] = b"daypass s3: customer key, version 1";

/// The headers of a key: its algorithm, itself, and its MD5.
pub(crate) type Headers<'a> = [Option<&'a str>; 3];

/// `headers!(input)` are those of the key that a request speaks of.
macro_rules! headers {
    ($input:expr) => {
        [
            $input.sse_customer_algorithm.as_deref(),
            $input.sse_customer_key.as_deref(),
            $input.sse_customer_key_md5.as_deref(),
        ]
    };
}
pub(crate) use headers;

/// `source_headers!(input)` are those of the key of a copy's source.
macro_rules! source_headers {
    ($input:expr) => {
        [
            $input.copy_source_sse_customer_algorithm.as_deref(),
            $input.copy_source_sse_customer_key.as_deref(),
            $input.copy_source_sse_customer_key_md5.as_deref(),
        ]
    };
}
pub(crate) use source_headers;

/// A key that came with a request.
pub(crate) struct CustomerKey {
    key: Secret<[u8; 32]>,
    pub(crate) md5: String,
}

impl CustomerKey {
    /// The key of a request, if it has one.
    ///
    /// AWS takes none but over TLS. Here, what comes from the machine itself or over an instance's own link has no network
    /// to be read on.
    ///
    /// # Errors
    /// If the three headers are not those of one key, or came where others may read them.
    pub(crate) fn read(cx: &Cx, headers: Headers<'_>) -> Result<Option<Self>, Fault> {
        if headers.iter().all(Option::is_none) {
            return Ok(None);
        }
        let peer = cx.peer();
        if !peer.secure && !peer.address.is_loopback() && peer.instance.is_none() {
            let words = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
            return Err(invalid_request(words));
        }
        read(headers).map(Some)
    }

    /// What seals with it.
    pub(crate) fn seal(&self) -> SealKey {
        SealKey::new(*self.key.expose())
    }

    /// What is kept of it.
    pub(crate) fn trace(&self, cx: &Cx) -> Trace {
        let mut salt = [0; 16];
        cx.state().entropy.fill(&mut salt);
        Trace { code: BASE64.encode(self.code(&salt)), salt: BASE64.encode(salt) }
    }

    /// Whether this is the key that left the trace.
    pub(crate) fn left(&self, trace: &Trace) -> bool {
        let (Ok(salt), Ok(code)) = (BASE64.decode(&trace.salt), BASE64.decode(&trace.code)) else {
            return false;
        };
        hmac::verify(&self.hmac_key(), &said(&salt), &code).is_ok()
    }

    fn code(&self, salt: &[u8]) -> hmac::Tag {
        hmac::sign(&self.hmac_key(), &said(salt))
    }

    fn hmac_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.key.expose())
    }
}

fn said(salt: &[u8]) -> Vec<u8> {
    [INFO, salt].concat()
}

/// By what a key is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    salt: String,
    code: String,
}

fn read([algorithm, key, md5]: Headers<'_>) -> Result<CustomerKey, Fault> {
    let must = |what: &str| {
        let words = format!(
            "Requests specifying Server Side Encryption with Customer provided keys must provide {what}."
        );
        invalid_argument(words, "x-amz-server-side-encryption", "null")
    };
    match algorithm {
        None => return Err(must("a valid encryption algorithm")),
        Some(ALGORITHM) => {}
        Some(other) => {
            let words = "The encryption request you specified is not valid. Supported value: AES256.";
            return Err(Fault::coded("InvalidEncryptionAlgorithmError", 400, words)
                .with("ArgumentName", "x-amz-server-side-encryption")
                .with("ArgumentValue", other));
        }
    }
    let key = key.ok_or_else(|| must("an appropriate secret key"))?;
    let md5 = md5.ok_or_else(|| must("the client calculated MD5 of the secret key"))?;
    let wrong =
        |words: &str| invalid_argument(words, "x-amz-server-side-encryption-customer-key", "[redacted]");
    let bytes = BASE64.decode(key).ok().map(Secret::new);
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.expose().as_slice()).ok());
    let key =
        Secret::new(key.ok_or_else(|| wrong("The secret key was invalid for the specified algorithm."))?);
    if BASE64.decode(md5).ok().as_deref() != Some(Md5::digest(key.expose()).as_slice()) {
        let words = "The calculated MD5 hash of the key did not match the hash that was provided.";
        return Err(invalid_argument(words, "x-amz-server-side-encryption", "null"));
    }
    Ok(CustomerKey { key, md5: md5.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
    const MD5: &str = "DWygnHRtgiJ77HCm+1rvHw==";

    #[test]
    fn a_key_is_algorithm_key_and_md5_together() {
        assert_eq!(read([Some("AES256"), Some(KEY), Some(MD5)]).ok().unwrap().md5, MD5);
        let short = BASE64.encode([1; 16]);
        for (headers, code, words) in [
            ([None, Some(KEY), Some(MD5)], "InvalidArgument", "a valid encryption algorithm"),
            ([Some("AES128"), Some(KEY), Some(MD5)], "InvalidEncryptionAlgorithmError", "not valid"),
            ([Some("AES256"), None, Some(MD5)], "InvalidArgument", "an appropriate secret key"),
            ([Some("AES256"), None, None], "InvalidArgument", "an appropriate secret key"),
            ([Some("AES256"), Some(KEY), None], "InvalidArgument", "MD5 of the secret key"),
            ([Some("AES256"), Some(KEY), Some("AAAA")], "InvalidArgument", "did not match"),
            ([Some("AES256"), Some(&short), Some(MD5)], "InvalidArgument", "was invalid"),
            ([Some("AES256"), Some("no base64"), Some(MD5)], "InvalidArgument", "was invalid"),
        ] {
            let fault = read(headers).err().unwrap();
            assert_eq!(fault.code, code, "{headers:?}");
            assert!(fault.message.contains(words), "{headers:?}: {}", fault.message);
        }
    }
}
