//! What stands in the store because of a record is always what the records say, whatever came before.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeMap;

use daypass_model::{AccountId, Timestamp};
use daypass_store::records::{Counted, Index, Indexed, Policies, Reference, Tally, Target, UniqueId, User};
use daypass_store::{Prefix, Read as _, Store, StoreError, TransactError};

type Outcome = Result<(), TransactError<StoreError>>;

fn account() -> AccountId {
    "123456789012".parse().unwrap()
}

fn arn(number: u64) -> String {
    format!("arn:aws:iam::123456789012:policy/deep/p{number}")
}

/// A generator that repeats: the test is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A user of that name with a few policies, perhaps a boundary, and a few groups.
fn user(id: u64, name: &str, numbers: &mut Numbers) -> User {
    let mut some = |of: u64| -> Vec<u64> { (0..of).filter(|_| numbers.below(2) == 0).collect() };
    User {
        account: account(),
        path: if some(1).is_empty() { "/" } else { "/moved/" }.to_owned(),
        name: name.to_owned(),
        id: format!("AIDA{id:017}"),
        created: Timestamp::from_seconds(0),
        policies: Policies { attached: some(4).into_iter().map(arn).collect(), ..Policies::default() },
        permissions_boundary: some(2).first().map(|number| arn(*number)),
        tags: vec![],
        groups: some(3).into_iter().map(|number| format!("Group{number}")).collect(),
        access_keys: vec![],
    }
}

/// Compares the store with what the users say.
fn check(store: &Store, users: &BTreeMap<u64, User>) {
    let mut expected: BTreeMap<String, Reference> = BTreeMap::new();
    for user in users.values() {
        let Index { references, unique_id, .. } = user.index();
        let known: Option<UniqueId> = store.read(|tx| tx.get(&UniqueId::key_of(&user.id))).unwrap_or(None);
        assert_eq!(known, unique_id);
        for reference in references {
            expected.insert(daypass_store::Record::key(&reference).as_str().to_owned(), reference);
        }
    }
    let found: Result<Vec<Reference>, StoreError> = store.read(|tx| {
        let mut found = vec![];
        for relation in ["attached", "boundary", "member"] {
            found.extend(tx.all::<Reference>(&Prefix::new(&["iam", account().as_str(), relation]))?);
        }
        Ok(found)
    });
    let found = found.unwrap();
    assert_eq!(found.len(), expected.len());
    for reference in &found {
        assert_eq!(expected.get(daypass_store::Record::key(reference).as_str()), Some(reference));
    }
    let total = |counted: &Counted| -> i64 {
        store.read(|tx| Tally::total(tx, &account(), counted)).map_err(|error: StoreError| error).unwrap()
    };
    assert_eq!(total(&Counted::Users), i64::try_from(users.len()).unwrap());
    for number in 0..4 {
        for target in [Target::Attached(arn(number)), Target::Boundary(arn(number))] {
            let count = found.iter().filter(|reference| reference.to == target).count();
            assert_eq!(total(&Counted::References(target)), i64::try_from(count).unwrap());
        }
    }
}

#[tokio::test]
async fn references_ids_and_counts_follow_every_change() {
    let store = Store::in_memory().unwrap();
    let (mut numbers, mut users) = (Numbers(7), BTreeMap::new());
    for step in 0..400 {
        let id = numbers.below(12);
        let name = format!("{}ser{}", ["u", "U"][usize::try_from(numbers.below(2)).unwrap()], step % 40);
        let taken = users
            .iter()
            .any(|(other, user): (&u64, &User)| *other != id && user.name.eq_ignore_ascii_case(&name));
        let old = users.remove(&id);
        let new = (!taken && numbers.below(4) > 0).then(|| {
            // Now and then under the same name.
            let name = old.as_ref().filter(|_| step % 3 == 0).map_or(name, |old| old.name.clone());
            user(id, &name, &mut numbers)
        });
        let changed: Outcome = store
            .transact(|tx| {
                match (&old, &new) {
                    (Some(old), Some(new)) if old.name == new.name => new.save(tx)?,
                    (old, new) => {
                        old.iter().try_for_each(|old| old.remove(tx))?;
                        new.iter().try_for_each(|new| new.save(tx))?;
                    }
                }
                Ok(())
            })
            .await;
        changed.unwrap();
        users.extend(new.map(|new| (id, new)));
        check(&store, &users);
    }
    // Nothing is left of who is gone.
    let gone: Outcome = store.transact(|tx| users.values().try_for_each(|user| user.remove(tx))).await;
    gone.unwrap();
    let left: Result<Vec<_>, StoreError> = store.read(|tx| tx.keys(&Prefix::new(&["iam"]), None, usize::MAX));
    assert_eq!(left.unwrap(), []);
}
