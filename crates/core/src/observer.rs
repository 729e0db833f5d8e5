//! Who looks at requests to buckets as they were answered: server access logging. It hinders nothing and changes nothing.

use std::net::IpAddr;

use daypass_model::Timestamp;
use daypass_wire::sigv4::AuthForm;

use crate::cx::Tls;

/// One request to a bucket and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The bucket, or the access point, as the request named it.
    pub bucket: String,
    /// The region that was asked.
    pub region: String,
    /// The key.
    pub key: Option<String>,
    /// The operation; none where the request names none.
    pub operation: Option<&'static str>,
    /// Whether it was a visit to the bucket's website.
    pub website: bool,
    /// When it came.
    pub time: Timestamp,
    /// From where.
    pub address: IpAddr,
    /// Who asked, if it was somebody and proved it.
    pub requester: Option<String>,
    /// The request's id.
    pub request_id: String,
    /// Its first line: method, address as it was sent, and version.
    pub line: String,
    /// Its `Host`.
    pub host: Option<String>,
    /// Its `Referer`.
    pub referer: Option<String>,
    /// Its `User-Agent`.
    pub user_agent: Option<String>,
    /// The version in its query.
    pub version_id: Option<String>,
    /// How it was signed, if its signature was verified.
    pub signed: Option<(&'static str, AuthForm)>,
    /// Whether it was allowed by an ACL, and would not have been without.
    pub acl_required: bool,
    /// The connection, where it is encrypted.
    pub tls: Option<Tls>,
    /// The answer's status.
    pub status: u16,
    /// The code of a refusal.
    pub error_code: Option<String>,
    /// The bytes of the answer's body that were sent.
    pub sent: u64,
    /// The bytes of the whole object, as far as they are known.
    pub object_size: Option<u64>,
    /// Milliseconds until the answer began.
    pub turn_around_millis: i64,
    /// Milliseconds until it ended.
    pub total_millis: i64,
}

/// Sees requests.
pub trait Observer: Send + Sync {
    /// Whether it wants to see those to what is named as this bucket: asked of every request to one, so it has to be quick. What
    /// it takes too many of it can still let go once it sees them.
    fn wants(&self, bucket: &str) -> bool;
    /// Sees one, when its answer has ended.
    fn saw(&self, exchange: Exchange);
}
