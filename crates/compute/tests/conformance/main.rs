//! One suite for every driver.
//!
//! `contract` is what each of them keeps, the test double too. The rest is about what really runs, and needs the
//! privileges of the namespaces driver; without them each of those tests is listed as ignored.
//!
//! The binary is also the driver's child, a server to be killed, the tool that attackers inside instances use,
//! says with `check` what this machine lacks, and removes with `sweep` what killed runs left.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; without the usual harness the lints do not see that these are tests"
)]

mod attacks;
mod commands;
mod contract;
mod disk;
mod fixture;
mod life;
mod limits;
mod network;
mod survival;
mod tool;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["child"] => daypass_compute::namespaces::child::main(0),
        ["check"] => fixture::print_findings(),
        ["sweep"] => fixture::sweep(),
        ["server", directory] => survival::serve(directory.as_ref()),
        ["tool", rest @ ..] => tool::main(rest),
        _ => {}
    }
    let privileged = fixture::is_privileged();
    let kernel = [
        attacks::CASES,
        commands::CASES,
        disk::CASES,
        life::CASES,
        limits::CASES,
        network::CASES,
        survival::CASES,
    ];
    let kernel =
        kernel.into_iter().flatten().map(|case| trial("namespaces", case).with_ignored_flag(!privileged));
    let contract = contract::trials(privileged);
    libtest_mimic::run(&Arguments::from_args(), contract.into_iter().chain(kernel).collect()).exit();
}

/// A test: what it shows, and how. It fails by panicking.
type Case = (&'static str, fn());

fn trial(driver: &str, (name, run): &'static Case) -> Trial {
    Trial::test(format!("{driver}::{name}"), move || {
        run();
        Ok::<(), Failed>(())
    })
}
