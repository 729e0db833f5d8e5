//! `daypass credentials`: what the AWS CLI's `credential_process` runs.

use anyhow::Result;
use serde_json::json;

use crate::admin::client;
use crate::admin::protocol::{Reply, Request};
use crate::cli::Credentials;

pub(crate) fn run(arguments: Credentials) -> Result<()> {
    let directory = crate::data::directory(arguments.data.directory)?;
    let whose = arguments.whose;
    let request =
        Request::Session { seconds: arguments.duration, account: whose.account, create: whose.create };
    let reply = client::ask(&directory, &request)?;
    let Reply::Session(session) = reply else { return client::unexpected() };
    let document = json!({
        "Version": 1,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expiration,
    });
    crate::say(&serde_json::to_string_pretty(&document)?);
    Ok(())
}
