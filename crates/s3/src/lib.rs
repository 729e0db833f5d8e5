//! Amazon S3. One file an operation, or one a family of operations that differ only in what they are about;
//! [`OPERATIONS`] is the service.
//!
//! Two stores work together. The records (`Bucket`, in the store of all services) hold a bucket's name, owner, region and
//! configuration. The object store (`cx.state().objects`, crate `objects`) knows a bucket by its number, and keeps
//! objects, versions, uploads, and how versions are kept.
//!
//! Requests come by a bucket's name or through an access point (`access_point`): [`bucket::Bucket::find`] and `reach` know both,
//! and every question about what was reached so is asked of both.
//!
//! # Add an operation
//!
//! One about a bucket's configuration is a transaction over its record: `operation!`, whose `checks` is
//! `authorize::on_bucket`. `bucket_policy.rs` is a family of such.
//!
//! One about objects works over streams: `stream_operation!`, two async functions, of which the first also says what it
//! found:
//!
//! ```ignore
//! stream_operation!(GET_OBJECT, ops::GetObject, checks, run);
//!
//! async fn checks(cx: &Cx, input: &GetObjectRequest) -> Result<(Checks, Arc<Bucket>), Error> {
//!     let bucket = Bucket::find(cx, &input.bucket)?;                                   // NoSuchBucket, told everybody
//!     authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;          // the region, the expected owner
//!     let action = if input.version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
//!     let check = authorize::object_check(cx, &bucket, action, &input.key)             // owner, policy, common keys
//!         .version(input.version_id.as_deref());                                       // Conditions: s3:VersionId
//!     Ok((check.into(), bucket))                                                       // .and(…) for further questions
//! }
//! ```
//!
//! * Where the object has to be looked at for the question (`s3:ExistingObjectTag/…`), look in `checks` and say nothing of
//!   what is missing before the question was answered. A key that is not there is `authorize::missing_key`: only who may
//!   list the bucket is told.
//! * A change brings `cx.commit(|outcome| …)`, the time and the audit record of the answer; a step that has no record of
//!   its own brings `cx.commit_unnoted()`. Records that change in an operation over streams change in `cx.transact`.
//! * A body is `payload.into_body()`; it ends well only if everything that was declared of it is true. What the object
//!   store fails with goes through `engine::failed` after the operation's own refusals.
//! * Bytes are sealed at rest: `encryption::Plan` says with which key, `encryption::Opening` what opens them. Tags stand beside an object as `tag::encode` writes them; lifecycles read them.
//!   `lifetime::expiration` is the value of `x-amz-expiration`, `bucket_acl::full_control` the ACL of everything.
//! * A change that a bucket's notification configuration may be about brings `cx.commit_telling(…)` with what `event` tells
//!   of it. One that its replication may be about adds `replication`'s note of that to the same.
//! * What is not built is refused with `fault::not_implemented`, never taken and dropped.
//!
//! Tests are in `tests/s3`, through the whole gate.

mod abac;
mod abort_multipart_upload;
mod access_log;
mod access_point;
mod account_block;
mod acl;
mod archive;
mod attachment;
mod authorize;
mod bucket;
mod bucket_acl;
mod bucket_encryption;
mod bucket_policy;
mod bucket_tagging;
mod change;
mod checksum;
mod complete_multipart_upload;
mod conditional;
mod control;
mod copy_object;
mod copy_source;
mod cors;
mod create_bucket;
mod create_multipart_upload;
mod customer_key;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod description;
mod document;
mod encryption;
mod engine;
mod event;
mod event_message;
mod event_queue;
mod fault;
mod fixed;
mod get_object;
mod get_object_attributes;
mod head_bucket;
mod identified;
mod kms;
mod lifecycle;
mod lifetime;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_parts;
mod listing;
mod location;
mod logging;
mod name;
mod notification;
mod object;
mod object_acl;
mod object_lock;
mod object_tagging;
mod ownership_controls;
mod page;
mod policy_action;
mod post_object;
mod post_policy;
mod public;
mod public_access_block;
mod put_object;
mod range;
mod replication;
mod retention;
mod stored_policy;
mod tag;
mod update_object_encryption;
mod upload;
mod upload_part;
mod upload_part_copy;
mod uri;
mod versioning;
mod vocabulary;
mod website;
mod writing;

use daypass_core::Entry;

pub use access_log::AccessLog;
pub use attachment::{AttachError, Attached, Attachments, NewAttachment};
pub use event_queue::queue_events;
pub use lifetime::{EndError, end_lifetimes};
pub use replication::{Replicated, replicate_due};

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &abac::GET_BUCKET_ABAC,
    &abac::PUT_BUCKET_ABAC,
    &abort_multipart_upload::ABORT_MULTIPART_UPLOAD,
    &complete_multipart_upload::COMPLETE_MULTIPART_UPLOAD,
    &copy_object::COPY_OBJECT,
    &create_bucket::CREATE_BUCKET,
    &create_multipart_upload::CREATE_MULTIPART_UPLOAD,
    &delete_bucket::DELETE_BUCKET,
    &cors::DELETE_BUCKET_CORS,
    &identified::DELETE_ANALYTICS,
    &identified::GET_ANALYTICS,
    &identified::LIST_ANALYTICS,
    &identified::PUT_ANALYTICS,
    &identified::DELETE_INTELLIGENT_TIERING,
    &identified::GET_INTELLIGENT_TIERING,
    &identified::LIST_INTELLIGENT_TIERING,
    &identified::PUT_INTELLIGENT_TIERING,
    &identified::DELETE_INVENTORY,
    &identified::GET_INVENTORY,
    &identified::LIST_INVENTORIES,
    &identified::PUT_INVENTORY,
    &identified::DELETE_METRICS,
    &identified::GET_METRICS,
    &identified::LIST_METRICS,
    &identified::PUT_METRICS,
    &archive::GET_OBJECT_TORRENT,
    &archive::RESTORE_OBJECT,
    &archive::SELECT_OBJECT_CONTENT,
    &replication::DELETE_BUCKET_REPLICATION,
    &notification::PUT_BUCKET_NOTIFICATION_CONFIGURATION,
    &replication::PUT_BUCKET_REPLICATION,
    &bucket_encryption::DELETE_BUCKET_ENCRYPTION,
    &lifecycle::DELETE_BUCKET_LIFECYCLE,
    &ownership_controls::DELETE_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::DELETE_BUCKET_POLICY,
    &bucket_tagging::DELETE_BUCKET_TAGGING,
    &website::DELETE_BUCKET_WEBSITE,
    &delete_object::DELETE_OBJECT,
    &delete_objects::DELETE_OBJECTS,
    &object_tagging::DELETE_OBJECT_TAGGING,
    &public_access_block::DELETE_PUBLIC_ACCESS_BLOCK,
    &fixed::GET_BUCKET_ACCELERATE_CONFIGURATION,
    &bucket_acl::GET_BUCKET_ACL,
    &cors::GET_BUCKET_CORS,
    &bucket_encryption::GET_BUCKET_ENCRYPTION,
    &lifecycle::GET_BUCKET_LIFECYCLE_CONFIGURATION,
    &location::GET_BUCKET_LOCATION,
    &logging::GET_BUCKET_LOGGING,
    &notification::GET_BUCKET_NOTIFICATION_CONFIGURATION,
    &ownership_controls::GET_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::GET_BUCKET_POLICY,
    &bucket_policy::GET_BUCKET_POLICY_STATUS,
    &replication::GET_BUCKET_REPLICATION,
    &fixed::GET_BUCKET_REQUEST_PAYMENT,
    &bucket_tagging::GET_BUCKET_TAGGING,
    &versioning::GET_BUCKET_VERSIONING,
    &website::GET_BUCKET_WEBSITE,
    &get_object::GET_OBJECT,
    &object_acl::GET_OBJECT_ACL,
    &get_object_attributes::GET_OBJECT_ATTRIBUTES,
    &object_lock::GET_OBJECT_LOCK_CONFIGURATION,
    &retention::GET_OBJECT_LEGAL_HOLD,
    &retention::GET_OBJECT_RETENTION,
    &object_tagging::GET_OBJECT_TAGGING,
    &public_access_block::GET_PUBLIC_ACCESS_BLOCK,
    &head_bucket::HEAD_BUCKET,
    &get_object::HEAD_OBJECT,
    &list_buckets::LIST_BUCKETS,
    &list_multipart_uploads::LIST_MULTIPART_UPLOADS,
    &list_objects::LIST_OBJECTS,
    &list_objects::LIST_OBJECTS_V2,
    &list_object_versions::LIST_OBJECT_VERSIONS,
    &list_parts::LIST_PARTS,
    &cors::OPTIONS_OBJECT,
    &page::GET_PAGE,
    &page::HEAD_PAGE,
    &post_object::POST_OBJECT,
    &fixed::PUT_BUCKET_ACCELERATE_CONFIGURATION,
    &bucket_acl::PUT_BUCKET_ACL,
    &cors::PUT_BUCKET_CORS,
    &bucket_encryption::PUT_BUCKET_ENCRYPTION,
    &lifecycle::PUT_BUCKET_LIFECYCLE_CONFIGURATION,
    &logging::PUT_BUCKET_LOGGING,
    &ownership_controls::PUT_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::PUT_BUCKET_POLICY,
    &fixed::PUT_BUCKET_REQUEST_PAYMENT,
    &bucket_tagging::PUT_BUCKET_TAGGING,
    &versioning::PUT_BUCKET_VERSIONING,
    &website::PUT_BUCKET_WEBSITE,
    &put_object::PUT_OBJECT,
    &object_acl::PUT_OBJECT_ACL,
    &retention::PUT_OBJECT_LEGAL_HOLD,
    &object_lock::PUT_OBJECT_LOCK_CONFIGURATION,
    &retention::PUT_OBJECT_RETENTION,
    &object_tagging::PUT_OBJECT_TAGGING,
    &public_access_block::PUT_PUBLIC_ACCESS_BLOCK,
    &update_object_encryption::UPDATE_OBJECT_ENCRYPTION,
    &upload_part::UPLOAD_PART,
    &upload_part_copy::UPLOAD_PART_COPY,
    &control::access_point::CREATE_ACCESS_POINT,
    &control::access_point::DELETE_ACCESS_POINT,
    &control::access_point_policy::DELETE_ACCESS_POINT_POLICY,
    &control::public_access_block::DELETE_PUBLIC_ACCESS_BLOCK,
    &control::access_point::GET_ACCESS_POINT,
    &control::access_point_policy::GET_ACCESS_POINT_POLICY,
    &control::access_point_policy::GET_ACCESS_POINT_POLICY_STATUS,
    &control::public_access_block::GET_PUBLIC_ACCESS_BLOCK,
    &control::access_point::LIST_ACCESS_POINTS,
    &control::tagging::LIST_TAGS_FOR_RESOURCE,
    &control::access_point_policy::PUT_ACCESS_POINT_POLICY,
    &control::public_access_block::PUT_PUBLIC_ACCESS_BLOCK,
    &control::tagging::TAG_RESOURCE,
    &control::tagging::UNTAG_RESOURCE,
];
