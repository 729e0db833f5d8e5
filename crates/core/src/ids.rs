//! Identifiers, in AWS's forms. They come from a request's own seed, so that a transaction that runs again makes the
//! same ones.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::hmac;
use daypass_model::{AccountId, Timestamp};

use crate::surroundings::random;
use crate::{Entropy, Secret};

/// The letters of unique ids and access key ids: base32.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A source of identifiers for one request.
pub struct Ids {
    seed: Secret<[u8; 32]>,
    next: AtomicU32,
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

    /// Bytes that nobody can guess.
    pub fn bytes(&self) -> [u8; 32] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.seed.expose());
        let tag = hmac::sign(&key, &number.to_be_bytes());
        tag.as_ref().try_into().unwrap_or_default()
    }

    /// A unique id of IAM: the prefix and 17 letters, as `AROAIOSFODNN7EXAMPLEX`.
    pub fn unique_id(&self, prefix: &str) -> String {
        let letters = self.bytes().into_iter().take(17).map(letter);
        prefix.chars().chain(letters).collect()
    }

    /// An id of EC2: the prefix and 17 hexadecimal digits, as `i-0123456789abcdef0`.
    pub fn resource_id(&self, prefix: &str) -> String {
        let digits: String = self.bytes().iter().take(9).map(|b| format!("{b:02x}")).collect();
        // The ids of AWS start with a zero.
        format!("{prefix}-0{}", digits.chars().take(16).collect::<String>())
    }

    /// An access key id. It holds its account's number, as AWS's do: `GetAccessKeyInfo` reads it back.
    pub fn access_key_id(&self, prefix: &str, account: &AccountId) -> String {
        let random = u128::from_be_bytes(self.bytes().first_chunk().copied().unwrap_or_default());
        let account: u128 = account.as_str().parse().unwrap_or(0);
        // 80 bits: one, 40 bits of account, 39 random ones.
        let bits = 1 << 79 | account << 39 | random & ((1 << 39) - 1);
        let letters = (0..16_u32).rev().map(|i| letter(u8::try_from(bits >> (5 * i) & 31).unwrap_or(0)));
        prefix.chars().chain(letters).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        uuid(self.bytes().first_chunk().copied().unwrap_or_default())
    }

    /// The id of a request or of its record: in the form of a version 4 UUID, but it begins with the time. So what comes one
    /// after the other stands side by side in an index, and to write it touches one page.
    pub(crate) fn uuid_of(&self, now: Timestamp) -> String {
        let [_, _, time @ ..] = now.millis().to_be_bytes();
        let mut bytes: [u8; 16] = self.bytes().first_chunk().copied().unwrap_or_default();
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
        time.chain(self.bytes().into_iter().take(8).map(pick)).collect()
    }

    /// A secret access key: 40 letters of base64.
    pub fn secret_access_key(&self) -> Secret<String> {
        secret_access_key(&self.bytes())
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

    #[test]
    fn an_id_without_an_account_has_none() {
        for id in ["", "AKIA", "AKIA0000000000000000", "AKIAIOSFODNN7EXAMPL", "AKIAéééééééé"] {
            assert_eq!(account_of_access_key(id), None, "{id}");
        }
        // AWS's example key has a number too: that of an account that AWS gave it.
        assert!(account_of_access_key("ASIAY34FZKBOKMUTVV7A").is_some());
    }
}
