//! .pypirc: the packaging indexes that somebody uploads to, and the credentials for them.
//!
//! Models the Python Packaging User Guide's "The .pypirc file" and the older `[server-login]` section: sections, `=` and `:`,
//! `#` and `;` at the start of a line, values continued by indentation, no interpolation. No host is known here: a section
//! without a `repository` has none. Errors name the line and never show it, since it may hold a password.

use std::fmt;

/// What a .pypirc file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pypirc {
    /// The sections of indexes, in the order of the file.
    pub repositories: Vec<PypircRepository>,
}

/// A section of an index.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PypircRepository {
    /// The section's name.
    pub name: String,
    /// Where files are sent to.
    pub repository: Option<String>,
    /// The user's name, that of `[server-login]` where the section has none.
    pub username: Option<String>,
    /// The password or token, that of `[server-login]` where the section has none.
    pub password: Option<String>,
}

impl fmt::Debug for PypircRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PypircRepository")
            .field("name", &self.name)
            .field("repository", &self.repository)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

/// A .pypirc file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PypircError {
    /// A line before the first section.
    #[error("line {line} is outside of a section (help: begin the file with `[distutils]`)")]
    NoSection {
        /// The line, from 1.
        line: usize,
    },
    /// A line that is neither a section nor a key with a value.
    #[error("line {line} has no `=` (help: write `key = value`)")]
    NoValue {
        /// The line, from 1.
        line: usize,
    },
    /// `index-servers` names a section that is not there.
    #[error("`index-servers` names `{name}`, which has no section (help: add `[{name}]`)")]
    UnknownServer {
        /// The name.
        name: String,
    },
}

impl Pypirc {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The first fault, without the text of its line.
    ///
    /// ```
    /// use python_dist::Pypirc;
    ///
    /// let file = Pypirc::parse("[distutils]\nindex-servers = office\n[office]\nrepository: https://example.org/\nusername = jim\n")?;
    /// assert_eq!(file.named("office").and_then(|office| office.username.as_deref()), Some("jim"));
    /// # Ok::<(), python_dist::PypircError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PypircError> {
        let mut sections: Vec<(&str, Vec<(String, String)>)> = Vec::new();
        let mut continues = false;
        for (number, whole) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = number + 1;
            let content = whole.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let open = sections.last_mut();
            if whole.starts_with([' ', '\t']) && continues {
                if let Some((_, value)) = open.and_then(|(_, entries)| entries.last_mut()) {
                    value.push('\n');
                    value.push_str(content);
                }
                continue;
            }
            if let Some(name) = content
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                sections.push((name, Vec::new()));
                continues = false;
                continue;
            }
            let (_, entries) = open.ok_or(PypircError::NoSection { line })?;
            let (key, value) = content
                .split_once(['=', ':'])
                .ok_or(PypircError::NoValue { line })?;
            entries.push((key.trim().to_lowercase(), value.trim().to_owned()));
            continues = true;
        }
        let value = |section: &str, key: &str| {
            let entries = sections.iter().filter(|(name, _)| *name == section);
            let mut values = entries.flat_map(|(_, entries)| entries);
            let found = values.find(|(name, value)| name == key && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let servers = value("distutils", "index-servers").unwrap_or_default();
        for name in servers.split_whitespace() {
            if !sections.iter().any(|(section, _)| *section == name) {
                return Err(PypircError::UnknownServer {
                    name: name.to_owned(),
                });
            }
        }
        let mut repositories: Vec<PypircRepository> = Vec::new();
        for (name, _) in &sections {
            let is_known = repositories.iter().any(|known| known.name == *name);
            if is_known || matches!(*name, "distutils" | "server-login") {
                continue;
            }
            let or_login = |key: &str| value(name, key).or_else(|| value("server-login", key));
            repositories.push(PypircRepository {
                name: (*name).to_owned(),
                repository: value(name, "repository"),
                username: or_login("username"),
                password: or_login("password"),
            });
        }
        Ok(Self { repositories })
    }

    /// The section of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&PypircRepository> {
        self.repositories.iter().find(|known| known.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# mine
[distutils]
index-servers =
    office
    share

[office]
repository = https://example.org/upload/
username: jim
password = a=b:%c;#d
[share]
Repository: https://example.org/share/
[server-login]
username = login
password = hidden
";

    #[test]
    fn every_section_is_read() {
        let file = Pypirc::parse(FILE).unwrap();
        let office = file.named("office").unwrap();
        assert_eq!(
            office.repository.as_deref(),
            Some("https://example.org/upload/")
        );
        assert_eq!(office.username.as_deref(), Some("jim"));
        assert_eq!(office.password.as_deref(), Some("a=b:%c;#d"));
        let share = file.named("share").unwrap();
        assert_eq!(share.username.as_deref(), Some("login"));
        assert_eq!(share.password.as_deref(), Some("hidden"));
        assert!(file.named("server-login").is_none() && file.named("distutils").is_none());
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", Pypirc::parse(FILE).unwrap());
        assert!(
            !shown.contains("a=b") && !shown.contains("hidden"),
            "{shown}"
        );
        for (text, expected) in [
            ("secret\n", PypircError::NoSection { line: 1 }),
            ("[a]\n\nsecret\n", PypircError::NoValue { line: 3 }),
            (
                "[distutils]\nindex-servers = a\n",
                PypircError::UnknownServer {
                    name: "a".to_owned(),
                },
            ),
        ] {
            let error = Pypirc::parse(text).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
