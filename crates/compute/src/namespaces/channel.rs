//! Whole messages over a socket pair, with descriptors beside them.
#![expect(unsafe_code, reason = "descriptors that arrive with a message have to be taken into possession")]

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType, recvmsg,
    sendmsg, setsockopt, shutdown, socketpair, sockopt,
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use zeroize::Zeroize;

/// Longest message, in bytes: a command of 96 KiB with every third character escaped fits.
const MESSAGE_BYTES_MAX: usize = 192 * 1024;
/// Most descriptors beside one message.
const DESCRIPTORS_MAX: usize = 8;

/// One end of a pair. A message arrives whole or not at all, and in order.
pub(super) struct Channel(OwnedFd);

impl Channel {
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        let (near, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        for end in [&near, &far] {
            setsockopt(end, sockopt::SndBuf, &MESSAGE_BYTES_MAX)?;
        }
        Ok((Self(near), Self(far)))
    }

    /// Sends a message, waiting for room. What it was encoded to is zeroed, since it may hold user data.
    pub(super) fn send(&self, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.encode_and_send(message, descriptors, MsgFlags::empty())
    }

    /// Sends a message, or fails with [`io::ErrorKind::WouldBlock`] if there is no room.
    pub(super) fn try_send(
        &self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        self.encode_and_send(message, descriptors, MsgFlags::MSG_DONTWAIT)
    }

    fn encode_and_send(
        &self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
        flags: MsgFlags,
    ) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(message)?;
        let sent = self.send_bytes(&bytes, descriptors, flags | MsgFlags::MSG_NOSIGNAL);
        bytes.zeroize();
        sent
    }

    fn send_bytes(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>], flags: MsgFlags) -> io::Result<()> {
        if bytes.len() > MESSAGE_BYTES_MAX || descriptors.len() > DESCRIPTORS_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"));
        }
        let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let beside = [ControlMessage::ScmRights(&numbers)];
        let beside = if numbers.is_empty() { &[][..] } else { &beside[..] };
        loop {
            match sendmsg::<()>(self.0.as_raw_fd(), &[IoSlice::new(bytes)], beside, flags, None) {
                Err(Errno::EINTR) => {}
                other => return other.map(drop).map_err(io::Error::from),
            }
        }
    }

    /// The next message, or nothing if the other end is gone.
    pub(super) fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut buffer = vec![0; MESSAGE_BYTES_MAX];
        let received = self.receive_bytes(&mut buffer);
        let message = match received {
            Ok((0, _)) => Ok(None),
            Ok((length, descriptors)) => {
                let message = buffer.get(..length).map(serde_json::from_slice::<T>).transpose();
                message.map(|message| message.map(|message| (message, descriptors))).map_err(io::Error::from)
            }
            Err(Errno::ECONNRESET) => Ok(None),
            Err(e) => Err(e.into()),
        };
        buffer.zeroize();
        message
    }

    fn receive_bytes(&self, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
        let mut space = cmsg_space!([RawFd; DESCRIPTORS_MAX]);
        let mut buffer = [IoSliceMut::new(buffer)];
        let received = loop {
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<()>(self.0.as_raw_fd(), &mut buffer, Some(&mut space), flags) {
                Err(Errno::EINTR) => {}
                other => break other?,
            }
        };
        let mut descriptors = Vec::new();
        for beside in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = beside {
                // SAFETY: the kernel has just made these for us, and nobody else knows them.
                descriptors.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
            }
        }
        if received.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC) {
            return Err(Errno::EMSGSIZE);
        }
        Ok((received.bytes, descriptors))
    }

    /// Lets the other end see that this one is done, also if it is held open elsewhere.
    pub(super) fn close(&self) {
        // The only failure is that it is closed already.
        let _ = shutdown(self.0.as_raw_fd(), Shutdown::Both);
    }
}

impl From<OwnedFd> for Channel {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.0
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_message_arrives_whole_with_its_descriptors() {
        let (near, far) = Channel::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        near.send(&"x".repeat(100_000), &[writer.as_fd()]).unwrap();
        drop(writer);
        let (text, mut descriptors) = far.receive::<String>().unwrap().unwrap();
        assert_eq!(text.len(), 100_000);
        io::PipeWriter::from(descriptors.pop().unwrap()).write_all(b"through").unwrap();
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "through");
    }

    #[test]
    fn a_message_that_is_too_long_is_not_sent() {
        let (near, far) = Channel::pair().unwrap();
        assert!(near.send(&"x".repeat(MESSAGE_BYTES_MAX), &[]).is_err());
        near.send(&1, &[]).unwrap();
        assert_eq!(far.receive::<u8>().unwrap().unwrap().0, 1);
    }

    #[test]
    fn the_end_of_the_other_side_is_not_an_error() {
        let (near, far) = Channel::pair().unwrap();
        drop(near);
        assert!(far.receive::<u8>().unwrap().is_none());
    }

    #[test]
    fn what_is_not_of_the_expected_shape_is_refused() {
        let (near, far) = Channel::pair().unwrap();
        near.send(&"text", &[]).unwrap();
        assert!(far.receive::<u8>().is_err());
    }
}
