//! Points in time, as AWS writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, within the years 1 to 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text or number is not a point in time that AWS would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTimestamp;

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MIN_SECONDS: i64 = -62_135_596_800;
const MAX_SECONDS: i64 = 253_402_300_799;

impl Timestamp {
    /// From milliseconds since 1970, held within the years 1 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(MIN_SECONDS * 1000, MAX_SECONDS * 1000 + 999))
    }

    /// From seconds since 1970, held within the years 1 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(MIN_SECONDS, MAX_SECONDS) * 1000)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same point without its fraction of a second: what AWS keeps of most dates.
    #[must_use]
    pub fn truncated(self) -> Self {
        Self(self.seconds() * 1000)
    }

    /// That many seconds later (or earlier).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// `20261122T021400Z`, as signatures write it.
    #[must_use]
    pub fn basic(self) -> String {
        let c = Civil::of(self);
        format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }

    /// `Sun, 22 Nov 2026 02:14:00 GMT`, as HTTP headers write it.
    #[must_use]
    pub fn rfc822(self) -> String {
        let c = Civil::of(self);
        let weekday = usize::try_from(self.seconds().div_euclid(DAY).rem_euclid(7)).unwrap_or(0);
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS.get(weekday).unwrap_or(&""),
            c.day,
            MONTHS.get(usize::from(c.month.saturating_sub(1))).unwrap_or(&""),
            c.year,
            c.hour,
            c.minute,
            c.second
        )
    }

    /// `2026-11-22T02:14:00.123Z`, always with milliseconds, as S3 writes it.
    #[must_use]
    pub fn iso8601_millis(self) -> String {
        let c = Civil::of(self);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year,
            c.month,
            c.day,
            c.hour,
            c.minute,
            c.second,
            self.0.rem_euclid(1000)
        )
    }

    /// Reads `2026-11-22T02:14:00Z`, with or without a fraction, and with `Z` or an offset; the date alone is its
    /// midnight in UTC.
    ///
    /// # Errors
    /// If the text is anything else, or names a day or an hour that does not exist.
    pub fn parse_iso8601(text: &str) -> Result<Self, InvalidTimestamp> {
        let mut p = Reader(text.as_bytes());
        let (year, _) = (p.digits(4)?, p.byte(b'-')?);
        let (month, _) = (p.digits(2)?, p.byte(b'-')?);
        let day = p.digits(2)?;
        let mut millis = 0;
        if !p.0.is_empty() {
            p.byte(b'T')?;
            millis = p.time_of_day()?;
        }
        let days = days_from_civil(year, month, day)?;
        Ok(Self::from_millis(days * DAY * 1000 + millis))
    }

    /// Reads `20261122T021400Z`.
    ///
    /// # Errors
    /// If the text is anything else, or names a day or an hour that does not exist.
    pub fn parse_basic(text: &str) -> Result<Self, InvalidTimestamp> {
        let mut p = Reader(text.as_bytes());
        let days = days_from_civil(p.digits(4)?, p.digits(2)?, p.digits(2)?)?;
        p.byte(b'T')?;
        let seconds = clock(p.digits(2)?, p.digits(2)?, p.digits(2)?)?;
        p.byte(b'Z')?;
        if p.0.is_empty() { Ok(Self::from_seconds(days * DAY + seconds)) } else { Err(InvalidTimestamp) }
    }

    /// Reads `Sun, 22 Nov 2026 02:14:00 GMT`.
    ///
    /// # Errors
    /// If the text is anything else, or names a day or an hour that does not exist.
    pub fn parse_rfc822(text: &str) -> Result<Self, InvalidTimestamp> {
        let mut words = text.split_ascii_whitespace();
        let mut next = || words.next().ok_or(InvalidTimestamp);
        next()?.strip_suffix(',').filter(|w| WEEKDAYS.contains(w)).ok_or(InvalidTimestamp)?;
        let day = Reader::whole(next()?, 2)?;
        let name = next()?;
        let month = MONTHS.iter().position(|m| *m == name).ok_or(InvalidTimestamp)?;
        let year = Reader::whole(next()?, 4)?;
        let mut p = Reader(next()?.as_bytes());
        let (hour, _) = (p.digits(2)?, p.byte(b':')?);
        let (minute, _) = (p.digits(2)?, p.byte(b':')?);
        let seconds = clock(hour, minute, p.digits(2)?)?;
        if !p.0.is_empty() || !matches!(next()?, "GMT" | "UTC" | "+0000") || next().is_ok() {
            return Err(InvalidTimestamp);
        }
        let month = i64::try_from(month).map_err(|_| InvalidTimestamp)? + 1;
        Ok(Self::from_seconds(days_from_civil(year, month, day)? * DAY + seconds))
    }
}

/// `2026-11-22T02:14:00Z`: the form of most of AWS's answers, without fractions.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Civil::of(*self);
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }
}

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a timestamp")
    }
}

impl std::error::Error for InvalidTimestamp {}

struct Civil {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Civil {
    /// Days to a date of the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
    fn of(t: Timestamp) -> Self {
        let (days, clock) = (t.seconds().div_euclid(DAY), t.seconds().rem_euclid(DAY));
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let byte = |v: i64| u8::try_from(v).unwrap_or(0);
        Self {
            year: yoe + era * 400 + i64::from(month <= 2),
            month: byte(month),
            day: byte(doy - (153 * mp + 2) / 5 + 1),
            hour: byte(clock / 3600),
            minute: byte(clock / 60 % 60),
            second: byte(clock % 60),
        }
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> Result<i64, InvalidTimestamp> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(InvalidTimestamp),
    };
    if year < 1 || !(1..=length).contains(&day) {
        return Err(InvalidTimestamp);
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    Ok(era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468)
}

fn clock(hour: i64, minute: i64, second: i64) -> Result<i64, InvalidTimestamp> {
    // A leap second is taken as the last second of its minute, as Java's and Python's parsers do not take it at all.
    if hour > 23 || minute > 59 || second > 59 {
        return Err(InvalidTimestamp);
    }
    Ok(hour * 3600 + minute * 60 + second)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Result<i64, InvalidTimestamp> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(InvalidTimestamp)?;
        self.0 = rest;
        head.iter().try_fold(0, |n, b| {
            if b.is_ascii_digit() { Ok(n * 10 + i64::from(b - b'0')) } else { Err(InvalidTimestamp) }
        })
    }

    fn byte(&mut self, expected: u8) -> Result<(), InvalidTimestamp> {
        let (first, rest) = self.0.split_first().ok_or(InvalidTimestamp)?;
        self.0 = rest;
        if *first == expected { Ok(()) } else { Err(InvalidTimestamp) }
    }

    fn whole(text: &str, count: usize) -> Result<i64, InvalidTimestamp> {
        let mut p = Reader(text.as_bytes());
        let n = p.digits(count)?;
        if p.0.is_empty() { Ok(n) } else { Err(InvalidTimestamp) }
    }

    /// `HH:MM[:SS[.fraction]](Z|±HH:MM)`, in milliseconds of UTC.
    fn time_of_day(&mut self) -> Result<i64, InvalidTimestamp> {
        let (hour, _) = (self.digits(2)?, self.byte(b':')?);
        let minute = self.digits(2)?;
        let mut second = 0;
        let mut millis = 0;
        if self.0.first() == Some(&b':') {
            self.byte(b':')?;
            second = self.digits(2)?;
        }
        if self.0.first() == Some(&b'.') {
            self.byte(b'.')?;
            millis = self.fraction()?;
        }
        let offset = match self.0 {
            [b'Z'] => 0,
            [sign @ (b'+' | b'-'), rest @ ..] => {
                self.0 = rest;
                let hours = self.digits(2)?;
                if self.0.first() == Some(&b':') {
                    self.byte(b':')?;
                }
                let seconds = clock(hours, self.digits(2)?, 0)?;
                if !self.0.is_empty() {
                    return Err(InvalidTimestamp);
                }
                if *sign == b'+' { seconds } else { -seconds }
            }
            _ => return Err(InvalidTimestamp),
        };
        Ok((clock(hour, minute, second)? - offset) * 1000 + millis)
    }

    /// One to nine digits after the point, cut to milliseconds.
    fn fraction(&mut self) -> Result<i64, InvalidTimestamp> {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 || count > 9 {
            return Err(InvalidTimestamp);
        }
        let mut value = self.digits(count)?;
        for _ in count..3 {
            value *= 10;
        }
        for _ in 3..count {
            value /= 10;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back_every_form() {
        for (seconds, iso, basic, rfc) in [
            (0, "1970-01-01T00:00:00Z", "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_582_934_400, "2020-02-29T00:00:00Z", "20200229T000000Z", "Sat, 29 Feb 2020 00:00:00 GMT"),
            (1_795_313_640, "2026-11-22T02:14:00Z", "20261122T021400Z", "Sun, 22 Nov 2026 02:14:00 GMT"),
            (-1, "1969-12-31T23:59:59Z", "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "9999-12-31T23:59:59Z", "99991231T235959Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let t = Timestamp::from_seconds(seconds);
            assert_eq!((t.to_string(), t.basic(), t.rfc822()), (iso.into(), basic.into(), rfc.into()));
            assert_eq!(Timestamp::parse_iso8601(iso), Ok(t));
            assert_eq!(Timestamp::parse_basic(basic), Ok(t));
            assert_eq!(Timestamp::parse_rfc822(rfc), Ok(t));
        }
    }

    #[test]
    fn reads_dates_offsets_and_fractions() {
        for (text, millis) in [
            ("1970-01-02", 86_400_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1970-01-01T00:00:00-0130", 5_400_000),
            ("1970-01-01T00:00:00.5Z", 500),
            ("1970-01-01T00:00:00.123456789Z", 123),
            ("1970-01-01T00:01Z", 60_000),
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), Ok(Timestamp::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00Zx",
            "0000-01-01",
            "２０２６-01-01",
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), Err(InvalidTimestamp), "{text}");
        }
        for text in ["20260101T000000", "20261399T999999Z", "20260101T000000Z0", "20260101 000000Z"] {
            assert_eq!(Timestamp::parse_basic(text), Err(InvalidTimestamp), "{text}");
        }
        for text in
            ["Sun, 22 Nov 2026 02:14:00", "Sun 22 Nov 2026 02:14:00 GMT", "Sun, 22 Nov 2026 02:14:00 GMT x"]
        {
            assert_eq!(Timestamp::parse_rfc822(text), Err(InvalidTimestamp), "{text}");
        }
    }
}
