//! Whether a store holds what the model holds, in every view.

use super::{NAMES, Object, OneVersion, Run, at_upload};
use crate::support::{BUCKET, get, key};
use daypass_objects::{AnyVersion, At, Entry, Error, Keys, Listed, Objects, Parts, Version, VersionId};

impl Run<'_> {
    /// The store holds what the model holds, in every view.
    pub(super) async fn compare(&self, every_byte: bool) {
        self.compare_listings().await;
        self.compare_uploads().await;
        for name in NAMES {
            let found = self.store().get(At::latest(BUCKET, key(name))).await;
            let versions = self.model.versions.get(*name).map_or(&[][..], Vec::as_slice);
            match versions.first() {
                None => assert!(matches!(found, Err(Error::NoSuchKey { marker: None }))),
                Some(OneVersion { id, object: None }) => {
                    assert!(matches!(found, Err(Error::NoSuchKey { marker: Some(marker) }) if marker == *id));
                }
                Some(OneVersion { id, object: Some(object) }) => {
                    same(&found.unwrap().version, id, object, true)
                }
            }
            for (place, OneVersion { id, object }) in versions.iter().enumerate() {
                let at = At::version(BUCKET, key(name), id.clone());
                let found = self.store().head(at.clone()).await;
                match object {
                    None => assert!(matches!(found, Err(Error::IsDeleteMarker { .. }))),
                    Some(object) => {
                        same(&found.unwrap(), id, object, place == 0);
                        if every_byte || place == 0 {
                            assert_eq!(get(self.store(), at).await.unwrap(), object.bytes);
                        }
                    }
                }
            }
        }
        let info = self.store().bucket(BUCKET).await.unwrap().counts.unwrap();
        let versions = self.model.versions.values().flatten();
        let bytes = versions
            .clone()
            .filter_map(|version| version.object.as_ref())
            .map(|object| object.bytes.len() as u64);
        let current = NAMES.iter().filter(|name| self.model.current(name).is_some()).count();
        assert_eq!(info.objects, current as u64);
        assert_eq!(info.noncurrent, (versions.clone().count() - current) as u64);
        assert_eq!((info.bytes, info.uploads), (bytes.sum(), self.model.uploads.len() as u64));
    }

    async fn compare_listings(&self) {
        for (prefix, delimiter, limit) in
            [("", "", 1000), ("", "/", 2), ("a", "/", 1), ("b", "\0", 3), ("a/", "", 1)]
        {
            let keys = Keys { prefix: prefix.into(), delimiter: delimiter.into(), ..Keys::all(BUCKET) };
            let mut expected = Vec::new();
            let mut all_expected = Vec::new();
            for (name, versions) in self.model.versions.iter().filter(|(name, _)| name.starts_with(prefix)) {
                let rest = name.strip_prefix(prefix).unwrap();
                let end = if delimiter.is_empty() { None } else { rest.find(delimiter) };
                let fold = end.map(|end| format!("({prefix}{}{delimiter})", rest.split_at(end).0));
                if self.model.current(name).is_some() {
                    expected.push(fold.clone().unwrap_or_else(|| name.clone()));
                }
                match fold {
                    Some(fold) => all_expected.push(fold),
                    None => all_expected.extend(versions.iter().enumerate().map(|(place, version)| {
                        format!("{name} {} {} {}", version.id, version.object.is_some(), place == 0)
                    })),
                }
            }
            expected.dedup();
            all_expected.dedup();
            assert_eq!(self.list(&keys, limit).await, expected, "`{prefix}` `{delimiter}`");
            assert_eq!(self.list_versions(&keys, limit).await, all_expected, "`{prefix}` `{delimiter}`");
        }
    }

    async fn list(&self, keys: &Keys, limit: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.store().list(Keys { limit, ..keys.clone() }, after).await.unwrap();
            found.extend(page.entries.iter().map(|entry| show(entry, |one| text(one.key.as_bytes()))));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    async fn list_versions(&self, keys: &Keys, limit: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.store().list_versions(Keys { limit, ..keys.clone() }, after).await.unwrap();
            found.extend(page.entries.iter().map(|entry| show(entry, show_version)));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    async fn compare_uploads(&self) {
        let page = self.store().list_uploads(Keys::all(BUCKET), None).await.unwrap();
        let found: Vec<_> =
            page.entries.iter().map(|entry| show(entry, |upload| upload.id.to_string())).collect();
        let mut expected: Vec<_> =
            self.model.uploads.iter().map(|upload| (upload.name.clone(), upload.id.to_string())).collect();
        expected.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(found, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
        for upload in &self.model.uploads {
            let parts = Parts { upload: at_upload(upload), after: 0, limit: 1000 };
            let page = self.store().list_parts(parts).await.unwrap();
            let found: Vec<_> =
                page.parts.iter().map(|part| (part.number, part.written.etag.clone())).collect();
            let expected: Vec<_> =
                upload.parts.iter().map(|(number, (_, etag))| (*number, etag.clone())).collect();
            assert_eq!(found, expected);
        }
    }
}

fn show<T>(entry: &Entry<T>, one: impl Fn(&T) -> String) -> String {
    match entry {
        Entry::One(found) => one(found),
        Entry::Prefix(prefix) => format!("({})", text(prefix)),
    }
}

fn show_version(listed: &Listed<AnyVersion>) -> String {
    let name = text(listed.key.as_bytes());
    match &listed.what {
        AnyVersion::Object(version) => format!("{name} {} true {}", version.id, version.is_latest),
        AnyVersion::Marker(marker) => format!("{name} {} false {}", marker.id, marker.is_latest),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn same(found: &Version, id: &VersionId, object: &Object, is_latest: bool) {
    assert_eq!(found.id, *id);
    assert_eq!((found.size, found.etag.to_string()), (object.bytes.len() as u64, object.etag.clone()));
    assert_eq!((&found.tags, found.is_latest), (&object.tags, is_latest));
}
