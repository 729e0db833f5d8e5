//! Identifiers, in AWS's forms. They come from a request's own seed, so that a transaction that runs again makes the
//! same ones.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::hmac;
use daypass_model::{AccountId, Timestamp};

use crate::surroundings::random;
use crate::{Entropy, Secret};

/// The letters of unique ids and access key ids: base32.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A source of identifiers for one request, and of secrets. What is drawn for the one use tells nothing of what is drawn for
/// another, also where both begin again.
pub struct Ids {
    seed: Secret<[u8; 32]>,
    next: AtomicU32,
}

/// What bytes are drawn for.
#[derive(Clone, Copy)]
enum Use {
    /// To name the request, which is done before its transaction begins to count.
    Request,
    /// To name something else.
    Id,
    /// To be known to nobody else.
    Secret,
}

impl Ids {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Secret::new(seed), next: AtomicU32::new(0) }
    }

    /// For work that no request asked for.
    #[must_use]
    pub fn drawn(entropy: &dyn Entropy) -> Self {
        Self::new(random(entropy))
    }

    /// Starts over: the next identifiers are the first ones again.
    pub(crate) fn restart(&self) {
        self.next.store(0, Ordering::Relaxed);
    }

    fn draw(&self, to: Use) -> [u8; 32] {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let label: &[u8] = match to {
            Use::Request => b"request",
            Use::Id => b"id",
            Use::Secret => b"secret",
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.seed.expose());
        let tag = hmac::sign(&key, &[label, b"\0", &number].concat());
        tag.as_ref().try_into().unwrap_or_default()
    }

    /// Bytes that nobody can guess, for what everybody may see.
    pub fn id_bytes(&self) -> [u8; 32] {
        self.draw(Use::Id)
    }

    /// Bytes that nobody can guess, for what nobody may see.
    pub fn secret_bytes(&self) -> [u8; 32] {
        self.draw(Use::Secret)
    }

    /// A unique id of IAM: the prefix and 17 letters, as `AROAIOSFODNN7EXAMPLEX`.
    pub fn unique_id(&self, prefix: &str) -> String {
        let letters = self.id_bytes().into_iter().take(17).map(letter);
        prefix.chars().chain(letters).collect()
    }

    /// An id of EC2: the prefix and 17 hexadecimal digits, as `i-0123456789abcdef0`.
    pub fn resource_id(&self, prefix: &str) -> String {
        let digits: String = self.id_bytes().iter().take(9).map(|b| format!("{b:02x}")).collect();
        // The ids of AWS start with a zero.
        format!("{prefix}-0{}", digits.chars().take(16).collect::<String>())
    }

    /// An access key id. It holds its account's number, as AWS's do: `GetAccessKeyInfo` reads it back.
    pub fn access_key_id(&self, prefix: &str, account: &AccountId) -> String {
        let random = u128::from_be_bytes(self.id_bytes().first_chunk().copied().unwrap_or_default());
        let account: u128 = account.as_str().parse().unwrap_or(0);
        // 80 bits: one, 40 bits of account, 39 random ones.
        let bits = 1 << 79 | account << 39 | random & ((1 << 39) - 1);
        let letters = (0..16_u32).rev().map(|i| letter(u8::try_from(bits >> (5 * i) & 31).unwrap_or(0)));
        prefix.chars().chain(letters).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        uuid(self.id_bytes().first_chunk().copied().unwrap_or_default())
    }

    /// The id of a request or of its record: in the form of a version 4 UUID, but it begins with the time. So what comes one
    /// after the other stands side by side in an index, and to write it touches one page.
    pub(crate) fn uuid_of(&self, now: Timestamp) -> String {
        let [_, _, time @ ..] = now.millis().to_be_bytes();
        let mut bytes: [u8; 16] = self.draw(Use::Request).first_chunk().copied().unwrap_or_default();
        bytes.iter_mut().zip(time).for_each(|(byte, time)| *byte = time);
        uuid(bytes)
    }

    /// 16 letters and digits, as S3 names its requests: eight of the time, for the same reason, and eight that are random.
    pub fn s3_request_id(&self, now: Timestamp) -> String {
        let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let pick = |bits: u8| letters.get(usize::from(bits & 31)).copied().map_or('0', char::from);
        let time = now.millis().to_be_bytes();
        let time = u64::from_be_bytes(time);
        let time = (0..8).rev().map(|place| pick(u8::try_from(time >> (5 * place) & 31).unwrap_or(0)));
        time.chain(self.draw(Use::Request).into_iter().take(8).map(pick)).collect()
    }

    /// A secret access key: 40 letters of base64.
    pub fn secret_access_key(&self) -> Secret<String> {
        secret_access_key(&self.secret_bytes())
    }
}

/// A secret access key from bytes: 30 of them make 40 letters of base64.
pub(crate) fn secret_access_key(bytes: &[u8; 32]) -> Secret<String> {
    use base64::Engine as _;
    Secret::new(base64::engine::general_purpose::STANDARD.encode(bytes.get(..30).unwrap_or(bytes)))
}

fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn letter(byte: u8) -> char {
    LETTERS.get(usize::from(byte & 31)).copied().map_or('A', char::from)
}

/// The account whose number an access key id holds; `None` if it holds none.
#[must_use]
pub fn account_of_access_key(id: &str) -> Option<AccountId> {
    let letters = id.get(4..).filter(|l| l.len() == 16)?;
    let mut bits: u128 = 0;
    for byte in letters.bytes() {
        bits = bits << 5 | u128::try_from(LETTERS.iter().position(|l| *l == byte)?).ok()?;
    }
    let account = bits >> 39 & ((1 << 40) - 1);
    format!("{account:012}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_aws_forms() {
        let ids = Ids::new([7; 32]);
        let account: AccountId = "123456789012".parse().unwrap();
        let role = ids.unique_id("AROA");
        assert!(
            role.len() == 21 && role.starts_with("AROA") && role.bytes().all(|b| b.is_ascii_alphanumeric())
        );
        let instance = ids.resource_id("i");
        assert!(instance.len() == 19 && instance.starts_with("i-0"), "{instance}");
        let key = ids.access_key_id("AKIA", &account);
        assert_eq!(key.len(), 20);
        assert_eq!(account_of_access_key(&key), Some(account));
        assert_eq!(ids.uuid().len(), 36);
        assert_eq!(ids.secret_access_key().expose().len(), 40);
    }

    #[test]
    fn later_requests_have_greater_ids() {
        let ids = Ids::new([7; 32]);
        let at = |millis| Timestamp::from_millis(millis);
        let times =
            [at(1_800_000_000_000), at(1_800_000_000_001), at(1_800_000_001_000), at(1_900_000_000_000)];
        let uuids = times.map(|time| ids.uuid_of(time));
        let names = times.map(|time| ids.s3_request_id(time));
        assert!(uuids.is_sorted() && names.is_sorted(), "{uuids:?} {names:?}");
        assert!(uuids.iter().all(|id| id.len() == 36) && names.iter().all(|id| id.len() == 16));
        assert_ne!(ids.uuid_of(at(1)), ids.uuid_of(at(1)));
        assert_ne!(ids.s3_request_id(at(1)), ids.s3_request_id(at(1)));
    }

    #[test]
    fn a_restart_gives_the_same_ids_again() {
        let ids = Ids::new([7; 32]);
        let first = (ids.unique_id("AROA"), ids.uuid());
        assert_ne!(first.0, ids.unique_id("AROA"));
        ids.restart();
        assert_eq!((ids.unique_id("AROA"), ids.uuid()), first);
    }

    /// A way to draw an identifier, as bytes.
    type Draw<'a> = (&'a str, Box<dyn Fn(&Ids) -> Vec<u8>>);

    #[test]
    fn no_identifier_has_bytes_of_a_secret_that_is_drawn_when_the_transaction_begins_again() {
        let now = Timestamp::from_millis(0);
        let unhex = |text: &str| -> Vec<u8> {
            let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            (0..digits.len() / 2)
                .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
                .collect()
        };
        let draws: [Draw<'_>; 4] = [
            ("uuid_of", Box::new(move |ids| unhex(&ids.uuid_of(now)))),
            ("uuid", Box::new(move |ids| unhex(&ids.uuid()))),
            ("resource_id", Box::new(move |ids| unhex(&ids.resource_id("").replacen("-0", "", 1)))),
            ("id_bytes", Box::new(|ids| ids.id_bytes().to_vec())),
        ];
        for (name, draw) in draws {
            let ids = Ids::new([7; 32]);
            let shown = draw(&ids);
            ids.restart();
            let secret = ids.secret_bytes();
            // A fixed bit here and there is none of the secret's.
            let shared = secret.windows(4).any(|part| shown.windows(4).any(|other| part == other));
            assert!(!shared, "{name} shows a part of the secret");
        }
        let ids = Ids::new([7; 32]);
        let (unique, request) = (ids.unique_id(""), ids.s3_request_id(now));
        ids.restart();
        let letters: String = ids.secret_bytes().into_iter().take(17).map(letter).collect();
        assert_ne!(unique, letters);
        let low = |byte: u8| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[usize::from(byte & 31)]);
        let letters: String = ids.secret_bytes().into_iter().take(8).map(low).collect();
        assert!(!request.ends_with(&letters));
    }

    #[test]
    fn an_id_without_an_account_has_none() {
        for id in ["", "AKIA", "AKIA0000000000000000", "AKIAIOSFODNN7EXAMPL", "AKIAéééééééé"] {
            assert_eq!(account_of_access_key(id), None, "{id}");
        }
        // AWS's example key has a number too: that of an account that AWS gave it.
        assert!(account_of_access_key("ASIAY34FZKBOKMUTVV7A").is_some());
    }
}
