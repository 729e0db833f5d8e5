//! A command inside an instance, at the server's end.

use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::Result;
use daypass_compute::{Command, Exec, InstanceId, Streams, TerminalSize};
use tokio::net::UnixStream;

use super::descriptors;
use super::protocol::Reply;
use crate::server::Server;

/// What is asked.
pub(super) struct Asked {
    pub(super) instance: String,
    pub(super) arguments: Vec<String>,
    pub(super) terminal: Option<(u16, u16)>,
    pub(super) streams: Vec<OwnedFd>,
}

/// Runs the command; it ends when its client goes away.
pub(super) async fn run(server: &Server, stream: &UnixStream, asked: Asked) -> Result<Reply> {
    let started = match start(server, asked).await {
        Ok(started) => started,
        Err(why) => return Ok(Reply::Failed { why }),
    };
    let mut exec = started;
    let mut line = serde_json::to_vec(&Reply::Running)?;
    line.push(b'\n');
    let terminal = exec.take_terminal();
    let raw: Vec<_> = terminal.iter().map(|t| t.as_raw_fd()).collect();
    let send = || descriptors::send(stream.as_raw_fd(), &line, &raw).map_err(std::io::Error::from);
    stream.async_io(tokio::io::Interest::WRITABLE, send).await?;
    drop(terminal);
    tokio::select! {
        status = exec => Ok(match status {
            Ok(status) => Reply::Exited { status: status.0 },
            Err(error) => Reply::Failed { why: error.to_string() },
        }),
        () = gone(stream) => Ok(Reply::Failed { why: "the client went away".to_owned() }),
    }
}

/// Resolves when the client has gone. It says nothing more after its request: whatever can be read is its end.
async fn gone(stream: &UnixStream) {
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        // Readiness may be left over from the request.
        match stream.try_read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => return,
        }
    }
}

async fn start(server: &Server, asked: Asked) -> Result<Exec, String> {
    let driver = server.driver()?;
    let id: InstanceId = asked.instance.parse().map_err(|e| format!("{e}"))?;
    let streams = match (asked.terminal, <[OwnedFd; 3]>::try_from(asked.streams)) {
        (Some((rows, columns)), _) => Streams::Terminal(TerminalSize { rows, columns }),
        (None, Ok([stdin, stdout, stderr])) => Streams::Files { stdin, stdout, stderr },
        (None, Err(_)) => return Err("the command came without its standard streams".to_owned()),
    };
    driver.exec(id, Command::new(asked.arguments), streams).await.map_err(|e| e.to_string())
}
