//! Exact decimal numbers: `2.0` equals `2`, and no digit is lost.

use std::cmp::Ordering;
use std::fmt;

/// The most digits before the point.
const WHOLE_DIGITS: usize = 20;
/// The most digits after the point, trailing zeros not counted.
const FRACTION_DIGITS: usize = 18;

/// A number with at most 20 digits before and 18 after the point, held as a multiple of 10⁻¹⁸.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Reads an optional sign, digits, and optionally a point with more digits. Exponents and longer numbers are
    /// not read: such a value compares with nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() > WHOLE_DIGITS || fraction.len() > FRACTION_DIGITS {
            return None;
        }
        let padding = std::iter::repeat_n(b'0', FRACTION_DIGITS - fraction.len());
        let mut value: i128 = 0;
        // At most 38 digits: fits.
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        Some(Self(if negative { -value } else { value }))
    }

    pub(crate) fn from_integer(integer: i64) -> Self {
        Self(i128::from(integer) * 10_i128.pow(FRACTION_DIGITS as u32))
    }

    /// The number in multiples of 10⁻¹⁸.
    pub(crate) fn units(self) -> i128 {
        self.0
    }

    /// The number of that many multiples of 10⁻¹⁸.
    pub(crate) fn from_units(units: i128) -> Self {
        Self(units)
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u128.pow(FRACTION_DIGITS as u32);
        let (whole, fraction) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        write!(f, "{}{whole}", if self.0 < 0 { "-" } else { "" })?;
        if fraction == 0 {
            return Ok(());
        }
        write!(f, ".{}", format!("{fraction:018}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for text in ["0", "-1.5", "0.000000000000000001", "99999999999999999999.5"] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn compares_values_and_not_texts() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(number("2.0"), number("2"));
        assert_eq!(number("-0"), number("0.000"));
        assert_eq!(number("007"), Decimal::from_integer(7));
        assert_eq!(number("+1.50"), number("1.5"));
        assert!(number("-5") < number("-4"));
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert!(number("0.000000000000000001") > number("0"));
        assert!(number("99999999999999999999.999999999999999999") > number("99999999999999999999"));
        assert_eq!(Decimal::from_integer(i64::MIN), number("-9223372036854775808"));
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        let long = "1".repeat(21);
        for text in [
            "",
            "-",
            "a",
            "1.",
            ".5",
            "1e3",
            "0x10",
            " 1",
            "1 ",
            "1,000",
            "١",
            "0.0000000000000000001",
            &long,
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
