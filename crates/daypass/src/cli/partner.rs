//! `daypass partner …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daypass_core::model::AccountId;

use super::{Data, Output, account};

#[derive(Args)]
pub(crate) struct Partner {
    #[command(subcommand)]
    pub(crate) command: PartnerCommand,
}

#[derive(Subcommand)]
pub(crate) enum PartnerCommand {
    /// Take an account on as a partner: it can then ask other accounts for temporary access
    Add(PartnerAdd),
    /// Show the partners, their templates and boundaries
    List(PartnerList),
    /// Let an account be a partner no more: what customers granted it ends at once
    Remove(PartnerRemove),
    /// Add and remove the policies that a partner may ask for
    #[command(subcommand)]
    Template(PartnerTemplate),
}

#[derive(Subcommand)]
pub(crate) enum PartnerTemplate {
    /// Let a partner ask for what a template says
    Add(TemplateAdd),
    /// Take a template from a partner; what was asked for with it stays
    Remove(TemplateRemove),
}

#[derive(Args)]
#[command(
    after_help = "AWS takes partners on by hand; here you do. The partner's requests name a topic of its own that is told of what becomes
of them, and gets the token: give it a place with `daypass up --event-destination`.

Example:
  daypass partner add --account 111122223333 --name \"Example Corp\" --domain example.com"
)]
pub(crate) struct PartnerAdd {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The partner's account
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: AccountId,
    /// What customers are shown, in at most 30 characters
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Its domain, which the ARNs of its templates and boundaries hold, and which stays its own
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "Example:
  daypass partner list --output json")]
pub(crate) struct PartnerList {
    #[command(flatten)]
    pub(crate) data: Data,
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "The boundaries that it gave stay, for roles are bounded by them.

Example:
  daypass partner remove --account 111122223333")]
pub(crate) struct PartnerRemove {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The partner's account
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: AccountId,
}

#[derive(Args)]
#[command(
    after_help = "A template is a policy with parameters in its resources and in the values of its conditions, as
\"arn:aws:s3:::@{bucketName}/*\". A statement with \"@Enabled\": \"NAME\" is left out unless that parameter is \"True\".

A template that allows `iam:CreateRole` names the permissions boundaries of which one has to be on each role that is made.
A boundary never changes; a new one has another name, as one with its date.

Examples:
  daypass partner template add --account 111122223333 --name setup --file setup.json
  daypass partner template add --account 111122223333 --name roles --file roles.json --boundary Sqs_2026_11_22=sqs.json"
)]
pub(crate) struct TemplateAdd {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The partner's account
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: AccountId,
    /// The template's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The template
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// A boundary: a new one, as NAME=FILE, or the ARN of a policy of AWS's or of a boundary that the partner has; may be given
    /// more than once
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) boundary: Vec<String>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Args)]
#[command(after_help = "Example:
  daypass partner template remove --account 111122223333 --name setup")]
pub(crate) struct TemplateRemove {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The partner's account
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: AccountId,
    /// The template's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
}
