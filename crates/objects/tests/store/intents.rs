//! What other stores are asked: told once, whatever becomes of it.

use crate::support::{BUCKET, open, put_of, second};
use bytes::Bytes;
use daypass_objects::local::{Local, Settlement};
use daypass_objects::upstream::Attached;
use daypass_objects::{Body, Error, MAX_NOTE_BYTES, Note, Objects, Put};
use std::sync::Arc;

async fn notes(store: &Local) -> Vec<Bytes> {
    store.notes(0, 100).await.unwrap().into_iter().map(|record| record.note).collect()
}

#[tokio::test]
async fn an_intent_becomes_what_came_of_it_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for (how, left) in [
        (Settlement::Done(Some("done".into())), Some("done")),
        (Settlement::Done(None), None),
        (Settlement::Refused, None),
        (Settlement::Unknown, Some("meant")),
    ] {
        let before = notes(&store).await.len();
        let intent = store.intend("meant".into()).await.unwrap();
        assert_eq!(notes(&store).await.len(), before, "nothing is told before it is known");
        store.settle(Some(intent), how.clone()).await.unwrap();
        let told: Vec<_> = notes(&store).await.into_iter().skip(before).collect();
        assert_eq!(told, left.into_iter().map(Bytes::from).collect::<Vec<_>>(), "{how:?}");
        // Once settled it is gone: a second word about it tells nothing.
        store.settle(Some(intent), Settlement::Unknown).await.unwrap();
        assert_eq!(notes(&store).await.len(), before + told.len());
    }
    let large = Bytes::from(vec![b'x'; MAX_NOTE_BYTES + 1]);
    assert!(matches!(store.intend(large).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn what_was_meant_when_the_server_ended_is_told_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.intend("one".into()).await.unwrap();
    let two = store.intend("two".into()).await.unwrap();
    store.settle(Some(two), Settlement::Refused).await.unwrap();
    store.intend("three".into()).await.unwrap();
    drop(store);
    let store = Arc::new(open(directory.path()));
    assert_eq!(notes(&store).await, Vec::<Bytes>::new());
    let attached = Attached::new(Arc::clone(&store)).await.unwrap();
    assert_eq!(notes(&store).await, ["one", "three"]);
    assert_eq!(store.note_lost_intents().await.unwrap(), 0, "and only once");
    attached.open_bucket(BUCKET, second(1)).await.unwrap();
    let commit = second(1).with_note(Note::Fixed("local".into()));
    attached.put(Put { commit, ..put_of("k") }, Body::from_bytes("x".into())).await.unwrap();
    assert_eq!(notes(&store).await.len(), 3, "what is kept here needs no intent");
}
