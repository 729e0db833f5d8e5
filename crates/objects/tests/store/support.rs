//! What the tests of this crate share.

pub(crate) use crate::random::Random;
use bytes::{Bytes, BytesMut};
use daypass_objects::local::{Local, Options};
use daypass_objects::{
    At, Body, BucketId, Commit, Entry, Error, Key, ObjectBody, Objects, Page, Put, Result, Timestamp, Written,
};
use futures_util::StreamExt;
use std::path::Path;

/// Sizes at which every way of storing is taken within a few megabytes.
pub(crate) fn small_options(seed: u64) -> Options {
    let mut random = Random(seed);
    let mut options = Options::new(Box::new(move |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
    }));
    options.inline_bytes = 100;
    options.packed_bytes = 100_000;
    options.packed_segment_bytes = 512 * 1024;
    options.stream_segment_bytes = 1 << 20;
    options.reserve_bytes = 0;
    (options.read_threads, options.lookups_here) = (2, 1);
    options.write_threads = 2;
    options
}

pub(crate) fn open(directory: &Path) -> Local {
    // A program that another test starts holds every lock of this process until it is that program.
    for _ in 0..500 {
        match Local::open(directory, small_options(1)) {
            Err(Error::InUse) => std::thread::sleep(std::time::Duration::from_millis(10)),
            opened => return opened.unwrap(),
        }
    }
    panic!("the lock of a store that was closed stays taken");
}

pub(crate) const BUCKET: BucketId = BucketId(7);

pub(crate) fn key(key: impl AsRef<[u8]>) -> Key {
    Key::new(Bytes::copy_from_slice(key.as_ref())).unwrap()
}

pub(crate) fn at(name: impl AsRef<[u8]>) -> At {
    At::latest(BUCKET, key(name))
}

/// A moment in seconds.
pub(crate) fn second(seconds: u64) -> Commit {
    Commit::at(Timestamp(seconds * 1000))
}

pub(crate) fn put_of(name: impl AsRef<[u8]>) -> Put {
    Put::new(BUCKET, key(name), second(1))
}

pub(crate) async fn put(store: &dyn Objects, name: impl AsRef<[u8]>, bytes: impl Into<Bytes>) -> Written {
    store.put(put_of(name), Body::from_bytes(bytes.into())).await.unwrap()
}

pub(crate) async fn read(mut body: ObjectBody) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        assert!(!chunk.is_empty(), "a chunk has bytes");
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

pub(crate) async fn get(store: &dyn Objects, at: At) -> Result<Bytes> {
    let opened = store.get(at).await?;
    read(opened.whole()?).await
}

/// The entries of a page: keys as they are, prefixes in parentheses.
pub(crate) fn names<T, N>(page: &Page<T, N>, name: impl Fn(&T) -> String) -> Vec<String> {
    page.entries
        .iter()
        .map(|entry| match entry {
            Entry::One(one) => name(one),
            Entry::Prefix(prefix) => format!("({})", prefix.escape_ascii()),
        })
        .collect()
}
