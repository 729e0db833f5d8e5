//! How objects are encrypted at rest (S3 user guide, "Protecting data with server-side encryption"): with the server's own keys
//! (SSE-S3, `AES256`), which is the default, with a key of KMS (SSE-KMS, `aws:kms`), or with a key that the caller brings along
//! (SSE-C).

use std::ops::Range;

use daypass_core::model::s3::ServerSideEncryption;
use daypass_core::objects::{Body, CallerError, KeyId, ObjectBody, Opened, SealKey};
use daypass_core::{Check, Cx, Error, Fault};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::customer_key::{ALGORITHM, CustomerKey, Headers, Trace};
use crate::engine;
use crate::fault::{access_denied, invalid_argument, invalid_request};
use crate::kms::{self, KmsPlan, KmsSealing};
use crate::writing::Wanted;

/// With what an object is sealed, where it is not the server's own keys; as its description keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sealing {
    /// With a key of the caller's.
    Customer(Trace),
    /// With a key of KMS.
    Kms(KmsSealing),
}

impl Sealing {
    /// Whether a request may come that is told of what it seals.
    ///
    /// # Errors
    /// As [`kms::signed`].
    pub(crate) fn admit(&self, cx: &Cx) -> Result<(), Fault> {
        match self {
            Self::Customer(_) => Ok(()),
            Self::Kms(_) => kms::signed(cx),
        }
    }
}

/// What an answer says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) algorithm: Option<ServerSideEncryption>,
    pub(crate) customer_algorithm: Option<String>,
    pub(crate) customer_key_md5: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) bucket_key: Option<bool>,
    /// The encryption context, which only who makes an object is told.
    pub(crate) context: Option<String>,
}

impl Shown {
    fn server() -> Self {
        Self { algorithm: Some(ServerSideEncryption::AES256), ..Self::default() }
    }

    fn kms(sealing: &KmsSealing) -> Self {
        Self {
            algorithm: Some(ServerSideEncryption::AwsKms),
            kms_key: Some(sealing.key.clone()),
            bucket_key: sealing.bucket_key.then_some(true),
            ..Self::default()
        }
    }

    fn customer(key: &CustomerKey) -> Self {
        Self {
            customer_algorithm: Some(ALGORITHM.to_owned()),
            customer_key_md5: Some(key.md5.clone()),
            ..Self::default()
        }
    }
}

/// `show!(output, shown)` says it in an answer, whichever it is.
macro_rules! show {
    ($output:ident, $shown:expr) => {{
        let shown: $crate::encryption::Shown = $shown;
        $output.server_side_encryption = shown.algorithm;
        $output.sse_customer_algorithm = shown.customer_algorithm;
        $output.sse_customer_key_md5 = shown.customer_key_md5;
        $output.ssekms_key_id = shown.kms_key;
        $output.bucket_key_enabled = shown.bucket_key;
    }};
}
pub(crate) use show;

/// `show_made!(output, shown)` says it to who made an object.
macro_rules! show_made {
    ($output:ident, $shown:expr) => {{
        let shown: $crate::encryption::Shown = $shown;
        $output.ssekms_encryption_context.clone_from(&shown.context);
        $crate::encryption::show!($output, shown);
    }};
}
pub(crate) use show_made;

/// How a new object is to be sealed.
pub(crate) enum Plan {
    /// With the server's own keys.
    Server,
    /// With a key of the caller's.
    Customer(CustomerKey),
    /// With a key of KMS.
    Kms(Box<KmsPlan>),
}

/// How it is sealed.
pub(crate) struct Sealed {
    /// What its description keeps.
    pub(crate) kept: Option<Sealing>,
    /// The key that the object store has to be given, if it does not have it.
    pub(crate) key: Option<SealKey>,
    /// What the answer says.
    pub(crate) shown: Shown,
}

impl Plan {
    /// What a request wants of an object in this bucket.
    ///
    /// # Errors
    /// What is wrong with it, which is told after the request was allowed.
    pub(crate) fn of(cx: &Cx, bucket: &Bucket, key: &str, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let customer = wanted.customer_key.iter().any(Option::is_some);
        // Whatever the key is (S3 user guide, "Blocking or unblocking SSE-C for a general purpose bucket").
        if customer && !bucket.encryption.allows_customer_keys {
            return Err(access_denied().into());
        }
        if customer && wanted.encryption.is_some() {
            let words = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
            return Err(invalid_argument(words, "x-amz-server-side-encryption", "null").into());
        }
        if let Some(key) = CustomerKey::read(cx, wanted.customer_key)? {
            return Ok(Self::Customer(key));
        }
        match wanted.of_kms(bucket)? {
            Some(wish) => Ok(Self::Kms(Box::new(KmsPlan::of(cx, bucket, key, &wish)?))),
            None => Ok(Self::Server),
        }
    }

    /// What has to be allowed beside the writing.
    pub(crate) fn check(&self, cx: &Cx) -> Option<Check> {
        match self {
            Self::Server | Self::Customer(_) => None,
            Self::Kms(plan) => plan.check(cx, "kms:GenerateDataKey"),
        }
    }

    /// Makes it so.
    ///
    /// # Errors
    /// As [`KmsPlan::seal`].
    pub(crate) async fn seal(&self, cx: &Cx) -> Result<Sealed, Error> {
        Ok(match self {
            Self::Server => Sealed { kept: None, key: None, shown: Shown::server() },
            Self::Customer(key) => Sealed {
                kept: Some(Sealing::Customer(key.trace(cx))),
                key: Some(key.seal()),
                shown: Shown::customer(key),
            },
            Self::Kms(plan) => {
                let (sealing, key) = plan.seal(cx).await?;
                let shown = Shown { context: sealing.shown_context(), ..Shown::kms(&sealing) };
                Sealed { kept: Some(Sealing::Kms(sealing)), key: Some(key), shown }
            }
        })
    }
}

impl Sealed {
    /// The key's name in the object store.
    pub(crate) fn key_id(&self, cx: &Cx) -> Option<KeyId> {
        Some(if self.key.is_some() { KeyId::GIVEN } else { cx.state().ring.newest_object_key() })
    }
}

/// What opens an object.
pub(crate) struct Opening {
    with: With,
    /// What the answer says.
    pub(crate) shown: Shown,
}

enum With {
    Nothing,
    Given(SealKey),
    Kms(KmsSealing),
}

/// May the caller open an object that is sealed like this? (Beside the right to read it.)
///
/// # Errors
/// If the store fails.
pub(crate) fn opening_check(cx: &Cx, kept: Option<&Sealing>) -> Result<Option<Check>, Error> {
    match kept {
        None | Some(Sealing::Customer(_)) => Ok(None),
        Some(Sealing::Kms(sealing)) => sealing.check(cx, "kms:Decrypt").map(Some),
    }
}

impl Opening {
    /// What opens an object that is sealed like this, for a request with that key.
    ///
    /// # Errors
    /// If the request has no key and needs one, has one and needs none, or has another; [`kms::signed`].
    pub(crate) fn of(cx: &Cx, kept: Option<&Sealing>, headers: Headers<'_>) -> Result<Self, Fault> {
        let key = CustomerKey::read(cx, headers)?;
        match (kept, key) {
            (None, None) => Ok(Self { with: With::Nothing, shown: Shown::server() }),
            (Some(Sealing::Kms(sealing)), None) => {
                kms::signed(cx)?;
                Ok(Self { with: With::Kms(sealing.clone()), shown: Shown::kms(sealing) })
            }
            (None | Some(Sealing::Kms(_)), Some(_)) => {
                Err(invalid_request("The encryption parameters are not applicable to this object."))
            }
            (Some(Sealing::Customer(_)), None) => {
                let words = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
                Err(invalid_request(words))
            }
            (Some(Sealing::Customer(trace)), Some(key)) if key.left(trace) => {
                Ok(Self { with: With::Given(key.seal()), shown: Shown::customer(&key) })
            }
            (Some(Sealing::Customer(_)), Some(_)) => Err(access_denied()),
        }
    }

    /// The same for an upload, to which parts are added: the key is that which it was begun with.
    ///
    /// # Errors
    /// As [`Opening::of`], in the words for uploads.
    pub(crate) fn of_upload(cx: &Cx, kept: Option<&Sealing>, headers: Headers<'_>) -> Result<Self, Fault> {
        let given = headers.iter().any(Option::is_some);
        match kept {
            Some(Sealing::Customer(_)) if !given => {
                let words = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
                Err(invalid_request(words))
            }
            None | Some(Sealing::Kms(_)) if given => {
                let words = "The multipart upload initiate requested no encryption. Subsequent part requests must not include encryption parameters.";
                Err(invalid_request(words))
            }
            Some(Sealing::Customer(trace))
                if CustomerKey::read(cx, headers)?.is_some_and(|key| !key.left(trace)) =>
            {
                let words = "The provided encryption parameters did not match the ones used originally.";
                Err(invalid_request(words))
            }
            kept => Self::of(cx, kept, headers),
        }
    }

    /// The key that the object store has to be given, if it does not have it.
    ///
    /// # Errors
    /// As [`KmsSealing::open`].
    pub(crate) fn key(&self, cx: &Cx) -> Result<Option<SealKey>, Error> {
        match &self.with {
            With::Nothing => Ok(None),
            With::Given(key) => Ok(Some(key.clone())),
            With::Kms(sealing) => sealing.open(cx).map(Some),
        }
    }

    /// Whether the object store does not have the key.
    pub(crate) fn needs_key(&self) -> bool {
        !matches!(self.with, With::Nothing)
    }

    /// The bytes of a range.
    ///
    /// # Errors
    /// As [`Opening::key`], and what the object store fails with.
    pub(crate) fn body(&self, cx: &Cx, opened: &Opened, range: Range<u64>) -> Result<ObjectBody, Error> {
        let body = match self.key(cx)? {
            Some(key) => opened.body_with(range, key),
            None => opened.body(range),
        };
        body.map_err(|error| engine::failed(cx, error))
    }

    /// The bytes of a range, to be stored again, with the key that seals them then.
    ///
    /// # Errors
    /// As [`Opening::body`].
    pub(crate) fn body_again(
        &self,
        cx: &Cx,
        opened: &Opened,
        range: Range<u64>,
        to: Option<SealKey>,
    ) -> Result<Body, Error> {
        let length = range.end.saturating_sub(range.start);
        let chunks = self.body(cx, opened, range)?;
        let body = Body::new(chunks.map(|chunk| chunk.map_err(|error| Box::new(error) as CallerError)));
        Ok(sealed_with(body.with_length(length), to))
    }
}

/// A body with the key that seals it, if the object store has to be given one.
pub(crate) fn sealed_with(body: Body, key: Option<SealKey>) -> Body {
    match key {
        Some(key) => body.sealed_with(key),
        None => body,
    }
}
