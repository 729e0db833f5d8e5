//! Multipart uploads, as requests name them and answers tell of them (S3 user guide, "Uploading and copying objects using
//! multipart upload").

use std::sync::Arc;

use daypass_core::model::AccountId;
use daypass_core::model::s3::{ChecksumAlgorithm, ChecksumType, Initiator, errors};
use daypass_core::objects::{Error as Engine, Key, Upload, UploadAt, UploadChecksum, UploadId};
use daypass_core::{Check, Cx, Error, Fault};

use crate::authorize;
use crate::bucket::Bucket;
use crate::conditional::not_written;
use crate::customer_key::Headers;
use crate::description::Description;
use crate::encryption::{Opening, opening_check};
use crate::fault::{invalid_argument, no_such_bucket};
use crate::{checksum, object};

/// An upload that a request names.
pub(crate) struct Named {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) key: Key,
}

impl Named {
    /// May the caller do this to the upload of that id, whether it is there or not?
    ///
    /// # Errors
    /// A failure of the object store.
    pub(crate) async fn check(&self, cx: &Cx, action: &'static str, upload_id: &str) -> Result<Check, Error> {
        let key = String::from_utf8_lossy(self.key.as_bytes());
        let abroad = cx.caller().account().is_some_and(|account| account != self.bucket.account);
        // Who began it matters of what other accounts begin.
        let initiator = match self.at(upload_id) {
            Ok(at) if abroad => match cx.state().objects.upload(at).await {
                Ok(upload) => Begun::of(upload)?.account(),
                Err(Engine::NoSuchUpload | Engine::NoSuchBucket) => None,
                Err(error) => return Err(failed(cx, &self.bucket, &key, upload_id, error)),
            },
            _ => None,
        };
        Ok(authorize::upload_check(cx, &self.bucket, action, &key, initiator.as_ref()))
    }

    /// The upload of that id, or none if there can be none.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub(crate) fn at(&self, upload_id: &str) -> Result<UploadAt, Fault> {
        let id = UploadId::parse(upload_id).map_err(|_| no_such_upload(upload_id))?;
        Ok(UploadAt { bucket: self.bucket.id(), key: self.key.clone(), id })
    }
}

pub(crate) fn no_such_upload(upload_id: &str) -> Fault {
    let words = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    Fault::new(&errors::NO_SUCH_UPLOAD, words).with("UploadId", upload_id)
}

/// An upload, and what was asked for when it was begun.
pub(crate) struct Begun {
    pub(crate) upload: Upload,
    pub(crate) description: Description,
}

impl Begun {
    /// Reads what is kept.
    ///
    /// # Errors
    /// If it is not what was written.
    pub(crate) fn of(upload: Upload) -> Result<Self, Error> {
        let description = Description::decode(&upload.meta)?;
        Ok(Self { upload, description })
    }

    /// The upload of that id.
    ///
    /// # Errors
    /// `NoSuchUpload`, or a failure of the object store.
    pub(crate) async fn find(cx: &Cx, named: &Named, at: UploadAt) -> Result<Self, Error> {
        let id = at.id.to_string();
        let found = cx.state().objects.upload(at).await;
        Self::of(found.map_err(|error| failed(cx, &named.bucket, "", &id, error))?)
    }

    /// What seals its parts, for a request with that key.
    ///
    /// # Errors
    /// As [`Opening::of_upload`].
    pub(crate) fn opening(&self, cx: &Cx, headers: Headers<'_>) -> Result<Opening, Fault> {
        Opening::of_upload(cx, self.description.sealing.as_ref(), headers)
    }

    /// The checksum that was asked for. Without one there is S3's default, of which nothing is demanded.
    pub(crate) fn chosen(&self) -> Option<UploadChecksum> {
        self.upload.checksum.filter(|_| self.description.checksum_was_chosen)
    }

    /// The same, as answers tell it.
    pub(crate) fn shown_checksum(&self) -> (Option<ChecksumAlgorithm>, Option<ChecksumType>) {
        match self.chosen() {
            Some(chosen) => (checksum::name(chosen.algorithm), Some(kind(chosen))),
            None => (None, None),
        }
    }

    /// The account that began it.
    fn account(&self) -> Option<AccountId> {
        self.description.initiator.as_ref()?.split(':').nth(4)?.parse().ok()
    }

    /// Who began it. Users are named by their ARN (S3 API reference, Initiator).
    pub(crate) fn initiator(&self) -> Option<Initiator> {
        let arn = self.description.initiator.clone()?;
        let name = arn.rsplit('/').next().map(str::to_owned);
        Some(Initiator { id: Some(arn), display_name: name })
    }
}

/// An upload that was looked for before it is known whether the caller may know of it.
pub(crate) struct Looked {
    pub(crate) named: Named,
    /// Where it is and what it is; what is missing is told after the question.
    pub(crate) found: Result<(UploadAt, Begun), Error>,
}

impl Looked {
    /// Looks.
    pub(crate) async fn at(cx: &Cx, named: Named, upload_id: &str) -> Self {
        let found = match named.at(upload_id) {
            Ok(at) => Begun::find(cx, &named, at.clone()).await.map(|begun| (at, begun)),
            Err(fault) => Err(fault.into()),
        };
        Self { named, found }
    }

    /// May the caller open what its parts are sealed with? (S3 user guide, "Multipart uploads and AWS KMS": who uploads parts
    /// needs `kms:Decrypt`.)
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn opening_check(&self, cx: &Cx) -> Result<Option<Check>, Error> {
        let Ok((_, begun)) = &self.found else { return Ok(None) };
        opening_check(cx, begun.description.sealing.as_ref())
    }
}

/// What an upload's checksum is computed over.
pub(crate) fn kind(checksum: UploadChecksum) -> ChecksumType {
    if checksum.full_object { ChecksumType::FULLOBJECT } else { ChecksumType::COMPOSITE }
}

/// What a change of an upload failed with.
pub(crate) fn failed(cx: &Cx, bucket: &Bucket, key: &str, upload_id: &str, error: Engine) -> Error {
    match error {
        Engine::NoSuchUpload => no_such_upload(upload_id).into(),
        Engine::NoSuchBucket => no_such_bucket(&bucket.name).into(),
        error => not_written(cx, bucket, key, error),
    }
}

/// The key that a request about an upload names.
///
/// # Errors
/// As [`object::key`].
pub(crate) fn named(bucket: Arc<Bucket>, key: &str) -> Result<Named, Fault> {
    Ok(Named { bucket, key: object::key(key)? })
}

/// Where a list of parts goes on.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn part_number_marker(marker: Option<i32>) -> Result<u16, Fault> {
    let Some(marker) = marker else { return Ok(0) };
    if marker < 0 {
        let words = "Argument part-number-marker must be an integer between 0 and 2147483647";
        return Err(invalid_argument(words, "part-number-marker", marker.to_string()));
    }
    Ok(u16::try_from(marker).unwrap_or(u16::MAX))
}
