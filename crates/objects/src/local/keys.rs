//! The keys of the index: fixed-width numbers, most significant byte first, and object keys.
//!
//! Where something follows an object key, the key is escaped (`00` becomes `00 ff`) and ended by `00 01`, so that the
//! order of the keys stays what it is.

use crate::{BucketId, Error, Key, Result, Timestamp};

pub(crate) const RANDOM_BYTES: usize = 12;
/// Later than any real time, in milliseconds; keeps the microseconds of it small enough.
const LAST_MOMENT: u64 = 1 << 50;

/// A moment that orders what has a place in time: now, in microseconds, but later than the last before it.
pub(crate) fn order(now: Timestamp, last: Option<u64>) -> u64 {
    (now.0.min(LAST_MOMENT) * 1000).max(last.map_or(0, |last| last.saturating_add(1)))
}

/// The moment and the chance that make an id of a version or an upload: 8 bytes that grow within a key, 12 at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalId {
    pub(crate) order: u64,
    pub(crate) random: [u8; RANDOM_BYTES],
}

impl LocalId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = crate::hex::decode::<20>(text)?;
        let (order, random) = bytes.split_first_chunk::<8>()?;
        Some(Self { order: u64::from_be_bytes(*order), random: random.try_into().ok()? })
    }

    pub(crate) fn text(&self) -> String {
        crate::hex::encode(&[&self.order.to_be_bytes()[..], &self.random[..]].concat())
    }
}

pub(crate) fn number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

pub(crate) fn to_number(key: &[u8]) -> Result<u64> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| corrupt(key))
}

pub(crate) fn bucket(id: BucketId) -> Vec<u8> {
    number(id.0)
}

/// The end of all keys that begin with these bytes; none if nothing is behind them.
pub(crate) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix.get(..=kept)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

/// A key in a space that holds one row for each object key.
pub(crate) fn plain(bucket: BucketId, key: &[u8]) -> Vec<u8> {
    [&bucket.0.to_be_bytes()[..], key].concat()
}

pub(crate) fn split_plain(row: &[u8]) -> Result<&[u8]> {
    row.get(8..).ok_or_else(|| corrupt(row))
}

/// The beginning of an object key in a space that holds many rows for each.
pub(crate) fn escaped(bucket: BucketId, key: &[u8]) -> Vec<u8> {
    let mut row = bucket.0.to_be_bytes().to_vec();
    for byte in key {
        row.push(*byte);
        if *byte == 0 {
            row.push(0xff);
        }
    }
    row
}

/// All of an object key in a space that holds many rows for each.
pub(crate) fn ended(bucket: BucketId, key: &[u8]) -> Vec<u8> {
    let mut row = escaped(bucket, key);
    row.extend_from_slice(&[0, 1]);
    row
}

/// The object key of such a row, and what follows it.
pub(crate) fn split_ended(row: &[u8]) -> Result<(Key, &[u8])> {
    let mut rest = row.get(8..).ok_or_else(|| corrupt(row))?;
    let mut key = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [0, 0xff, tail @ ..] => {
                key.push(0);
                rest = tail;
            }
            [0, 1, tail @ ..] => return Ok((Key::new(key)?, tail)),
            [byte, tail @ ..] if *byte != 0 => {
                key.push(*byte);
                rest = tail;
            }
            _ => return Err(corrupt(row)),
        }
    }
}

/// An older version: the newest first.
pub(crate) fn older(bucket: BucketId, key: &[u8], order: u64) -> Vec<u8> {
    let mut row = ended(bucket, key);
    row.extend_from_slice(&(!order).to_be_bytes());
    row
}

/// One of several older versions of the same moment, which their chance orders.
pub(crate) fn older_among(bucket: BucketId, key: &[u8], place: &LocalId) -> Vec<u8> {
    let mut row = older(bucket, key, place.order);
    row.extend(place.random.map(|byte| !byte));
    row
}

/// An upload: the oldest first.
pub(crate) fn upload(bucket: BucketId, key: &[u8], id: &LocalId) -> Vec<u8> {
    let mut row = ended(bucket, key);
    row.extend_from_slice(&id.order.to_be_bytes());
    row.extend_from_slice(&id.random);
    row
}

pub(crate) fn split_upload(row: &[u8]) -> Result<(Key, LocalId)> {
    let (key, rest) = split_ended(row)?;
    let (order, random) = rest.split_first_chunk::<8>().ok_or_else(|| corrupt(row))?;
    let random = random.try_into().map_err(|_| corrupt(row))?;
    Ok((key, LocalId { order: u64::from_be_bytes(*order), random }))
}

pub(crate) fn part(upload: u64, number: u16) -> Vec<u8> {
    [&upload.to_be_bytes()[..], &number.to_be_bytes()[..]].concat()
}

pub(crate) fn split_part(row: &[u8]) -> Result<(u64, u16)> {
    let (upload, number) = row.split_first_chunk::<8>().ok_or_else(|| corrupt(row))?;
    Ok((u64::from_be_bytes(*upload), number.try_into().map(u16::from_be_bytes).map_err(|_| corrupt(row))?))
}

pub(crate) fn chunk(manifest: u64, chunk: u32) -> Vec<u8> {
    [&manifest.to_be_bytes()[..], &chunk.to_be_bytes()[..]].concat()
}

/// What is gone: by the time from which it may be cleared away.
pub(crate) fn garbage(due_ms: u64, number: u64) -> Vec<u8> {
    [due_ms.to_be_bytes(), number.to_be_bytes()].concat()
}

fn corrupt(row: &[u8]) -> Error {
    Error::Corrupt(format!("index key `{}`", row.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::{LocalId, end_of, ended, escaped, older, older_among, split_ended, split_upload, upload};
    use crate::{BucketId, Key};
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 1..6)
    }

    proptest! {
        #[test]
        fn rows_are_in_the_order_of_the_keys_then_of_what_follows(a in key(), b in key(), x: u64, y: u64) {
            let bucket = BucketId(7);
            let rows = older(bucket, &a, x).cmp(&older(bucket, &b, y));
            prop_assert_eq!(rows, a.cmp(&b).then(y.cmp(&x)));
            prop_assert_eq!(older(bucket, &a, x).starts_with(&escaped(bucket, &b)), a.starts_with(&b));
        }

        #[test]
        fn rows_of_one_moment_are_in_the_order_of_their_chance(a in key(), x: u64, one: [u8; 12], other: [u8; 12]) {
            let row = |order, random| older_among(BucketId(7), &a, &LocalId { order, random });
            prop_assert_eq!(row(x, one).cmp(&row(x, other)), other.cmp(&one));
            let alone = |order| older(BucketId(7), &a, order);
            prop_assert!(x == 0 || (alone(x) < row(x, one) && row(x, one) < alone(x - 1)));
        }

        #[test]
        fn rows_read_back(a in key(), order: u64, random: [u8; 12]) {
            let id = LocalId { order, random };
            let row = upload(BucketId(u64::MAX), &a, &id);
            prop_assert_eq!(split_upload(&row).unwrap(), (Key::new(a.clone()).unwrap(), id));
            let row = ended(BucketId(0), &a);
            prop_assert_eq!(split_ended(&row).unwrap(), (Key::new(a).unwrap(), &[][..]));
            prop_assert_eq!(LocalId::parse(&id.text()), Some(id));
        }

        #[test]
        fn the_end_of_a_prefix_parts_what_has_it_from_what_is_behind(prefix in key(), other in key()) {
            match end_of(&prefix) {
                Some(end) => prop_assert_eq!(other >= prefix && other < end, other.starts_with(&prefix)),
                None => prop_assert_eq!(other >= prefix, other.starts_with(&prefix)),
            }
        }
    }
}
