//! `[tool.iiswsgi]` of pyproject.toml: what a Web Deploy package and a WebPI feed need beyond the
//! standard metadata.
//!
//! The keys are those of iiswsgi 0.3's setup keywords with `-` for `_`, and the commands that its
//! `pre_install` and `post_install` methods used to be.

use std::collections::BTreeMap;

use spanned_xml::{Problem, Problems, Source, Span};
use toml::de::{DeTable, DeValue};

use crate::toml_table::{self, Fields, Strings, Value};

/// A command to run in the application's folder, as a list of arguments without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; at least the program is there. `python` means the
    /// application's own interpreter.
    pub arguments: Vec<String>,
    /// Its place in pyproject.toml.
    pub span: Span,
}

/// `[tool.iiswsgi]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// `title`: the product's name for people.
    pub title: Option<String>,
    /// `author-url`: the author's page.
    pub author_url: Option<String>,
    /// `license-url`: the licence's text.
    pub license_url: Option<String>,
    /// `display-url`: the product's page.
    pub display_url: Option<String>,
    /// `help-url`: where help is.
    pub help_url: Option<String>,
    /// `published`: when the package came out, RFC 3339, for example `2026-11-22T12:00:00Z`.
    pub published: Option<String>,
    /// `icon-url`: the product's icon.
    pub icon_url: Option<String>,
    /// `screenshot-url`: a picture of the product.
    pub screenshot_url: Option<String>,
    /// `discovery-file`: a file of the application, relative with forward slashes, by which WebPI
    /// finds that it is installed.
    pub discovery_file: Option<String>,
    /// `msdeploy-url-template`: where the package can be fetched from, with `{…}` fields.
    pub msdeploy_url_template: Option<String>,
    /// `install-msdeploy`: product identifiers in WebPI feeds that the package depends on.
    pub install_msdeploy: Vec<String>,
    /// `install-webpi`: product identifiers of related products.
    pub install_webpi: Vec<String>,
    /// `webpi-eggs`: distributions to list in the feed beside the package.
    pub webpi_eggs: Vec<String>,
    /// `before-install`: commands before web.config is written.
    pub before_install: Vec<Command>,
    /// `after-install`: commands after the application is registered.
    pub after_install: Vec<Command>,
    /// `application`: the WSGI application, `module:callable` or a PasteDeploy INI file, for
    /// `iiswsgi serve` and tests.
    pub application: Option<String>,
    /// `install-project`: whether the project itself is installed into the application's virtual
    /// environment, beside its dependencies.
    pub install_project: bool,
    spans: BTreeMap<&'static str, Span>,
}

impl Settings {
    /// The keywords of `setup` that iiswsgi adds.
    pub const SETUP_KEYWORDS: [&'static str; 13] = [
        "title",
        "author_url",
        "license_url",
        "display_url",
        "help_url",
        "published",
        "icon_url",
        "screenshot_url",
        "discovery_file",
        "msdeploy_url_template",
        "install_msdeploy",
        "install_webpi",
        "webpi_eggs",
    ];

    /// The name of the file in a distribution's `.egg-info` or `.dist-info` folder that holds what setup.py gave as keywords of
    /// `setup`: these settings as a TOML document.
    pub const METADATA_FILE: &'static str = "iiswsgi.toml";

    /// Reads a [`Settings::METADATA_FILE`]; the problems are warnings.
    ///
    /// # Errors
    ///
    /// Every fault of the file.
    pub fn parse(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let mut problems = Vec::new();
        let document = toml_table::parse(source, &mut problems);
        let settings = if problems.is_empty() {
            Self::read(document.get_ref(), &mut problems)
        } else {
            Self::default()
        };
        Problems::or_value(source, problems, settings)
    }

    /// These settings, and the `others` for what they do not say.
    #[must_use]
    pub fn merge(self, others: Self) -> Self {
        fn first<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
            if one.is_empty() { other } else { one }
        }
        Self {
            title: self.title.or(others.title),
            author_url: self.author_url.or(others.author_url),
            license_url: self.license_url.or(others.license_url),
            display_url: self.display_url.or(others.display_url),
            help_url: self.help_url.or(others.help_url),
            published: self.published.or(others.published),
            icon_url: self.icon_url.or(others.icon_url),
            screenshot_url: self.screenshot_url.or(others.screenshot_url),
            discovery_file: self.discovery_file.or(others.discovery_file),
            msdeploy_url_template: self.msdeploy_url_template.or(others.msdeploy_url_template),
            install_msdeploy: first(self.install_msdeploy, others.install_msdeploy),
            install_webpi: first(self.install_webpi, others.install_webpi),
            webpi_eggs: first(self.webpi_eggs, others.webpi_eggs),
            before_install: first(self.before_install, others.before_install),
            after_install: first(self.after_install, others.after_install),
            application: self.application.or(others.application),
            install_project: self.install_project || others.install_project,
            // Of the two files, places in the first are told.
            spans: self.spans,
        }
    }

    /// Where the file gives a key, for example `discovery-file`.
    #[must_use]
    pub fn span(&self, key: &str) -> Option<Span> {
        self.spans.get(key).copied()
    }

    /// Reads the table; every fault becomes a problem.
    pub(crate) fn read(table: &DeTable<'_>, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader {
            fields: Fields::new("tool.iiswsgi", table, problems),
            spans: BTreeMap::new(),
        };
        let settings = Self {
            title: reader.string("title"),
            author_url: reader.url("author-url"),
            license_url: reader.url("license-url"),
            display_url: reader.url("display-url"),
            help_url: reader.url("help-url"),
            published: reader.published(),
            icon_url: reader.url("icon-url"),
            screenshot_url: reader.url("screenshot-url"),
            discovery_file: reader.discovery_file(),
            msdeploy_url_template: reader.string("msdeploy-url-template"),
            install_msdeploy: reader.strings("install-msdeploy"),
            install_webpi: reader.strings("install-webpi"),
            webpi_eggs: reader.strings("webpi-eggs"),
            before_install: reader.commands("before-install"),
            after_install: reader.commands("after-install"),
            application: reader.string("application"),
            install_project: reader.boolean("install-project").unwrap_or(false),
            spans: BTreeMap::new(),
        };
        let Reader { fields, spans } = reader;
        fields.finish(|name, span, nearest| {
            let problem = Problem::error(
                "settings-unknown-key",
                format!("`{name}` is not a setting of iiswsgi"),
            )
            .at(span);
            match nearest {
                Some(key) => problem.help(format!("did you mean `{key}`?")),
                None => problem,
            }
        });
        Self { spans, ..settings }
    }
}

struct Reader<'t, 'i, 'p> {
    fields: Fields<'t, 'i, 'p>,
    spans: BTreeMap<&'static str, Span>,
}

impl<'t, 'i> Reader<'t, 'i, '_> {
    fn take(&mut self, key: &'static str) -> Option<Value<'t, 'i>> {
        let value = self.fields.take(key)?;
        self.spans.insert(key, toml_table::span(&value.span()));
        Some(value)
    }

    fn fault(&mut self, problem: Problem) {
        self.fields.problems.push(problem);
    }

    fn string(&mut self, key: &'static str) -> Option<String> {
        self.take(key)?;
        let (text, span) = self.fields.string(key)?;
        if text.trim().is_empty() {
            self.fault(
                Problem::error("settings-empty", format!("`tool.iiswsgi.{key}` is empty"))
                    .at(span)
                    .help("remove the line, or give it a value"),
            );
            return None;
        }
        Some(text)
    }

    fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.take(key)?;
        self.fields.boolean(key).map(|(boolean, _)| boolean)
    }

    /// An absolute address.
    fn url(&mut self, key: &'static str) -> Option<String> {
        let url = self.string(key)?;
        let absolute = ["http://", "https://", "file://", "mailto:"]
            .iter()
            .any(|scheme| {
                url.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
                    && url.len() > scheme.len()
            });
        if !absolute || url.contains(char::is_whitespace) {
            let span = self.spans.get(key).copied().unwrap_or_default();
            let message = format!("`{url}` is not an absolute address");
            self.fault(
                Problem::error("settings-url", message)
                    .at(span)
                    .help("write it whole, as in `https://example.org/`, with `%20` for a blank"),
            );
        }
        Some(url)
    }

    /// RFC 3339, as a string or as TOML's own date; a date alone is midnight UTC.
    fn published(&mut self) -> Option<String> {
        const HELP: &str = "write it as in `2026-11-22T12:00:00Z` (RFC 3339)";
        let value = self.take("published")?;
        let span = toml_table::span(&value.span());
        let (text, parsed) = match value.get_ref() {
            DeValue::Datetime(datetime) => (datetime.to_string(), Some(*datetime)),
            DeValue::String(text) => (
                text.trim().to_owned(),
                text.trim().parse::<toml::value::Datetime>().ok(),
            ),
            _ => {
                self.fields
                    .wrong_type("published", value, "a date and time");
                return None;
            }
        };
        match parsed {
            Some(toml::value::Datetime {
                date: Some(_),
                time: Some(_),
                offset: Some(_),
            }) => Some(text),
            Some(toml::value::Datetime {
                date: Some(_),
                time: None,
                ..
            }) => Some(format!("{text}T00:00:00Z")),
            Some(toml::value::Datetime { date: Some(_), .. }) => {
                self.fault(
                    Problem::error(
                        "settings-published",
                        format!("`{text}` does not say which time zone it is in"),
                    )
                    .at(span)
                    .help(HELP),
                );
                None
            }
            _ => {
                self.fault(
                    Problem::error(
                        "settings-published",
                        format!("`{text}` is not a date and time"),
                    )
                    .at(span)
                    .help(HELP),
                );
                None
            }
        }
    }

    /// A path inside the application.
    fn discovery_file(&mut self) -> Option<String> {
        let path = self.string("discovery-file")?;
        let forward = path.replace('\\', "/");
        let leaves = forward.starts_with('/')
            || forward.contains(':')
            || forward.split('/').any(|part| part == "..");
        if leaves {
            let span = self
                .spans
                .get("discovery-file")
                .copied()
                .unwrap_or_default();
            let message = format!("`{path}` is not a path inside the application");
            self.fault(
                Problem::error("settings-discovery-file", message)
                    .at(span)
                    .help("give it relative to the application's folder, as in `app/version.txt`"),
            );
        }
        Some(forward)
    }

    fn strings(&mut self, key: &'static str) -> Vec<String> {
        if self.take(key).is_none() {
            return Vec::new();
        }
        let strings = self.fields.strings(key);
        for (text, span) in strings.iter().flat_map(|strings| &strings.items) {
            if text.trim().is_empty() {
                self.fault(
                    Problem::error(
                        "settings-empty",
                        format!("an entry of `tool.iiswsgi.{key}` is empty"),
                    )
                    .at(*span)
                    .help("remove it"),
                );
            }
        }
        strings.map_or_else(Vec::new, Strings::into_values)
    }

    /// A list of commands, each a list of arguments or one string.
    fn commands(&mut self, key: &'static str) -> Vec<Command> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.fields.wrong_type(key, value, "an array of commands");
            return Vec::new();
        };
        let mut commands = Vec::new();
        for (i, item) in array.iter().enumerate() {
            let span = toml_table::span(&item.span());
            let arguments = match item.get_ref() {
                DeValue::String(line) => match split_command_line(line) {
                    Some(arguments) => arguments,
                    None => {
                        let help = "close the quote, or write the command as a list of strings";
                        self.fault(
                            Problem::error(
                                "settings-command-quote",
                                format!("`{line}` has a quote that is not closed"),
                            )
                            .at(span)
                            .help(help),
                        );
                        continue;
                    }
                },
                DeValue::Array(_) => match self.fields.strings_of(&format!("{key}[{i}]"), item) {
                    Some(strings) => strings.into_values(),
                    None => continue,
                },
                _ => {
                    self.fields.wrong_type(
                        &format!("{key}[{i}]"),
                        item,
                        "a list of strings, or one string",
                    );
                    continue;
                }
            };
            if arguments.first().is_none_or(String::is_empty) {
                let help =
                    "begin it with the program, as in `[\"python\", \"manage.py\", \"migrate\"]`";
                self.fault(
                    Problem::error(
                        "settings-command-empty",
                        format!("`tool.iiswsgi.{key}[{i}]` names no program"),
                    )
                    .at(span)
                    .help(help),
                );
            } else {
                commands.push(Command { arguments, span });
            }
        }
        commands
    }
}

/// Splits a command line at blanks outside of quotes; single and double quotes are taken off. A
/// backslash is an ordinary character, so that Windows paths survive. Nothing where a quote is not
/// closed.
///
/// ```
/// let arguments = python_dist::split_command_line(r#"python "my tool.py" C:\temp ''"#);
/// assert_eq!(arguments.as_deref(), Some(&["python", "my tool.py", r"C:\temp", ""].map(String::from)[..]));
/// ```
#[must_use]
pub fn split_command_line(line: &str) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => current.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            None if c.is_whitespace() => arguments.extend(current.take()),
            None => current.get_or_insert_default().push(c),
        }
    }
    arguments.extend(current);
    quote.is_none().then_some(arguments)
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;
    use crate::Pyproject;

    fn parse(lines: &str) -> Result<Settings, Vec<(&'static str, String)>> {
        let text = format!("[tool.iiswsgi]\n{lines}");
        match Pyproject::parse(&Source::from_text("pyproject.toml", text.clone())) {
            Ok((pyproject, warnings)) => {
                assert!(warnings.is_empty());
                Ok(pyproject.settings)
            }
            Err(problems) => {
                let place = |span: Span| text[span.range()].to_owned();
                Err(problems
                    .problems
                    .iter()
                    .map(|problem| (problem.code, problem.span.map_or_else(String::new, place)))
                    .collect())
            }
        }
    }

    #[test]
    fn everything() {
        let settings = parse(
            r#"
title = "Guest book"
author-url = "https://example.org/a"
license-url = "https://example.org/l"
display-url = "https://example.org/d"
help-url = "https://example.org/h"
published = 2026-11-22T12:00:00+01:00
icon-url = "https://example.org/i.png"
screenshot-url = "file:///C:/s.png"
discovery-file = 'app\version.txt'
msdeploy-url-template = "{msdeploy_package_url}"
install-msdeploy = ["Python"]
install-webpi = ["IIS7"]
webpi-eggs = ["virtualenv"]
before-install = ["python setup_project.py --name 'a b'"]
after-install = [["python", "manage.py", "migrate"], "python -m x"]
application = "book:application"
install-project = true
"#,
        )
        .unwrap();
        assert_eq!(settings.title.as_deref(), Some("Guest book"));
        assert_eq!(
            settings.published.as_deref(),
            Some("2026-11-22T12:00:00+01:00")
        );
        assert_eq!(settings.screenshot_url.as_deref(), Some("file:///C:/s.png"));
        assert_eq!(settings.discovery_file.as_deref(), Some("app/version.txt"));
        assert_eq!(settings.install_msdeploy, ["Python"]);
        assert_eq!(settings.install_webpi, ["IIS7"]);
        assert_eq!(settings.webpi_eggs, ["virtualenv"]);
        assert_eq!(
            settings.before_install[0].arguments,
            ["python", "setup_project.py", "--name", "a b"]
        );
        assert_eq!(
            settings.after_install[0].arguments,
            ["python", "manage.py", "migrate"]
        );
        assert_eq!(settings.after_install[1].arguments, ["python", "-m", "x"]);
        assert!(settings.install_project);
        assert!(settings.span("title").is_some() && settings.span("install-project").is_some());
    }

    #[test]
    fn nothing() {
        assert_eq!(parse(""), Ok(Settings::default()));
        assert!(!Settings::default().install_project);
    }

    #[test]
    fn every_fault_at_once() {
        let found = parse(
            "title = ' '\nauthor_url = 'x'\nhelp-url = 'example.org'\nicon-url = 'http://a b'\npublished = 'soon'\n\
             discovery-file = '../up'\ninstall-webpi = 'IIS7'\nwebpi-eggs = ['', 3]\nbefore-install = [[], \"a 'b\", 3, '']\n\
             after-install = 'x'\ninstall-project = 'yes'\n",
        );
        let expected = [
            ("settings-empty", "' '"),
            ("settings-unknown-key", "author_url"),
            ("settings-url", "'example.org'"),
            ("settings-url", "'http://a b'"),
            ("settings-published", "'soon'"),
            ("settings-discovery-file", "'../up'"),
            ("pyproject-wrong-type", "'IIS7'"),
            ("settings-empty", "''"),
            ("pyproject-wrong-type", "3"),
            ("settings-command-empty", "[]"),
            ("settings-command-quote", "\"a 'b\""),
            ("pyproject-wrong-type", "3"),
            ("settings-command-empty", "''"),
            ("pyproject-wrong-type", "'x'"),
            ("pyproject-wrong-type", "'yes'"),
        ];
        let found = found.unwrap_err();
        let found: Vec<_> = found
            .iter()
            .map(|(code, place)| (*code, place.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let source = Source::from_text("pyproject.toml", "[tool.iiswsgi]\ninstall_msdeploy = []\n");
        let problems = Pyproject::parse(&source).unwrap_err().problems;
        assert_eq!(
            problems[0].message,
            "`tool.iiswsgi.install_msdeploy` is not a setting of iiswsgi"
        );
        assert_eq!(
            problems[0].help.as_deref(),
            Some("did you mean `install-msdeploy`?")
        );
    }

    #[test]
    fn dates() {
        for (line, expected) in [
            (
                "published = '2026-11-22T12:00:00Z'",
                Some("2026-11-22T12:00:00Z"),
            ),
            ("published = 2026-11-22", Some("2026-11-22T00:00:00Z")),
            ("published = '2026-11-22'", Some("2026-11-22T00:00:00Z")),
            ("published = 2026-11-22T12:00:00", None),
            ("published = 12:00:00", None),
            ("published = '2026-02-30T00:00:00Z'", None),
            ("published = 3", None),
        ] {
            let found = parse(line).ok().and_then(|settings| settings.published);
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn command_lines() {
        for (line, expected) in [
            ("", Some(vec![])),
            ("  a  b\t c ", Some(vec!["a", "b", "c"])),
            (r#"a"b c"d 'e "f"'"#, Some(vec!["ab cd", "e \"f\""])),
            ("a ''", Some(vec!["a", ""])),
            ("a 'b", None),
            (r"C:\x\y -z", Some(vec![r"C:\x\y", "-z"])),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(split_command_line(line), expected, "{line}");
        }
    }
}
