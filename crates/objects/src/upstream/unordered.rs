//! Listings of a store that has none in order: S3's are made of those that it has.

use super::Upstream;
use super::client::Ask;
use super::describe::odd;
use super::listing::{after_entry, after_upload, after_version, any_version, listed_version, utf8};
use super::order::in_order;
use super::walk::{self, Levels, Piece, Place, Told, Wanted, folded};
use super::xml::Element;
use crate::{
    After, AfterUpload, AfterVersion, AnyVersion, Entry, Error, Key, Keys, Listed, MAX_PAGE, ObjectPage,
    Page, Result, Upload, UploadPage, Version, VersionId, VersionPage,
};
use bytes::Bytes;
use http::Method;

/// What cannot be told in order, for the store cuts it off in an order of its own.
const UNORDERED: Error = Error::Unsupported("listings in order");

impl Upstream {
    fn told(&self, after: &After) -> Result<Told> {
        let there = |bytes: &Bytes| Ok::<_, Error>(format!("{}{}", self.prefix, utf8(bytes)?));
        Ok(match after {
            After::Key(key) => Told::Key(there(key)?),
            After::Prefix(prefix) => Told::Prefix(there(prefix)?),
        })
    }

    /// Some entries in order, and whether there may be more.
    async fn walked<L: Levels>(
        &self,
        levels: &L,
        keys: &Keys,
        told: Option<Told>,
    ) -> Result<(Vec<Entry<L::One>>, bool)> {
        let prefix = format!("{}{}", self.prefix, utf8(&keys.prefix)?);
        let wanted = Wanted { prefix, delimiter: utf8(&keys.delimiter)?, limit: keys.limit.min(MAX_PAGE) };
        let (found, more) = walk::entries(levels, wanted, told).await?;
        let here = |found| match found {
            Entry::One(one) => Ok(Entry::One(one)),
            Entry::Prefix(there) => {
                let here = there.strip_prefix(self.prefix.as_bytes());
                let here = here.ok_or_else(|| odd("a prefix that was not asked for"))?;
                Ok(Entry::Prefix(there.slice_ref(here)))
            }
        };
        Ok((found.into_iter().map(here).collect::<Result<_>>()?, more))
    }

    /// Lists objects.
    pub(super) async fn list_unordered(&self, keys: &Keys, after: Option<&After>) -> Result<ObjectPage> {
        if keys.limit == 0 {
            return Ok(Page { entries: Vec::new(), next: None });
        }
        let told = after.map(|after| self.told(after)).transpose()?;
        let (entries, more) = self.walked(&Objects(self), keys, told).await?;
        let next = if more { entries.last().map(after_entry) } else { None };
        Ok(Page { entries, next })
    }

    /// Lists versions and delete markers. Such stores leave keys out behind where they cut a listing of versions off: a level
    /// that is cut off is refused.
    pub(super) async fn versions_unordered(
        &self,
        keys: &Keys,
        after: Option<&AfterVersion>,
    ) -> Result<VersionPage> {
        let mut versions = Versions { upstream: self, after: None };
        let told = match after {
            None => None,
            Some(AfterVersion::Keys(after)) => Some(self.told(after)?),
            Some(AfterVersion::Version(key, id)) => {
                let key = self.there(key)?;
                versions.after = Some((key.clone(), id.clone()));
                Some(Told::Before(key))
            }
        };
        let (entries, more) = self.walked(&versions, keys, told).await?;
        let next = if more { entries.last().map(after_version) } else { None };
        Ok(Page { entries, next })
    }

    /// Lists uploads: those of one page of theirs, for they are in no order from one to the next.
    pub(super) async fn uploads_unordered(
        &self,
        keys: &Keys,
        after: Option<&AfterUpload>,
    ) -> Result<UploadPage> {
        let all = Keys { delimiter: Bytes::new(), ..keys.clone() };
        let ask = self.page(&all)?.query("uploads", "").query("max-uploads", MAX_PAGE.to_string());
        let read =
            |list: Element<'_, '_>| Some(whole(list).and_then(|()| self.uploads_in(list, None, usize::MAX)));
        let page = self.listed(ask, "ListMultipartUploadsResult", read).await?;
        let mut uploads: Vec<Upload> = Vec::new();
        for entry in page.entries {
            // It was not asked to fold anything.
            let Entry::One(upload) = entry else { return Err(odd("a prefix that was not asked for")) };
            uploads.push(upload);
        }
        uploads.sort_by(|left, right| (&left.key, left.initiated).cmp(&(&right.key, right.initiated)));
        let told = uploads.iter().take_while(|upload| is_before(upload, after)).count();
        let told = match after {
            Some(AfterUpload::Upload(key, id)) => {
                let same = uploads.iter().skip(told).take_while(|upload| upload.key == *key);
                // Behind one that is gone, all of its key are told again.
                told + same.map(|upload| upload.id == *id).position(|is| is).map_or(0, |at| at + 1)
            }
            _ => told,
        };
        let limit = keys.limit.min(MAX_PAGE);
        let mut entries: Vec<Entry<Upload>> = Vec::new();
        for upload in uploads.into_iter().skip(told) {
            let key = upload.key.bytes();
            let entry = match folded(utf8(&key)?, utf8(&keys.prefix)?, utf8(&keys.delimiter)?) {
                None => Entry::One(upload),
                Some(group) => Entry::Prefix(Bytes::copy_from_slice(group.as_bytes())),
            };
            let again = matches!(entry, Entry::Prefix(_)) && entries.last() == Some(&entry);
            if !again && entries.len() == limit {
                let next = entries.last().map(after_upload);
                return Ok(Page { entries, next });
            }
            if !again {
                entries.push(entry);
            }
        }
        Ok(Page { entries, next: None })
    }
}

/// Refuses what is cut off.
fn whole(list: Element<'_, '_>) -> Result<()> {
    if list.is_true("IsTruncated") { Err(UNORDERED) } else { Ok(()) }
}

fn is_before(upload: &Upload, after: Option<&AfterUpload>) -> bool {
    let key = upload.key.bytes();
    match after {
        None => false,
        Some(AfterUpload::Upload(after, _)) => upload.key < *after,
        Some(AfterUpload::Keys(After::Key(after))) => key <= *after,
        Some(AfterUpload::Keys(After::Prefix(prefix))) => key <= *prefix || key.starts_with(prefix),
    }
}

fn text(there: Vec<u8>) -> Result<String> {
    String::from_utf8(there).map_err(|_| odd("a key that is not UTF-8"))
}

fn level<'a>(prefix: &str) -> Ask<'a> {
    Ask::new(Method::GET, None).query("prefix", prefix).query("delimiter", "/").query("encoding-type", "url")
}

struct Objects<'a>(&'a Upstream);

impl Levels for Objects<'_> {
    type One = Listed<Version>;

    async fn piece(&self, prefix: &str, from: &Place, most: usize) -> Result<Piece<Self::One>> {
        let ask = level(prefix).query("list-type", "2").query("max-keys", most.min(MAX_PAGE).to_string());
        let ask = match from {
            Place::Start => ask,
            Place::After(name) => ask.query("start-after", name.clone()),
            Place::Token(token) => ask.query("continuation-token", token.clone()),
        };
        self.0.listed(ask, "ListBucketResult", |list| Some(self.read(list))).await
    }
}

impl Objects<'_> {
    fn read(&self, list: Element<'_, '_>) -> Result<Piece<Listed<Version>>> {
        let mut names = Vec::new();
        for (name, element) in list.children() {
            names.push(match name {
                "Contents" => {
                    let (key, there) = self.0.key(element, list)?;
                    let what = listed_version(element, VersionId::Null, true)?;
                    (text(there)?, Some(Listed { key, what }))
                }
                "CommonPrefixes" => (text(self.0.common_prefix(element, list)?.1)?, None),
                _ => continue,
            });
        }
        let cut = || list.text("NextContinuationToken").map(str::to_owned);
        let next = if list.is_true("IsTruncated") {
            Some(cut().ok_or_else(|| odd("a listing that is cut off and does not go on"))?)
        } else {
            None
        };
        Ok(Piece { names, next })
    }
}

struct Versions<'a> {
    upstream: &'a Upstream,
    /// The last that was told: of its key, what is behind it follows.
    after: Option<(String, VersionId)>,
}

impl Levels for Versions<'_> {
    type One = Listed<AnyVersion>;

    /// The whole level, wherever it is to begin.
    async fn piece(&self, prefix: &str, _: &Place, _: usize) -> Result<Piece<Self::One>> {
        let ask = level(prefix).query("versions", "").query("max-keys", MAX_PAGE.to_string());
        self.upstream.listed(ask, "ListVersionsResult", |list| Some(self.read(list))).await
    }
}

impl Versions<'_> {
    fn read(&self, list: Element<'_, '_>) -> Result<Piece<Listed<AnyVersion>>> {
        whole(list)?;
        let mut entries = Vec::new();
        let mut names = Vec::new();
        for (name, element) in list.children() {
            match name {
                "Version" | "DeleteMarker" => {
                    let (key, there) = self.upstream.key(element, list)?;
                    let what = any_version(name, element)?;
                    entries.push((there, Entry::One(Listed { key, what })));
                }
                "CommonPrefixes" => names.push((text(self.upstream.common_prefix(element, list)?.1)?, None)),
                _ => {}
            }
        }
        let mut of_marker = Vec::new();
        for entry in in_order(entries) {
            let Entry::One(listed) = entry else { continue };
            let there = self.there(&listed.key)?;
            match &self.after {
                Some((key, _)) if *key == there => of_marker.push((there, Some(listed))),
                _ => names.push((there, Some(listed))),
            }
        }
        // Behind one that is gone, all of its key are told again.
        let is_marker = |(_, listed): &(_, Option<Listed<AnyVersion>>)| {
            let id = listed.as_ref().map(|listed| version_id(&listed.what));
            id == self.after.as_ref().map(|(_, id)| id)
        };
        let told = of_marker.iter().position(is_marker).map_or(0, |at| at + 1);
        names.extend(of_marker.into_iter().skip(told));
        Ok(Piece { names, next: None })
    }

    fn there(&self, key: &Key) -> Result<String> {
        Ok(format!("{}{}", self.upstream.prefix, utf8(&key.bytes())?))
    }
}

fn version_id(what: &AnyVersion) -> &VersionId {
    match what {
        AnyVersion::Object(version) => &version.id,
        AnyVersion::Marker(marker) => &marker.id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::xml;

    #[test]
    fn what_is_cut_off_in_no_order_is_refused_by_name() {
        for (truncated, refused) in [("true", true), ("false", false)] {
            let list =
                format!("<ListVersionsResult><IsTruncated>{truncated}</IsTruncated></ListVersionsResult>");
            let read = xml::read(list.as_bytes(), "ListVersionsResult", |list| Some(whole(list))).unwrap();
            assert_eq!(matches!(read, Err(Error::Unsupported("listings in order"))), refused);
        }
    }
}
