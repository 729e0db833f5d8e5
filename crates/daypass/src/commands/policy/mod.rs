//! `daypass policy`: what can be done with documents alone.

mod check;
mod diff;
mod file;
mod question;
mod sarif;
mod side;
mod simulate;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Policy, PolicyCommand};

pub(crate) fn run(arguments: Policy) -> Result<ExitCode> {
    match arguments.command {
        PolicyCommand::Check(arguments) => check::run(&arguments),
        PolicyCommand::Simulate(arguments) => Ok(simulate::run(&arguments)),
        PolicyCommand::Diff(arguments) => Ok(diff::run(&arguments)),
    }
}
