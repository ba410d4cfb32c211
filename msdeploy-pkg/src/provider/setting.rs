//! The settings of providers and the types of their values.

use core::fmt;

/// A setting of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingDescription {
    /// Its name as Web Deploy spells it; read in any letter case.
    pub name: &'static str,
    /// What its value can be.
    pub value: SettingType,
    /// What holds where it is not given, as far as Microsoft's documentation says.
    pub default: Option<&'static str>,
    /// Whether the value is a password, which Web Deploy does not show.
    pub is_secure: bool,
}

impl SettingDescription {
    pub(super) const fn new(name: &'static str, value: SettingType) -> Self {
        Self {
            name,
            value,
            default: None,
            is_secure: false,
        }
    }

    pub(super) const fn secure(mut self) -> Self {
        self.is_secure = true;
        self
    }

    pub(super) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// The type of a setting's value, which is text in every package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingType {
    /// Any text.
    Text,
    /// `true` or `false`, in any letter case.
    Boolean,
    /// A whole number from 0 to this one; .NET's `Int32` or `Int64`.
    Number {
        /// The largest.
        max: i64,
    },
    /// Exit codes separated by `;`, each a decimal number or `0x…`.
    ExitCodes,
    /// One of these words, in any letter case.
    OneOf(&'static [&'static str]),
    /// One or more of these words, in any letter case, separated by commas.
    AnyOf(&'static [&'static str]),
}

impl SettingType {
    /// Whether a value is of the type. Blanks around it do not matter.
    ///
    /// ```
    /// use msdeploy_pkg::ProviderDescription;
    ///
    /// let set_acl = ProviderDescription::of("setAcl").unwrap();
    /// let access = set_acl.setting("setAclAccess").unwrap().value;
    /// assert!(access.accepts("Read, Write"));
    /// assert!(!access.accepts("Reed"));
    /// ```
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        let value = value.trim();
        let is = |word: &&&str| word.eq_ignore_ascii_case(value);
        match self {
            Self::Text => true,
            Self::Boolean => boolean(value).is_some(),
            Self::Number { max } => number(value).is_some_and(|number| number <= *max),
            Self::ExitCodes => exit_codes(value).is_some(),
            Self::OneOf(words) => words.iter().find(is).is_some(),
            Self::AnyOf(words) => value.split(',').all(|value| {
                words
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(value.trim()))
            }),
        }
    }
}

impl fmt::Display for SettingType {
    /// What a value has to be: "`true` or `false`".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, words) = match self {
            Self::Text => return f.write_str("text"),
            Self::Boolean => return f.write_str("`true` or `false`"),
            Self::Number { max } => return write!(f, "a whole number from 0 to {max}"),
            Self::ExitCodes => return f.write_str("a list of exit codes"),
            Self::OneOf(words) => ("one of ", words),
            Self::AnyOf(words) => ("one or more of ", words),
        };
        f.write_str(before)?;
        for (i, word) in words.iter().enumerate() {
            write!(f, "{}`{word}`", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// `true` or `false` as .NET's `Boolean.Parse` reads them.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A whole number of digits only.
pub(crate) fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Exit codes separated by `;`; at least one.
pub(crate) fn exit_codes(text: &str) -> Option<Vec<u32>> {
    text.split(';')
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .map(exit_code)
        .collect::<Option<Vec<_>>>()
        .filter(|codes| !codes.is_empty())
}

fn exit_code(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let hexadecimal = digits.bytes().all(|octet| octet.is_ascii_hexdigit());
        return u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal);
    }
    // Windows hands exit codes out as unsigned numbers, and programs return them as signed ones.
    let number: i64 = text.parse().ok().filter(|_| !text.starts_with('+'))?;
    u32::try_from(number)
        .ok()
        .or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let int = SettingType::Number {
            max: i32::MAX.into(),
        };
        let check = |kind: SettingType, good: &[&str], bad: &[&str]| {
            for value in good {
                assert!(kind.accepts(value), "{value:?} is {kind}");
            }
            for value in bad {
                assert!(!kind.accepts(value), "{value:?} is not {kind}");
            }
        };
        check(SettingType::Text, &["", "x"], &[]);
        check(
            SettingType::Boolean,
            &["true", "False", " TRUE "],
            &["", "1", "yes"],
        );
        check(
            int,
            &["0", "2147483647", " 5 "],
            &["", "-1", "+1", "1.0", "2147483648", "99999999999999999999"],
        );
        check(
            SettingType::ExitCodes,
            &["0", "0x0;0xBC2", "-1;"],
            &["", ";", "0,1", "0x", "0x+1", "4294967296"],
        );
        let words = &["Read", "Write"][..];
        check(SettingType::OneOf(words), &["read"], &["", "read,write"]);
        check(
            SettingType::AnyOf(words),
            &["read", "Read, WRITE"],
            &["", "read,", "read;write"],
        );
    }

    #[test]
    fn types_in_words() {
        let words = &["Read", "Write"][..];
        assert_eq!(
            SettingType::AnyOf(words).to_string(),
            "one or more of `Read`, `Write`"
        );
    }
}
