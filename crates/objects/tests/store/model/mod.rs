//! Random sequences of operations, compared at every step with a model that is too simple to be wrong, also after the
//! store was closed and opened again.

mod compare;

use crate::support::{self, BUCKET, Random, key, second};
use bytes::Bytes;
use daypass_objects::local::Local;
use daypass_objects::{
    Algorithms, At, Body, Checksums, CompleteUpload, Copy, CopyPart, CreateUpload, Delete, Description, ETag,
    Error, ListedPart, Match, Objects, PartWritten, Preconditions, Put, PutPart, Source, Timestamp, Update,
    UploadAt, UploadId, VersionId, Versioning,
};
use md5::{Digest, Md5};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const NAMES: &[&str] = &["a", "a/1", "a/2", "a0", "b", "b\0", "b\0\u{1}", "c/x/y"];
const SIZES: &[usize] = &[0, 1, 100, 101, 4096, 65_536, 65_537, 100_001, 400_000];

#[derive(Clone, Debug)]
enum Op {
    Put { name: usize, size: usize, seed: u64, condition: Condition },
    Delete { name: usize, condition: Condition },
    DeleteVersion { name: usize, place: usize },
    Copy { from: usize, to: usize },
    Tag { name: usize, place: usize, tags: u8 },
    Versioning(bool),
    Create { name: usize },
    PutPart { upload: usize, number: u16, size: usize, seed: u64 },
    CopyPart { upload: usize, number: u16, from: usize, cut: (usize, usize) },
    Complete { upload: usize, skip: usize },
    Abort { upload: usize },
    Collect,
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    None,
    Absent,
    Present,
    Etag,
}

fn op() -> impl Strategy<Value = Op> {
    let name = 0..NAMES.len();
    let size = 0..SIZES.len();
    let condition = prop_oneof![
        4 => Just(Condition::None),
        1 => Just(Condition::Absent),
        1 => Just(Condition::Present),
        1 => Just(Condition::Etag),
    ];
    let upload = 0..3_usize;
    let number = 1..5_u16;
    prop_oneof![
        8 => (name.clone(), size.clone(), any::<u64>(), condition.clone())
            .prop_map(|(name, size, seed, condition)| Op::Put { name, size, seed, condition }),
        3 => (name.clone(), condition).prop_map(|(name, condition)| Op::Delete { name, condition }),
        4 => (name.clone(), 0..4_usize).prop_map(|(name, place)| Op::DeleteVersion { name, place }),
        3 => (name.clone(), name.clone()).prop_map(|(from, to)| Op::Copy { from, to }),
        1 => (name.clone(), 0..3_usize, any::<u8>()).prop_map(|(name, place, tags)| Op::Tag { name, place, tags }),
        2 => any::<bool>().prop_map(Op::Versioning),
        2 => name.clone().prop_map(|name| Op::Create { name }),
        4 => (upload.clone(), number.clone(), size, any::<u64>())
            .prop_map(|(upload, number, size, seed)| Op::PutPart { upload, number, size, seed }),
        2 => (upload.clone(), number, name, (any::<usize>(), any::<usize>()))
            .prop_map(|(upload, number, from, cut)| Op::CopyPart { upload, number, from, cut }),
        2 => (upload.clone(), 0..4_usize).prop_map(|(upload, skip)| Op::Complete { upload, skip }),
        1 => upload.prop_map(|upload| Op::Abort { upload }),
        1 => Just(Op::Collect),
        1 => Just(Op::Reopen),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct Object {
    bytes: Bytes,
    etag: String,
    tags: Bytes,
}

#[derive(Clone, Debug, PartialEq)]
struct OneVersion {
    id: VersionId,
    /// None for a delete marker.
    object: Option<Object>,
}

#[derive(Clone, Debug)]
struct Upload {
    name: String,
    id: UploadId,
    parts: BTreeMap<u16, (Bytes, ETag)>,
}

/// What a store should hold: the versions of each key, newest first, and the uploads, oldest first.
#[derive(Default)]
struct Model {
    versioning: Versioning,
    versions: BTreeMap<String, Vec<OneVersion>>,
    uploads: Vec<Upload>,
}

impl Model {
    fn current(&self, name: &str) -> Option<&Object> {
        self.versions.get(name)?.first()?.object.as_ref()
    }

    /// What a condition comes to: whether the change goes on.
    fn allows(&self, name: &str, condition: Condition) -> bool {
        match condition {
            Condition::None => true,
            Condition::Absent => self.current(name).is_none(),
            Condition::Present | Condition::Etag => self.current(name).is_some(),
        }
    }

    fn add(&mut self, name: &str, id: VersionId, object: Option<Object>) {
        let versions = self.versions.entry(name.to_owned()).or_default();
        if id == VersionId::Null {
            versions.retain(|version| version.id != VersionId::Null);
        }
        assert_eq!(id == VersionId::Null, self.versioning != Versioning::Enabled);
        versions.insert(0, OneVersion { id, object });
    }

    fn remove(&mut self, name: &str, id: &VersionId) {
        let versions = self.versions.entry(name.to_owned()).or_default();
        versions.retain(|version| version.id != *id);
        if versions.is_empty() {
            self.versions.remove(name);
        }
    }
}

fn etag(bytes: &[u8]) -> ETag {
    ETag::Md5(Md5::digest(bytes).into())
}

struct Run<'a> {
    directory: &'a Path,
    store: Option<Local>,
    model: Model,
}

impl Run<'_> {
    fn store(&self) -> &Local {
        self.store.as_ref().unwrap()
    }

    fn condition(&self, name: &str, condition: Condition) -> Preconditions {
        let matches = match condition {
            Condition::None | Condition::Absent => None,
            Condition::Present => Some(Match::Any),
            Condition::Etag => Some(Match::ETag(
                self.model.current(name).map_or(ETag::parse("x"), |object| ETag::parse(&object.etag)),
            )),
        };
        Preconditions { none: matches!(condition, Condition::Absent), matches, ..Preconditions::default() }
    }

    async fn step(&mut self, op: Op) {
        match op {
            Op::Put { name, size, seed, condition } => {
                self.put(NAMES[name], SIZES[size], seed, condition).await
            }
            Op::Delete { name, condition } => self.delete(NAMES[name], condition).await,
            Op::DeleteVersion { name, place } => self.delete_version(NAMES[name], place).await,
            Op::Copy { from, to } => self.copy(NAMES[from], NAMES[to]).await,
            Op::Tag { name, place, tags } => self.tag(NAMES[name], place, tags).await,
            Op::Versioning(enable) => {
                let to = if enable { Versioning::Enabled } else { Versioning::Suspended };
                self.store().set_versioning(BUCKET, to, second(1)).await.unwrap();
                self.model.versioning = to;
            }
            Op::Create { name } => self.create(NAMES[name]).await,
            Op::PutPart { upload, number, size, seed } => {
                self.put_part(upload, number, SIZES[size], seed).await
            }
            Op::CopyPart { upload, number, from, cut } => {
                self.copy_part(upload, number, NAMES[from], cut).await
            }
            Op::Complete { upload, skip } => self.complete(upload, skip).await,
            Op::Abort { upload } => {
                if upload < self.model.uploads.len() {
                    let upload = self.model.uploads.remove(upload);
                    self.store().abort_upload(at_upload(&upload), second(1)).await.unwrap();
                }
            }
            Op::Collect => while self.store().collect(Timestamp(1000)).await.unwrap().more {},
            Op::Reopen => {
                self.store = None;
                self.store = Some(support::open(self.directory));
            }
        }
    }

    async fn put(&mut self, name: &str, size: usize, seed: u64, condition: Condition) {
        let bytes = Random(seed).bytes(size);
        let put = Put { only_if: self.condition(name, condition), ..Put::new(BUCKET, key(name), second(1)) };
        let result = self.store().put(put, Body::from_bytes(bytes.clone())).await;
        assert_eq!(result.is_ok(), self.model.allows(name, condition), "{result:?}");
        if let Ok(written) = result {
            assert_eq!(written.etag, etag(&bytes));
            let object = Object { etag: written.etag.to_string(), bytes, tags: Bytes::new() };
            self.model.add(name, written.id, Some(object));
        }
    }

    async fn delete(&mut self, name: &str, condition: Condition) {
        let delete = Delete { only_if: self.condition(name, condition), ..Delete::latest(key(name)) };
        let result = self.store().delete(BUCKET, vec![delete], second(1)).await.unwrap().remove(0);
        assert_eq!(result.is_ok(), self.model.allows(name, condition), "{result:?}");
        let Ok(deleted) = result else { return };
        match self.model.versioning {
            Versioning::Unversioned => {
                assert_eq!(deleted.removed.is_some(), self.model.current(name).is_some());
                self.model.remove(name, &VersionId::Null);
            }
            _ => self.model.add(name, deleted.marker.unwrap(), None),
        }
    }

    async fn delete_version(&mut self, name: &str, place: usize) {
        let version = self.model.versions.get(name).and_then(|versions| versions.get(place)).cloned();
        let id = version.as_ref().map_or(VersionId::Null, |version| version.id.clone());
        let exists =
            self.model.versions.get(name).is_some_and(|versions| versions.iter().any(|one| one.id == id));
        let delete = Delete::version(key(name), id.clone());
        let deleted = self.store().delete(BUCKET, vec![delete], second(1)).await.unwrap().remove(0).unwrap();
        assert_eq!(deleted.removed.is_some(), exists);
        self.model.remove(name, &id);
    }

    async fn source(&self, name: &str) -> Option<(Source, Object)> {
        let object = self.model.current(name)?.clone();
        let at = At::latest(BUCKET, key(name));
        let generation = self.store().head(at.clone()).await.unwrap().generation;
        Some((Source { at, generation }, object))
    }

    async fn copy(&mut self, from: &str, to: &str) {
        let Some((source, object)) = self.source(from).await else { return };
        let copy = Copy { source, to: Put::new(BUCKET, key(to), second(1)) };
        let written = self.store().copy(copy).await.unwrap();
        assert_eq!(written.etag, etag(&object.bytes));
        let object = Object { etag: written.etag.to_string(), tags: Bytes::new(), ..object };
        self.model.add(to, written.id, Some(object));
    }

    async fn tag(&mut self, name: &str, place: usize, tags: u8) {
        let versions = self.model.versions.get_mut(name);
        let Some(version) = versions.and_then(|versions| versions.get_mut(place)) else { return };
        let at = At::version(BUCKET, key(name), version.id.clone());
        let tags = Bytes::from(vec![tags; 5]);
        let update = Update { tags: Some(tags.clone()), ..Update::new(at, second(1)) };
        let result = self.store.as_ref().unwrap().update(update).await;
        match &mut version.object {
            Some(object) => {
                result.unwrap();
                object.tags = tags;
            }
            None => assert!(matches!(result, Err(Error::IsDeleteMarker { .. }))),
        }
    }

    async fn create(&mut self, name: &str) {
        let description = Description::default();
        let create = CreateUpload {
            bucket: BUCKET,
            key: key(name),
            description,
            checksum: None,
            seal: None,
            commit: second(1),
        };
        let id = self.store().create_upload(create).await.unwrap();
        self.model.uploads.push(Upload { name: name.to_owned(), id, parts: BTreeMap::new() });
    }

    async fn put_part(&mut self, upload: usize, number: u16, size: usize, seed: u64) {
        let Some(upload) = self.model.uploads.get_mut(upload) else { return };
        let bytes = Random(seed).bytes(size);
        let body = Body::from_bytes(bytes.clone());
        let written = self.store.as_ref().unwrap().put_part(part_of(upload, number), body).await.unwrap();
        enter_part(upload, number, bytes, &written);
    }

    async fn copy_part(&mut self, upload: usize, number: u16, from: &str, cut: (usize, usize)) {
        let Some((source, object)) = self.source(from).await else { return };
        let Some(upload) = self.model.uploads.get_mut(upload) else { return };
        let length = object.bytes.len();
        let start = cut.0 % (length + 1);
        let end = start + cut.1 % (length - start + 1);
        let range = Some(start as u64..end as u64);
        let copy = CopyPart { source, range, to: part_of(upload, number) };
        let written = self.store.as_ref().unwrap().copy_part(copy).await.unwrap();
        enter_part(upload, number, object.bytes.slice(start..end), &written);
    }

    async fn complete(&mut self, upload: usize, skip: usize) {
        let Some(found) = self.model.uploads.get(upload).cloned() else { return };
        let taken: Vec<_> = found
            .parts
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != skip)
            .map(|(_, part)| part)
            .collect();
        let parts = taken
            .iter()
            .map(|(number, (_, etag))| ListedPart {
                number: **number,
                etag: etag.clone(),
                checksums: Checksums::default(),
            })
            .collect();
        let complete = CompleteUpload {
            upload: at_upload(&found),
            parts,
            only_if: Preconditions::default(),
            min_part_bytes: 0,
            expected: None,
            expected_size: None,
            commit: second(1),
        };
        let result = self.store().complete_upload(complete).await;
        if taken.is_empty() {
            assert!(matches!(result, Err(Error::InvalidPartOrder)));
            return;
        }
        let written = result.unwrap().written;
        let bytes: Vec<u8> = taken.iter().flat_map(|(_, (bytes, _))| bytes.to_vec()).collect();
        let digests: Vec<u8> = taken.iter().flat_map(|(_, (bytes, _))| Md5::digest(bytes)).collect();
        let expected = ETag::Parts { digest: Md5::digest(digests).into(), parts: taken.len() as u32 };
        assert_eq!(written.etag, expected);
        let object = Object { bytes: bytes.into(), etag: expected.to_string(), tags: Bytes::new() };
        self.model.add(&found.name, written.id, Some(object));
        self.model.uploads.remove(upload);
    }

    /// After everything is deleted nothing is left.
    async fn empty(&mut self) {
        for upload in std::mem::take(&mut self.model.uploads) {
            self.store().abort_upload(at_upload(&upload), second(1)).await.unwrap();
        }
        for (name, versions) in std::mem::take(&mut self.model.versions) {
            let what = versions.into_iter().map(|version| Delete::version(key(&name), version.id)).collect();
            let results = self.store().delete(BUCKET, what, second(1)).await.unwrap();
            assert!(results.iter().all(Result::is_ok));
        }
        self.compare(true).await;
        while self.store().collect(Timestamp(u64::MAX)).await.unwrap().more {}
        let health = self.store().health().await.unwrap();
        assert_eq!((health.live_bytes, health.garbage), (0, 0));
        // the one that small objects go to, and the next
        assert_eq!(health.segments, 2);
        self.check().await;
        self.store().close_bucket(BUCKET, second(1)).await.unwrap();
    }

    async fn check(&self) {
        assert_eq!(self.store().check(true).await.unwrap().problems, Vec::new());
    }
}

fn at_upload(upload: &Upload) -> UploadAt {
    UploadAt { bucket: BUCKET, key: key(&upload.name), id: upload.id.clone() }
}

fn part_of(upload: &Upload, number: u16) -> PutPart {
    PutPart { upload: at_upload(upload), number, checksums: Algorithms::NONE, commit: second(1) }
}

fn enter_part(upload: &mut Upload, number: u16, bytes: Bytes, written: &PartWritten) {
    assert_eq!(written.etag, etag(&bytes));
    upload.parts.insert(number, (bytes, written.etag.clone()));
}

async fn run(directory: &Path, ops: Vec<Op>) {
    let store = support::open(directory);
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    let mut run = Run { directory, store: Some(store), model: Model::default() };
    for op in ops {
        run.step(op).await;
        run.compare(false).await;
    }
    run.check().await;
    run.step(Op::Reopen).await;
    run.compare(true).await;
    run.step(Op::Collect).await;
    run.compare(true).await;
    run.check().await;
    run.empty().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_the_model_says_after_every_operation(ops in prop::collection::vec(op(), 1..60)) {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(directory.path(), ops));
    }
}
