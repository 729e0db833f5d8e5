//! Whether the index's log lost anything that was acknowledged.
//!
//! SQLite reads its log up to the first frame whose checksum is wrong and takes the rest for what a crash left unfinished
//! (sqlite.org, "WAL-mode File Format"). A byte that rots in the middle would so take back every commit behind it, silently, and
//! objects would be what they once were. But here each commit is synced before the next one begins: what a crash left
//! unfinished is one commit at most. Where marks of more than one stand behind the end, the log is damaged.

use crate::local::disk::{Disk, DiskFile};
use crate::{Error, Result};
use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const LARGEST_PAGE: u32 = 65536;

/// The two sums that go through a log.
type Sums = (u32, u32);

/// Refuses a log that was damaged after it was acknowledged.
pub(crate) fn check(disk: &dyn Disk, path: &Path) -> Result<()> {
    let Ok(file) = disk.open(path) else { return Ok(()) };
    let mut header = [0; HEADER];
    if file.read_at(&mut header, 0).is_err()
        || header == [0; HEADER] && file.read_at(&mut [0], HEADER as u64).is_err()
    {
        // nothing was committed to it: its header is synced before anything is written behind
        return Ok(());
    }
    let damaged = |lost: &str| {
        Err(Error::Corrupt(format!(
            "the index's log `{}` is damaged{lost}; restore a backup, and leave the log where it is: without it the index may be torn",
            path.display()
        )))
    };
    let Some((log, sums)) = Log::read(&header) else { return damaged("") };
    match log.marks_behind_its_end(&*file, sums) {
        0 | 1 => Ok(()),
        lost => damaged(&format!(", {lost} acknowledged commits cannot be read")),
    }
}

struct Log {
    big_endian: bool,
    page: usize,
    salt: [u8; 8],
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).unwrap_or_default();
    u32::from_be_bytes(word)
}

impl Log {
    /// What the header says, if it is sound.
    fn read(header: &[u8; HEADER]) -> Option<(Self, Sums)> {
        let (magic, page) = (word(header, 0), word(header, 8));
        let sizes = 512..=LARGEST_PAGE;
        if magic & !1 != MAGIC || !page.is_power_of_two() || !sizes.contains(&page) {
            return None;
        }
        let salt = header.get(16..24)?.try_into().ok()?;
        let log = Self { big_endian: magic & 1 == 1, page: page as usize, salt };
        let sums = log.sum((0, 0), header.get(..24)?);
        (sums == (word(header, 24), word(header, 28))).then_some((log, sums))
    }

    fn sum(&self, (mut one, mut two): Sums, bytes: &[u8]) -> Sums {
        for pair in bytes.as_chunks::<8>().0 {
            let (first, second) = (word(pair, 0), word(pair, 4));
            let (first, second) =
                if self.big_endian { (first, second) } else { (first.swap_bytes(), second.swap_bytes()) };
            one = one.wrapping_add(first).wrapping_add(two);
            two = two.wrapping_add(second).wrapping_add(one);
        }
        (one, two)
    }

    /// How many commits are marked from the first frame on that does not read.
    fn marks_behind_its_end(&self, file: &dyn DiskFile, mut sums: Sums) -> u64 {
        let mut frame = vec![0; FRAME + self.page];
        let (mut at, mut sound, mut marks) = (HEADER as u64, true, 0);
        while file.read_at(&mut frame, at).is_ok() {
            at += frame.len() as u64;
            let (head, page) = frame.split_at(FRAME);
            let is_of_this_log = head.get(8..16) == Some(&self.salt[..]);
            if sound {
                sums = self.sum(self.sum(sums, head.get(..8).unwrap_or_default()), page);
                sound = is_of_this_log && sums == (word(head, 16), word(head, 20));
            }
            if !sound && is_of_this_log && word(head, 4) != 0 {
                marks += 1;
            }
        }
        marks
    }
}
