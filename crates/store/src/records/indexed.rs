use daypass_model::AccountId;

use super::{Counted, Reference, Tally, Target, UniqueId};
use crate::{Read as _, Record, StoreError, Tx};

/// A record that is found by more than its key, and counted. Written with [`save`](Self::save) and removed with
/// [`remove`](Self::remove), it takes along what else stands in the store because of it; nobody else writes that.
pub trait Indexed: Record {
    /// The account of the record.
    fn account(&self) -> &AccountId;

    /// What else stands in the store because of the record.
    fn index(&self) -> Index;

    /// Writes the record, whether it is there or not.
    ///
    /// # Errors
    /// If the store fails.
    fn save(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let before = tx.get::<Self>(&self.key())?.map(|before| before.index()).unwrap_or_default();
        follow(tx, self, before, self.index())?;
        tx.put(self)
    }

    /// Removes the record. It must be the one that is there.
    ///
    /// # Errors
    /// If the store fails.
    fn remove(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        follow(tx, self, self.index(), Index::default())?;
        tx.delete(&self.key());
        Ok(())
    }
}

/// What stands in the store because of a record.
#[derive(Default)]
pub struct Index {
    /// The entities that it refers to.
    pub references: Vec<Reference>,
    /// Its unique id, if principals are named by it.
    pub unique_id: Option<UniqueId>,
    /// What it counts as, and how often.
    pub counts: Vec<(Counted, i64)>,
}

fn follow(tx: &mut Tx<'_>, record: &impl Indexed, before: Index, after: Index) -> Result<(), StoreError> {
    let (account, which) = (record.account().clone(), record.key().last());
    let mut counts = after.counts;
    counts.extend(before.counts.into_iter().map(|(counted, number)| (counted, -number)));
    for gone in before.references.iter().filter(|b| !after.references.iter().any(|a| a.key() == b.key())) {
        tx.delete(&gone.key());
        counts.push((Counted::References(gone.to.clone()), -1));
    }
    for new in after.references.iter().filter(|a| !before.references.contains(a)) {
        if !before.references.iter().any(|b| b.key() == new.key()) {
            counts.push((Counted::References(new.to.clone()), 1));
        }
        tx.put(new)?;
    }
    if before.unique_id != after.unique_id {
        if let Some(gone) = &before.unique_id {
            tx.delete(&gone.key());
        }
        if let Some(new) = &after.unique_id {
            tx.put(new)?;
        }
    }
    for (counted, number) in net(counts) {
        Tally::add(tx, &account, &counted, &which, number)?;
    }
    Ok(())
}

/// The sums that are not zero. Members of a group are not counted: nobody asks how many there are.
fn net(counts: Vec<(Counted, i64)>) -> Vec<(Counted, i64)> {
    let mut sums: Vec<(Counted, i64)> = vec![];
    for (counted, number) in counts {
        if matches!(counted, Counted::References(Target::Group(_))) {
            continue;
        }
        match sums.iter_mut().find(|(known, _)| *known == counted) {
            Some((_, sum)) => *sum += number,
            None => sums.push((counted, number)),
        }
    }
    sums.retain(|(_, sum)| *sum != 0);
    sums
}
