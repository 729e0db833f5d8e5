//! What an extent is in its file: a header, the data, a table.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `DPex` |
//! | 4 | flags, least significant byte first: 1 = sealed |
//! | 8 | number of the blob |
//! | 8 | number, within the blob, of the first block |
//! | 8 | bytes of data |
//! | 4 | zero |
//! | 4 | CRC32C of the 36 bytes before |
//! | n | data, in blocks of 64 KiB, the last shorter |
//! | 4 or 20 each | for each block: its CRC32C; if sealed, also its tag |
//! | 0 to 7 | zero, so that the next extent begins at a multiple of 8 |
//!
//! The CRC of a block covers the blob's number, the block's number and the bytes as they are stored, so that a write
//! that was lost or went astray is seen, not only a bit that flipped.

use super::cipher::{BlobCipher, TAG_BYTES};
use super::disk::DiskFile;
use super::record::Extent;
use crate::{Error, Result};
use crc_fast::{CrcAlgorithm, Digest};
use std::ops::Range;

pub(super) const BLOCK: u64 = 64 * 1024;
pub(super) const HEADER: u64 = 40;
const MAGIC: [u8; 4] = *b"DPex";
const CRC_BYTES: usize = 4;
const SEALED: u32 = 1;
const ALIGN: u64 = 8;

pub(super) fn blocks(length: u64) -> u64 {
    length.div_ceil(BLOCK)
}

pub(super) fn entry_bytes(sealed: bool) -> u64 {
    if sealed { (CRC_BYTES + TAG_BYTES) as u64 } else { CRC_BYTES as u64 }
}

/// Bytes of the file that an extent with so much data takes.
pub(super) fn footprint(length: u64, sealed: bool) -> u64 {
    (HEADER + length + blocks(length) * entry_bytes(sealed)).next_multiple_of(ALIGN)
}

/// Whole blocks that an extent in so much room can hold.
pub(super) fn blocks_within(room: u64, sealed: bool) -> u64 {
    room.saturating_sub(HEADER + ALIGN) / (BLOCK + entry_bytes(sealed))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sealed: bool,
    pub(super) blob: u64,
    pub(super) first_block: u64,
    pub(super) length: u64,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(if self.sealed { SEALED } else { 0 }).to_le_bytes());
        for number in [self.blob, self.first_block, self.length] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&crc32c(&[&bytes]).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; HEADER as usize]) -> Option<Self> {
        let (head, crc) = bytes.split_last_chunk::<4>()?;
        let (magic, rest) = head.split_first_chunk::<4>()?;
        let (flags, rest) = rest.split_first_chunk::<4>()?;
        let (blob, rest) = rest.split_first_chunk::<8>()?;
        let (first_block, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let flags = u32::from_le_bytes(*flags);
        let whole = crc32c(&[head]) == u32::from_le_bytes(*crc) && *magic == MAGIC && flags <= SEALED;
        (whole && rest == [0; 4]).then(|| Self {
            sealed: flags & SEALED != 0,
            blob: u64::from_le_bytes(*blob),
            first_block: u64::from_le_bytes(*first_block),
            length: u64::from_le_bytes(*length),
        })
    }
}

fn crc32c(pieces: &[&[u8]]) -> u32 {
    let mut crc = Digest::new(CrcAlgorithm::Crc32Iscsi);
    for piece in pieces {
        crc.update(piece);
    }
    u32::try_from(crc.finalize()).unwrap_or(0)
}

fn block_crc(blob: u64, block: u64, bytes: &[u8]) -> [u8; CRC_BYTES] {
    crc32c(&[&blob.to_le_bytes(), &block.to_le_bytes(), bytes]).to_le_bytes()
}

/// Seals the blocks in place if they are to be, and adds their entries to the table.
pub(super) fn protect(
    blob: u64,
    first_block: u64,
    data: &mut [u8],
    cipher: Option<&BlobCipher>,
    table: &mut Vec<u8>,
) -> Result<()> {
    for (bytes, block) in data.chunks_mut(BLOCK as usize).zip(first_block..) {
        let tag = cipher.map(|cipher| cipher.seal(blob, block, bytes)).transpose()?;
        table.extend_from_slice(&block_crc(blob, block, bytes));
        table.extend_from_slice(tag.as_ref().map_or(&[], |tag| &tag[..]));
    }
    Ok(())
}

/// The entries of blocks that are not sealed, for data that must not be touched.
pub(super) fn protect_plain(blob: u64, first_block: u64, data: &[u8], table: &mut Vec<u8>) {
    for (bytes, block) in data.chunks(BLOCK as usize).zip(first_block..) {
        table.extend_from_slice(&block_crc(blob, block, bytes));
    }
}

/// An extent as a reader needs it.
pub(super) struct ReadExtent<'a> {
    pub(super) file: &'a dyn DiskFile,
    pub(super) extent: Extent,
    pub(super) blob: u64,
    /// Number, within the blob, of the extent's first block.
    pub(super) first_block: u64,
    pub(super) sealed: bool,
}

impl ReadExtent<'_> {
    /// The data of some of the extent's blocks, counted within the extent; checked, and opened if a cipher is given.
    pub(super) fn read(&self, range: Range<u64>, cipher: Option<&BlobCipher>) -> Result<Vec<u8>> {
        let (mut data, table) = self.read_raw(range.clone())?;
        self.check(range, &mut data, &table, cipher)?;
        Ok(data)
    }

    /// The same, into memory that is there. It has to be as long as the data of these blocks.
    pub(super) fn read_into(
        &self,
        range: Range<u64>,
        cipher: Option<&BlobCipher>,
        data: &mut [u8],
    ) -> Result<()> {
        if self.length(&range)? != data.len() as u64 {
            return Err(Error::InvalidRange);
        }
        self.read_at(data, self.extent.offset + range.start * BLOCK)?;
        let table = self.table(&range)?;
        self.check(range, data, &table, cipher)
    }

    fn check(
        &self,
        range: Range<u64>,
        data: &mut [u8],
        table: &[u8],
        cipher: Option<&BlobCipher>,
    ) -> Result<()> {
        let entries = table.chunks_exact(entry_bytes(self.sealed) as usize);
        for ((bytes, entry), block) in
            data.chunks_mut(BLOCK as usize).zip(entries).zip(self.first_block + range.start..)
        {
            let (crc, tag) = entry.split_first_chunk::<CRC_BYTES>().ok_or_else(|| self.corrupt(block))?;
            if *crc != block_crc(self.blob, block, bytes) {
                return Err(self.corrupt(block));
            }
            if let Some(cipher) = cipher {
                let tag = tag.try_into().map_err(|_| self.corrupt(block))?;
                cipher.open(self.blob, block, bytes, tag)?;
            }
        }
        Ok(())
    }

    /// How many bytes of data some blocks have.
    fn length(&self, range: &Range<u64>) -> Result<u64> {
        let end = (range.end * BLOCK).min(self.extent.length);
        end.checked_sub(range.start * BLOCK).ok_or(Error::InvalidRange)
    }

    /// The table entries of some blocks.
    fn table(&self, range: &Range<u64>) -> Result<Vec<u8>> {
        let entry_bytes = entry_bytes(self.sealed);
        let mut table = vec![0; ((range.end - range.start) * entry_bytes) as usize];
        let table_at = self.extent.offset + self.extent.length;
        self.read_at(&mut table, table_at + range.start * entry_bytes)?;
        Ok(table)
    }

    /// The stored bytes and the table entries of some blocks, unchecked.
    fn read_raw(&self, range: Range<u64>) -> Result<(Vec<u8>, Vec<u8>)> {
        let length = self.length(&range)?;
        if length == self.extent.length && blocks(length) == 1 {
            // the table follows at once: one read
            let mut data = vec![0; (length + entry_bytes(self.sealed)) as usize];
            self.read_at(&mut data, self.extent.offset)?;
            let table = data.split_off(length as usize);
            return Ok((data, table));
        }
        let mut data = vec![0; length as usize];
        self.read_at(&mut data, self.extent.offset + range.start * BLOCK)?;
        Ok((data, self.table(&range)?))
    }

    /// The header, data and table as they are stored, with the data checked: to be written elsewhere.
    pub(super) fn read_to_move(&self, range: Range<u64>) -> Result<(Vec<u8>, Vec<u8>)> {
        self.read(range.clone(), None)?;
        self.read_raw(range)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_at(buffer, offset).map_err(|error| {
            Error::Corrupt(format!("segment {} cannot be read at {offset}: {error}", self.extent.segment))
        })
    }

    fn corrupt(&self, block: u64) -> Error {
        let Extent { segment, offset, .. } = self.extent;
        Error::Corrupt(format!(
            "block {block} of blob {} in segment {segment}, extent at {offset}",
            self.blob
        ))
    }
}
