//! The time of an entry. APPNOTE §4.4.6: MS-DOS date and time, local, in steps of two seconds.

use crate::Error;

/// The first date that the format has: 1980-01-01.
const FIRST_DATE: u16 = (1 << 5) | 1;

/// The modification time of an entry, to the two seconds that the format has. It knows no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    date: u16,
    time: u16,
}

impl Default for Timestamp {
    /// 1980-01-01 00:00:00, the first that a zip archive can hold.
    fn default() -> Self {
        Self {
            date: FIRST_DATE,
            time: 0,
        }
    }
}

impl Timestamp {
    /// A time in seconds since 1970-01-01 00:00:00 UTC, as `SOURCE_DATE_EPOCH` gives it. Times before 1980 become
    /// 1980-01-01.
    ///
    /// # Errors
    ///
    /// [`Error::Time`] for a time after 2107.
    pub fn from_unix(seconds: u64) -> Result<Self, Error> {
        const FIRST: u64 = 315_532_800; // 1980-01-01
        if seconds < FIRST {
            return Ok(Self::default());
        }
        let fault = || Error::Time {
            text: format!("{seconds} s after 1970"),
        };
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Days to civil date: years of 400 begin in March, so that the leap day is the last one.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        if year > 2107 {
            return Err(fault());
        }
        let date = ((year - 1980) << 9) | (month << 5) | day;
        let time = (rest / 3600) << 11 | (rest % 3600 / 60) << 5 | (rest % 60 / 2);
        Ok(Self {
            date: u16::try_from(date).map_err(|_| fault())?,
            time: u16::try_from(time).map_err(|_| fault())?,
        })
    }

    /// The time in seconds since 1970-01-01 00:00:00, as if it were UTC; a date that does not exist counts on from the one
    /// before it.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        let (year, month) = (
            1980 + i64::from(self.date >> 9),
            i64::from(self.date >> 5 & 15),
        );
        // As in `from_unix`: years begin in March.
        let (year, month_from_march) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.date & 31) - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
        let time = i64::from(self.time);
        days * 86_400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2
    }

    /// The two numbers of the format, whatever they say: some programs write dates that do not exist.
    #[must_use]
    pub const fn from_dos(date: u16, time: u16) -> Self {
        Self { date, time }
    }

    /// The date and the time as the format has them.
    #[must_use]
    pub const fn to_dos(self) -> (u16, u16) {
        (self.date, self.time)
    }
}

impl core::fmt::Display for Timestamp {
    /// `2025-12-31 23:59:58`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (date, time) = (self.date, self.time);
        write!(
            f,
            "{}-{:02}-{:02} {:02}:{:02}:{:02}",
            1980 + (date >> 9),
            date >> 5 & 15,
            date & 31,
            time >> 11,
            time >> 5 & 63,
            (time & 31) * 2
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |seconds: u64, expected: &str| {
            let timestamp = Timestamp::from_unix(seconds).unwrap();
            assert_eq!(timestamp.to_string(), expected, "{seconds}");
            // The format has steps of two seconds, and nothing before 1980.
            let same = i64::try_from(seconds.max(315_532_800) / 2 * 2).unwrap();
            assert_eq!(timestamp.to_unix(), same, "{seconds}");
        };
        check(0, "1980-01-01 00:00:00");
        check(315_532_800, "1980-01-01 00:00:00");
        check(951_782_400, "2000-02-29 00:00:00");
        check(1_351_468_800, "2012-10-29 00:00:00");
        check(1_767_225_599, "2025-12-31 23:59:58");
        check(4_354_819_198, "2107-12-31 23:59:58");
        for late in [4_354_819_200, u64::MAX] {
            let error = Timestamp::from_unix(late).unwrap_err().to_string();
            assert!(error.contains("expected 1980 to 2107"), "{error}");
        }
    }
}
