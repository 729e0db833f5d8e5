//! How much a connection takes in at once: much where there are few, little where there are many. The HTTP library's buffer is as
//! large as what one read may bring, and so is what of a body waits to be handled.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

/// What all connections share.
const SHARED: u64 = 8 << 20;
/// The least and the most that one takes in at once. The library doubles its buffer when a read fills it: what stays a byte below a
/// power of two does not.
const LEAST: u64 = (8 << 10) - 1;
const MOST: u64 = (64 << 10) - 1;

/// Counts the connections that are open.
#[derive(Default)]
pub(crate) struct Connections(AtomicU64);

impl Connections {
    /// A connection that is counted until it is dropped.
    pub(crate) fn enter<S: AsyncRead>(self: &Arc<Self>, stream: S) -> Connection<S> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Connection { stream: stream.take(0), of: Arc::clone(self) }
    }

    fn at_once(&self) -> u64 {
        let share = SHARED / self.0.load(Ordering::Relaxed).max(1);
        ((share + 1).next_power_of_two() / 2).saturating_sub(1).clamp(LEAST, MOST)
    }
}

/// One of them.
pub(crate) struct Connection<S> {
    stream: Take<S>,
    of: Arc<Connections>,
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.of.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let at_once = self.of.at_once();
        self.stream.set_limit(at_once);
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_share_what_there_is_and_none_is_left_without() {
        let connections = Arc::new(Connections::default());
        let body = vec![7; 1 << 20];
        let mut one = connections.enter(&body[..]);
        let mut others = Vec::new();
        for (count, most) in
            [(1, 64 << 10), (128, 64 << 10), (129, 32 << 10), (1000, 8 << 10), (5000, 8 << 10)]
        {
            others.resize_with(count - 1, || connections.enter(&[][..]));
            let mut buffer = vec![0; 256 << 10];
            assert_eq!(one.read(&mut buffer).await.unwrap(), most - 1, "{count} connections");
        }
        drop(others);
        let mut rest = Vec::new();
        one.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), (1 << 20) - (64 + 64 + 32 + 8 + 8) * 1024 + 5);
        drop(one);
        assert_eq!(connections.0.load(Ordering::Relaxed), 0);
    }
}
