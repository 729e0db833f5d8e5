//! AWS Signature Version 4 in the Authorization header (IAM User Guide, "Create a signed AWS API request").

use anyhow::{Context as _, Result};
use aws_lc_rs::{digest, hmac};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) struct Signer {
    host: String,
    key_id: String,
    secret: String,
    token: Option<String>,
    region: String,
    /// Signing keys by day.
    keys: Mutex<HashMap<String, hmac::Key>>,
    /// Hashes of bodies by length: a program like this sends one body for each length.
    hashes: Mutex<HashMap<usize, String>>,
}

impl Signer {
    pub(crate) fn from_environment(host: &str) -> Result<Self> {
        Ok(Self {
            host: host.to_owned(),
            key_id: std::env::var("AWS_ACCESS_KEY_ID").context("AWS_ACCESS_KEY_ID")?,
            secret: std::env::var("AWS_SECRET_ACCESS_KEY").context("AWS_SECRET_ACCESS_KEY")?,
            token: std::env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty()),
            region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".into()),
            keys: Mutex::default(),
            hashes: Mutex::default(),
        })
    }

    /// The head of a signed request; `query` is escaped and in order.
    pub(crate) fn head(&self, method: &str, path: &str, query: &str, body: &[u8]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (day, time) = moment(now);
        let hash = self.hash(body);
        let mut headers =
            vec![("host", self.host.as_str()), ("x-amz-content-sha256", &hash), ("x-amz-date", &time)];
        if let Some(token) = &self.token {
            headers.push(("x-amz-security-token", token));
        }
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let signature = hex(hmac::sign(&self.key(&day), text.as_bytes()).as_ref());
        let sent: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        format!(
            "{method} {path}{separator}{query} HTTP/1.1\r\n{sent}content-length: {}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential={}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\r\n",
            body.len(),
            self.key_id
        )
    }

    fn hash(&self, body: &[u8]) -> String {
        let mut hashes = self.hashes.lock().unwrap();
        hashes.entry(body.len()).or_insert_with(|| sha256(body)).clone()
    }

    fn key(&self, day: &str) -> hmac::Key {
        let mut keys = self.keys.lock().unwrap();
        let make = || {
            let first = format!("AWS4{}", self.secret).into_bytes();
            let parts = [day, &self.region, "s3", "aws4_request"];
            let last = parts.iter().fold(first, |key, part| {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
            });
            hmac::Key::new(hmac::HMAC_SHA256, &last)
        };
        keys.entry(day.to_owned()).or_insert_with(make).clone()
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20261122` and `20261122T091500Z` (days to civil dates by the usual arithmetic of the Gregorian calendar).
fn moment(seconds: u64) -> (String, String) {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let date = format!("{year:04}{month:02}{day:02}");
    let time = format!("{date}T{:02}{:02}{:02}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    (date, time)
}

/// A value of a query, escaped.
pub(crate) fn escape(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::{escape, moment};

    #[test]
    fn moments_are_written_as_aws_writes_them() {
        for (seconds, written) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (4_102_444_799, "20991231T235959Z"),
        ] {
            assert_eq!(moment(seconds), (written[..8].to_owned(), written.to_owned()));
        }
        assert_eq!(escape("a/b+c=~"), "a%2Fb%2Bc%3D~");
    }
}
