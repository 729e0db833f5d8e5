//! A keep-alive connection that knows as much of HTTP/1.1 as S3 servers answer.

use crate::sign::Signer;
use anyhow::{Context as _, Result, bail};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    stream: TcpStream,
    signer: Arc<Signer>,
    pending: Vec<u8>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Empty where it is longer than what is kept.
    pub(crate) body: Vec<u8>,
    pub(crate) length: usize,
}

/// Longer bodies are counted and dropped, so that many streams at once need no memory here.
const KEPT: usize = 1 << 20;

impl Connection {
    pub(crate) async fn open(endpoint: &str, signer: Arc<Signer>) -> Result<Self> {
        let stream = TcpStream::connect(endpoint).await.with_context(|| format!("`{endpoint}`"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, signer, pending: Vec::new() })
    }

    /// Sends a signed request and reads all of its answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let mut request = self.signer.head(method, path, query, body).into_bytes();
        if body.len() < 64 << 10 {
            request.extend_from_slice(body);
            self.stream.write_all(&request).await?;
        } else {
            self.stream.write_all(&request).await?;
            self.stream.write_all(body).await?;
        }
        self.answer(method == "HEAD").await
    }

    async fn more(&mut self) -> Result<()> {
        self.pending.reserve(256 << 10);
        if self.stream.read_buf(&mut self.pending).await? == 0 {
            bail!("the server ended the connection");
        }
        Ok(())
    }

    async fn answer(&mut self, bodiless: bool) -> Result<Answer> {
        let end = loop {
            if let Some(end) = self.pending.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.pending[..end]).to_ascii_lowercase();
        self.pending.drain(..end);
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let body = if bodiless || status == 204 {
            Vec::new()
        } else if let Some(length) = header("content-length:") {
            let length = length.parse()?;
            if length > KEPT {
                self.skip(length).await?;
                return Ok(Answer { status, body: Vec::new(), length });
            }
            self.take(length).await?
        } else if header("transfer-encoding:") == Some("chunked") {
            self.chunks().await?
        } else {
            bail!("an answer of unknown length");
        };
        Ok(Answer { status, length: body.len(), body })
    }

    async fn skip(&mut self, mut length: usize) -> Result<()> {
        loop {
            let here = length.min(self.pending.len());
            self.pending.drain(..here);
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.pending.len() < length {
            self.more().await?;
        }
        let rest = self.pending.split_off(length);
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = self.pending.windows(2).position(|window| window == b"\r\n") {
                    break end;
                }
                self.more().await?;
            };
            let line = self.take(end + 2).await?;
            let length = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16)?;
            let chunk = self.take(length + 2).await?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }
}

/// The text between two others, if they are there.
pub(crate) fn between(body: &[u8], before: &str, after: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.map_or(String::new(), |(token, _)| token.to_owned())
}
