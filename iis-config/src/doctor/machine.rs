//! Facts about a machine, as far as they are known.

use std::collections::BTreeMap;

use spanned_xml::Source;

use crate::win_path;

/// What is known of the machine that the configuration is for. The default knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// Environment variables, for `%NAME%` in attributes that IIS expands.
    pub environment: BTreeMap<String, String>,
    /// What is at a path, as [`super::Question::path`] spells it.
    pub paths: BTreeMap<String, PathFact>,
    /// `FastCGIUtf8ServerVariables`, the variables that IIS gives in UTF-8; empty where the value is not there.
    pub utf8_server_variables: Option<Vec<String>>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathFact {
    /// Its kind.
    pub kind: PathKind,
    /// The text that was asked for.
    pub text: Option<String>,
    /// Its security descriptor in text form, where it was asked for and is known.
    pub access: Option<String>,
}

impl PathFact {
    /// A fact without text.
    #[must_use]
    pub const fn new(kind: PathKind) -> Self {
        Self {
            kind,
            text: None,
            access: None,
        }
    }

    /// A file with text.
    #[must_use]
    pub fn file(text: impl Into<String>) -> Self {
        Self {
            kind: PathKind::File,
            text: Some(text.into()),
            access: None,
        }
    }
}

/// Whether something is at a path, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Nothing is there.
    Missing,
    /// It cannot be known: the path is outside the files at hand.
    Unknown,
}

/// Where IIS looks for the list, written as a registry export writes it.
const PARAMETERS: &str = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W3SVC\Parameters]";
const VALUE: &str = "FastCGIUtf8ServerVariables";

impl Machine {
    /// `value` with the variables expanded that the machine knows; none where one is left.
    pub(super) fn expand(&self, value: &str) -> Option<String> {
        let expanded = win_path::expand(value, |name| {
            self.environment
                .iter()
                .find(|(known, _)| win_path::eq_ignore_case(known, name))
                .map(|(_, value)| value.clone())
        });
        (expanded.matches('%').count() < 2).then(|| expanded.into_owned())
    }

    /// Takes `FastCGIUtf8ServerVariables` from a registry export (`reg export HKLM\SYSTEM\CurrentControlSet\Services\W3SVC`,
    /// or RegEdit's). An export without the key `…\W3SVC\Parameters` says nothing of it.
    ///
    /// ```
    /// use iis_config::doctor::Machine;
    /// use spanned_xml::Source;
    ///
    /// let mut machine = Machine::default();
    /// machine.read_registry_export(&Source::from_text("w3svc.reg", r#"Windows Registry Editor Version 5.00
    ///
    /// [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W3SVC\Parameters]
    /// "FastCGIUtf8ServerVariables"=hex(7):50,00,41,00,54,00,48,00,5f,00,49,00,4e,00,\
    ///   46,00,4f,00,00,00,00,00
    /// "#));
    /// assert_eq!(machine.utf8_server_variables, Some(vec!["PATH_INFO".to_owned()]));
    /// ```
    pub fn read_registry_export(&mut self, source: &Source) {
        let mut inside = false;
        let mut lines = source.text().lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line.starts_with('[') {
                inside = line.eq_ignore_ascii_case(PARAMETERS);
                if inside {
                    self.utf8_server_variables.get_or_insert_default();
                }
            } else if inside && let Some(data) = value_of(line) {
                let mut data = data.to_owned();
                while data.ends_with('\\') {
                    data.pop();
                    data.push_str(lines.next().unwrap_or_default());
                }
                self.utf8_server_variables = Some(multi_string(&data));
            }
        }
    }
}

/// The data of the value that matters, on a line of `"name"=data`.
fn value_of(line: &str) -> Option<&str> {
    let (name, data) = line.strip_prefix('"')?.split_once("\"=")?;
    name.eq_ignore_ascii_case(VALUE).then_some(data)
}

/// `hex(7):` and UTF-16 code units, little-endian: strings that each end in a zero.
fn multi_string(data: &str) -> Vec<String> {
    let Some(octets) = data.strip_prefix("hex(7):") else {
        return Vec::new();
    };
    let octets: Vec<u8> = octets
        .split(',')
        .filter_map(|octet| u8::from_str_radix(octet.trim(), 16).ok())
        .collect();
    let units: Vec<u16> = octets
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let mut machine = Machine::default();
        machine.read_registry_export(&Source::from_text("x.reg", text));
        machine.utf8_server_variables
    }

    #[test]
    fn an_export_says_which_variables_are_in_utf_8() {
        let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        for (text, expected) in [
            ("", None),
            (
                "[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\"FastCGIUtf8ServerVariables\"=hex(7):41,00",
                None,
            ),
            (PARAMETERS, names(&[])),
            (&format!("{PARAMETERS}\n\"Other\"=dword:1\n"), names(&[])),
            (
                &format!(
                    "{}\r\n\"fastcgiutf8servervariables\"=hex(7):41,00,00,00,42,\\\r\n  00,00,00,00,00\r\n",
                    PARAMETERS.to_lowercase()
                ),
                names(&["A", "B"]),
            ),
            (
                &format!("{PARAMETERS}\n\"FastCGIUtf8ServerVariables\"=hex(7):41,0\\"),
                names(&["A"]),
            ),
            (
                &format!("{PARAMETERS}\n\"FastCGIUtf8ServerVariables\"=\"A\""),
                names(&[]),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn expands_what_it_knows() {
        let mut machine = Machine::default();
        machine
            .environment
            .insert("SystemDrive".to_owned(), "C:".to_owned());
        for (value, expected) in [
            (r"%SYSTEMDRIVE%\a", Some(r"C:\a")),
            (r"%Other%\a", None),
            (r"C:\100%", Some(r"C:\100%")),
        ] {
            assert_eq!(machine.expand(value).as_deref(), expected);
        }
    }
}
