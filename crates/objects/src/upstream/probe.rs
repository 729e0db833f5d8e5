//! What another store can do, found by asking it: each promise is put to the test with objects of our own, which are taken
//! away again. What a store merely does not refuse is not taken for kept.

use super::client::{Answer, Ask, Failure, Payload};
use super::describe::text_header;
use super::outgoing::{self, header};
use super::{Capabilities, Options, Surroundings, Upstream, xml};
use crate::{Algorithm, Algorithms, Body, ETag, Error, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use http::Method;
use http::header::{HeaderMap, HeaderValue};
use md5::Digest as _;

const BYTES: &[u8] = b"daypass asks what this store can do";
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
        let probe = Probe { upstream: &asked, place: format!("{}.daypass-{random}/", asked.prefix) };
        let found = probe.all().await;
        probe.clear().await;
        let capabilities = found?;
        Ok(Self { capabilities, ..asked })
    }
}

struct Probe<'a> {
    upstream: &'a Upstream,
    place: String,
}

impl Probe<'_> {
    async fn all(&self) -> Result<Capabilities> {
        let md5_tags = self.stores().await?;
        let (put_if_absent, put_if_match, delete_if_match) = self.conditions().await?;
        let checksums = self.checksums().await?;
        let mut found = Capabilities {
            exact_keys: self.exact_keys().await?,
            put_if_absent,
            put_if_match,
            delete_if_match,
            checksums,
            tagging: self.tagging().await?,
            versions: self.versions().await?,
            object_lock: self.object_lock().await?,
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

    /// Whether it answers with success; an answer that refuses is a no, no answer an error.
    async fn takes(&self, ask: Ask<'_>, payload: Payload) -> Result<Option<HeaderMap>> {
        match self.ask(ask, payload).await {
            Ok(answer) => {
                let headers = answer.headers.clone();
                answer.finish().await;
                Ok(Some(headers))
            }
            Err(Failure::Refused(_)) => Ok(None),
            Err(Failure::Failed(error)) => Err(error),
        }
    }

    async fn put(&self, name: &str, headers: &[(&'static str, &str)]) -> Result<Option<HeaderMap>> {
        let key = self.key(name);
        let mut ask = Ask::new(Method::PUT, Some(&key));
        for (name, value) in headers {
            ask = ask.header(name, value)?;
        }
        self.takes(ask, Payload::Document(BYTES.to_vec())).await
    }

    async fn head(&self, name: &str) -> Result<Option<HeaderMap>> {
        let key = self.key(name);
        let ask = Ask::new(Method::HEAD, Some(&key)).header("x-amz-checksum-mode", "ENABLED")?;
        self.takes(ask, Payload::None).await
    }

    /// The least: what is put is there, and can be read in part.
    async fn stores(&self) -> Result<bool> {
        let key = self.key("plain");
        let ask = Ask::new(Method::PUT, Some(&key));
        let put = self.ask(ask, Payload::Document(BYTES.to_vec())).await.map_err(Failure::into_error)?;
        let tag = text_header(&put.headers, "etag").map(xml::etag);
        put.finish().await;
        let ask = Ask::new(Method::GET, Some(&key)).header("range", "bytes=1-3")?;
        let answer = self.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        if answer.status.as_u16() != 206 || answer.document().await? != BYTES.get(1..4).unwrap_or_default() {
            return Err(Error::Upstream("it does not read ranges of objects".to_owned()));
        }
        let other = "\"00000000000000000000000000000000\"";
        let ask = Ask::new(Method::GET, Some(&key)).header("if-match", other)?;
        if self.takes(ask, Payload::None).await?.is_some() {
            return Err(Error::Upstream(
                "it does not read objects on condition of their tags (If-Match)".to_owned(),
            ));
        }
        Ok(tag == Some(ETag::Md5(md5::Md5::digest(BYTES).into())))
    }

    async fn conditions(&self) -> Result<(bool, bool, bool)> {
        let other = "\"00000000000000000000000000000000\"";
        let own = self.head("plain").await?;
        let own = own.as_ref().and_then(|headers| text_header(headers, "etag")).unwrap_or_default();
        let absent = self.put("plain", &[("if-none-match", "*")]).await?.is_none()
            && self.put("new", &[("if-none-match", "*")]).await?.is_some();
        let matches = self.put("plain", &[("if-match", other)]).await?.is_none()
            && self.put("plain", &[("if-match", own)]).await?.is_some();
        let delete = async |tag: &str| {
            let key = self.key("new");
            let ask = Ask::new(Method::DELETE, Some(&key)).header("if-match", tag)?;
            self.takes(ask, Payload::None).await
        };
        self.put("new", &[]).await?;
        let deletes = delete(other).await?.is_none()
            && self.head("new").await?.is_some()
            && delete(own).await?.is_some();
        Ok((absent, matches, deletes))
    }

    /// A checksum in a trailer: kept if it is right, refused if it is not, and the framing is gone.
    async fn checksums(&self) -> Result<bool> {
        let right = self.put_trailed("sum", Bytes::from_static(BYTES)).await?;
        let head = self.head("sum").await?;
        let crc = header(Algorithm::Crc64Nvme);
        let kept = head.is_some_and(|headers| {
            let length = text_header(&headers, "content-length");
            let encoding = text_header(&headers, "content-encoding").unwrap_or_default();
            headers.contains_key(crc)
                && length == Some(&BYTES.len().to_string())
                && !encoding.contains("aws-chunked")
        });
        if !right || !kept {
            return Ok(false);
        }
        Ok(!self.put_trailed("bad", Bytes::from_static(b"other bytes, of the same checksum?!")).await?)
    }

    /// Puts these bytes with the checksum of [`BYTES`].
    async fn put_trailed(&self, name: &str, bytes: Bytes) -> Result<bool> {
        let key = self.key(name);
        let mut ask = Ask::new(Method::PUT, Some(&key));
        let body = Body::from_bytes(Bytes::from_static(BYTES));
        let mut outgoing = outgoing::prepare(body, Algorithms::NONE, Some(Algorithm::Crc64Nvme)).await?;
        outgoing.bytes = outgoing
            .bytes
            .map(move |chunk| chunk.map(|chunk| if chunk == BYTES { bytes.clone() } else { chunk }))
            .boxed();
        ask.headers.insert("x-amz-trailer", HeaderValue::from_static(header(Algorithm::Crc64Nvme)));
        ask.headers.insert("x-amz-decoded-content-length", HeaderValue::from(BYTES.len()));
        ask.headers.insert("content-encoding", HeaderValue::from_static("aws-chunked"));
        Ok(self.takes(ask, Payload::Stream(outgoing)).await?.is_some())
    }

    async fn tagging(&self) -> Result<bool> {
        if self.put("tagged", &[("x-amz-tagging", "daypass=asks")]).await?.is_none() {
            return Ok(false);
        }
        let key = self.key("tagged");
        let ask = Ask::new(Method::GET, Some(&key)).query("tagging", "");
        let Ok(answer) = self.ask(ask, Payload::None).await else { return Ok(false) };
        let document = answer.document().await?;
        let value = xml::read(&document, "Tagging", |tagging| {
            Some(tagging.child("TagSet")?.child("Tag")?.text("Value")?.to_owned())
        });
        Ok(value.is_ok_and(|value| value == "asks"))
    }

    /// Whether the keys that are asked for are the keys that are kept.
    async fn exact_keys(&self) -> Result<bool> {
        for (one, other) in SAME {
            self.put(one, &[]).await?;
            if self.head(other).await?.is_some() {
                return Err(Error::Upstream(format!(
                    "it takes keys for one that differ, as `{one}` and `{other}`"
                )));
            }
        }
        for (one, other) in ALIASES {
            let kept = self.put(one, &[]).await?.is_some() && self.head(one).await?.is_some();
            if !kept || self.head(other).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn versions(&self) -> Result<bool> {
        let ask = Ask::new(Method::GET, None).query("versioning", "");
        if self.takes(ask, Payload::None).await?.is_none() {
            return Ok(false);
        }
        let ask = Ask::new(Method::GET, None).query("versions", "").query("prefix", self.key("plain"));
        let Ok(answer) = self.ask(ask, Payload::None).await else { return Ok(false) };
        let document = answer.document().await?;
        let listed = xml::read(&document, "ListVersionsResult", |list| {
            list.child("Version")?.text("VersionId").map(str::to_owned)
        });
        let Ok(id) = listed else { return Ok(false) };
        let key = self.key("plain");
        let ask = Ask::new(Method::HEAD, Some(&key)).query("versionId", id);
        Ok(self.takes(ask, Payload::None).await?.is_some())
    }

    async fn object_lock(&self) -> Result<bool> {
        let ask = Ask::new(Method::GET, None).query("object-lock", "");
        let Ok(answer) = self.ask(ask, Payload::None).await else { return Ok(false) };
        let document = answer.document().await?;
        let enabled = xml::read(&document, "ObjectLockConfiguration", |configuration| {
            Some(configuration.text("ObjectLockEnabled") == Some("Enabled"))
        });
        Ok(enabled.unwrap_or(false))
    }

    async fn encryption(&self) -> Result<bool> {
        let put = self.put("sealed", &[("x-amz-server-side-encryption", "AES256")]).await?;
        if put.is_none() {
            return Ok(false);
        }
        let head = self.head("sealed").await?;
        Ok(head.is_some_and(|headers| {
            text_header(&headers, "x-amz-server-side-encryption").is_some_and(|kind| !kind.is_empty())
        }))
    }

    /// An upload of one part. A store that knows none is not taken: clients upload everything large in parts.
    async fn multipart(&self, found: &mut Capabilities) -> Result<()> {
        let key = self.key("parts");
        let begin = async |sum: bool| {
            let mut ask = Ask::new(Method::POST, Some(&key)).query("uploads", "");
            if sum {
                ask = ask
                    .header("x-amz-checksum-algorithm", "CRC64NVME")?
                    .header("x-amz-checksum-type", "FULL_OBJECT")?;
            }
            let answer = self.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
            xml::read(&answer.document().await?, "InitiateMultipartUploadResult", |result| {
                result.text("UploadId").map(str::to_owned)
            })
        };
        let id = match begin(found.checksums).await {
            Err(_) if found.checksums => begin(false).await?,
            id => id?,
        };
        let ask = Ask::new(Method::PUT, Some(&key)).query("partNumber", "1").query("uploadId", id.clone());
        let part = self.takes(ask, Payload::Document(BYTES.to_vec())).await?;
        let tag = part.as_ref().and_then(|headers| text_header(headers, "etag")).map(str::to_owned);
        let tag = tag.ok_or_else(|| Error::Upstream("it takes no parts of uploads".to_owned()))?;
        found.checksums_of_parts = found.checksums && self.lists_checksum(&key, &id).await?;
        let document = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        // First on conditions that do not hold: what is there already, and another tag.
        self.put("parts", &[]).await?;
        let complete = async |condition: Option<(&'static str, &str)>| {
            let ask = Ask::new(Method::POST, Some(&key)).query("uploadId", id.clone());
            let ask = match condition {
                Some((name, value)) => ask.header(name, value)?,
                None => ask,
            };
            self.takes(ask, Payload::Document(document.clone().into_bytes())).await
        };
        let refuses = complete(Some(("if-none-match", "*"))).await?.is_none();
        let other = "\"00000000000000000000000000000000\"";
        found.complete_conditionally = refuses && complete(Some(("if-match", other))).await?.is_none();
        if refuses && found.complete_conditionally && complete(None).await?.is_none() {
            return Err(Error::Upstream("it completes no uploads".to_owned()));
        }
        let ask = Ask::new(Method::HEAD, Some(&key)).query("partNumber", "1");
        let head = self.takes(ask, Payload::None).await?;
        let whole = BYTES.len();
        let range = format!("bytes 0-{}/{whole}", whole - 1);
        found.part_numbers =
            head.is_some_and(|headers| text_header(&headers, "content-range") == Some(range.as_str()));
        Ok(())
    }

    async fn lists_checksum(&self, key: &str, id: &str) -> Result<bool> {
        let ask = Ask::new(Method::GET, Some(key)).query("uploadId", id);
        let Ok(answer) = self.ask(ask, Payload::None).await else { return Ok(false) };
        let document = answer.document().await?;
        let known = xml::read(&document, "ListPartsResult", |list| {
            Some(
                list.text("ChecksumAlgorithm") == Some("CRC64NVME")
                    && list.text("ChecksumType") == Some("FULL_OBJECT"),
            )
        });
        Ok(known.unwrap_or(false))
    }

    /// Takes away what was put; what is not found is not there.
    async fn clear(&self) {
        let names = ["plain", "new", "sum", "bad", "tagged", "sealed", "parts"].into_iter();
        let pairs = ALIASES.iter().chain(SAME).flat_map(|(one, other)| [*one, *other]);
        // What takes keys for paths keeps the folders.
        let folders = ["a/", "c/", "h/", ""];
        for name in names.chain(pairs).chain(folders) {
            let key = self.key(name);
            let gone = self.takes(Ask::new(Method::DELETE, Some(&key)), Payload::None).await;
            // Where versions are kept, what was put is still there below a delete marker.
            let marker = matches!(&gone, Ok(Some(headers)) if headers.contains_key("x-amz-version-id"));
            if marker {
                self.clear_versions(&key).await;
            }
        }
    }

    async fn clear_versions(&self, key: &str) {
        let ask = Ask::new(Method::GET, None)
            .query("versions", "")
            .query("prefix", key)
            .query("encoding-type", "url");
        let Ok(answer) = self.ask(ask, Payload::None).await else { return };
        let Ok(document) = answer.document().await else { return };
        let ids = xml::read(&document, "ListVersionsResult", |list| {
            let of_key =
                |element: &xml::Element<'_, '_>| element.decoded("Key").as_deref() == Some(key.as_bytes());
            let both = list.all("Version").chain(list.all("DeleteMarker")).filter(of_key);
            Some(both.filter_map(|one| one.text("VersionId").map(str::to_owned)).collect::<Vec<_>>())
        });
        for id in ids.unwrap_or_default() {
            let ask = Ask::new(Method::DELETE, Some(key)).query("versionId", id);
            if self.takes(ask, Payload::None).await.is_err() {
                return;
            }
        }
    }
}
