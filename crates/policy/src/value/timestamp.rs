//! Points in time, as ISO 8601 (W3C) texts or as seconds since the epoch: both on one time line.

use std::fmt;

/// A point in time: seconds since 1970-01-01T00:00:00Z and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// The point that many seconds after (or before) the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }

    /// Nanoseconds since the epoch.
    pub(crate) fn nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// That many nanoseconds since the epoch as a text that reads back, where any does.
    pub(crate) fn precise(nanoseconds: i128) -> String {
        const SECOND: i128 = 1_000_000_000;
        let fraction = nanoseconds.rem_euclid(SECOND);
        let Ok(seconds) = i64::try_from(nanoseconds.div_euclid(SECOND)) else { return String::new() };
        let whole = Self::from_seconds(seconds).to_string();
        // Beyond the year 9999 only the form in seconds can be read.
        if Self::parse(&whole).is_none() {
            return seconds.to_string();
        }
        match whole.strip_suffix('Z') {
            Some(whole) if fraction > 0 => format!("{whole}.{fraction:09}Z"),
            _ => whole,
        }
    }

    /// Reads a date as AWS's Date operators take it: `2026-11-22`, `2026-11-22T02:31Z`, `2026-11-22T02:31:32.5+01:00`,
    /// also `2026-11`; or a whole number of seconds since the epoch. A time without an offset is UTC. The letters may be
    /// lower case. (`reference_policies_elements_condition_operators`, Date)
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::from_seconds);
        }
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let days = parse_date(date)?;
        let (second_of_day, nanoseconds) = match time {
            Some(time) => parse_time(time)?,
            None => (0, 0),
        };
        Some(Self { seconds: days.checked_mul(86_400)?.checked_add(second_of_day)?, nanoseconds })
    }
}

/// The form that AWS gives its own date keys: `2026-11-22T02:31:32Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.seconds.div_euclid(86_400), self.seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let fits = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// The days from the epoch to a date; month and day may be missing.
fn parse_date(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4..=4)?;
    let month = parts.next().map_or(Some(1), |month| number(month, 2..=2))?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2..=2))?;
    let valid =
        parts.next().is_none() && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day))
}

/// The second of the day in UTC (before 0 or after 86,400 where the offset leads there), and the nanoseconds.
fn parse_time(time: &str) -> Option<(i64, u32)> {
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, f)| (clock, Some(f)));
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 1..=2)?;
    let minute = parts.next().map_or(Some(0), |minute| number(minute, 2..=2))?;
    let second = parts.next().map_or(Some(0), |second| number(second, 2..=2))?;
    // 60 is a leap second.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let nanoseconds = match fraction {
        Some(fraction) => {
            let digits = u32::try_from(number(fraction, 1..=9)?).ok()?;
            digits * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?)
        }
        None => 0,
    };
    Some((hour * 3600 + minute * 60 + second - parse_offset(offset)?, nanoseconds))
}

/// `Z`, `+01:00`, `+0100` or `+01`, in seconds.
fn parse_offset(offset: &str) -> Option<i64> {
    if offset.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = offset.split_at_checked(1)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let (hours, minutes) = (number(hours, 2..=2)?, number(minutes, 2..=2)?);
    let seconds = (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)?;
    Some(if sign == "-" { -seconds } else { seconds })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a date in the proleptic Gregorian calendar; years begin in March so that the leap day is last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Whether IAM stores a policy with this value under a Date operator. It takes more than it can compare, for instance
/// `01T` or a negative year, and refuses the rest with `The policy failed legacy parsing`. Rule by rule as recorded in
/// moto's `policy_validation.py`, whose cases were tried on AWS.
pub(crate) fn storable_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if !text.contains('t') && !text.contains('-') {
        return text.parse::<i64>().is_ok_and(|seconds| seconds >= 0);
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    storable_calendar_date(date) && (time.is_empty() || storable_time(time))
}

fn within(text: &str, range: std::ops::RangeInclusive<i64>) -> bool {
    text.parse::<i64>().is_ok_and(|number| range.contains(&number))
}

fn storable_calendar_date(date: &str) -> bool {
    let (sign, digits) = match date.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", date),
    };
    let mut parts = digits.split('-');
    let year = format!("{sign}{}", parts.next().unwrap_or_default());
    within(&year, -292_275_054..=292_278_993)
        && parts.next().is_none_or(|month| within(month, 1..=12))
        && parts.next().is_none_or(|day| within(day, 1..=31))
        && parts.next().is_none()
}

fn storable_time(time: &str) -> bool {
    let mut parts = time.splitn(3, ':');
    let hour = parts.next().unwrap_or_default();
    (hour.is_empty() || within(hour, 0..=23))
        && parts.next().is_none_or(|minute| within(minute, 0..=59))
        && parts.next().is_none_or(storable_seconds)
}

fn storable_seconds(text: &str) -> bool {
    let (seconds, zone) = match text.find(['z', '+']).and_then(|at| text.split_at_checked(at)) {
        Some((seconds, "z")) => (seconds, true),
        Some((seconds, zone)) => (seconds, zone.strip_prefix('+').is_some_and(storable_offset)),
        // What follows without a zone is not looked at beyond the seconds.
        None => (text, true),
    };
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    zone && within(whole, 0..=59) && within(fraction, 0..=999_999_999)
}

fn storable_offset(offset: &str) -> bool {
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    hours.len() == 2 && within(hours, 0..=23) && minutes.len() == 2 && within(minutes, 0..=59)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_epoch_seconds_are_on_one_time_line() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2020-01-01", 1_577_836_800),
            ("1577836800", 1_577_836_800),
            ("2020-01", 1_577_836_800),
            ("2020-01-01T01:00:00+01:00", 1_577_836_800),
            ("2019-12-31T19:30:00-04:30", 1_577_836_800),
            ("2020-01-01t00:00z", 1_577_836_800),
            ("2020-01-01T01+0100", 1_577_836_800),
            ("2020-01-01T00:00:00", 1_577_836_800),
            ("2016-02-29", 1_456_704_000),
            ("0001-01-01", -62_135_596_800),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_seconds(seconds)), "{text}");
        }
        let half = Timestamp::parse("2020-01-01T00:00:00.5Z").unwrap();
        assert!(
            half > Timestamp::from_seconds(1_577_836_800) && half < Timestamp::from_seconds(1_577_836_801)
        );
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "a",
            "not a date",
            "2020-13-01",
            "2019-02-29",
            "2020-1-1",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:60Z",
            "2020-01-01T00:00:00+1",
            "2020-01-01T00:00:00.Z",
            "-1",
            "1.5",
            "20200101T",
            "99999999999999999999",
            "2020-01-01T00:00:00Zx",
            "2020-01-01T00:00:00é",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for text in
            ["1969-12-31T23:59:59Z", "2000-02-29T12:00:01Z", "2026-11-22T02:31:32Z", "9999-12-31T23:59:59Z"]
        {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    /// The values of moto's recorded cases.
    #[test]
    fn iam_stores_odd_dates_and_refuses_others() {
        for text in [
            "2017-07-01T00:00:00Z",
            "2019-07-01T13:20:15Z",
            "2016-12-13T21:20:37.593194+00:00",
            "01T",
            "2016-12-13t2:00:00.593194+23",
            "-292275054",
            "0",
            "9223372036854775807",
        ] {
            assert!(storable_date(text), "{text}");
        }
        for text in [
            "sdfdsf",
            "234-13",
            "2016-12-13t2:00:00.593194+1",
            "2016-12-13t2:00:00.1999999999+10:59",
            "9223372036854775808",
            "",
            "2016-12-13-1",
        ] {
            assert!(!storable_date(text), "{text}");
        }
    }
}
