//! A command's end of the socket.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, ErrorKind, IoSlice, IsTerminal as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::protocol::{MAX_LINE, Reply, Request};
use crate::data::socket;

fn connect(directory: &Path) -> Result<UnixStream> {
    let place = socket(directory);
    UnixStream::connect(&place).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow::anyhow!(
            "no server runs on `{}`: start one with `daypass up`, or name its directory with `--data DIR`",
            directory.display()
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "`{}` is not yours: run this as the user who runs the server",
            directory.display()
        ),
        _ => anyhow::Error::new(error).context(format!("`{}` cannot be reached", place.display())),
    })
}

fn read(stream: &UnixStream) -> Result<Reply> {
    let mut line = String::new();
    let limited = std::io::Read::take(stream, MAX_LINE as u64);
    BufReader::new(limited).read_line(&mut line).context("the server did not answer")?;
    if line.is_empty() {
        bail!("the server ended the connection");
    }
    match serde_json::from_str(&line)
        .context("the server answered something else than expected: is it of another version?")?
    {
        Reply::Failed { why } => bail!("{why}"),
        reply => Ok(reply),
    }
}

/// Asks one thing.
pub(crate) fn ask(directory: &Path, request: &Request) -> Result<Reply> {
    let mut stream = connect(directory)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).context("the server did not take the request")?;
    read(&stream)
}

/// An answer to another question.
pub(crate) fn unexpected<T>() -> Result<T> {
    bail!("the server answered something else than was asked: is it of another version?")
}

/// Runs a command inside an instance, on this process's own standard streams; its exit status.
pub(crate) fn exec(directory: &Path, instance: &str, command: &[OsString]) -> Result<u8> {
    let stream = connect(directory)?;
    let hex = |argument: &OsString| argument.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let request = Request::Exec {
        instance: instance.to_owned(),
        arguments: command.iter().map(hex).collect(),
        terminal: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
    };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    let streams =
        [std::io::stdin().as_raw_fd(), std::io::stdout().as_raw_fd(), std::io::stderr().as_raw_fd()];
    let sent = sendmsg::<()>(
        stream.as_raw_fd(),
        &[IoSlice::new(&line)],
        &[ControlMessage::ScmRights(&streams)],
        MsgFlags::empty(),
        None,
    )
    .context("the server did not take the request")?;
    let rest = line.get(sent..).unwrap_or_default();
    (&stream).write_all(rest).context("the server did not take the request")?;
    match read(&stream)? {
        Reply::Exited { status } => Ok(status),
        _ => unexpected(),
    }
}
