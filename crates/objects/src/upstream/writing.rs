//! Changes of objects in another store.

use super::client::{Answer, Ask, Failure, Payload, after_yes};
use super::describe::{generation, lock_headers, mode_name, odd, text_header, version_id};
use super::outgoing::{self, Outgoing, header};
use super::sign::{content_md5, escaped};
use super::{Upstream, text, xml};
use crate::{
    Algorithm, Algorithms, At, Body, Delete, Deleted, Description, Digests, ETag, Error, KeyId, Lock, Match,
    Preconditions, Put, Result, Storage, Timestamp, Update, Versioning, Written,
};
use bytes::Bytes;
use http::Method;
use http::header::{HeaderMap, HeaderValue};

impl Upstream {
    /// Stores an object.
    pub(super) async fn put(&self, put: Put, body: Body) -> Result<Written> {
        put.description.check()?;
        let there = self.there(&put.key)?;
        let mut ask = Ask::new(Method::PUT, Some(&there));
        ask.headers = self.described(&put.description, put.seal)?;
        let has = (self.capabilities.put_if_absent, self.capabilities.put_if_match);
        self.conditions(&put.only_if, has, &mut ask.headers)?;
        let wanted = put.checksums;
        let outgoing = self.outgoing(body, wanted, wanted.iter().next(), &mut ask).await?;
        let sent = outgoing.sent.clone();
        let answer = self.http.ask(ask, Payload::Stream(outgoing)).await;
        let answer = answer.map_err(|failure| of_condition(failure, &put.only_if))?;
        let digests = digests_of(sent.take())?;
        let headers = answer.headers.clone();
        answer.done().await?;
        self.written(&headers, &digests, put.commit.now).map_err(after_yes)
    }

    /// A body, ready to be sent with its checksum where the store keeps one.
    pub(super) async fn outgoing(
        &self,
        body: Body,
        wanted: Algorithms,
        kept: Option<Algorithm>,
        ask: &mut Ask<'_>,
    ) -> Result<Outgoing> {
        let trailer = kept.filter(|algorithm| self.capabilities.checksums && is_common(*algorithm));
        let outgoing = outgoing::prepare(body, wanted, trailer).await?;
        if let Some(algorithm) = trailer {
            ask.headers.insert("x-amz-trailer", HeaderValue::from_static(header(algorithm)));
            ask.headers.insert("x-amz-decoded-content-length", outgoing.decoded_length.into());
            frame(&mut ask.headers)?;
        }
        Ok(outgoing)
    }

    /// What the other store is told of an object beside its bytes.
    pub(super) fn described(&self, description: &Description, seal: Option<KeyId>) -> Result<HeaderMap> {
        let vocabulary = &self.surroundings.vocabulary;
        let mut headers = vocabulary.headers(&description.meta)?;
        let pairs = vocabulary.pairs(&description.tags)?;
        if !pairs.is_empty() {
            self.needs(self.capabilities.tagging, "object tags")?;
            let query: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{}={}", text::encode(key, false), text::encode(value, false)))
                .collect();
            let value = HeaderValue::from_str(&query.join("&")).map_err(|_| odd("tags that are none"))?;
            headers.insert("x-amz-tagging", value);
        }
        if description.lock != Lock::default() {
            self.needs(self.capabilities.object_lock && self.capabilities.checksums, "object lock")?;
            lock_headers(description.lock, &mut headers)?;
        }
        if description.storage != Storage::Available {
            return Err(Error::Unsupported("archived objects of ours"));
        }
        match seal {
            Some(key) if !(self.surroundings.seals_at_rest)(key) => {
                return Err(Error::Unsupported("encryption with keys of ours"));
            }
            Some(_) if self.capabilities.encryption => {
                headers.insert("x-amz-server-side-encryption", HeaderValue::from_static("AES256"));
            }
            _ => {}
        }
        Ok(headers)
    }

    /// Conditions that the store was found to keep: on absence, and on a tag.
    pub(super) fn conditions(
        &self,
        only_if: &Preconditions,
        (absent, matches): (bool, bool),
        headers: &mut HeaderMap,
    ) -> Result<()> {
        if only_if.none {
            self.needs(absent, "writes on condition of absence (If-None-Match)")?;
            headers.insert("if-none-match", HeaderValue::from_static("*"));
        }
        if let Some(wanted) = &only_if.matches {
            self.needs(matches, "writes on condition of a tag (If-Match)")?;
            let value = match wanted {
                Match::Any => "*".to_owned(),
                Match::ETag(tag) => format!("\"{tag}\""),
            };
            headers.insert(
                "if-match",
                HeaderValue::from_str(&value).map_err(|_| Error::PreconditionFailed("If-Match"))?,
            );
        }
        if only_if.size.is_some() || only_if.modified.is_some() {
            return Err(Error::Unsupported("writes on condition of a size or a date"));
        }
        Ok(())
    }

    fn written(&self, headers: &HeaderMap, digests: &Digests, now: Timestamp) -> Result<Written> {
        let etag = text_header(headers, "etag").map(xml::etag).ok_or_else(|| odd("a write without a tag"))?;
        if self.capabilities.md5_tags && etag != ETag::Md5(digests.md5) {
            return Err(Error::Upstream("it stored other bytes than were sent".to_owned()));
        }
        let id = version_id(headers)?;
        Ok(Written {
            generation: generation(&id, &etag, digests.size),
            id,
            size: digests.size,
            etag,
            checksums: digests.checksums.clone(),
            modified: now,
        })
    }

    /// Deletes one object or version.
    pub(super) async fn delete(
        &self,
        bucket: crate::BucketId,
        delete: Delete,
        now: Timestamp,
    ) -> Result<Deleted> {
        let there = self.there(&delete.key)?;
        let at = At { bucket, key: delete.key, version: delete.version };
        if self.never_was(&at).await? {
            return Ok(Deleted::default());
        }
        let mut ask = self.versioned(Ask::new(Method::DELETE, Some(&there)), at.version.as_ref())?;
        let only_if = self.looked_at(&at, &there, delete.only_if).await?;
        self.conditions(&only_if, (false, self.capabilities.delete_if_match), &mut ask.headers)?;
        if delete.bypass_governance {
            ask = ask.header("x-amz-bypass-governance-retention", "true")?;
        }
        let answer = match self.http.ask(ask, Payload::None).await {
            Ok(answer) => answer,
            Err(failure) => return self.not_deleted(failure, &at, delete.bypass_governance, now).await,
        };
        let marker = text_header(&answer.headers, "x-amz-delete-marker") == Some("true");
        let named = text_header(&answer.headers, "x-amz-version-id").is_some();
        let id = version_id(&answer.headers).map_err(after_yes)?;
        answer.done().await?;
        Ok(match at.version {
            Some(_) => Deleted { removed: Some(id), removed_marker: marker, marker: None },
            None if named && marker => Deleted { marker: Some(id), ..Deleted::default() },
            None => Deleted::default(),
        })
    }

    /// What no store compares is compared here, just before: when the current object was written and, where a version is
    /// deleted by its id, what stands above it. The conditions that are left for the store to keep.
    async fn looked_at(&self, at: &At, there: &str, only_if: Preconditions) -> Result<Preconditions> {
        if only_if.none && at.version.is_none() {
            return Err(Error::Unsupported("deletions on condition of absence"));
        }
        if !only_if.none && only_if.modified.is_none() {
            return Ok(only_if);
        }
        match self.head_headers(&At::latest(at.bucket, at.key.clone()), there).await {
            Ok(_) if only_if.none => return Err(Error::PreconditionFailed("If-None-Match")),
            Ok(headers) => {
                let modified = text_header(&headers, "last-modified").and_then(text::http_date);
                let seconds = |at: Timestamp| at.0 / 1000;
                if modified.map(seconds) != only_if.modified.map(seconds) {
                    return Err(Error::PreconditionFailed("x-amz-if-match-last-modified-time"));
                }
                if let Some(Match::ETag(wanted)) = &only_if.matches
                    && text_header(&headers, "etag").map(xml::etag).as_ref() != Some(wanted)
                {
                    return Err(Error::PreconditionFailed("If-Match"));
                }
            }
            Err(Error::NoSuchKey { .. }) if only_if.none => {}
            Err(error) => return Err(error),
        }
        let named = at.version.is_some();
        Ok(Preconditions {
            matches: only_if.matches.filter(|_| !named),
            size: only_if.size,
            ..Preconditions::default()
        })
    }

    async fn not_deleted(&self, failure: Failure, at: &At, bypass: bool, now: Timestamp) -> Result<Deleted> {
        let Failure::Refused(refusal) = failure else { return Err(failure.into_error()) };
        match refusal.status.as_u16() {
            404 if refusal.is("NoSuchBucket") => Err(refusal.into_error()),
            // On condition of a tag, what is missing is no match; otherwise it is gone as it should be.
            404 if refusal.is("NoSuchKey") && at.version.is_none() => Err(Error::NoSuchKey { marker: None }),
            404 => Ok(Deleted::default()),
            400 if at.version.is_some() => Err(Error::InvalidVersionId),
            // A lock is refused as everything is that our key may not do: what is locked says so.
            403 if at.version.is_some() && self.capabilities.object_lock => match self.head(at).await {
                Ok(version) if version.lock.holds(now, bypass) => Err(Error::Locked),
                _ => Err(refusal.into_error()),
            },
            _ => Err(refusal.into_error()),
        }
    }

    /// Changes what is said of a version. What other stores say by copying an object onto itself is not done.
    pub(super) async fn update(&self, update: Update) -> Result<u32> {
        if update.storage.is_some() {
            return Err(Error::Unsupported("archives of ours"));
        }
        let version = self.head(&update.at).await?;
        if update.only_if.is_some_and(|expected| expected != (version.generation, version.revision)) {
            return Err(Error::RevisionChanged { current: version.revision });
        }
        let vocabulary = &self.surroundings.vocabulary;
        let is_kept = |meta: &Bytes| vocabulary.differ_in_the_lock_alone(&version.meta, meta);
        if !update.meta.as_ref().is_none_or(|meta| update.lock.is_some() && is_kept(meta)) {
            return Err(Error::Unsupported(
                "changes of the description of an object that is stored (its ACL)",
            ));
        }
        // It is the version that was looked at which changes.
        let at = At { version: self.id_of(Some(version.id.clone())).await?, ..update.at.clone() };
        let there = self.there(&at.key)?;
        if let Some(tags) = &update.tags {
            self.needs(self.capabilities.tagging, "object tags")?;
            let pairs = self.surroundings.vocabulary.pairs(tags)?;
            self.change(&at, &there, "tagging", tagging(&pairs)?, false).await?;
        }
        if let Some(lock) = update.lock {
            self.needs(self.capabilities.object_lock, "object lock")?;
            let relocked = self.relock(&at, &there, (version.lock, lock), update.bypass_governance).await;
            relocked.map_err(|error| if update.tags.is_some() { after_yes(error) } else { error })?;
        }
        // What comes after a change that was made cannot take it back.
        Ok(self.head(&at).await.map_err(after_yes)?.revision)
    }

    async fn relock(&self, at: &At, there: &str, (from, to): (Lock, Lock), bypass: bool) -> Result<()> {
        if from.retention != to.retention {
            let document = match to.retention {
                None => "<Retention/>".to_owned(),
                Some((mode, until)) => format!(
                    "<Retention><Mode>{}</Mode><RetainUntilDate>{}</RetainUntilDate></Retention>",
                    mode_name(mode),
                    text::to_iso_date(until).ok_or(Error::Unsupported("such a date"))?
                ),
            };
            self.change(at, there, "retention", document, bypass).await?;
        }
        if from.legal_hold != to.legal_hold {
            let status = if to.legal_hold { "ON" } else { "OFF" };
            let document = format!("<LegalHold><Status>{status}</Status></LegalHold>");
            let held = self.change(at, there, "legal-hold", document, false).await;
            held.map_err(|error| if from.retention == to.retention { error } else { after_yes(error) })?;
        }
        Ok(())
    }

    async fn change(
        &self,
        at: &At,
        there: &str,
        what: &'static str,
        document: String,
        bypass: bool,
    ) -> Result<()> {
        let ask = Ask::new(Method::PUT, Some(there)).query(what, "");
        let ask = ask.header("content-md5", &content_md5(document.as_bytes()))?;
        let ask = if bypass { ask.header("x-amz-bypass-governance-retention", "true")? } else { ask };
        let ask = self.versioned(ask, at.version.as_ref())?;
        let answer: Answer = self
            .http
            .ask(ask, Payload::Document(document.into_bytes()))
            .await
            .map_err(|failure| failure.of_object(at))?;
        answer.done().await
    }

    /// Says how the bucket keeps versions there.
    pub(super) async fn set_versioning(&self, to: Versioning) -> Result<()> {
        self.needs(self.capabilities.versions, "versioning")?;
        let status = match to {
            Versioning::Unversioned => return Err(Error::VersioningStays),
            Versioning::Enabled => "Enabled",
            Versioning::Suspended => "Suspended",
        };
        let document =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let ask = Ask::new(Method::PUT, None).query("versioning", "");
        let ask = ask.header("content-md5", &content_md5(document.as_bytes()))?;
        let answer = self.http.ask(ask, Payload::Document(document.into_bytes())).await;
        answer.map_err(Failure::into_error)?.done().await?;
        // What was asked for is believed once it is seen.
        let now = self.ask_versioning().await.map_err(after_yes)?;
        self.set_known_versioning(now);
        if now == to { Ok(()) } else { Err(Error::Unsupported("versioning")) }
    }
}

/// Those that every store that keeps checksums knows.
fn is_common(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::Sha512 | Algorithm::Md5)
}

/// A body in chunks says so beside the encoding that is the object's own.
fn frame(headers: &mut HeaderMap) -> Result<()> {
    let value = match headers.get("content-encoding") {
        None => HeaderValue::from_static("aws-chunked"),
        Some(own) => HeaderValue::from_bytes(&[b"aws-chunked,", own.as_bytes()].concat())
            .map_err(|_| Error::Unsupported("such a content encoding"))?,
    };
    headers.insert("content-encoding", value);
    Ok(())
}

pub(super) fn digests_of(sent: Option<Result<Digests>>) -> Result<Digests> {
    // It said yes before it had everything, or to what was refused here: what it stored, if anything, is not known.
    let odd = || odd("a success before the end of the body");
    sent.unwrap_or_else(|| Err(odd())).map_err(after_yes)
}

/// Which of these did not hold.
pub(super) fn of_precondition(only_if: &Preconditions) -> Error {
    Error::PreconditionFailed(if only_if.none { "If-None-Match" } else { "If-Match" })
}

/// Which condition it was that did not hold.
pub(super) fn of_condition(failure: Failure, only_if: &Preconditions) -> Error {
    match failure {
        Failure::Refused(refusal) if refusal.status.as_u16() == 412 => of_precondition(only_if),
        Failure::Refused(refusal)
            if refusal.status.as_u16() == 404
                && only_if.matches.is_some()
                && !refusal.is("NoSuchBucket")
                && !refusal.is("NoSuchUpload") =>
        {
            Error::NoSuchKey { marker: None }
        }
        failure => failure.into_error(),
    }
}

fn tagging(pairs: &[(String, String)]) -> Result<String> {
    let tag = |(key, value): &(String, String)| {
        Some(format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escaped(key)?, escaped(value)?))
    };
    let tags: Option<String> = pairs.iter().map(tag).collect();
    let tags = tags.ok_or(Error::Unsupported("tags with control characters"))?;
    Ok(format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"))
}
