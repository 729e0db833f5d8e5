//! What is gone gives its room back, and nothing else goes.

use crate::support::{self, BUCKET, Random, at, get, key, put, read, second};
use daypass_objects::{Body, Delete, Objects, Put, Timestamp};
use futures_util::StreamExt;
use std::path::Path;

fn files(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("segments")).unwrap().count()
}

async fn collect(store: &daypass_objects::local::Local) {
    while store.collect(Timestamp(0)).await.unwrap().more {}
}

#[tokio::test]
async fn sparse_segments_are_emptied_and_removed() {
    for size in [15_000, 90_000, 300_000_usize] {
        let directory = tempfile::tempdir().unwrap();
        let store = support::open(directory.path());
        store.open_bucket(BUCKET, second(0)).await.unwrap();
        let count = 12_000_000 / size as u64;
        for n in 0..count {
            put(&store, format!("{n}"), Random(n).bytes(size)).await;
        }
        let before = store.health().await.unwrap();
        let gone: Vec<_> =
            (0..count).filter(|n| n % 4 != 0).map(|n| Delete::latest(key(format!("{n}")))).collect();
        for gone in gone.chunks(500) {
            store.delete(BUCKET, gone.to_vec(), second(1)).await.unwrap();
        }
        collect(&store).await;
        let after = store.health().await.unwrap();
        assert!(after.used_bytes < before.used_bytes / 2, "{} of {}", after.used_bytes, before.used_bytes);
        assert!(after.live_bytes * 10 > after.used_bytes * 3);
        assert_eq!(after.segments as usize, files(directory.path()));
        for n in (0..count).step_by(4) {
            assert_eq!(get(&store, at(format!("{n}"))).await.unwrap(), Random(n).bytes(size));
        }
        assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
        collect(&store).await;
        assert_eq!(store.health().await.unwrap().used_bytes, after.used_bytes, "done is done");
    }
}

#[tokio::test]
async fn readers_see_no_hole_while_all_is_moved_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    let old = Random(0).bytes(3_000_000);
    put(&store, "k", old.clone()).await;
    let opened = store.get(at("k")).await.unwrap();
    let mut slow = opened.whole().unwrap();
    let mut begun = slow.next().await.unwrap().unwrap().to_vec();
    let churn = async {
        for round in 0..40_u64 {
            put(&store, "k", Random(round).bytes(1_200_000)).await;
            put(&store, format!("{round}"), Random(round).bytes(50_000)).await;
            if round % 3 == 0 {
                store
                    .delete(BUCKET, vec![Delete::latest(key(format!("{}", round / 2)))], second(1))
                    .await
                    .unwrap();
            }
            collect(&store).await;
        }
    };
    let look = async {
        for _ in 0..80 {
            let opened = store.get(at("k")).await.unwrap();
            let found = read(opened.whole().unwrap()).await.unwrap();
            let known = (0..40_u64).any(|round| found == Random(round).bytes(1_200_000)) || found == old;
            assert!(known, "{} bytes that nobody wrote", found.len());
        }
    };
    tokio::join!(churn, look);
    begun.extend_from_slice(&read(slow).await.unwrap());
    assert_eq!(begun, old);
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn what_was_streamed_and_refused_leaves_its_room_to_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    for round in 0..10 {
        let body = Body::from_bytes(Random(round).bytes(800_000)).with_agreement(|_| Err("no".into()));
        store.put(Put::new(BUCKET, key("k"), second(1)), body).await.unwrap_err();
    }
    assert_eq!(files(directory.path()), 3, "two to pack into, one to stream to");
    // a future that is dropped half-way leaves nothing either
    for _ in 0..10 {
        let chunks =
            futures_util::stream::iter([Ok(Random(1).bytes(800_000))]).chain(futures_util::stream::pending());
        let put = store.put(Put::new(BUCKET, key("k"), second(1)), Body::new(chunks));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), put).await.is_err());
    }
    put(&store, "k", Random(1).bytes(800_000)).await;
    assert_eq!(get(&store, at("k")).await.unwrap(), Random(1).bytes(800_000));
    collect(&store).await;
    assert!(files(directory.path()) <= 4);
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
