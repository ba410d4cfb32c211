//! Times as WebPI wrote them: `YYYY-MM-DDThh:mm:ssZ`, RFC 3339 in UTC and whole seconds.
//!
//! *Date and Time on the Internet: Timestamps*, RFC 3339, section 5.6 <https://www.rfc-editor.org/rfc/rfc3339#section-5.6>.

use jiff::civil::{Date, DateTime, datetime};
use jiff::{SignedDuration, Timestamp};

use crate::Error;

const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);

/// Seconds since 1970-01-01T00:00:00Z as `YYYY-MM-DDThh:mm:ssZ`.
///
/// ```
/// assert_eq!(webpi_feed::format_time(1_351_512_000)?, "2012-10-29T12:00:00Z");
/// # Ok::<(), webpi_feed::Error>(())
/// ```
///
/// # Errors
///
/// The time is not in the years 1 to 9999.
pub fn format_time(seconds: i64) -> Result<String, Error> {
    let out_of_range = || Error::TimeRange { seconds };
    let time = EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .map_err(|_| out_of_range())?;
    if !(1..=9999).contains(&time.year()) {
        return Err(out_of_range());
    }
    Ok(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    ))
}

/// Seconds since 1970-01-01T00:00:00Z of a date or a time: `2012-10-29`, `2012-10-29T12:00:00Z`,
/// `2012-10-29T14:00:00+02:00`. A time without a zone is UTC, parts of a second are dropped.
///
/// ```
/// assert_eq!(webpi_feed::parse_time("2012-10-29T14:00:00+02:00")?, 1_351_512_000);
/// # Ok::<(), webpi_feed::Error>(())
/// ```
///
/// # Errors
///
/// The text is not a time.
pub fn parse_time(text: &str) -> Result<i64, Error> {
    let text = text.trim();
    // A zone's offset is read as part of a timestamp; whatever else reads a date drops it.
    let zoned = || {
        let timestamp = text.parse::<Timestamp>().ok()?;
        let before_the_second = timestamp.subsec_nanosecond() < 0;
        Some(timestamp.as_second() - i64::from(before_the_second))
    };
    let civil = || {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let time = text.get(10..).unwrap_or_default();
        if time.contains(['+', '-', '[', 'z', 'Z']) {
            return None;
        }
        let time = text
            .parse::<DateTime>()
            .or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)))
            .ok()?;
        let time = time.with().subsec_nanosecond(0).build().ok()?;
        Some(time.duration_since(EPOCH).as_secs())
    };
    zoned().or_else(civil).ok_or_else(|| Error::TimeFormat {
        text: text.to_owned(),
    })
}

/// `MM-DD-YYYY`, the form of `addToFeedDate`, of a time in the form of [`format_time`].
pub(crate) fn feed_date(time: &str) -> Option<String> {
    Some(format!(
        "{}-{}-{}",
        time.get(5..7)?,
        time.get(8..10)?,
        time.get(0..4)?
    ))
}

/// Whether a text is a time in the form that WebPI wrote: `YYYY-MM-DDThh:mm:ssZ`, every part in its range.
pub(crate) fn is_feed_time(text: &str) -> bool {
    text.len() == 20
        && parse_time(text)
            .and_then(format_time)
            .is_ok_and(|again| again == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_parses() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some("1970-01-01T00:00:00Z")),
            ("2012-02-29", Some("2012-02-29T00:00:00Z")),
            ("2012-02-29T23:59:59", Some("2012-02-29T23:59:59Z")),
            ("2012-02-29T23:59:59.75Z", Some("2012-02-29T23:59:59Z")),
            ("2012-02-29T23:59:59-01:00", Some("2012-03-01T00:59:59Z")),
            ("1969-12-31T23:59:59.75Z", Some("1969-12-31T23:59:59Z")),
            ("1969-12-31 23:59:59.75", Some("1969-12-31T23:59:59Z")),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z")),
            ("9999-12-31T23:59:59-01:00", None),
            ("2012-02-29T23:59:59[UTC]x", None),
            ("1969-12-31T23:59:59Z", Some("1969-12-31T23:59:59Z")),
            ("2013-02-29", None),
            ("2009-9-29T16:30:00Z", None),
            ("today", None),
            ("", None),
        ] {
            let found = parse_time(text).and_then(format_time).ok();
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert!(format_time(i64::MAX).is_err());
        assert!(format_time(-62_135_596_801).is_err(), "year 0");
        assert_eq!(
            format_time(253_402_214_400).unwrap(),
            "9999-12-31T00:00:00Z"
        );
    }

    #[test]
    fn the_form_of_webpi() {
        for (text, expected) in [
            ("2012-03-25T13:22:48Z", true),
            ("2012-03-25T13:22:48.440870", false),
            ("2009-1-13T18:30:02Z", false),
            ("2014-12-17", false),
            ("2012-13-25T13:22:48Z", false),
            ("2012-03-25t13:22:48z", false),
        ] {
            assert_eq!(is_feed_time(text), expected, "{text}");
        }
        assert_eq!(
            feed_date("2012-03-25T13:22:48Z").as_deref(),
            Some("03-25-2012")
        );
    }
}
