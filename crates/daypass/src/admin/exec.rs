//! A command inside an instance, as its client sees it.
//!
//! The client's standard streams are handed over as they are, but never a terminal: who holds a terminal can type into it.
//! Where input and output are one, the command gets a terminal of the instance's own, and this end relays; where only
//! one stream is, a pipe stands between.

use std::io::{IsTerminal as _, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

use super::client::connect;
use super::descriptors::send;
use super::protocol::{Reply, Request};

/// Runs a command; its exit status.
pub(crate) fn run(directory: &Path, instance: &str, command: &[String]) -> Result<u8> {
    let stream = connect(directory)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal { in_terminal(&stream, instance, command) } else { on_streams(&stream, instance, command) }
}

fn ask(stream: &UnixStream, request: &Request, descriptors: &[&OwnedFd]) -> Result<()> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let raw: Vec<_> = descriptors.iter().map(|d| d.as_raw_fd()).collect();
    let sent = send(stream.as_raw_fd(), &line, &raw).context("the server did not take the request")?;
    let mut rest = stream;
    rest.write_all(line.get(sent..).unwrap_or_default()).context("the server did not take the request")
}

/// Answers, one line each, with the descriptor that may come beside one.
struct Answers<'a> {
    stream: &'a UnixStream,
    pending: Vec<u8>,
}

impl Answers<'_> {
    fn next(&mut self) -> Result<(Reply, Option<OwnedFd>)> {
        let mut descriptor = None;
        loop {
            if let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return match serde_json::from_slice(&line).context("the server is of another version")? {
                    Reply::Failed { why } => bail!("{why}"),
                    reply => Ok((reply, descriptor)),
                };
            }
            let (piece, mut with) = super::descriptors::receive_piece(self.stream.as_raw_fd())?;
            if piece.is_empty() {
                bail!("the server ended the connection");
            }
            self.pending.extend_from_slice(&piece);
            descriptor = with.pop().or(descriptor);
        }
    }

    fn exit_status(&mut self) -> Result<u8> {
        loop {
            match self.next()?.0 {
                Reply::Exited { status } => return Ok(status),
                Reply::Running => {}
                _ => bail!("the server answered something else than was asked: is it of another version?"),
            }
        }
    }
}

fn on_streams(stream: &UnixStream, instance: &str, command: &[String]) -> Result<u8> {
    let request =
        Request::Exec { instance: instance.to_owned(), arguments: command.to_vec(), terminal: None };
    let mut relays = vec![];
    let stdin = input()?;
    let stdout = output(std::io::stdout(), &mut relays)?;
    let stderr = output(std::io::stderr(), &mut relays)?;
    ask(stream, &request, &[&stdin, &stdout, &stderr])?;
    // This end's copies must go, or a relay would never see the end.
    drop((stdin, stdout, stderr));
    let status = Answers { stream, pending: vec![] }.exit_status()?;
    for relay in relays {
        let _ = relay.join();
    }
    Ok(status)
}

/// Standard input as it is; a terminal through a pipe.
fn input() -> Result<OwnedFd> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(stdin.as_fd().try_clone_to_owned()?);
    }
    let (reader, mut writer) = std::io::pipe()?;
    // It ends with the process: what is typed after the command's end is nobody's.
    std::thread::spawn(move || copy(&mut std::io::stdin(), &mut writer));
    Ok(reader.into())
}

/// A standard output as it is; a terminal through a pipe.
fn output(
    stream: impl Write + AsFd + std::io::IsTerminal + Send + 'static,
    relays: &mut Vec<JoinHandle<()>>,
) -> Result<OwnedFd> {
    if !stream.is_terminal() {
        return Ok(stream.as_fd().try_clone_to_owned()?);
    }
    let (mut reader, writer) = std::io::pipe()?;
    let mut stream = stream;
    relays.push(std::thread::spawn(move || copy(&mut reader, &mut stream)));
    Ok(writer.into())
}

/// Copies piece by piece, each at once.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let Some(piece) = buffer.get(..count) else { return };
        if to.write_all(piece).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

/// The terminal as it was, when this goes.
struct Raw(Termios);

impl Raw {
    fn set() -> Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

fn in_terminal(stream: &UnixStream, instance: &str, command: &[String]) -> Result<u8> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).context("the terminal has no size")?;
    let request = Request::Exec {
        instance: instance.to_owned(),
        arguments: command.to_vec(),
        terminal: Some((size.ws_row, size.ws_col)),
    };
    ask(stream, &request, &[])?;
    let mut answers = Answers { stream, pending: vec![] };
    let (Reply::Running, Some(far)) = answers.next()? else {
        bail!("the server gave no terminal: is it of another version?");
    };
    let raw = Raw::set()?;
    let keyboard = std::fs::File::from(far.try_clone()?);
    let screen = std::fs::File::from(far.try_clone()?);
    follow_size(far)?;
    std::thread::spawn(move || copy(&mut std::io::stdin(), &mut { keyboard }));
    let shown = std::thread::spawn(move || copy(&mut { screen }, &mut std::io::stdout()));
    let status = answers.exit_status();
    let _ = shown.join();
    drop(raw);
    status
}

/// Gives the far terminal this one's size whenever it changes.
fn follow_size(far: OwnedFd) -> Result<()> {
    let mut changed = signal_hook::iterator::Signals::new([signal_hook::consts::SIGWINCH])?;
    std::thread::spawn(move || {
        for _ in changed.forever() {
            if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) {
                let _ = rustix::termios::tcsetwinsize(&far, size);
            }
        }
    });
    Ok(())
}
