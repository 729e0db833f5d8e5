//! What every engine must do. Each test runs on each of them.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_store::{
    Attribute, AuditQuery, AuditRecord, Key, Order, Prefix, Read, Record, Revision, Store, StoreError,
    TransactError,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    group: String,
    name: String,
    count: u64,
}

impl Record for Item {
    fn key(&self) -> Key {
        key(&self.group, &self.name)
    }
}

fn key(group: &str, name: &str) -> Key {
    Key::new(&["item", group, name])
}

fn item(group: &str, name: &str, count: u64) -> Item {
    Item { group: group.to_owned(), name: name.to_owned(), count }
}

fn group(group: &str) -> Prefix {
    Prefix::new(&["item", group])
}

type Outcome = Result<(), TransactError<StoreError>>;

/// Runs a test on every engine.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() { super::$name(super::Store::in_memory().unwrap()).await; })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                super::$name(super::Store::open(folder.path()).unwrap()).await;
            })*
        }
    };
}

on_every_engine!(
    what_is_written_is_read,
    an_error_writes_nothing,
    a_transaction_sees_its_own_writes,
    of_many_that_create_one_wins,
    no_increment_is_lost,
    what_appears_in_a_range_that_was_read_conflicts,
    readers_see_whole_transactions_only,
    the_watch_tells_every_change_in_order,
    commits_tell_before_they_are_acknowledged,
    audit_records_are_found_by_what_they_hold,
    an_audit_record_commits_with_its_change,
    old_audit_records_are_forgotten_and_no_others,
);

async fn put(store: &Store, record: &Item) -> Outcome {
    store.transact(|tx| tx.put(record)).await
}

async fn what_is_written_is_read(store: Store) {
    for (g, n) in [("a", "1"), ("a", "2/3"), ("a", "%"), ("ab", "1"), ("b", "1")] {
        put(&store, &item(g, n, 7)).await.unwrap();
    }
    store
        .read(|tx| {
            assert_eq!(tx.get::<Item>(&key("a", "2/3"))?, Some(item("a", "2/3", 7)));
            assert_eq!(tx.get::<Item>(&key("a", "2"))?, None);
            let names = |after: Option<&Key>, limit| {
                tx.list::<Item>(&group("a"), after, limit)
                    .map(|l| l.into_iter().map(|i| i.name).collect::<Vec<_>>())
            };
            assert_eq!(names(None, 10)?, ["%", "1", "2/3"]);
            assert_eq!(names(None, 2)?, ["%", "1"]);
            assert_eq!(names(Some(&key("a", "1")), 2)?, ["2/3"]);
            assert_eq!(names(Some(&key("a", "0")), 1)?, ["1"]);
            assert!(names(Some(&key("ab", "0")), 1)?.is_empty());
            assert!(tx.is_empty(&group("c"))?);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

async fn an_error_writes_nothing(store: Store) {
    let before = store.revision();
    let failed: Result<(), _> = store
        .transact(|tx| {
            tx.put(&item("a", "1", 1)).unwrap();
            Err("no")
        })
        .await;
    assert!(matches!(failed, Err(TransactError::Aborted("no"))));
    assert_eq!(store.revision(), before);
    assert_eq!(store.read(|tx| tx.get::<Item>(&key("a", "1"))).unwrap(), None);
}

async fn a_transaction_sees_its_own_writes(store: Store) {
    put(&store, &item("a", "1", 1)).await.unwrap();
    put(&store, &item("a", "3", 3)).await.unwrap();
    let outcome: Outcome = store
        .transact(|tx| {
            tx.put(&item("a", "2", 2))?;
            tx.delete(&key("a", "1"));
            assert_eq!(tx.get::<Item>(&key("a", "1"))?, None);
            assert_eq!(tx.get::<Item>(&key("a", "2"))?.map(|i| i.count), Some(2));
            let all = tx.all::<Item>(&group("a"))?;
            assert_eq!(all.iter().map(|i| i.count).collect::<Vec<_>>(), [2, 3]);
            assert_eq!(tx.keys(&group("a"), None, 1)?, [key("a", "2")]);
            Ok(())
        })
        .await;
    outcome.unwrap();
}

async fn of_many_that_create_one_wins(store: Store) {
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .transact(|tx| {
                        if tx.get::<Item>(&key("a", "1")).unwrap().is_some() {
                            return Err("there already");
                        }
                        tx.put(&item("a", "1", n)).unwrap();
                        Ok(())
                    })
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += u32::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

async fn no_increment_is_lost(store: Store) {
    put(&store, &item("a", "1", 0)).await.unwrap();
    let tasks: Vec<_> = (0..300)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..2 {
                    let outcome: Outcome = store
                        .transact(|tx| {
                            let mut record = tx.get::<Item>(&key("a", "1"))?.unwrap();
                            record.count += 1;
                            tx.put(&record)
                        })
                        .await;
                    outcome.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.read(|tx| tx.get::<Item>(&key("a", "1"))).unwrap().unwrap().count, 600);
}

/// Each adds the next number to a group by counting what is there: two that count the same would write the same.
async fn what_appears_in_a_range_that_was_read_conflicts(store: Store) {
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let outcome: Outcome = store
                        .transact(|tx| {
                            let next = tx.keys(&group("a"), None, usize::MAX)?.len() as u64;
                            tx.put(&item("a", &format!("{next:04}"), next))
                        })
                        .await;
                    outcome.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.read(|tx| tx.all::<Item>(&group("a"))).unwrap().len(), 40);
}

async fn readers_see_whole_transactions_only(store: Store) {
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 1..=100 {
                let outcome: Outcome = store
                    .transact(|tx| {
                        tx.put(&item("a", "left", n))?;
                        tx.put(&item("a", "right", n))
                    })
                    .await;
                outcome.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let both = store.read(|tx| tx.all::<Item>(&group("a"))).unwrap();
        assert!(both.windows(2).all(|w| w[0].count == w[1].count), "{both:?}");
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

async fn the_watch_tells_every_change_in_order(store: Store) {
    let mut watch = store.watch(Revision(0));
    let follower = tokio::spawn(async move {
        let mut state = BTreeMap::new();
        let mut last = Revision(0);
        loop {
            for change in watch.next().await.unwrap().expect("nothing was trimmed") {
                assert!(change.revision >= last);
                last = change.revision;
                match change.value {
                    Some(value) => state.insert(change.key, value),
                    None => state.remove(&change.key),
                };
            }
            if state.keys().any(|k| k.as_str().ends_with("/end")) {
                return state;
            }
        }
    });
    for n in 0..200_u64 {
        let name = format!("{}", n % 7);
        if n % 3 == 2 {
            let outcome: Outcome = store
                .transact(|tx| {
                    tx.delete(&key("a", &name));
                    Ok(())
                })
                .await;
            outcome.unwrap();
        } else {
            put(&store, &item("a", &name, n)).await.unwrap();
        }
    }
    put(&store, &item("a", "end", 0)).await.unwrap();
    let state = follower.await.unwrap();
    let stored = store.read(|tx| tx.all::<Item>(&group("a"))).unwrap();
    let seen: Vec<Item> = state.values().map(|v| serde_json::from_slice(v).unwrap()).collect();
    assert_eq!(seen, stored);
}

async fn commits_tell_before_they_are_acknowledged(store: Store) {
    let seen = Arc::new(std::sync::Mutex::new(vec![]));
    let list = Arc::clone(&seen);
    store.on_commit(move |changes| list.lock().unwrap().extend(changes.iter().map(|c| c.key.clone())));
    for n in 0..20 {
        put(&store, &item("a", &n.to_string(), n)).await.unwrap();
        assert!(seen.lock().unwrap().contains(&key("a", &n.to_string())));
    }
}

fn event(n: i64, account: &str, name: &str, user: &str) -> AuditRecord {
    AuditRecord {
        event_id: format!("event-{n}"),
        request_id: format!("request-{n}"),
        time: daypass_model::Timestamp::from_seconds(1000 + n),
        account: account.to_owned(),
        region: "us-east-1".to_owned(),
        event_name: name.to_owned(),
        event_source: "iam.amazonaws.com".to_owned(),
        username: user.to_owned(),
        access_key_id: format!("AKIA{user}"),
        read_only: name.starts_with("Get"),
        management: name != "GetObject",
        resources: vec![("AWS::IAM::Role".to_owned(), format!("role-{}", n % 2))],
        event: "{}".to_owned(),
        ..AuditRecord::default()
    }
}

async fn audit_records_are_found_by_what_they_hold(store: Store) {
    for (n, (name, user)) in
        [("CreateRole", "ann"), ("GetRole", "bob"), ("GetObject", "ann"), ("GetRole", "ann")]
            .into_iter()
            .enumerate()
    {
        store.record(event(n as i64, "111111111111", name, user)).await.unwrap();
    }
    store.record(event(9, "222222222222", "GetRole", "ann")).await.unwrap();
    let find = |attribute: Option<Attribute>, management_only, limit| {
        let account = Some("111111111111".to_owned());
        let query = AuditQuery { account, attribute, management_only, limit, ..AuditQuery::default() };
        store.audit(&query).unwrap().into_iter().map(|r| r.event_id).collect::<Vec<_>>()
    };
    let text = str::to_owned;
    assert_eq!(find(None, false, 9), ["event-3", "event-2", "event-1", "event-0"]);
    assert_eq!(find(None, true, 2), ["event-3", "event-1"]);
    assert_eq!(find(Some(Attribute::Username(text("ann"))), true, 9), ["event-3", "event-0"]);
    assert_eq!(find(Some(Attribute::EventName(text("GetRole"))), true, 9), ["event-3", "event-1"]);
    assert_eq!(find(Some(Attribute::ReadOnly(false)), true, 9), ["event-0"]);
    assert_eq!(find(Some(Attribute::ResourceName(text("role-1"))), true, 9), ["event-3", "event-1"]);
    assert_eq!(find(Some(Attribute::ResourceType(text("AWS::IAM::User"))), true, 9), Vec::<String>::new());
    assert_eq!(find(Some(Attribute::AccessKeyId(text("AKIAbob"))), true, 9), ["event-1"]);
    assert_eq!(find(Some(Attribute::EventId(text("event-9"))), true, 9), Vec::<String>::new());
    store.record(event(7, "111111111111", "GetRole", "ann")).await.unwrap();
    let last = AuditQuery { limit: 2, order: Order::LastWritten, ..AuditQuery::default() };
    let last = store.audit(&last).unwrap().into_iter().map(|r| r.event_id).collect::<Vec<_>>();
    assert_eq!(last, ["event-7", "event-9"], "as they came, not by their times");
    let page =
        store.audit(&AuditQuery { limit: 1, order: Order::OldestFirst, ..AuditQuery::default() }).unwrap();
    let beyond = page.first().map(|r| (r.time, r.sequence));
    let next = store
        .audit(&AuditQuery { limit: 9, order: Order::OldestFirst, beyond, ..AuditQuery::default() })
        .unwrap();
    assert_eq!(
        next.iter().map(|r| r.event_id.as_str()).collect::<Vec<_>>(),
        ["event-1", "event-2", "event-3", "event-7", "event-9"]
    );
    assert_eq!(
        next.first().map(|r| r.resources.clone()),
        Some(vec![(text("AWS::IAM::Role"), text("role-1"))])
    );
}

async fn old_audit_records_are_forgotten_and_no_others(store: Store) {
    let (own, other) = ("111111111111", "222222222222");
    for n in 0..6 {
        store.record(event(n, own, "GetRole", "ann")).await.unwrap();
    }
    store
        .record(AuditRecord { event_id: "elsewhere".to_owned(), ..event(0, other, "GetRole", "ann") })
        .await
        .unwrap();
    let boundary = event(4, own, "GetRole", "ann").time;
    store.forget_audit(&own.parse().unwrap(), boundary).await.unwrap();
    let left =
        store.audit(&AuditQuery { limit: 9, order: Order::OldestFirst, ..AuditQuery::default() }).unwrap();
    let left: Vec<&str> = left.iter().map(|r| r.event_id.as_str()).collect();
    assert_eq!(left, ["elsewhere", "event-4", "event-5"]);
    let even = Some(Attribute::ResourceName("role-0".to_owned()));
    let by_name =
        AuditQuery { attribute: even, account: Some(own.to_owned()), limit: 9, ..AuditQuery::default() };
    let found = store.audit(&by_name).unwrap();
    assert_eq!(found.iter().map(|r| r.event_id.as_str()).collect::<Vec<_>>(), ["event-4"]);
}

async fn an_audit_record_commits_with_its_change(store: Store) {
    let both: Outcome = store
        .transact(|tx| {
            tx.audit(event(1, "1", "CreateRole", "ann"));
            tx.put(&item("a", "1", 1))
        })
        .await;
    both.unwrap();
    let neither: Result<(), _> = store
        .transact(|tx| {
            tx.audit(event(2, "1", "CreateRole", "ann"));
            tx.put(&item("a", "2", 2)).unwrap();
            Err("no")
        })
        .await;
    assert!(neither.is_err());
    // Told twice, it counts once.
    store.record(event(1, "1", "CreateRole", "ann")).await.unwrap();
    let all = store.audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).unwrap();
    assert_eq!(all.iter().map(|r| r.event_id.as_str()).collect::<Vec<_>>(), ["event-1"]);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let revision = {
        let store = Store::open(folder.path()).unwrap();
        put(&store, &item("a", "1", 1)).await.unwrap();
        store.record(event(1, "1", "GetRole", "ann")).await.unwrap();
        store.revision()
    };
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.revision(), revision);
    assert_eq!(store.read(|tx| tx.get::<Item>(&key("a", "1"))).unwrap(), Some(item("a", "1", 1)));
    assert_eq!(store.audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).unwrap().len(), 1);
}

/// What the journal of a store that was killed still held.
#[tokio::test]
async fn what_was_read_before_a_kill_is_in_the_log_after_it() {
    let (folder, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(folder.path()).unwrap();
    put(&store, &item("a", "1", 1)).await.unwrap();
    store.audit(&AuditQuery::default()).unwrap();
    for n in 1..=3 {
        store.record(event(n, "1", "GetRole", "ann")).await.unwrap();
        for name in ["audit-0.journal", "audit-1.journal", "state.db", "state.db-wal"] {
            std::fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
        }
        let store = Store::open(killed.path()).unwrap();
        let found = store.audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).unwrap();
        let found: Vec<&str> = found.iter().map(|r| r.event_id.as_str()).collect();
        assert_eq!(found, (1..=n).rev().map(|n| format!("event-{n}")).collect::<Vec<_>>());
        drop(store);
        let inspected = daypass_store::inspect(killed.path(), &mut |_, _| ()).unwrap();
        assert_eq!((inspected.problems, inspected.audit_records), (vec![], u64::try_from(n).unwrap()));
    }
}

/// Some record of a read always waits to be moved, and a change is written all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_only_reads_keeps_nobody_from_writing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (stop, runtime) = (Arc::new(AtomicBool::new(false)), tokio::runtime::Handle::current());
    let readers = [0, 1, 2].map(|reader| {
        let (store, stop, runtime) = (store.clone(), Arc::clone(&stop), runtime.clone());
        std::thread::spawn(move || {
            for n in (0..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                let record =
                    AuditRecord { event_id: format!("{reader}-{n}"), ..event(n, "1", "GetRole", "ann") };
                runtime.block_on(store.record(record)).unwrap();
                // Not faster than records are moved, but so that a commit never sees the end of them.
                std::thread::sleep(std::time::Duration::from_micros(10));
            }
        })
    });
    let changes = async {
        for n in 0..20 {
            // A look at the log has all that gathered moved first.
            let (log, changed) = (store.clone(), item("a", &n.to_string(), n));
            let looked = tokio::task::spawn_blocking(move || log.audit(&AuditQuery::default()));
            put(&store, &changed).await.unwrap();
            looked.await.unwrap().unwrap();
        }
    };
    let written = tokio::time::timeout(std::time::Duration::from_secs(60), changes).await;
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(written.is_ok(), "the changes waited for an end of the reads");
}

#[test]
fn a_record_that_waits_is_read_in_every_form_that_it_was_written_in() {
    let record = event(1, "1", "GetRole", "ann");
    assert_eq!(AuditRecord::from_bytes(&record.to_bytes().unwrap()).unwrap(), record);
    assert_eq!(AuditRecord::from_bytes(&serde_json::to_vec(&record).unwrap()).unwrap(), record);
    for none in [&b""[..], b"\x01", b"{}x", b"\x02"] {
        assert!(AuditRecord::from_bytes(none).is_err(), "{none:?}");
    }
}

#[test]
fn a_file_of_another_format_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let file = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    file.execute("UPDATE meta SET value='99' WHERE key='format'", []).unwrap();
    drop(file);
    let error = Store::open(folder.path()).err().expect("refused").to_string();
    assert_eq!(error, "the store has format 99, and this version reads format 1");
}

/// A backup, or somebody who looks with a program of his own, may hold the file for a while.
#[tokio::test]
async fn what_another_program_holds_is_written_when_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    // A record that is not synced yet, so that the writer comes back to it by itself.
    store.record(event(1, "111111111111", "GetRole", "ann")).await.unwrap();
    let other = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move { put(&store, &item("a", "1", 7)).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert!(!writing.is_finished(), "it was written, or refused, while another held the file");
    other.execute_batch("ROLLBACK").unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(store.read(|tx| tx.get::<Item>(&key("a", "1"))).unwrap().unwrap().count, 7);
}

/// The same of a record that waits to be synced, with nothing else to write.
#[tokio::test]
async fn a_sync_that_finds_the_file_held_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.record(event(1, "111111111111", "GetRole", "ann")).await.unwrap();
    let other = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    other.execute_batch("ROLLBACK").unwrap();
    put(&store, &item("a", "1", 7)).await.unwrap();
}
