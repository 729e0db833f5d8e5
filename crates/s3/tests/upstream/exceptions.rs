//! Where a bucket in another store promises less than one of ours, and why. The list only shrinks.

/// Whose the other store is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A server of this crate.
    Ours,
    /// Another's: what its capabilities leave out is not asked for either.
    Other,
    /// The gateway of Ceph 16, which lacks some of what they have.
    Ceph,
}

const CLOCK: &str = "the other store's clock";
const COUNTS: &str = "counts are not known";
const UTF8: &str = "keys there are UTF-8";
const ZERO: &str = "no key there has a zero byte";
const HEADERS: &str = "what is said of an object stands in headers of 2 KiB";
const LOCAL: &str = "room, rows and notes are those of the local engine";
const TOLD: &str = "the other store does not tell";
const STORED: &str = "what is said of a stored object is not rewritten";
const REPLACED: &str = "where there are no versions, what was replaced cannot be read";
const IDS: &str = "ids are of the other store's form";
const LOCKS: &str = "the bucket there has no S3 Object Lock";
const LIMITS: &str = "parts have at least 5 MiB there";

const EVERYWHERE: &[(&str, &str)] = &[
    ("a_write_has_the_time_that_it_was_given", CLOCK),
    ("descriptions_are_kept", HEADERS),
    ("an_overwritten_object_is_read_to_its_end", REPLACED),
    ("keys_are_bytes_and_never_paths", UTF8),
    ("preconditions_are_judged_on_the_current_object", CLOCK),
    ("deleting_what_is_not_there_is_no_error", TOLD),
    ("an_update_changes_what_is_said_and_not_the_bytes", STORED),
    ("an_archived_object_is_found_but_not_read", STORED),
    ("counts_are_exact", COUNTS),
    ("a_delete_marker_hides_and_is_deleted_like_a_version", TOLD),
    ("a_locked_version_stays", LOCKS),
    ("buckets_are_listed_apart", UTF8),
    ("keys_are_listed_in_the_order_of_their_bytes", ZERO),
    ("versions_are_listed_page_by_page", ZERO),
    ("a_listing_begins_behind_what_is_named", UTF8),
    ("a_page_has_bounded_bytes", HEADERS),
    ("an_upload_becomes_an_object_of_its_parts", LIMITS),
    ("an_object_of_parts_is_read_to_its_end_after_it_is_gone", LOCAL),
    ("parts_may_be_replaced_left_out_and_of_any_number", LIMITS),
    ("what_is_listed_must_be_what_was_stored", LIMITS),
    ("checksums_of_parts_make_that_of_the_object", LIMITS),
    ("a_repeated_completion_answers_the_same", LIMITS),
    ("a_part_is_copied_from_a_range", LIMITS),
    ("uploads_are_listed_oldest_first", CLOCK),
    ("checksums_are_those_that_were_asked_for", TOLD),
    ("a_page_of_versions_goes_on_after_its_marker_is_gone", IDS),
];

/// SeaweedFS.
const OF_OTHERS: &[(&str, &str)] = &[
    ("an_enabled_bucket_keeps_every_version", IDS),
    ("a_suspended_bucket_replaces_only_its_null_version", "the null version is listed last there"),
    ("what_has_the_delimiter_is_folded", "keys are taken for paths there: those with `//` are refused"),
    ("an_aborted_upload_is_gone", "to abort an upload twice is no error there"),
];

/// The gateway of Ceph 16.
const OF_CEPH: &[(&str, &str)] = &[
    ("of_many_that_put_if_match_one_wins", "writes on condition of a tag are not kept there"),
    ("preconditions_hold_for_completion", "completions on conditions are not kept there"),
];

/// Why this case is not asked of the store, if it is not.
pub(crate) fn of(case: &str, kind: Kind) -> Option<&'static str> {
    let (others, further): (&[_], &[_]) = match kind {
        Kind::Ours => (&[], &[]),
        Kind::Other => (OF_OTHERS, &[]),
        Kind::Ceph => (OF_OTHERS, OF_CEPH),
    };
    EVERYWHERE.iter().chain(others).chain(further).find(|(name, _)| *name == case).map(|(_, reason)| *reason)
}
