//! Every operation of the service through the whole gate: what it answers, what it refuses in AWS's words, and what
//! nobody may get by it.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod access_logs;
mod access_points;
mod account_block;
mod acls;
mod attached;
mod attached_meddled;
mod bucket_policy;
mod buckets;
mod configuration;
mod copying;
mod cors;
mod customer_keys;
mod deleting;
mod kms_keys;
mod lifecycle;
mod listing;
mod locking;
mod meddling;
mod multipart;
mod notifications;
mod object_encryption;
mod objects;
mod pair;
mod posting;
mod refusals;
mod regions;
mod replicas;
mod replicas_guarded;
mod replication;
mod second_paths;
mod signer;
mod support;
mod tagging;
mod versions;
mod websites;
