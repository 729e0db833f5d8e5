//! Client tokens: the same request, sent again with the same token, makes nothing again (EC2 API Reference, "Ensuring
//! idempotency in Amazon EC2 API requests").

use aws_lc_rs::digest::{Context, SHA256};
use daypass_core::model::ec2::errors;
use daypass_core::model::{IntoValue, Timestamp, Value};
use daypass_core::store::{Key, Read, Record, StoreError, Tx};
use daypass_core::{Cx, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::resource::Home;

/// A token is remembered for a day.
const REMEMBERED_SECONDS: i64 = 24 * 3600;
/// The longest token.
const MAX_TOKEN: usize = 64;
/// The kind that tokens are kept as.
pub(crate) const KIND: &str = "client-token";

/// A token that was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientToken {
    home: Home,
    operation: String,
    token: String,
    /// Of the parameters.
    digest: String,
    /// What was made.
    made: String,
    at: Timestamp,
}

impl Record for ClientToken {
    fn key(&self) -> Key {
        key(&self.home, &self.operation, &self.token)
    }
}

impl ClientToken {
    /// Whether it can be forgotten.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        self.at.plus_seconds(REMEMBERED_SECONDS) < now
    }
}

fn key(home: &Home, operation: &str, token: &str) -> Key {
    Key::new(&["ec2", home.account.as_str(), &home.region, KIND, operation, token])
}

/// A token, with the request that it came with.
pub(crate) struct Token {
    token: Option<String>,
    digest: String,
}

impl Token {
    /// The token of a request.
    pub(crate) fn of(token: Option<&String>, input: impl IntoValue) -> Self {
        let mut hash = Context::new(&SHA256);
        feed(&mut hash, &input.into_value());
        let digest = hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect();
        Self { token: token.filter(|t| !t.is_empty()).cloned(), digest }
    }

    /// What the token made before, if it did; a refusal, if it came with another request then.
    pub(crate) fn made(&self, cx: &Cx, tx: &impl Read) -> Result<Option<String>, Error> {
        let Some(token) = &self.token else { return Ok(None) };
        if token.len() > MAX_TOKEN {
            let why = format!("The token must be no longer than {MAX_TOKEN} characters.");
            return Err(fault::invalid_parameter(token, "clientToken", &why).into());
        }
        let known: Option<ClientToken> = tx.get(&key(&Home::of(cx), cx.operation().name, token))?;
        let Some(known) = known.filter(|k| !k.is_old(cx.now())) else { return Ok(None) };
        if known.digest != self.digest {
            let words = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
            return Err(Fault::new(&errors::IDEMPOTENT_PARAMETER_MISMATCH, words).into());
        }
        Ok(Some(known.made))
    }

    /// Remembers what was made.
    pub(crate) fn remember(&self, cx: &Cx, tx: &mut Tx<'_>, made: &str) -> Result<(), StoreError> {
        let Some(token) = self.token.clone() else { return Ok(()) };
        tx.put(&ClientToken {
            home: Home::of(cx),
            operation: cx.operation().name.to_owned(),
            token,
            digest: self.digest.clone(),
            made: made.to_owned(),
            at: cx.now(),
        })
    }
}

/// Feeds a value to a hash so that no two values feed the same.
fn feed(hash: &mut Context, value: &Value) {
    let part = |hash: &mut Context, tag: u8, bytes: &[u8]| {
        hash.update(&[tag]);
        hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        Value::String(text) => part(hash, 1, text.as_bytes()),
        Value::Integer(number) => part(hash, 2, &number.to_be_bytes()),
        Value::Double(number) => part(hash, 3, &number.to_be_bytes()),
        Value::Boolean(flag) => part(hash, 4, &[u8::from(*flag)]),
        Value::Timestamp(time) => part(hash, 5, &time.millis().to_be_bytes()),
        Value::Blob(blob) => part(hash, 6, &blob.0),
        Value::List(items) => {
            part(hash, 7, &items.len().to_be_bytes());
            items.iter().for_each(|item| feed(hash, item));
        }
        Value::Map(entries) => {
            part(hash, 8, &entries.len().to_be_bytes());
            for (key, item) in entries {
                part(hash, 1, key.as_bytes());
                feed(hash, item);
            }
        }
        Value::Structure(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(index, _)| *index);
            part(hash, 9, &fields.len().to_be_bytes());
            for (index, item) in fields {
                part(hash, 2, &index.to_be_bytes());
                feed(hash, item);
            }
        }
    }
}
