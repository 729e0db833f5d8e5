//! Amazon Resource Names and account ids.

use std::fmt;
use std::str::FromStr;

/// A text that is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ARN: it needs six parts, `arn:partition:service:region:account:resource`")]
pub struct InvalidArn(Box<str>);

/// A text that is not an account id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an account id: it needs twelve digits")]
pub struct InvalidAccountId(Box<str>);

/// The twelve digits of an AWS account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// An account that nobody has.
    pub(crate) const ZERO: Self = Self([b'0'; 12]);

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        // Only digits are ever stored, so the empty string is never given.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        match <[u8; 12]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(InvalidAccountId(text.into())),
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of an ARN, borrowed. The sixth part may hold colons of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// The first five parts: `arn`, partition, service, region, account.
    pub(crate) head: [&'a str; 5],
    /// All that follows the fifth colon.
    pub resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// Splits a text at its first five colons; `None` where there are fewer, or where it does not begin with `arn:`.
    pub fn split(text: &'a str) -> Option<Self> {
        let mut rest = text;
        let mut head = [""; 5];
        for part in &mut head {
            (*part, rest) = rest.split_once(':')?;
        }
        (head[0] == "arn").then_some(Self { head, resource: rest })
    }

    /// The partition, `aws`.
    pub fn partition(&self) -> &'a str {
        self.head[1]
    }

    /// The service, `s3`.
    pub fn service(&self) -> &'a str {
        self.head[2]
    }

    /// The region; empty for what has none.
    pub fn region(&self) -> &'a str {
        self.head[3]
    }

    /// The account; empty for what names none, and `aws` for what AWS owns.
    pub fn account(&self) -> &'a str {
        self.head[4]
    }
}

/// An ARN that was checked to be one.
///
/// ```
/// use daypass_policy::Arn;
/// let arn: Arn = "arn:aws:iam::111122223333:role/path/web".parse()?;
/// assert_eq!(arn.parts().service(), "iam");
/// assert_eq!(arn.parts().resource, "role/path/web");
/// # Ok::<(), daypass_policy::InvalidArn>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Box<str>);

impl Arn {
    /// The text of the ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its six parts.
    pub fn parts(&self) -> ArnParts<'_> {
        // An `Arn` is only made from a text that splits.
        ArnParts::split(&self.0).unwrap_or(ArnParts { head: [""; 5], resource: "" })
    }
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        match ArnParts::split(text) {
            Some(_) => Ok(Self(text.into())),
            None => Err(InvalidArn(text.into())),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_part_keeps_its_colons() {
        let parts = ArnParts::split("arn:aws:logs:us-east-1:111122223333:log-group:a:*").unwrap();
        assert_eq!(parts.head, ["arn", "aws", "logs", "us-east-1", "111122223333"]);
        assert_eq!(parts.resource, "log-group:a:*");
    }

    #[test]
    fn fewer_parts_or_another_beginning_is_no_arn() {
        for text in ["", "*", "arn:aws:s3", "arn:aws:s3::b", "urn:aws:s3:::b"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_id_is_twelve_ascii_digits() {
        assert_eq!("111122223333".parse::<AccountId>().unwrap().as_str(), "111122223333");
        for text in ["", "11112222333", "1111222233334", "11112222333x", "１１１１"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
