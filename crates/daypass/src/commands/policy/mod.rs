//! `daypass policy`: what can be done with documents alone.

mod check;
mod sarif;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Policy, PolicyCommand};

pub(crate) fn run(arguments: Policy) -> Result<ExitCode> {
    match arguments.command {
        PolicyCommand::Check(arguments) => check::run(&arguments),
    }
}
