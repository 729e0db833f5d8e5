//! `daypass bucket …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Data, Output};

#[derive(Args)]
pub(crate) struct Bucket {
    #[command(subcommand)]
    pub(crate) command: BucketCommand,
}

#[derive(Subcommand)]
pub(crate) enum BucketCommand {
    /// Keep the objects of a bucket in a bucket of another store
    Attach(Box<BucketAttach>),
    /// Show the buckets that are attached, where to, and what their stores can do
    List(BucketList),
    /// End an attachment: the bucket is empty here again, and what is in the other store stays there
    Detach(BucketDetach),
}

#[derive(Args)]
#[command(
    after_help = "The bucket is one of this server's, and empty. From then on its objects, versions and uploads are those of the other
store: what is there already is seen at once. Who may do what is decided here, and requests go there signed with the key
that is given now, which no client ever sees. Give that key to nobody else, and to it that one bucket alone.

First the other store is asked what it can do, with objects of a prefix of their own that are taken away again. What it
cannot do is refused from then on, with 501 NotImplemented.

The secret comes from DAYPASS_UPSTREAM_SECRET, from --secret-file, or else from the standard input.

Examples:
  daypass bucket attach photos --endpoint https://s3.example.com --bucket team-photos --access-key-id AKIA… < secret
  daypass bucket attach logs --endpoint https://rgw:7480 --ca-file rgw.pem --bucket logs --access-key-id K --secret-file s
  daypass bucket attach dev --endpoint http://127.0.0.1:8333 --plain-http --encrypted-at-rest --bucket dev --access-key-id K"
)]
pub(crate) struct BucketAttach {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The bucket here
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The other store, as `https://host[:port]`; buckets are named in the path
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: String,
    /// The bucket there
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: String,
    /// What every key begins with there
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) prefix: String,
    /// The region that requests are signed for
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// The key that requests are signed with
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: String,
    /// A file with the key's secret and nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Authorities that vouch for its certificate, PEM, instead of those that this machine knows
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Speak to it without TLS: whoever sees the traffic sees the objects
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Answer for its encrypting what it keeps, where it does not say so itself: clients are told `AES256`
    #[arg(long)]
    pub(crate) encrypted_at_rest: bool,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "Example:
  daypass bucket list --output json")]
pub(crate) struct BucketList {
    #[command(flatten)]
    pub(crate) data: Data,
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "Example:
  daypass bucket detach photos")]
pub(crate) struct BucketDetach {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The bucket here
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
