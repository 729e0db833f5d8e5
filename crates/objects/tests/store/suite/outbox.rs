use super::Store;
use crate::support::{BUCKET, at, key, put_of, second};
use bytes::Bytes;
use daypass_objects::{
    Body, Commit, Delete, Match, Note, Outcome, Preconditions, Put, Update, VersionId, Versioning,
};

fn noted(text: &'static str) -> Commit {
    second(1).with_note(Note::Fixed(text.into()))
}

async fn notes(store: &Store) -> Vec<String> {
    let notes = store.notes(0, 1000).await.unwrap();
    assert!(notes.is_sorted_by(|left, right| left.number < right.number));
    notes.iter().map(|record| String::from_utf8_lossy(&record.note).into_owned()).collect()
}

pub(crate) async fn a_note_commits_with_its_change(store: Store) {
    store.set_versioning(BUCKET, Versioning::Enabled, noted("versioning")).await.unwrap();
    let note = Note::of(|outcome| match outcome {
        Outcome::Written(written) => {
            Some(format!("put {} {}", written.size, written.id != VersionId::Null).into())
        }
        _ => None,
    });
    let put = Put { commit: second(1).with_note(note), ..put_of("k") };
    store.put(put, Body::from_bytes("123".into())).await.unwrap();
    let note = Note::of(|outcome| match outcome {
        Outcome::Deleted(results) => Some(format!("deleted {}", results.len()).into()),
        _ => None,
    });
    let twice = vec![Delete::latest(key("k")), Delete::latest(key("l"))];
    store.delete(BUCKET, twice, second(1).with_note(note)).await.unwrap();
    let silent = Put { commit: second(1).with_note(Note::of(|_| None)), ..put_of("m") };
    store.put(silent, Body::from_bytes("123".into())).await.unwrap();
    store.update(Update::new(at("m"), noted("update"))).await.unwrap();
    assert_eq!(notes(&store).await, ["versioning", "put 3 true", "deleted 2", "update"]);
}

pub(crate) async fn a_refused_change_leaves_no_note(store: Store) {
    let only_if = Preconditions { matches: Some(Match::Any), ..Preconditions::default() };
    let put = Put { only_if, commit: noted("put"), ..put_of("k") };
    store.put(put, Body::from_bytes("x".into())).await.unwrap_err();
    store.update(Update::new(at("k"), noted("update"))).await.unwrap_err();
    store.open_bucket(BUCKET, noted("open")).await.unwrap_err();
    assert_eq!(notes(&store).await, Vec::<String>::new());
}

pub(crate) async fn notes_are_fetched_in_order_and_forgotten_once_acknowledged(store: Store) {
    for n in 0..10 {
        let commit = second(1).with_note(Note::Fixed(Bytes::from(n.to_string())));
        store.put(Put { commit, ..put_of("k") }, Body::from_bytes("x".into())).await.unwrap();
    }
    let first = store.notes(0, 4).await.unwrap();
    assert_eq!(first.len(), 4);
    let rest = store.notes(first[3].number, 100).await.unwrap();
    assert_eq!(rest.len(), 6);
    assert_eq!(rest[0].note, "4");
    store.acknowledge(first[3].number).await.unwrap();
    assert_eq!(notes(&store).await, ["4", "5", "6", "7", "8", "9"]);
    store.acknowledge(u64::MAX).await.unwrap();
    assert_eq!(notes(&store).await, Vec::<String>::new());
    store.set_versioning(BUCKET, Versioning::Enabled, noted("after")).await.unwrap();
    let after = store.notes(rest[5].number, 100).await.unwrap();
    assert_eq!(after.len(), 1, "numbers are never given again");
    assert!(store.notes(u64::MAX, 1).await.unwrap().is_empty());
}
