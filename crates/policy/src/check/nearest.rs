//! What was probably meant.

/// The candidate that takes the fewest changes to get to, of those that take one for each four characters and three at most;
/// the first by name among equals. AWS offers nothing for `sqs:DeleteMessageBatch`, which is farther from any action.
pub(super) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let text: Vec<char> = text.to_lowercase().chars().take(MAX_LENGTH).collect();
    let most = (text.len() / 4).clamp(1, 3);
    candidates
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= most)
        .map(|candidate| (distance(&text, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer names than any of AWS's are not looked for.
const MAX_LENGTH: usize = 128;

/// How many characters must be put in, taken out or changed to get from one to the other (Levenshtein).
fn distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (index, character) in to.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (place, own) in from.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or_default();
            let change = diagonal + usize::from(*own != character);
            diagonal = above;
            left = change.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_none_where_all_are_far() {
        let names = ["ListBucket", "ListAllMyBuckets", "GetObject", "GetObjectAcl"];
        for (text, expected) in [
            ("GetObjekt", Some("GetObject")),
            ("getobjectacls", Some("GetObjectAcl")),
            ("ListBuckets", Some("ListBucket")),
            ("TerminateInstances", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names.into_iter()), expected, "{text}");
        }
    }
}
