//! What is said over the socket: one JSON object a line. With `Exec` come three descriptors, the command's standard input,
//! output and error, or none where the command is to have a terminal; then its near end comes back with `Running`.

use std::path::PathBuf;

use daypass_core::delegation::partner::ShownPartner;
use daypass_core::event_queue::EventQueue;
use daypass_core::model::AccountId;
use serde::{Deserialize, Serialize};

/// The longest line.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// What a command asks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Request {
    /// A session of the account's administrator.
    Session {
        /// How long it lasts.
        seconds: i32,
        /// Of which account; of the server's own where none is named.
        account: Option<AccountId>,
        /// Whether the account is made where it is not there.
        create: bool,
    },
    /// How the server is.
    Status,
    /// Why a request was answered as it was.
    Why {
        /// Its request id or event id; without one, the last request that was denied.
        id: Option<String>,
    },
    /// The state at one moment, held still until this end goes away.
    Backup,
    /// A bucket is to be kept in another store.
    Attach(AttachRequest),
    /// Which buckets are.
    Attachments,
    /// A bucket is to be kept here again.
    Detach {
        /// The bucket.
        bucket: String,
    },
    /// About the partners of temporary delegation.
    Partner(PartnerRequest),
    /// A command inside an instance.
    Exec {
        /// The instance.
        instance: String,
        /// Program and arguments.
        arguments: Vec<String>,
        /// The size of the terminal that the command gets, as lines and columns; without one it gets the standard streams
        /// that come with the request.
        terminal: Option<(u16, u16)>,
    },
}

/// What the server answers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Reply {
    /// A session.
    Session(SessionReply),
    /// How the server is.
    Status(StatusReply),
    /// What the audit log says of a request.
    Why {
        /// The record, as CloudTrail writes it.
        event: serde_json::Value,
        /// How the decision came about, where policies were asked.
        explanation: Option<serde_json::Value>,
    },
    /// What to copy.
    Backup {
        /// Files, complete.
        files: Vec<FileReply>,
    },
    /// Buckets in other stores.
    Attached {
        /// Those that were asked for.
        buckets: Vec<daypass_s3::Attached>,
    },
    /// Partners.
    Partners {
        /// Those that were asked for, or changed.
        partners: Vec<ShownPartner>,
    },
    /// The command runs. Its terminal, if it has one, comes with this.
    Running,
    /// The command has ended.
    Exited {
        /// Its exit status; 128 and more where a signal ended it.
        status: u8,
    },
    /// It could not be done.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

/// What is asked about partners.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum PartnerRequest {
    /// An account is to be one.
    Add { account: AccountId, name: String, domain: String },
    /// An account is to be one no more.
    Remove { account: AccountId },
    /// One is to have a template.
    AddTemplate { account: AccountId, name: String, document: String, boundaries: Vec<BoundaryRequest> },
    /// One is to have a template no more.
    RemoveTemplate { account: AccountId, name: String },
    /// Which there are.
    List,
}

/// A boundary of a template's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum BoundaryRequest {
    /// One that is there.
    Known { arn: String },
    /// A new one.
    New { name: String, document: String },
}

/// A bucket in another store.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachRequest {
    pub(crate) bucket: String,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) there: String,
    pub(crate) prefix: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) authorities: Option<String>,
    pub(crate) plain: bool,
    pub(crate) vouched: bool,
}

impl Drop for AttachRequest {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.secret.zeroize();
    }
}

/// A session, as commands print it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionReply {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    pub(crate) expiration: String,
}

impl Drop for SessionReply {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.secret_access_key.zeroize();
    }
}

/// How a server is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusReply {
    pub(crate) version: String,
    pub(crate) process: u32,
    pub(crate) uptime_seconds: u64,
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Whether the state takes nothing any more, since a write or a sync of it failed.
    pub(crate) state_is_read_only: bool,
    pub(crate) objects: ObjectsReply,
    /// Events that wait for their delivery.
    pub(crate) events: Vec<EventQueue>,
    /// Why there can be no instances here, if so.
    pub(crate) instances_unavailable: Option<String>,
    pub(crate) instances: Vec<InstanceReply>,
}

/// A file that a backup needs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileReply {
    /// Where it is, below the data directory.
    pub(crate) from: PathBuf,
    /// Where it belongs in a data directory.
    pub(crate) to: PathBuf,
    /// So many bytes of it, from its beginning.
    pub(crate) bytes: u64,
}

/// How the objects are.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectsReply {
    /// Why nothing more is written, if so.
    pub(crate) read_only: Option<String>,
    pub(crate) free_bytes: u64,
    pub(crate) used_bytes: u64,
    pub(crate) live_bytes: u64,
    /// How often all bytes were read and checked since the server was started.
    pub(crate) scrubs: u64,
    /// What of them is damaged.
    pub(crate) damaged: Vec<String>,
}

/// An instance, in brief.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceReply {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) instance_type: String,
    pub(crate) private_ip: String,
    pub(crate) profile: String,
}
