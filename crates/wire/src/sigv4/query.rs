//! The query string, decoded and brought into canonical form.

use std::borrow::Cow;
use std::ops::Range;

use super::percent::{EscapeFault, decoded, push_encoded};
use super::query_auth::SIGNATURE;
use super::{AuthForm, MAX_QUERY_LENGTH, SigError};

/// The parameters of a query string, each decoded once and encoded again, in canonical order. Repeated ones
/// are kept: every one is signed.
///
/// A `+` is a space here, as it is to whoever reads the parameters: a request must not mean one thing to the
/// signature and another to the operation.
///
/// Source: *Create a signed AWS API request*, "CanonicalQueryString".
#[derive(Default)]
pub(super) struct Query {
    text: Vec<u8>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: Range<usize>,
    value: Range<usize>,
}

impl Query {
    /// Reads the part of a request target after the `?`.
    pub(super) fn parse(raw: Option<&str>) -> Result<Self, SigError> {
        let raw = match raw {
            None | Some("") => return Ok(Self::default()),
            Some(raw) if raw.len() > MAX_QUERY_LENGTH => {
                return Err(SigError::TooLarge { what: "query string" });
            }
            Some(raw) => raw,
        };
        let mut query = Self { text: Vec::with_capacity(raw.len() + raw.len() / 4), parameters: Vec::new() };
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = query.push(name)?;
            let value = query.push(value)?;
            query.parameters.push(Parameter { name, value });
        }
        let text = &query.text;
        let key = |p: &Parameter| (text.get(p.name.clone()), text.get(p.value.clone()));
        query.parameters.sort_by(|a, b| key(a).cmp(&key(b)));
        Ok(query)
    }

    fn push(&mut self, raw: &str) -> Result<Range<usize>, SigError> {
        let start = self.text.len();
        for byte in decoded(raw.as_bytes(), true) {
            push_encoded(&mut self.text, byte.map_err(SigError::malformed_query)?);
        }
        Ok(start..self.text.len())
    }

    /// Whether a parameter of this name is there. The name must need no encoding.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.encoded(name).next().is_some()
    }

    /// The names of all parameters, encoded.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .map(|parameter| std::str::from_utf8(self.slice(&parameter.name)).unwrap_or_default())
    }

    /// The decoded value of a parameter that may come only once.
    pub(super) fn single(&self, name: &'static str) -> Result<Option<Cow<'static, str>>, SigError> {
        let mut values = self.encoded(name);
        let Some(value) = values.next() else { return Ok(None) };
        let repeated = values.next().is_some();
        let bytes: Result<Vec<u8>, EscapeFault> = decoded(value, false).collect();
        match bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) if !repeated => Ok(Some(Cow::Owned(text))),
            _ => Err(SigError::Nonconforming { form: AuthForm::Query }),
        }
    }

    /// Appends the canonical query string, without the parameter that holds the signature itself.
    pub(super) fn write_canonical(&self, out: &mut Vec<u8>) {
        let mut first = true;
        for parameter in &self.parameters {
            let name = self.slice(&parameter.name);
            if name == SIGNATURE.as_bytes() {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b'&');
            }
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(self.slice(&parameter.value));
        }
    }

    fn encoded(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.parameters
            .iter()
            .filter(move |parameter| self.slice(&parameter.name) == name.as_bytes())
            .map(|parameter| self.slice(&parameter.value))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}
