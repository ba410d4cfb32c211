//! Attributes of a schema: types, validators, and whether a value keeps to them.

/// `attribute`: one attribute that an element takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttributeSchema {
    /// `name`.
    pub name: String,
    /// `type`, with the names of an `enum` or `flags`.
    pub kind: AttributeType,
    /// `required`.
    pub required: bool,
    /// `isUniqueKey`: alone a key of its collection.
    pub is_unique_key: bool,
    /// `isCombinedKey`: part of its collection's key.
    pub is_combined_key: bool,
    /// `caseSensitive`.
    pub case_sensitive: bool,
    /// `defaultValue`, as written.
    pub default_value: Option<String>,
    /// `encrypted`: the file holds `[enc:…:enc]`.
    pub encrypted: bool,
    /// `expanded`: IIS expands `%VAR%` in it.
    pub expanded: bool,
    /// `allowInfinite`: `Infinite` is a value.
    pub allow_infinite: bool,
    /// `validationType` with its `validationParameter`.
    pub validation: Option<Validation>,
}

/// `type` of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeType {
    /// `bool`.
    Bool,
    /// `enum`: names and numbers.
    Enum(Vec<(String, i64)>),
    /// `flags`: names and numbers; a value lists names with commas.
    Flags(Vec<(String, i64)>),
    /// `uint`: 32 bits.
    Uint,
    /// `int`: 32 bits.
    Int,
    /// `int64`.
    Int64,
    /// `string`.
    String,
    /// `timeSpan`.
    TimeSpan(TimeSpanFormat),
}

/// `timeSpanFormat`: how a time span is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeSpanFormat {
    /// `string`: `hh:mm:ss`, with `d.` before it for days.
    #[default]
    String,
    /// `seconds`: their number.
    Seconds,
    /// `minutes`: their number.
    Minutes,
}

/// `validationType` and `validationParameter`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validation {
    /// `applicationPoolName`.
    ApplicationPoolName,
    /// `siteName`.
    SiteName,
    /// `applicationPath`, and `virtualDirectoryPath` with the same rules.
    ApplicationPath,
    /// `integerRange`: inside, or with `exclude` outside.
    IntegerRange {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// The range is what is *not* allowed.
        exclude: bool,
    },
    /// `timeSpanRange`, in seconds.
    TimeSpanRange {
        /// The least, in seconds.
        min: i64,
        /// The greatest, in seconds.
        max: i64,
        /// A value is a multiple of so many seconds.
        granularity: i64,
        /// The range is what is *not* allowed.
        exclude: bool,
    },
    /// `nonEmptyString`.
    NonEmptyString,
    /// `requireTrimmedString`.
    RequireTrimmedString,
}

/// How a value breaks the schema: of the wrong type, or of the right one but refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not of the type; what would be.
    Type(String),
    /// A name that an `enum` or `flags` does not have.
    Name(String),
    /// Out of range, or refused by another validator; what would be right.
    Refused(String),
}

impl AttributeSchema {
    /// What is wrong with `value`; `None` where IIS takes it.
    pub(super) fn fault(&self, value: &str) -> Option<Fault> {
        if self.encrypted && value.starts_with("[enc:") {
            return None;
        }
        if self.allow_infinite && value.eq_ignore_ascii_case("Infinite") {
            return None;
        }
        match &self.kind {
            AttributeType::Bool => {
                let is_bool = ["true", "false"]
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(value));
                (!is_bool).then(|| Fault::Type("`true` or `false`".to_owned()))
            }
            AttributeType::Enum(names) => unknown_name(names, value),
            AttributeType::Flags(names) => value
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .find_map(|name| unknown_name(names, name)),
            AttributeType::Uint => self.number(value, 0, i64::from(u32::MAX)),
            AttributeType::Int => self.number(value, i64::from(i32::MIN), i64::from(i32::MAX)),
            AttributeType::Int64 => self.number(value, i64::MIN, i64::MAX),
            AttributeType::TimeSpan(format) => match seconds(value, *format) {
                None => Some(Fault::Type(
                    match format {
                        TimeSpanFormat::String => "a time as `hh:mm:ss` or `d.hh:mm:ss`",
                        TimeSpanFormat::Seconds => "a number of seconds",
                        TimeSpanFormat::Minutes => "a number of minutes",
                    }
                    .to_owned(),
                )),
                Some(seconds) => self.validation.as_ref()?.refuse_number(seconds),
            },
            AttributeType::String => self.validation.as_ref()?.refuse_text(value),
        }
    }

    fn number(&self, value: &str, min: i64, max: i64) -> Option<Fault> {
        let digits = value.trim();
        let hexadecimal = digits
            .strip_prefix("0x")
            .or_else(|| digits.strip_prefix("0X"));
        let number = match hexadecimal {
            Some(hexadecimal) if !hexadecimal.starts_with(['+', '-']) => {
                i64::from_str_radix(hexadecimal, 16).ok()
            }
            _ => digits.parse().ok(),
        };
        match number {
            Some(number) if (min..=max).contains(&number) => {
                self.validation.as_ref()?.refuse_number(number)
            }
            _ if (min, max) == (i64::MIN, i64::MAX) => {
                Some(Fault::Type("a whole number".to_owned()))
            }
            _ => Some(Fault::Type(format!("a whole number from {min} to {max}"))),
        }
    }
}

/// IIS takes the names of an enumeration whatever their case, and their numbers.
fn unknown_name(names: &[(String, i64)], value: &str) -> Option<Fault> {
    let number = value.parse::<i64>().ok();
    let known = names
        .iter()
        .any(|(name, of)| name.eq_ignore_ascii_case(value) || number == Some(*of));
    (!known).then(|| Fault::Name(value.to_owned()))
}

/// Seconds of a time span in `hh:mm:ss`, with `d.` before it for days; `None` where it is not one.
pub(crate) fn time_span_seconds(value: &str) -> Option<u64> {
    u64::try_from(seconds(value, TimeSpanFormat::String)?).ok()
}

/// Seconds of a time span; `None` where it is not one.
fn seconds(value: &str, format: TimeSpanFormat) -> Option<i64> {
    let number = |text: &str| -> Option<i64> {
        let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    match format {
        TimeSpanFormat::Seconds => number(value),
        TimeSpanFormat::Minutes => number(value)?.checked_mul(60),
        TimeSpanFormat::String => {
            let (days, time) = match value.split_once('.') {
                Some((days, time)) if time.contains(':') => (number(days)?, time),
                _ => (0, value),
            };
            let mut parts = time.split(':');
            let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
            let rest = parts.next()?;
            let whole = rest.split_once('.').map_or(rest, |(whole, _)| whole);
            let last = number(whole)?;
            if parts.next().is_some() || hours > 23 || minutes > 59 || last > 59 {
                return None;
            }
            days.checked_mul(86_400)?
                .checked_add(hours * 3_600 + minutes * 60 + last)
        }
    }
}

impl Validation {
    fn refuse_number(&self, number: i64) -> Option<Fault> {
        let (min, max, granularity, exclude) = match *self {
            Self::IntegerRange { min, max, exclude } => (min, max, 1, exclude),
            Self::TimeSpanRange {
                min,
                max,
                granularity,
                exclude,
            } => (min, max, granularity.max(1), exclude),
            _ => return None,
        };
        let unit = match self {
            Self::TimeSpanRange { .. } => " seconds",
            _ => "",
        };
        if (min..=max).contains(&number) == exclude {
            let outside = if exclude { "not " } else { "" };
            return Some(Fault::Refused(format!(
                "a value {outside}from {min} to {max}{unit}"
            )));
        }
        (number % granularity != 0)
            .then(|| Fault::Refused(format!("a multiple of {granularity}{unit}")))
    }

    fn refuse_text(&self, text: &str) -> Option<Fault> {
        let without = |forbidden: &str| {
            let found = text.chars().any(|c| forbidden.contains(c));
            found.then(|| Fault::Refused(format!("a name without any of `{forbidden}`")))
        };
        match self {
            Self::ApplicationPoolName => without("|<>&\"/[]+=;:,?*@"),
            Self::SiteName => without("/?"),
            Self::ApplicationPath => {
                let rooted = text.starts_with('/') && (text == "/" || !text.ends_with('/'));
                let plain = text.split('/').all(|part| part != "." && part != "..");
                (!rooted || !plain).then(|| {
                    Fault::Refused(
                        "a path that begins with `/`, does not end with it, and has no `.` or `..`"
                            .to_owned(),
                    )
                })
            }
            Self::NonEmptyString => text
                .is_empty()
                .then(|| Fault::Refused("a value that is not empty".to_owned())),
            Self::RequireTrimmedString => (text.trim() != text)
                .then(|| Fault::Refused("a value without blanks at its ends".to_owned())),
            Self::IntegerRange { .. } | Self::TimeSpanRange { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: AttributeType, validation: Option<Validation>) -> AttributeSchema {
        AttributeSchema {
            name: "a".to_owned(),
            kind,
            required: false,
            is_unique_key: false,
            is_combined_key: false,
            case_sensitive: false,
            default_value: None,
            encrypted: false,
            expanded: false,
            allow_infinite: false,
            validation,
        }
    }

    #[test]
    fn values_are_of_their_type() {
        let names = || {
            vec![
                ("None".to_owned(), 0),
                ("Read".to_owned(), 1),
                ("Write".to_owned(), 2),
            ]
        };
        let span = AttributeType::TimeSpan(TimeSpanFormat::String);
        for (kind, good, bad) in [
            (
                AttributeType::Bool,
                vec!["true", "False"],
                vec!["", "yes", "1"],
            ),
            (
                AttributeType::Enum(names()),
                vec!["Read", "read", "2"],
                vec!["", "Reed", "3"],
            ),
            (
                AttributeType::Flags(names()),
                vec!["Read, Write", "Read", ""],
                vec!["Read;Write"],
            ),
            (
                AttributeType::Uint,
                vec!["0", "4294967295", "0xFF"],
                vec!["-1", "4294967296", "ten", "%N%"],
            ),
            (AttributeType::Int, vec!["-1"], vec!["2147483648", "0x-1"]),
            (
                AttributeType::Int64,
                vec!["-9223372036854775808"],
                vec!["x"],
            ),
            (
                span,
                vec!["00:02:00", "1.05:00:00", "00:00:01.5"],
                vec!["120", "24:00:00", "00:60:00", "1:2:3:4"],
            ),
            (
                AttributeType::TimeSpan(TimeSpanFormat::Seconds),
                vec!["120"],
                vec!["00:02:00", "-1"],
            ),
        ] {
            let attribute = attribute(kind, None);
            for value in good {
                assert_eq!(attribute.fault(value), None, "{value} {attribute:?}");
            }
            for value in bad {
                assert!(attribute.fault(value).is_some(), "{value} {attribute:?}");
            }
        }
    }

    #[test]
    fn validators_refuse() {
        let range = |min, max, exclude| Validation::IntegerRange { min, max, exclude };
        let span = Validation::TimeSpanRange {
            min: 0,
            max: 2_592_000,
            granularity: 60,
            exclude: false,
        };
        let string = || AttributeType::String;
        for (kind, validation, good, bad) in [
            (
                AttributeType::Uint,
                range(10, 20, false),
                vec!["10", "20"],
                vec!["9", "21"],
            ),
            (
                AttributeType::Uint,
                range(300, 307, true),
                vec!["0", "308"],
                vec!["300", "307"],
            ),
            (
                AttributeType::TimeSpan(TimeSpanFormat::String),
                span,
                vec!["00:02:00"],
                vec!["00:00:30", "31.00:00:00"],
            ),
            (
                string(),
                Validation::ApplicationPoolName,
                vec!["Django 1"],
                vec!["a/b", "a@b"],
            ),
            (string(), Validation::SiteName, vec!["a b"], vec!["a?"]),
            (
                string(),
                Validation::ApplicationPath,
                vec!["/", "/a/b"],
                vec!["", "a", "/a/", "/../a"],
            ),
            (string(), Validation::NonEmptyString, vec![" "], vec![""]),
            (
                string(),
                Validation::RequireTrimmedString,
                vec!["a b", ""],
                vec![" a"],
            ),
        ] {
            let attribute = attribute(kind, Some(validation));
            for value in good {
                assert_eq!(attribute.fault(value), None, "{value} {attribute:?}");
            }
            for value in bad {
                assert!(attribute.fault(value).is_some(), "{value} {attribute:?}");
            }
        }
    }
}
