//! The order of versions, whichever another store lists them in.

use crate::{AnyVersion, Entry, Listed, Timestamp};

pub(super) type Placed = (Vec<u8>, Entry<Listed<AnyVersion>>);

/// By keys, and those of a key as the store has them. Some stores list all versions before all delete markers: then the
/// latest comes first, and of a version and a marker the younger.
pub(super) fn in_order(mut entries: Vec<Placed>) -> Vec<Entry<Listed<AnyVersion>>> {
    let first_marker = entries.iter().position(|(_, entry)| age(entry).is_marker);
    let last_version = entries.iter().rposition(|(_, entry)| {
        let is_prefix = matches!(entry, Entry::Prefix(_));
        !is_prefix && !age(entry).is_marker
    });
    let apart = first_marker > last_version;
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    if apart {
        let keys = entries.chunk_by_mut(|left, right| left.0 == right.0);
        keys.for_each(merge);
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Versions and then markers, each in their order, into one.
fn merge(of_key: &mut [Placed]) {
    let Some(first_marker) = of_key.iter().position(|(_, entry)| age(entry).is_marker) else { return };
    let mut markers = first_marker;
    for place in 0..of_key.len() {
        let (Some((_, version)), Some((_, marker))) = (of_key.get(place), of_key.get(markers)) else {
            return;
        };
        let (version, marker) = (age(version), age(marker));
        if version.is_marker {
            return;
        }
        if marker.is_latest || (!version.is_latest && marker.modified > version.modified) {
            if let Some(between) = of_key.get_mut(place..=markers) {
                between.rotate_right(1);
            }
            markers += 1;
        }
    }
}

struct Age {
    is_marker: bool,
    is_latest: bool,
    modified: Timestamp,
}

fn age(entry: &Entry<Listed<AnyVersion>>) -> Age {
    match entry {
        Entry::One(Listed { what: AnyVersion::Marker(marker), .. }) => {
            Age { is_marker: true, is_latest: marker.is_latest, modified: marker.modified }
        }
        Entry::One(Listed { what: AnyVersion::Object(version), .. }) => {
            Age { is_marker: false, is_latest: version.is_latest, modified: version.modified }
        }
        Entry::Prefix(_) => Age { is_marker: false, is_latest: false, modified: Timestamp(0) },
    }
}
