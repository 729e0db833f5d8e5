//! Lines with descriptors beside them, over a Unix socket.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::protocol::MAX_LINE;

/// The most descriptors that come with one line.
const MAX_DESCRIPTORS: usize = 3;

/// Reads one line and the descriptors that came with it. Nothing is read beyond it: the other end says no more until it
/// is answered.
pub(crate) async fn receive(stream: &UnixStream) -> std::io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let (mut line, mut descriptors) = (vec![], vec![]);
    while !line.ends_with(b"\n") {
        let (piece, with) = stream.async_io(Interest::READABLE, || receive_piece(stream.as_raw_fd())).await?;
        if piece.is_empty() {
            break;
        }
        line.extend_from_slice(&piece);
        descriptors.extend(with);
        if line.len() > MAX_LINE || descriptors.len() > MAX_DESCRIPTORS {
            return Err(std::io::Error::other("the request is too long"));
        }
    }
    Ok((line, descriptors))
}

pub(super) fn receive_piece(socket: RawFd) -> std::io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut buffer = vec![0; 16 << 10];
    let mut space = nix::cmsg_space!([RawFd; MAX_DESCRIPTORS]);
    let (count, descriptors) = {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let message = recvmsg::<UnixAddr>(socket, &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
        let mut descriptors = vec![];
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = control {
                descriptors.extend(raw.into_iter().map(own));
            }
        }
        (message.bytes, descriptors)
    };
    buffer.truncate(count);
    Ok((buffer, descriptors))
}

#[expect(unsafe_code, reason = "a descriptor that the kernel made for this process becomes its own")]
fn own(raw: RawFd) -> OwnedFd {
    use std::os::fd::FromRawFd as _;
    // SAFETY: the kernel made the descriptor for this process with this message, and nothing else knows it.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

/// Writes one line with descriptors beside its first piece.
pub(crate) fn send(socket: RawFd, line: &[u8], descriptors: &[RawFd]) -> nix::Result<usize> {
    let control = [ControlMessage::ScmRights(descriptors)];
    let control = if descriptors.is_empty() { &[][..] } else { &control[..] };
    sendmsg::<UnixAddr>(socket, &[IoSlice::new(line)], control, MsgFlags::empty(), None)
}
