//! What another store can do, as it was found when a bucket was attached to it.

use serde::{Deserialize, Serialize};

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident: $word:literal,)+) => {
        /// What another store can do. What it cannot is refused, never done in a weaker way.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Capabilities {
            $($(#[doc = $doc])+ pub $name: bool,)+
        }

        impl Capabilities {
            /// All of them, each with what it is called and whether it is there.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, bool)> {
                [$(($word, self.$name)),+].into_iter()
            }
        }
    };
}

capabilities! {
    /// Keys are kept byte by byte: `a//b`, `a/../b` and `A` are three objects and none is a path.
    exact_keys: "exact keys",
    /// Pages of a listing go on in the order of the keys' bytes; in that of directories, `p/b` is before `p-b`.
    listings_in_order: "listings in order",
    /// `If-None-Match: *` on PutObject is kept.
    put_if_absent: "put if absent",
    /// `If-Match` on PutObject is kept.
    put_if_match: "put if match",
    /// `If-Match` on DeleteObject is kept.
    delete_if_match: "delete if match",
    /// Both on CompleteMultipartUpload are kept.
    complete_conditionally: "conditional completion",
    /// Checksums in trailers are verified, kept and answered.
    checksums: "checksums",
    /// Those of parts make that of the object.
    checksums_of_parts: "checksums of multipart uploads",
    /// Objects have tags.
    tagging: "object tagging",
    /// ListObjectVersions and GetBucketVersioning answer.
    versions: "versioning",
    /// The bucket has S3 Object Lock.
    object_lock: "object lock",
    /// What is asked to be encrypted with SSE-S3 is said to be.
    encryption: "server-side encryption (SSE-S3)",
    /// The tag of an object that is put at once is its MD5.
    md5_tags: "MD5 entity tags",
    /// HeadObject answers for one part.
    part_numbers: "reads by part number",
}
