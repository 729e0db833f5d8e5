//! `daypass exec`.

use std::process::ExitCode;

use anyhow::Result;

use crate::admin::client;
use crate::cli::Exec;

pub(crate) fn run(arguments: Exec) -> Result<ExitCode> {
    let directory = crate::data::directory(arguments.data.directory)?;
    let status = client::exec(&directory, &arguments.instance, &arguments.command)?;
    Ok(ExitCode::from(status))
}
