//! Reading a TOML table key by key, with every fault kept as a [`Problem`] at its place.

use core::ops::Range;

use spanned_xml::{Problem, Source, Span, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place in the file.
pub(crate) type Value<'t, 'i> = &'t Spanned<DeValue<'i>>;

/// The place of a TOML value.
pub(crate) const fn span(range: &Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

/// Parses a whole document; every syntax error becomes a problem, and what could be read is
/// returned.
pub(crate) fn parse<'i>(source: &'i Source, problems: &mut Vec<Problem>) -> Spanned<DeTable<'i>> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    for error in errors {
        let message = error.message().trim().replace('\n', ", ");
        let mut problem = Problem::error("toml-syntax", message)
            .help("the file is TOML 1.0 (https://toml.io): strings need quotes, tables a `[name]` line of their own");
        if let Some(range) = error.span() {
            problem = problem.at(span(&range));
        }
        problems.push(problem);
    }
    document
}

/// The word a person uses for a value's type.
pub(crate) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A key that nobody knows.
pub(crate) fn unknown_key(name: &str, span: Span, nearest: Option<&str>) -> Problem {
    let problem =
        Problem::error("pyproject-unknown-key", format!("`{name}` is not known")).at(span);
    match nearest {
        Some(key) => problem.help(format!("did you mean `{key}`?")),
        None => problem,
    }
}

/// One table being read: each `take` marks a key as known, [`Fields::finish`] reports the others.
pub(crate) struct Fields<'t, 'i, 'p> {
    table: &'t DeTable<'i>,
    /// The table's name as the file writes it, for messages.
    name: String,
    known: Vec<&'static str>,
    pub(crate) problems: &'p mut Vec<Problem>,
}

impl<'t, 'i, 'p> Fields<'t, 'i, 'p> {
    pub(crate) fn new(
        name: impl Into<String>,
        table: &'t DeTable<'i>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self {
            table,
            name: name.into(),
            known: Vec::new(),
            problems,
        }
    }

    /// The value under `key`, of any type.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'t, 'i>> {
        self.known.push(key);
        self.table
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    /// Marks keys as known that are left to others.
    pub(crate) fn ignore(&mut self, keys: &[&'static str]) {
        self.known.extend_from_slice(keys);
    }

    /// Reports that `value` has the wrong type.
    pub(crate) fn wrong_type(&mut self, key: &str, value: Value<'t, 'i>, expected: &str) {
        let found = type_name(value.get_ref());
        let message = format!("`{}` must be {expected}, found {found}", self.dotted(key));
        self.problems
            .push(Problem::error("pyproject-wrong-type", message).at(span(&value.span())));
    }

    fn dotted(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Option<(String, Span)> {
        let value = self.take(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_owned(), span(&value.span()))),
            None => {
                self.wrong_type(key, value, "a string");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<(bool, Span)> {
        let value = self.take(key)?;
        match value.get_ref().as_bool() {
            Some(boolean) => Some((boolean, span(&value.span()))),
            None => {
                self.wrong_type(key, value, "`true` or `false`");
                None
            }
        }
    }

    /// An array of strings; the place of each is kept.
    pub(crate) fn strings(&mut self, key: &'static str) -> Option<Strings> {
        let value = self.take(key)?;
        self.strings_of(key, value)
    }

    /// `value` as an array of strings; members of another type are reported and left out.
    pub(crate) fn strings_of(&mut self, key: &str, value: Value<'t, 'i>) -> Option<Strings> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "an array of strings");
            return None;
        };
        let mut items = Vec::new();
        for (i, item) in array.iter().enumerate() {
            match item.get_ref().as_str() {
                Some(text) => items.push((text.to_owned(), span(&item.span()))),
                None => self.wrong_type(&format!("{key}[{i}]"), item, "a string"),
            }
        }
        Some(Strings { items })
    }

    pub(crate) fn table(&mut self, key: &'static str) -> Option<(&'t DeTable<'i>, Span)> {
        let value = self.take(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some((table, span(&value.span()))),
            None => {
                self.wrong_type(key, value, "a table");
                None
            }
        }
    }

    /// Reports every key that nobody asked for, through `report` (its dotted name, its place, the
    /// nearest known key).
    pub(crate) fn finish(self, report: impl Fn(&str, Span, Option<&str>) -> Problem) {
        let mut unknown: Vec<_> = self
            .table
            .keys()
            .filter(|key| !self.known.contains(&key.get_ref().as_ref()))
            .collect();
        unknown.sort_by_key(|key| key.span().start);
        for key in unknown {
            let name = key.get_ref().as_ref();
            self.problems.push(report(
                &self.dotted(name),
                span(&key.span()),
                nearest(name, self.known.iter().copied(), 1)
                    .first()
                    .copied(),
            ));
        }
    }
}

/// An array of strings with the place of each.
pub(crate) struct Strings {
    pub(crate) items: Vec<(String, Span)>,
}

impl Strings {
    pub(crate) fn into_values(self) -> Vec<String> {
        self.items.into_iter().map(|(text, _)| text).collect()
    }
}
