//! The program: command line, files, sockets and background work. Everything that touches the machine is here or in a
//! crate that this one hands a socket or a folder to.

mod admin;
mod background;
mod cli;
mod commands;
mod confine;
mod copy;
mod data;
mod deliveries;
mod fsck;
mod instances;
mod machines;
mod objects;
mod server;
mod system;
mod web;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Tells an error on the standard error.
#[expect(clippy::print_stderr, reason = "a command tells its errors there")]
fn complain(words: &str) {
    eprintln!("daypass: {words}");
}

/// Prints a line of a command's answer. Who has read enough may close the pipe.
fn say(words: &str) {
    use std::io::Write as _;
    if writeln!(std::io::stdout(), "{words}").is_err() {
        std::process::exit(0);
    }
}
