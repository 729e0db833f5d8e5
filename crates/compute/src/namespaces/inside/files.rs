//! The files that tell programs where they are.
//!
//! Written from inside, by root inside, in the new root. Whatever stands in the place of a file is removed, not opened.

use super::{Doing, environment};
use crate::{Error, InstanceSpec};
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Where cloud-init keeps what an instance was launched with, and logs what came of it.
const USER_DATA: &str = "/var/lib/cloud/instance/user-data.txt";
pub(super) const SCRIPT: &str = "/var/lib/cloud/instance/scripts/part-001";
pub(super) const LOG: &str = "/var/log/cloud-init-output.log";

const ENVIRONMENT: &str = "/etc/environment";
/// Longest file of variables that is read before ours are put into it.
const ENVIRONMENT_BYTES_MAX: u64 = 64 * 1024;

/// Writes them. Some only at the first boot: from then on they are the instance's own. Then, too, what it put into the
/// place of the others is its own affair, and does not keep it from starting.
pub(super) fn write(spec: &InstanceSpec, first: bool) -> Result<(), Error> {
    let written = every_boot(spec);
    if !first {
        return Ok(());
    }
    written?;
    for (path, text) in [("/etc/hosts", hosts(spec)), ("/etc/resolv.conf", resolvers(&spec.nameservers))] {
        replace(path, text.as_bytes(), 0o644).doing(&format!("write `{path}`"))?;
    }
    user_data(spec).doing("store the user data")
}

fn every_boot(spec: &InstanceSpec) -> Result<(), Error> {
    for (path, mode) in
        [("/root", 0o700), ("/etc/profile.d", 0o755), ("/run/lock", 0o755), ("/var/log", 0o755)]
    {
        DirBuilder::new().recursive(true).mode(mode).create(path).doing(&format!("make `{path}`"))?;
    }
    for (path, text) in [
        ("/etc/hostname", format!("{}\n", spec.hostname.as_str())),
        (ENVIRONMENT, variables(&read_variables(), spec)),
        ("/etc/profile.d/daypass.sh", profile(spec)),
    ] {
        replace(path, text.as_bytes(), 0o644).doing(&format!("write `{path}`"))?;
    }
    Ok(())
}

fn user_data(spec: &InstanceSpec) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create("/var/lib/cloud/instance/scripts")?;
    replace(USER_DATA, spec.user_data.as_bytes(), 0o600)?;
    if spec.user_data.is_script() { replace(SCRIPT, spec.user_data.as_bytes(), 0o700) } else { Ok(()) }
}

fn replace(path: &str, content: &[u8], mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // Nobody else runs here yet who could put something there in between.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)
}

/// The lines that are there, without variables that we set.
fn read_variables() -> String {
    let mut text = String::new();
    let plain = fs::symlink_metadata(ENVIRONMENT).is_ok_and(|found| found.is_file());
    if plain && let Ok(file) = File::open(ENVIRONMENT) {
        // What is not text is not variables.
        let _ = file.take(ENVIRONMENT_BYTES_MAX).read_to_string(&mut text);
    }
    text
}

fn variables(present: &str, spec: &InstanceSpec) -> String {
    let ours = |line: &str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        spec.environment.iter().any(|(own, _)| own == name.strip_prefix("export ").unwrap_or(name).trim())
    };
    let mut text = String::new();
    for line in present.lines().filter(|line| !ours(line)) {
        let _ = writeln!(text, "{line}");
    }
    for (name, value) in spec.environment.iter() {
        let _ = writeln!(text, "{name}=\"{value}\"");
    }
    text
}

fn profile(spec: &InstanceSpec) -> String {
    let mut text = "# Written at every start of the instance.\n".to_owned();
    for (name, value) in spec.environment.iter() {
        let _ = writeln!(text, "export {name}='{value}'");
    }
    text
}

fn hosts(spec: &InstanceSpec) -> String {
    let name = spec.hostname.as_str();
    let short = name.split('.').next().unwrap_or(name);
    let also = if short == name { String::new() } else { format!(" {short}") };
    format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{} {name}{also}\n",
        spec.network.private_ip
    )
}

fn resolvers(servers: &[IpAddr]) -> String {
    let mut text = String::new();
    for server in servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    if servers.is_empty() {
        text.push_str("# Without a resolver, names are those of /etc/hosts.\n");
    }
    text
}

/// Starts the script of the user data, as cloud-init does: as root, once, with what it says in a log.
pub(super) fn run_user_data(spec: &InstanceSpec) {
    let log = OpenOptions::new().append(true).create(true).mode(0o640).open(LOG);
    let Ok(log) = log else { return };
    let started = log.try_clone().and_then(|errors| {
        let mut command = std::process::Command::new(SCRIPT);
        command.env_clear().envs(environment(&spec.environment)).current_dir("/");
        command.stdin(std::process::Stdio::null()).stdout(log.try_clone()?).stderr(errors).spawn()
    });
    if let Err(e) = started {
        // A log that cannot be written to leaves nobody to tell.
        let _ = writeln!(&log, "{}: {e}", Path::new(SCRIPT).display());
    }
}
