//! Signature Version 4, the server's side: is this request what the holder of that secret signed?
//!
//! Pure functions of bytes, a key and a time. No sockets, no clock, no async; the decoder of streamed
//! bodies ([`PayloadVerifier`]) is a machine that is fed bytes and hands bytes back.
//!
//! # The path of a request
//! 1. [`Claim::parse`] finds the one authentication that a request carries, in its `Authorization` header or
//!    in its query string (a presigned URL), and checks everything that needs no secret. A [`Claim`] says who
//!    the caller *claims* to be: enough to look the secret up, and nothing that may be used as an identity.
//!    `None` is an anonymous request: no authentication material of any kind.
//! 2. The caller opens the session token or finds the access key, and derives (or has cached) the
//!    [`SigningKey`] of the claim's scope. The long-term secret never comes near this module otherwise.
//! 3. [`Claim::verify`] (a whole body: every service but S3) or [`Claim::verify_head`] (S3, whose body is
//!    checked as it streams) compares the signature in constant time and gives a [`Verified`]. Nothing else can
//!    make one: it is the proof.
//! 4. Where there is no key (an unknown access key, a token that does not open), [`Claim::refuse`] does the
//!    same work against a key that nobody holds, so that time does not tell which keys exist.
//! 5. S3 feeds the body through the [`PayloadVerifier`] and calls [`PayloadVerifier::finish`]. **No byte may
//!    become visible before `finish` has answered `Ok`**: the last chunk, the trailer's signature and the
//!    checksums are only known then.
//!
//! Form uploads to S3 sign a policy document and not a request: [`FormClaim`] is the claim of a form's fields.
//!
//! # What is bound by a signature
//! The method, the path, every query parameter, the listed headers, and the body's hash. `host` and every
//! `x-amz-*` header that is present must be listed (S3: `content-md5` too); so a holder of a presigned URL
//! cannot add `x-amz-copy-source` to it. The host is the request's own (`Host`, or the authority of an HTTP/2
//! or absolute-form request): forwarding headers are never read.
//!
//! # SigV4A
//! S3 takes signatures of a key pair besides (`AWS4-ECDSA-P256-SHA256`), which is derived from the same secret: in headers, in
//! presigned URLs and of chunks. They name no region in their scope but a set of them beside it, which is signed. The other
//! services refuse them as an unsupported algorithm. A signature says by which algorithm it is; neither verifies as the other.
//!
//! # Signature Version 2
//! boto3 and version 1 of the AWS CLI presign S3 URLs with it where a region of AWS still takes it, `us-east-1` among
//! them, unless they are told otherwise. So S3 takes it in presigned URLs, and nowhere else; `s3:signatureversion` is
//! `AWS` then, for policies that refuse it. What SigV2 does not cover may not be there: see `presigned_v2`.
//!
//! # Sources
//! *Create a signed AWS API request*, *Troubleshoot Signature Version 4 signed requests* and *Common errors* of the
//! IAM user guide and the services' API references; *Authenticating Requests (AWS Signature Version 4)*
//! and *Signature calculations for the Authorization header: transferring payload in multiple chunks* of the S3 API
//! reference. Where AWS's documents do not give a code or a text, it was taken from answers of AWS that others
//! recorded; the items name them.

mod algorithm;
mod canonical;
mod checksums;
mod claim;
mod error;
mod form_auth;
mod header_auth;
mod key;
mod payload;
mod percent;
mod presigned_v2;
mod query;
mod query_auth;
mod request;
mod signed_headers;
mod timestamp;
mod verify;

pub use checksums::{ChecksumAlgorithm, Checksums, Digests};
pub use claim::{Claim, PayloadMode};
pub use error::{
    AuthForm, ExpiresFault, HeaderFault, Mismatch, PayloadError, QueryFault, ScopeFault, SigError,
};
pub use form_auth::FormClaim;
pub use key::{KeyScope, SigningKey};
pub use payload::{BodyKind, PayloadVerifier};
pub use request::RequestHead;
pub use verify::{Expected, NoKey, Verified};

/// The last element of every credential scope.
const TERMINATOR: &str = "aws4_request";

/// How far a request's date may lie from ours, in seconds, on both sides.
///
/// *Signature Version 4 signed requests … must reach AWS within five minutes of the time stamp*, says the IAM
/// guide; what STS, IAM, EC2, DynamoDB and S3 answer is 15 minutes (`MaxAllowedSkewMilliseconds` 900000).
pub const MAX_SKEW_SECONDS: i64 = 15 * 60;

/// The longest life of a presigned S3 URL, in seconds: seven days.
pub const MAX_EXPIRES_SECONDS: u32 = 7 * 24 * 60 * 60;

/// The longest `Authorization` header that is read, in bytes. S3's limit for all headers together is the same.
pub const MAX_AUTHORIZATION_LENGTH: usize = 8 * 1024;

/// The longest session token that is read, in bytes. AWS states no limit, and that a token is usually under 4096; whoever gives
/// tokens out gives none that is longer. One with all the session policies, tags and transitive keys that a session may have has
/// about 25,000, and fits into a presigned URL.
pub const MAX_TOKEN_LENGTH: usize = 32 * 1024;

/// The longest access key id that is read: IAM's limit for `accessKeyIdType`.
pub const MAX_ACCESS_KEY_ID_LENGTH: usize = 128;

/// The most headers that a signature may list.
pub const MAX_SIGNED_HEADERS: usize = 128;

/// The longest query string that is read, in bytes.
pub const MAX_QUERY_LENGTH: usize = 64 * 1024;

/// The ways in which AWS's services word an authentication failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The query protocol, and REST-XML outside S3: IAM, STS.
    Query,
    /// EC2, whose codes are its own.
    Ec2,
    /// JSON 1.0 and 1.1: CloudTrail, Organizations, SSM. Every refusal is a 400.
    Json,
    /// REST-JSON: IAM Access Analyzer. Refusals are 403.
    RestJson,
    /// S3, in words and in canonical form.
    S3,
}
