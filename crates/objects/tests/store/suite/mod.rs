//! What every engine must do. A case is given an empty store of its own, with bucket 7 open and unversioned.

pub(crate) mod listing;
pub(crate) mod multipart;
pub(crate) mod objects;
pub(crate) mod outbox;
pub(crate) mod versions;

use crate::support;
use daypass_objects::{Counts, Objects};
use std::sync::Arc;

pub(crate) type Store = Arc<dyn Objects>;

/// What is in the bucket, where the engine knows: all that is asked of those that do not is that they say so.
async fn counted<T: PartialEq + std::fmt::Debug>(store: &Store, which: impl Fn(Counts) -> T, expected: T) {
    if let Some(counts) = store.bucket(support::BUCKET).await.unwrap().counts {
        assert_eq!(which(counts), expected);
    }
}

/// Hands every case to a macro, by modules.
macro_rules! every_case {
    ($with:ident) => {
        $with! {
            objects:
                what_is_put_is_got_at_every_size,
                a_write_has_the_time_that_it_was_given,
                a_range_is_those_bytes,
                a_body_that_fails_leaves_nothing,
                checksums_are_those_that_were_asked_for,
                descriptions_are_kept,
                an_overwritten_object_is_read_to_its_end,
                keys_are_bytes_and_never_paths,
                limits_are_kept,
                preconditions_are_judged_on_the_current_object,
                of_many_that_put_if_absent_one_wins,
                of_many_that_put_if_match_one_wins,
                deleting_what_is_not_there_is_no_error,
                an_update_changes_what_is_said_and_not_the_bytes,
                an_archived_object_is_found_but_not_read,
                a_copy_has_the_bytes_and_lives_by_itself,
                a_copy_of_what_changed_is_refused,
                buckets_open_once_and_close_empty,
                a_closed_bucket_takes_nothing,
                counts_are_exact;
            versions:
                an_enabled_bucket_keeps_every_version,
                a_delete_marker_hides_and_is_deleted_like_a_version,
                a_suspended_bucket_replaces_only_its_null_version,
                the_newest_version_is_the_latest_whatever_the_clock_says,
                a_locked_version_stays,
                versions_are_listed_newest_first,
                versions_are_listed_page_by_page,
                a_page_of_versions_goes_on_after_its_marker_is_gone;
            listing:
                keys_are_listed_in_the_order_of_their_bytes,
                what_has_the_delimiter_is_folded,
                a_page_goes_on_where_the_last_ended,
                a_listing_begins_behind_what_is_named,
                pages_are_listed_in_order_whatever_is_a_directory,
                buckets_are_listed_apart,
                a_page_has_bounded_bytes;
            multipart:
                an_upload_becomes_an_object_of_its_parts,
                an_object_of_parts_is_read_to_its_end_after_it_is_gone,
                parts_may_be_replaced_left_out_and_of_any_number,
                what_is_listed_must_be_what_was_stored,
                checksums_of_parts_make_that_of_the_object,
                a_repeated_completion_answers_the_same,
                an_aborted_upload_is_gone,
                an_upload_outlives_nothing_but_its_bucket,
                preconditions_hold_for_completion,
                a_part_is_copied_from_a_range,
                uploads_are_listed_oldest_first,
                parts_are_listed_page_by_page;
            outbox:
                a_note_commits_with_its_change,
                a_refused_change_leaves_no_note,
                notes_are_fetched_in_order_and_forgotten_once_acknowledged;
        }
    };
}
pub(crate) use every_case;
