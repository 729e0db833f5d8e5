//! Whether the database's log holds commits that SQLite will not read.
//!
//! SQLite reads its log up to the first frame whose checksum is wrong and takes the rest for what a crash left unfinished
//! (sqlite.org, "WAL-mode File Format"). A byte that rots in the middle would so take back every commit behind it, silently.
//! A commit that was under way when the power failed leaves one mark behind the end at most.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const LARGEST_PAGE: u32 = 65536;

/// The two sums that go through a log.
type Sums = (u32, u32);

/// What is wrong with the log, in words.
///
/// # Errors
/// If it is there and cannot be read.
pub(super) fn damage(path: &Path) -> std::io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut header = [0; HEADER];
    if !fill(&mut file, &mut header)? || header == [0; HEADER] && !fill(&mut file, &mut [0])? {
        // nothing was committed to it: its header is synced before anything is written behind
        return Ok(None);
    }
    let Some((log, sums)) = Log::read(&header) else {
        return Ok(Some("its header is damaged, and none of the commits in it can be read".to_owned()));
    };
    let marks = log.marks_behind_its_end(&mut file, sums)?;
    Ok((marks > 1)
        .then(|| format!("it breaks off before {marks} commits that it holds, which cannot be read")))
}

/// Whether there was enough to fill it.
fn fill(file: &mut BufReader<File>, buffer: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
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
        if magic & !1 != MAGIC || !page.is_power_of_two() || !(512..=LARGEST_PAGE).contains(&page) {
            return None;
        }
        let salt = header.get(16..24)?.try_into().ok()?;
        let log = Self { big_endian: magic & 1 == 1, page: page as usize, salt };
        let sums = log.sum((0, 0), header.get(..24)?);
        (sums == (word(header, 24), word(header, 28))).then_some((log, sums))
    }

    fn sum(&self, (mut one, mut two): Sums, bytes: &[u8]) -> Sums {
        let own = |bytes: [u8; 4]| {
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
            one = one.wrapping_add(own([*a, *b, *c, *d])).wrapping_add(two);
            two = two.wrapping_add(own([*e, *f, *g, *h])).wrapping_add(one);
        }
        (one, two)
    }

    /// How many commits are marked from the first frame on that does not read.
    fn marks_behind_its_end(&self, file: &mut BufReader<File>, mut sums: Sums) -> std::io::Result<u64> {
        let mut frame = vec![0; FRAME + self.page];
        let (mut sound, mut marks) = (true, 0);
        while fill(file, &mut frame)? {
            let (head, page) = frame.split_at(FRAME);
            let is_of_this_log = head.get(8..16) == Some(&self.salt[..]);
            if sound {
                sums = self.sum(self.sum(sums, head.get(..8).unwrap_or_default()), page);
                sound = is_of_this_log && sums == (word(head, 16), word(head, 20));
            }
            marks += u64::from(!sound && is_of_this_log && word(head, 4) != 0);
        }
        Ok(marks)
    }
}
