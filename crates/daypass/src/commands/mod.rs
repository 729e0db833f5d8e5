//! What each command does.

mod backup;
mod bucket;
mod credentials;
mod env;
mod exec;
mod fsck;
mod operations;
mod partner;
mod policy;
mod status;
mod up;
mod why;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::{Arguments, Command};

/// Runs a command to its end.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Up(up) => return up::run(*up),
        Command::Env(env) => env::run(env)?,
        Command::Credentials(credentials) => credentials::run(credentials)?,
        Command::Exec(exec) => return exec::run(exec),
        Command::Status(status) => status::run(status)?,
        Command::Why(why) => why::run(why)?,
        Command::Fsck(fsck) => return Ok(fsck::run(fsck)),
        Command::Backup(backup) => backup::back_up(backup)?,
        Command::Restore(restore) => backup::restore(restore)?,
        Command::Bucket(bucket) => bucket::run(bucket.command)?,
        Command::Partner(partner) => partner::run(partner.command)?,
        Command::Operations(operations) => operations::run(&operations)?,
        Command::Policy(policy) => return policy::run(policy),
        Command::Completions(completions) => {
            let mut command = Arguments::command();
            let mut out = vec![];
            clap_complete::generate(completions.shell, &mut command, "daypass", &mut out);
            std::io::stdout().write_all(&out)?;
        }
        Command::Man => clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?,
        Command::InstanceHost => {
            daypass_compute::namespaces::child::main(std::os::fd::AsRawFd::as_raw_fd(&std::io::stdin()))
        }
    }
    Ok(ExitCode::SUCCESS)
}
