//! The command line. Help, completions and the man page come from here.

mod bucket;
mod partner;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use daypass_core::SetQuota;
use daypass_core::model::AccountId;

pub(crate) use bucket::{Bucket, BucketAttach, BucketCommand, BucketDetach, BucketList};
pub(crate) use partner::{Partner, PartnerCommand, PartnerTemplate, TemplateAdd};

/// Instance roles made real on your own machines
///
/// Daypass speaks AWS IAM, STS, EC2 with its instance metadata service, S3 and CloudTrail, so that the AWS CLI, SDKs and
/// Terraform work unmodified, and every request is authenticated and authorised as AWS would.
#[derive(Parser)]
#[command(name = "daypass", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  daypass up                                start a server here
  eval \"$(daypass env)\"                     give this shell its endpoint and a short session
  aws sts get-caller-identity               use it
  daypass exec i-0123456789abcdef0 -- bash  run a command inside an instance")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a server, in the foreground
    Up(Box<Up>),
    /// Print the endpoint and a short administrator session as shell variables
    Env(Env),
    /// Print a short administrator session, in the form of the AWS CLI's `credential_process`
    Credentials(Credentials),
    /// Run a command inside an instance, with its exit status
    Exec(Exec),
    /// Show a running server
    Status(Status),
    /// Say why a request was allowed or denied, by which statements, and what would have allowed it
    Why(Why),
    /// Check a data directory that no server uses, and say what to do about what is wrong
    Fsck(Fsck),
    /// Copy a running server's state and objects, as they are at one moment
    Backup(Backup),
    /// Make a data directory of a backup
    Restore(Restore),
    /// Keep buckets in other stores that speak S3: Ceph RGW, Garage, SeaweedFS, MinIO, AWS
    Bucket(Bucket),
    /// Let accounts ask other accounts for temporary access (IAM temporary delegation)
    Partner(Partner),
    /// List the operations of every service: which are built, which are not
    Operations(Operations),
    /// Work with policy documents, without a server
    Policy(Policy),
    /// Print shell completions
    Completions(Completions),
    /// Print the man page
    #[command(hide = true)]
    Man,
    /// The privileged half of a server; started by `up`
    #[command(hide = true)]
    InstanceHost,
}

/// Where a server keeps its state.
#[derive(Args, Clone)]
pub(crate) struct Data {
    /// The server's data directory [default: /var/lib/daypass for root, else ~/.local/share/daypass]
    #[arg(long = "data", value_name = "DIR", env = "DAYPASS_DATA", global = true)]
    pub(crate) directory: Option<PathBuf>,
}

/// The account that a session is of.
#[derive(Args, Clone)]
pub(crate) struct Whose {
    /// The account [default: the one that the server was made with]
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: Option<AccountId>,
    /// Make the account if it is not there, outside any organization
    #[arg(long, requires = "account")]
    pub(crate) create: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  daypass up
  daypass up --data ./state --listen 127.0.0.1:4566 --account-id 111122223333 --region eu-central-1
  daypass up --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem
  daypass up --event-destination arn:aws:sqs:us-east-1:123456789012:uploads=http://127.0.0.1:8080/events
  daypass up --check                        what instances need, and what of it is missing here")]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The address to listen on; anything but loopback needs TLS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566", env = "DAYPASS_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// The account, at the first start only [default: 123456789012]
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account_id: Option<AccountId>,
    /// The region of what has none, at the first start only [default: us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Listen elsewhere than on loopback without TLS: whoever sees the traffic sees the data, and can replay requests for
    /// fifteen minutes
    #[arg(long)]
    pub(crate) insecure_listen: bool,
    /// The address that others reach this server at, as `https://daypass.example.com`; the issuer of its web identity tokens
    /// stands below it [default: the address that it listens on]
    #[arg(long, value_name = "URL", env = "DAYPASS_PUBLIC_URL", value_parser = public_url)]
    pub(crate) public_url: Option<String>,
    /// A domain whose first label is a bucket, as `s3.example.com`; may be given more than once
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) s3_domain: Vec<String>,
    /// A domain whose first labels are a bucket with a website, as `pages.example.com`; may be given more than once
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) s3_website_domain: Vec<String>,
    /// Where S3's events for a destination go: the ARN of a queue, topic, function or event bus, and an address that gets a
    /// POST for each, or a file that gets a line, as `arn:aws:sqs:us-east-1:123456789012:uploads=https://example.com/hook` or
    /// `…=file:/var/log/uploads.jsonl`; may be given more than once. Buckets of that account can then notify it, and a partner of
    /// that account be told by a topic (`daypass partner`)
    #[arg(long, value_name = "ARN=PLACE")]
    pub(crate) event_destination: Vec<String>,
    /// How long records stay in the audit log, in days
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) audit_days: u32,
    /// A quota of every account, as `iam:RolesPerAccount=5000`; may be given more than once [default: AWS's defaults]
    ///
    /// Names: iam:RolesPerAccount, iam:UsersPerAccount, iam:GroupsPerAccount, iam:PoliciesPerAccount,
    /// iam:InstanceProfilesPerAccount, iam:ServerCertificatesPerAccount, iam:OpenIdConnectProvidersPerAccount,
    /// iam:SAMLProvidersPerAccount, iam:PoliciesPerRole, iam:PoliciesPerUser, iam:PoliciesPerGroup, iam:ACLSizePerRole,
    /// organizations:AccountsPerOrganization. What a quota is, `aws iam get-account-summary` says.
    #[arg(long, value_name = "NAME=NUMBER")]
    pub(crate) quota: Vec<SetQuota>,
    /// How long lifecycles of buckets take for a day, in seconds: to try rules out, for objects go that much sooner
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) lifecycle_day: u32,
    /// How the log is written, on the standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Say what instances need and what of it is missing here, and end
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Args)]
#[command(after_help = "Examples:
  eval \"$(daypass env)\"
  eval \"$(daypass env --account 444455556666)\"
  daypass env --duration 900 --format json")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// How long the session lasts, in seconds: 900 to 43200
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(i32).range(900..=43_200))]
    pub(crate) duration: i32,
    /// How the variables are written
    #[arg(long, value_name = "FORMAT", default_value = "sh")]
    pub(crate) format: EnvFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum EnvFormat {
    /// `export NAME='value'`, for bash, zsh and other POSIX shells
    Sh,
    /// `set -gx NAME 'value'`, for fish
    Fish,
    /// One JSON object
    Json,
}

#[derive(Args)]
#[command(after_help = "Example, in ~/.aws/config:
  [profile daypass]
  credential_process = daypass credentials --data /var/lib/daypass
  endpoint_url = http://127.0.0.1:4566
  region = us-east-1")]
pub(crate) struct Credentials {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// How long the session lasts, in seconds: 900 to 43200
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(i32).range(900..=43_200))]
    pub(crate) duration: i32,
}

#[derive(Args)]
#[command(after_help = "Examples:
  daypass exec i-0123456789abcdef0 -- aws sts get-caller-identity
  daypass exec i-0123456789abcdef0 -- bash")]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The instance
    #[arg(value_name = "INSTANCE")]
    pub(crate) instance: String,
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
#[command(
    after_help = "The request id is in every answer: `x-amzn-requestid` or `x-amz-request-id`, `requestID` in the audit log.

What is told is what was recorded with the request, by the policies as they were then: lines and columns are those of
the documents of that time.

Examples:
  daypass why                               the last request that was denied
  daypass why 70c6a79a-fd8f-4344-a1fd-7188f45f94f6
  daypass why --output json"
)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The request's id, or its event's [default: the last request that was denied]
    #[arg(value_name = "REQUEST-ID")]
    pub(crate) id: Option<String>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) data: Data,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(
    after_help = "Nothing is changed. While a server runs, it reads its objects again and again by itself; `daypass status` says
what it found.

Exit status:
  0  nothing is wrong
  1  something is
  2  the directory could not be checked

Examples:
  daypass fsck
  daypass fsck --quick --output json --data /var/lib/daypass"
)]
pub(crate) struct Fsck {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Leave the bytes of objects unread: check the records and the index alone
    #[arg(long)]
    pub(crate) quick: bool,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(
    after_help = "The server goes on meanwhile; the copy is of one moment. In it are the records of all services, the audit log and all
objects, but neither the disks of instances nor, if it is not asked for, the root key. Whoever has the backup and the
root key has every secret of the server.

Examples:
  daypass backup /mnt/backups/2026-11-22
  daypass backup --with-root-key /mnt/encrypted/daypass"
)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Where to: a folder that is not there yet
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Put the root key into the backup: whoever can read it can then open all of it
    #[arg(long)]
    pub(crate) with_root_key: bool,
}

#[derive(Args)]
#[command(
    after_help = "Everything is checked before it is put in place, down to every byte. What was deleted or revoked since the backup
was made is there again afterwards: users, keys, policies.

Examples:
  daypass restore /mnt/backups/2026-11-22 --root-key /mnt/safe/root.key --data /var/lib/daypass
  daypass restore /mnt/encrypted/daypass --data ./state"
)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The backup
    #[arg(value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The copy of the root key that was kept, where it is not in the backup
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Args)]
#[command(after_help = "Examples:
  daypass operations --service s3
  daypass operations --output json")]
pub(crate) struct Operations {
    /// One service alone, as `ec2`
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ListFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ListFormat {
    /// A line for each operation
    Text,
    /// For programs
    Json,
    /// The page in `docs/`
    Markdown,
}

#[derive(Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with policies, as IAM Access Analyzer does
    Check(PolicyCheck),
    /// Decide a request by policies in files, and say why
    Simulate(Box<PolicySimulate>),
    /// Say what a change of policies allows that was not allowed before, over all requests, and what it stops
    Diff(PolicyDiff),
}

#[derive(Args)]
#[command(
    after_help = "Every difference comes with a request that shows it. Where the policies are too intricate for a comparison over all
requests, that is said; no difference is only claimed where there is none.

A denial takes away what other policies allow, those that are not compared too. So it is also said what is no longer
denied, and what is newly denied, if something else allows it.

Directories are compared file by file, by the names of all `.json` files beneath them; a file that is on one side alone is
compared with nothing, and so is `/dev/null`. With --together, all files of a side are the policies of one principal, or
of one resource.

Exit status:
  0  nothing that --fail-on names, for sure
  1  such a difference
  2  it is not sure that there is none; or a file or an argument is wrong

Examples:
  daypass policy diff old.json new.json
  git show main:web.json | daypass policy diff - web.json
  daypass policy diff --kind trust --fail-on any main/roles/ roles/
  daypass policy diff --together --output json main/app/ app/"
)]
pub(crate) struct PolicyDiff {
    /// The policies as they were: a file or a directory; `-` is the standard input
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The policies as they are to be
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// What the documents are
    #[arg(long, visible_alias = "type", value_name = "KIND", default_value = "identity")]
    pub(crate) kind: PolicyKind,
    /// Take all files of a side as the policies of one principal, or of one resource
    #[arg(long)]
    pub(crate) together: bool,
    /// The differences that make the command fail
    #[arg(long, value_name = "WHICH", default_value = "new")]
    pub(crate) fail_on: FailOnDifference,
    /// How differences are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOnDifference {
    /// What is newly allowed by the policies themselves, as Access Analyzer's CheckNoNewAccess counts
    Allowed,
    /// What is newly allowed or no longer denied
    New,
    /// Any difference
    Any,
}

#[derive(Args)]
#[command(after_help = "Exit status:
  0  everything is allowed, or every case came out as it says
  1  something is denied, or a case came out otherwise
  2  a file or an argument is wrong

Examples:
  daypass policy simulate --policy app.json --action s3:GetObject --resource arn:aws:s3:::app-data/x
  daypass policy simulate --policy app.json --resource-policy bucket.json --action s3:GetObject s3:PutObject \\
    --resource 'arn:aws:s3:::app-data/x' --context aws:SecureTransport=false --output json
  daypass policy simulate --cases decisions.jsonl")]
pub(crate) struct PolicySimulate {
    /// Decisions that must come out as they say: one JSON object a line, with `principal`, `action`, `resource`, `context`,
    /// `identity_policies`, `resource_policy`, `boundary`, `session_policies`, `scps`, `rcps`, `vpce_policies`, `expected`
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub(crate) cases: Option<PathBuf>,
    /// Who asks: the ARN of a user or of a role's session, a service as `ec2.amazonaws.com`, or `anonymous`
    #[arg(
        long,
        value_name = "PRINCIPAL",
        default_value = "arn:aws:sts::123456789012:assumed-role/role/session"
    )]
    pub(crate) principal: String,
    /// What is asked
    #[arg(long, value_name = "ACTION", num_args = 1.., required_unless_present = "cases")]
    pub(crate) action: Vec<String>,
    /// On what; `*` for what has no resource
    #[arg(long, value_name = "ARN", num_args = 1.., default_value = "*")]
    pub(crate) resource: Vec<String>,
    /// The account of the resource [default: the principal's]
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) resource_account: Option<AccountId>,
    /// A condition key of the request; may be given more than once, with the same key for a key of several values
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub(crate) context: Vec<String>,
    /// Policies of the principal
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) policy: Vec<PathBuf>,
    /// The resource's own policy
    #[arg(long, value_name = "FILE")]
    pub(crate) resource_policy: Option<PathBuf>,
    /// The principal's permissions boundary
    #[arg(long, value_name = "FILE")]
    pub(crate) boundary: Option<PathBuf>,
    /// Session policies
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) session_policy: Vec<PathBuf>,
    /// Service control policies of the principal's account
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) scp: Vec<PathBuf>,
    /// Resource control policies of the resource's account
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) rcp: Vec<PathBuf>,
    /// How decisions are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "Exit status:
  0  no finding as grave as --fail-on says
  1  such a finding
  2  a file could not be read

Examples:
  daypass policy check policy.json
  daypass policy check --kind trust roles/*.json
  daypass policy check --kind bucket --fail-on warning bucket-policy.json
  daypass policy check --output sarif policies/*.json > policies.sarif
  aws iam get-role --role-name web --query Role.AssumeRolePolicyDocument | daypass policy check --kind trust -")]
pub(crate) struct PolicyCheck {
    /// The documents; `-` is the standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// What the documents are
    #[arg(long, value_name = "KIND", default_value = "identity")]
    pub(crate) kind: PolicyKind,
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: FindingFormat,
    /// The least grave finding that makes the command fail
    #[arg(long, value_name = "TYPE", default_value = "security-warning")]
    pub(crate) fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PolicyKind {
    /// Of a user, group or role, inline or managed; a permissions boundary; a session policy
    Identity,
    /// The trust policy of a role
    Trust,
    /// Of an S3 bucket
    Bucket,
    /// Of an S3 access point
    AccessPoint,
    /// Of an S3 Multi-Region Access Point
    MultiRegionAccessPoint,
    /// Of an S3 Object Lambda Access Point
    ObjectLambdaAccessPoint,
    /// Of a DynamoDB table
    Table,
    /// Of any other resource
    Resource,
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FindingFormat {
    /// With the lines that are meant, for people
    Text,
    /// As ValidatePolicy answers, for each file
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// What does not work
    Error,
    /// What allows too much, too
    SecurityWarning,
    /// What is not best practice, too
    Warning,
    /// Anything at all
    Suggestion,
    /// Nothing
    Never,
}

#[derive(Args)]
#[command(after_help = "Examples:
  daypass completions bash > /etc/bash_completion.d/daypass
  daypass completions zsh > ~/.zfunc/_daypass")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

fn public_url(text: &str) -> Result<String, String> {
    let plain = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b))
    });
    if plain {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("an address begins with `https://`".to_owned())
    }
}

fn account(text: &str) -> Result<AccountId, String> {
    text.parse().map_err(|_| "an account id is twelve digits".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use daypass_core::Quota;

    use super::Arguments;

    #[test]
    fn the_help_names_every_quota() {
        let mut command = Arguments::command();
        let help = command.find_subcommand_mut("up").unwrap().render_long_help().to_string();
        for quota in Quota::ALL {
            let name = format!("{}:{}", quota.service(), quota.name());
            assert!(help.contains(&name), "{name}");
        }
    }
}
