//! What another store can do, found by asking it: each promise is put to the test with objects of our own, which are taken
//! away again. What a store says is not taken for done, and what it merely does not refuse not for kept: after each question it
//! is looked whether that came of it which was asked for, or nothing.

mod leftovers;
mod listings;
mod locking;
mod parts;
mod sums;

use super::client::{Answer, Ask, Failure, Payload};
use super::describe::{odd, text_header};
use super::sign::content_md5;
use super::{Capabilities, Options, Surroundings, Upstream, xml};
use crate::{ETag, Error, Result, Versioning};
use bytes::Bytes;
use http::Method;
use http::header::HeaderMap;
use leftovers::Leftovers;
use md5::Digest as _;

const BYTES: &[u8] = b"daypass asks what this store can do";
/// As long as those.
const OTHER: &[u8] = b"other bytes, of the same checksum?!";
/// A tag that nothing has.
const NO_TAG: &str = "\"00000000000000000000000000000000\"";
/// Two keys that are one to a store that takes keys for paths, or for words.
const ALIASES: &[(&str, &str)] =
    &[("a//b", "a/b"), ("c/../d", "d"), ("c/./e", "c/e"), ("f/", "f"), ("\u{1}g", "g"), ("h\\i", "h/i")];
/// The same, where nothing could be kept apart: such a store is not taken.
const SAME: &[(&str, &str)] = &[("UPPER", "upper"), ("e\u{301}", "\u{e9}")];

impl Upstream {
    /// Asks another store what it can do. `random` is a name that nobody has used.
    ///
    /// # Errors
    /// What makes it useless: it cannot be reached, refuses us, or does not keep what it is given.
    pub async fn probe(options: Options, random: &str, surroundings: Surroundings) -> Result<Self> {
        let asked =
            Self::new(options, Capabilities { exact_keys: true, ..Capabilities::default() }, surroundings)?;
        let place = format!("{}.daypass-{random}/", asked.prefix);
        let probe = Probe { upstream: &asked, place, left: Leftovers::default() };
        let found = probe.all().await;
        probe.clear().await;
        let capabilities = found?;
        Ok(Self { capabilities, ..asked })
    }
}

struct Probe<'a> {
    upstream: &'a Upstream,
    place: String,
    left: Leftovers,
}

/// What a store says to a question.
enum Said {
    Yes(HeaderMap),
    /// With this status.
    No(u16),
}

impl Said {
    fn yes(self) -> Option<HeaderMap> {
        match self {
            Self::Yes(headers) => Some(headers),
            Self::No(_) => None,
        }
    }

    fn is_yes(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// That a condition does not hold. A refusal for another reason keeps no condition.
    fn is_unmet(&self) -> bool {
        matches!(self, Self::No(412))
    }
}

impl Probe<'_> {
    async fn all(&self) -> Result<Capabilities> {
        let md5_tags = self.stores().await?;
        let put_if_absent = self.put_if_absent().await?;
        let put_if_match = self.put_if_match().await?;
        let delete_if_match = self.delete_if_match().await?;
        let versions = self.versions().await?;
        let mut found = Capabilities {
            exact_keys: self.exact_keys().await?,
            listings_in_order: self.listings_in_order().await?,
            put_if_absent,
            put_if_match,
            delete_if_match,
            checksums: self.checksums().await?,
            tagging: self.tagging().await?,
            versions,
            object_lock: versions && self.object_lock().await?,
            encryption: self.encryption().await?,
            md5_tags,
            ..Capabilities::default()
        };
        self.multipart(&mut found).await?;
        Ok(found)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    async fn ask(&self, ask: Ask<'_>, payload: Payload) -> Result<Answer, Failure> {
        self.upstream.http.ask(ask, payload).await
    }

    /// What it answers; no answer is an error.
    async fn says(&self, ask: Ask<'_>, payload: Payload) -> Result<Said> {
        match self.ask(ask, payload).await {
            Ok(answer) => {
                let headers = answer.headers.clone();
                answer.finish().await;
                Ok(Said::Yes(headers))
            }
            Err(Failure::Refused(refusal)) => Ok(Said::No(refusal.status.as_u16())),
            Err(Failure::Failed(error)) => Err(error),
        }
    }

    /// The document that it answers; `None` if it refuses.
    async fn document(&self, ask: Ask<'_>) -> Result<Option<Bytes>> {
        match self.ask(ask, Payload::None).await {
            Ok(answer) => answer.document().await.map(Some),
            Err(Failure::Refused(_)) => Ok(None),
            Err(Failure::Failed(error)) => Err(error),
        }
    }

    async fn put(&self, name: &str, bytes: &[u8], headers: &[(&'static str, &str)]) -> Result<Said> {
        let key = self.key(name);
        let mut ask = Ask::new(Method::PUT, Some(&key));
        for (name, value) in headers {
            ask = ask.header(name, value)?;
        }
        self.says(ask, Payload::Document(bytes.to_vec())).await
    }

    async fn head(&self, name: &str) -> Result<Option<HeaderMap>> {
        let key = self.key(name);
        let ask = Ask::new(Method::HEAD, Some(&key)).header("x-amz-checksum-mode", "ENABLED")?;
        Ok(self.says(ask, Payload::None).await?.yes())
    }

    /// Whether it says that there is nothing of that name.
    async fn is_gone(&self, name: &str) -> Result<bool> {
        let key = self.key(name);
        let said = self.says(Ask::new(Method::HEAD, Some(&key)), Payload::None).await?;
        Ok(matches!(said, Said::No(404)))
    }

    /// Whether these bytes are what is there.
    async fn holds(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let key = self.key(name);
        let found = self.document(Ask::new(Method::GET, Some(&key))).await?;
        Ok(found.is_some_and(|found| found == bytes))
    }

    async fn tag_of(&self, name: &str) -> Result<String> {
        let headers = self.head(name).await?;
        let tag = headers.as_ref().and_then(|headers| text_header(headers, "etag"));
        Ok(tag.ok_or_else(|| odd("an object without a tag"))?.to_owned())
    }

    /// The least: what is put is there, is listed, and can be read in part. Whether its tag is its MD5.
    async fn stores(&self) -> Result<bool> {
        let key = self.key("plain");
        let ask = Ask::new(Method::PUT, Some(&key));
        let put = self.ask(ask, Payload::Document(BYTES.to_vec())).await.map_err(Failure::into_error)?;
        let tag = text_header(&put.headers, "etag").map(xml::etag);
        put.finish().await;
        let ask = Ask::new(Method::GET, Some(&key)).header("range", "bytes=1-3")?;
        let answer = self.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        let range = format!("bytes 1-3/{}", BYTES.len());
        let said = text_header(&answer.headers, "content-range") == Some(range.as_str());
        if !said || answer.document().await? != BYTES.get(1..4).unwrap_or_default() {
            return Err(Error::Upstream("it does not read ranges of objects".to_owned()));
        }
        if !self.holds("plain", BYTES).await? {
            return Err(Error::Upstream("it does not keep what it is given".to_owned()));
        }
        let listed = self.upstream.listed_below(&self.place).await.map_err(Failure::into_error)?;
        if listed != [key] {
            return Err(Error::Upstream("it does not list what was put".to_owned()));
        }
        Ok(tag == Some(ETag::Md5(md5::Md5::digest(BYTES).into())))
    }

    async fn put_if_absent(&self) -> Result<bool> {
        let absent = [("if-none-match", "*")];
        Ok(self.put("plain", OTHER, &absent).await?.is_unmet()
            && self.holds("plain", BYTES).await?
            && self.put("new", OTHER, &absent).await?.is_yes()
            && self.holds("new", OTHER).await?)
    }

    async fn put_if_match(&self) -> Result<bool> {
        let own = self.tag_of("plain").await?;
        Ok(self.put("plain", OTHER, &[("if-match", NO_TAG)]).await?.is_unmet()
            && self.holds("plain", BYTES).await?
            && self.put("plain", OTHER, &[("if-match", &own)]).await?.is_yes()
            && self.holds("plain", OTHER).await?)
    }

    async fn delete_if_match(&self) -> Result<bool> {
        self.put("new", BYTES, &[]).await?;
        let own = self.tag_of("new").await?;
        let delete = async |tag: &str| {
            let key = self.key("new");
            self.says(Ask::new(Method::DELETE, Some(&key)).header("if-match", tag)?, Payload::None).await
        };
        Ok(delete(NO_TAG).await?.is_unmet()
            && self.holds("new", BYTES).await?
            && delete(&own).await?.is_yes()
            && self.is_gone("new").await?)
    }

    /// Tags that come with an object, and those that are put and taken away later.
    async fn tagging(&self) -> Result<bool> {
        if !self.put("tagged", BYTES, &[("x-amz-tagging", "daypass=asks")]).await?.is_yes() {
            return Ok(false);
        }
        let key = self.key("tagged");
        let tagged = async |value: Option<&str>| {
            let Some(document) =
                self.document(Ask::new(Method::GET, Some(&key)).query("tagging", "")).await?
            else {
                return Ok::<_, Error>(value.is_none());
            };
            let found = xml::read(&document, "Tagging", |tagging| {
                let tag = tagging.child("TagSet").and_then(|set| set.child("Tag"));
                Some(tag.and_then(|tag| tag.text("Value")).map(str::to_owned))
            });
            Ok(found.is_ok_and(|found| found.as_deref() == value))
        };
        let put = async |tags: &str| {
            let document = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
            let ask = Ask::new(Method::PUT, Some(&key)).query("tagging", "");
            let ask = ask.header("content-md5", &content_md5(document.as_bytes()))?;
            self.says(ask, Payload::Document(document.into_bytes())).await
        };
        Ok(tagged(Some("asks")).await?
            && put("<Tag><Key>daypass</Key><Value>again</Value></Tag>").await?.is_yes()
            && tagged(Some("again")).await?
            && put("").await?.is_yes()
            && tagged(None).await?)
    }

    /// Whether the keys that are asked for are the keys that are kept.
    async fn exact_keys(&self) -> Result<bool> {
        for (one, other) in SAME {
            self.put(one, BYTES, &[]).await?;
            if self.head(other).await?.is_some() {
                return Err(Error::Upstream(format!(
                    "it takes keys for one that differ, as `{one}` and `{other}`"
                )));
            }
        }
        for (one, other) in ALIASES {
            let kept = self.put(one, BYTES, &[]).await?.is_yes() && self.holds(one, BYTES).await?;
            if !kept || !self.is_gone(other).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether versions are listed and found by their ids; where they are kept, that they are found by nothing else, and go one by
    /// one.
    async fn versions(&self) -> Result<bool> {
        let Ok(state) = self.upstream.ask_versioning().await else { return Ok(false) };
        self.put("twice", BYTES, &[]).await?;
        let Some(first) = self.newest("twice").await? else { return Ok(false) };
        if !self.has_version("twice", &first, BYTES).await? {
            return Ok(false);
        }
        // Where there never were any, some stores do not look at ids at all: then they are not asked about any.
        if state != Versioning::Enabled {
            return Ok(true);
        }
        let none = "0".repeat(first.len().max(32));
        if self.has_version("twice", &none, BYTES).await? {
            return Ok(false);
        }
        self.put("twice", OTHER, &[]).await?;
        let kept = self.has_version("twice", &first, BYTES).await? && self.holds("twice", OTHER).await?;
        Ok(kept
            && self.delete_version("twice", &first).await?.is_yes()
            && !self.has_version("twice", &first, BYTES).await?
            && self.holds("twice", OTHER).await?)
    }

    /// The id of the newest version of that name, as it is listed.
    async fn newest(&self, name: &str) -> Result<Option<String>> {
        let ask = Ask::new(Method::GET, None).query("versions", "").query("prefix", self.key(name));
        let Some(document) = self.document(ask).await? else { return Ok(None) };
        let listed = xml::read(&document, "ListVersionsResult", |list| {
            list.child("Version")?.text("VersionId").map(str::to_owned)
        });
        Ok(listed.ok())
    }

    async fn has_version(&self, name: &str, id: &str, bytes: &[u8]) -> Result<bool> {
        let key = self.key(name);
        let found = self.document(Ask::new(Method::GET, Some(&key)).query("versionId", id)).await?;
        Ok(found.is_some_and(|found| found == bytes))
    }

    async fn delete_version(&self, name: &str, id: &str) -> Result<Said> {
        let key = self.key(name);
        self.says(Ask::new(Method::DELETE, Some(&key)).query("versionId", id), Payload::None).await
    }

    async fn encryption(&self) -> Result<bool> {
        const KIND: &str = "x-amz-server-side-encryption";
        let put = self.put("sealed", BYTES, &[(KIND, "AES256")]).await?.is_yes();
        // Who also takes what there is none of only repeats what it was told.
        let nonsense = self.put("sealed", BYTES, &[(KIND, "none-such")]).await?.is_yes();
        if !put || nonsense {
            return Ok(false);
        }
        let head = self.head("sealed").await?;
        Ok(head.is_some_and(|headers| text_header(&headers, KIND) == Some("AES256")))
    }
}
