//! `daypass env`.

use anyhow::Result;

use crate::admin::client;
use crate::admin::protocol::{Reply, Request};
use crate::cli::{Env, EnvFormat};

pub(crate) fn run(arguments: Env) -> Result<()> {
    let directory = crate::data::directory(arguments.data.directory)?;
    let whose = arguments.whose;
    let request =
        Request::Session { seconds: arguments.duration, account: whose.account, create: whose.create };
    let reply = client::ask(&directory, &request)?;
    let Reply::Session(session) = reply else { return client::unexpected() };
    let variables = [
        ("AWS_ENDPOINT_URL", session.endpoint.as_str()),
        ("AWS_REGION", session.region.as_str()),
        ("AWS_DEFAULT_REGION", session.region.as_str()),
        ("AWS_ACCESS_KEY_ID", session.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", session.secret_access_key.as_str()),
        ("AWS_SESSION_TOKEN", session.session_token.as_str()),
        ("AWS_CREDENTIAL_EXPIRATION", session.expiration.as_str()),
    ];
    match arguments.format {
        // None of the values holds a quote: they are addresses, regions and base64.
        EnvFormat::Sh => {
            variables.iter().for_each(|(name, value)| crate::say(&format!("export {name}='{value}'")))
        }
        EnvFormat::Fish => {
            variables.iter().for_each(|(name, value)| crate::say(&format!("set -gx {name} '{value}'")))
        }
        EnvFormat::Json => {
            let object: serde_json::Map<String, serde_json::Value> =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            crate::say(&serde_json::to_string_pretty(&object)?);
        }
    }
    Ok(())
}
