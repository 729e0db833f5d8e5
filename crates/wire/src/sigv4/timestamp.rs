//! The date of a request.

use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// When a request says it was made, and the text of that in the string to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestTime {
    instant: OffsetDateTime,
    text: [u8; 16],
}

impl RequestTime {
    /// Reads ISO 8601's basic format, `20150830T123600Z`, which is the only one of `X-Amz-Date`.
    pub(super) fn parse_basic(value: &str) -> Option<Self> {
        let text: [u8; 16] = value.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = text else {
            return None;
        };
        let year = i32::from(pair(y1, y2)?) * 100 + i32::from(pair(y3, y4)?);
        let month = Month::try_from(pair(mo1, mo2)?).ok()?;
        let date = Date::from_calendar_date(year, month, pair(d1, d2)?).ok()?;
        let time = Time::from_hms(pair(h1, h2)?, pair(mi1, mi2)?, pair(s1, s2)?).ok()?;
        let instant = PrimitiveDateTime::new(date, time).assume_utc();
        (instant >= OffsetDateTime::UNIX_EPOCH).then_some(Self { instant, text })
    }

    /// Reads a `Date` header, which may also have HTTP's own format, `Mon, 09 Sep 2011 23:36:00 GMT`.
    pub(super) fn parse_date_header(value: &str) -> Option<Self> {
        Self::parse_basic(value).or_else(|| {
            let instant = OffsetDateTime::parse(value, &Rfc2822).ok()?;
            Self::parse_basic(&basic(instant))
        })
    }

    /// As in the string to sign, `20150830T123600Z`.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The day, `20150830`: what the scope's date must be.
    pub(super) fn day(&self) -> &[u8] {
        self.text.split_at(8).0
    }

    pub(super) fn instant(&self) -> OffsetDateTime {
        self.instant
    }
}

/// ISO 8601's basic format in UTC, as AWS's messages write a time.
pub(super) fn basic(instant: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    instant.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// ISO 8601's extended format in UTC, as S3's `ServerTime` and `Expires` elements write a time.
pub(super) fn extended(instant: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    instant.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// `instant` moved by `seconds`, or left where it is at the ends of the calendar.
pub(super) fn shifted(instant: OffsetDateTime, seconds: i64) -> OffsetDateTime {
    instant.checked_add(Duration::seconds(seconds)).unwrap_or(instant)
}

fn pair(tens: u8, units: u8) -> Option<u8> {
    (tens.is_ascii_digit() && units.is_ascii_digit()).then(|| (tens - b'0') * 10 + (units - b'0'))
}
