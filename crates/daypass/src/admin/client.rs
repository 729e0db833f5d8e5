//! A command's end of the socket.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::protocol::{MAX_LINE, Reply, Request};
use crate::data::socket;

pub(crate) fn connect(directory: &Path) -> Result<UnixStream> {
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
    let mut line = zeroize::Zeroizing::new(serde_json::to_vec(request)?);
    line.push(b'\n');
    stream.write_all(&line).context("the server did not take the request")?;
    read(&stream)
}

/// An answer to another question.
pub(crate) fn unexpected<T>() -> Result<T> {
    bail!("the server answered something else than was asked: is it of another version?")
}

pub(crate) use super::exec::run as exec;
