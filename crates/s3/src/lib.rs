//! Amazon S3. One file an operation, or one a family of operations that differ only in what they are about;
//! [`OPERATIONS`] is the service.
//!
//! Two stores work together. The records (`Bucket`, in the store of all services) hold a bucket's name, owner, region and
//! configuration. The object store (`cx.state().objects`, crate `objects`) knows a bucket by its number, and keeps
//! objects, versions, uploads, and how versions are kept.
//!
//! # Add an operation
//!
//! One about a bucket's configuration is a transaction over its record: `operation!`, whose `checks` is
//! [`authorize::on_bucket`]. `bucket_policy.rs` is a family of such.
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
//!   what is missing before the question was answered. A key that is not there is [`authorize::missing_key`]: only who may
//!   list the bucket is told.
//! * A change brings `cx.commit(|outcome| …)`, the time and the audit record of the answer; a step that has no record of
//!   its own brings `cx.commit_unnoted()`. Records that change in an operation over streams change in `cx.transact`.
//! * A body is `payload.into_body()`; it ends well only if everything that was declared of it is true. What the object
//!   store fails with goes through [`engine::failed`] after the operation's own refusals.
//! * What is not built is refused with [`fault::not_implemented`], never taken and dropped.
//!
//! Tests are in `tests/s3`, through the whole gate.

mod authorize;
mod bucket;
mod bucket_acl;
mod bucket_encryption;
mod bucket_policy;
mod bucket_tagging;
mod create_bucket;
mod delete_bucket;
mod engine;
mod fault;
mod fixed;
mod head_bucket;
mod lifecycle;
mod lifetime;
mod list_buckets;
mod location;
mod name;
mod ownership_controls;
mod policy_action;
mod public;
mod public_access_block;
mod tag;
mod versioning;

use daypass_core::Entry;

pub use lifetime::{EndError, end_lifetimes};

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &create_bucket::CREATE_BUCKET,
    &delete_bucket::DELETE_BUCKET,
    &fixed::DELETE_BUCKET_CORS,
    &bucket_encryption::DELETE_BUCKET_ENCRYPTION,
    &lifecycle::DELETE_BUCKET_LIFECYCLE,
    &ownership_controls::DELETE_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::DELETE_BUCKET_POLICY,
    &bucket_tagging::DELETE_BUCKET_TAGGING,
    &fixed::DELETE_BUCKET_WEBSITE,
    &public_access_block::DELETE_PUBLIC_ACCESS_BLOCK,
    &fixed::GET_BUCKET_ACCELERATE_CONFIGURATION,
    &bucket_acl::GET_BUCKET_ACL,
    &fixed::GET_BUCKET_CORS,
    &bucket_encryption::GET_BUCKET_ENCRYPTION,
    &lifecycle::GET_BUCKET_LIFECYCLE_CONFIGURATION,
    &location::GET_BUCKET_LOCATION,
    &fixed::GET_BUCKET_LOGGING,
    &fixed::GET_BUCKET_NOTIFICATION_CONFIGURATION,
    &ownership_controls::GET_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::GET_BUCKET_POLICY,
    &bucket_policy::GET_BUCKET_POLICY_STATUS,
    &fixed::GET_BUCKET_REPLICATION,
    &fixed::GET_BUCKET_REQUEST_PAYMENT,
    &bucket_tagging::GET_BUCKET_TAGGING,
    &versioning::GET_BUCKET_VERSIONING,
    &fixed::GET_BUCKET_WEBSITE,
    &fixed::GET_OBJECT_LOCK_CONFIGURATION,
    &public_access_block::GET_PUBLIC_ACCESS_BLOCK,
    &head_bucket::HEAD_BUCKET,
    &list_buckets::LIST_BUCKETS,
    &fixed::PUT_BUCKET_ACCELERATE_CONFIGURATION,
    &bucket_acl::PUT_BUCKET_ACL,
    &fixed::PUT_BUCKET_CORS,
    &bucket_encryption::PUT_BUCKET_ENCRYPTION,
    &lifecycle::PUT_BUCKET_LIFECYCLE_CONFIGURATION,
    &fixed::PUT_BUCKET_LOGGING,
    &ownership_controls::PUT_BUCKET_OWNERSHIP_CONTROLS,
    &bucket_policy::PUT_BUCKET_POLICY,
    &fixed::PUT_BUCKET_REQUEST_PAYMENT,
    &bucket_tagging::PUT_BUCKET_TAGGING,
    &versioning::PUT_BUCKET_VERSIONING,
    &fixed::PUT_BUCKET_WEBSITE,
    &public_access_block::PUT_PUBLIC_ACCESS_BLOCK,
];
