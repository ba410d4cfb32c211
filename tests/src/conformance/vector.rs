//! Vector files: `tests/vectors/*.toml`.

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8Path;
use fcgi_proto::{Limits, Roles, application};
use fs_err as fs;
use toml::{Spanned, Table};

use super::fields::Fields;
use super::step::{Stage, stages};

/// Which side of a connection a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The application's: requests in, responses out.
    Application,
    /// The Web server's: requests out, responses in.
    WebServer,
}

impl Side {
    /// The name in a vector file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::WebServer => "web_server",
        }
    }
}

/// A file of cases.
#[derive(Clone, Debug)]
pub struct VectorFile {
    /// The file's name.
    pub name: String,
    /// Its cases, in its order.
    pub cases: Vec<Case>,
    /// Items of the checklist that no vector can be about.
    pub outside: Vec<Outside>,
}

/// An item of the checklist that is outside of what octets can show.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Its number.
    pub item: u8,
    /// Why, and where it is tested instead.
    pub reason: String,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique over all files.
    pub id: String,
    /// The line where it begins, from 1.
    pub line: usize,
    /// The items of the checklist that it is about; none where it is about a bug of another implementation only.
    pub items: Vec<u8>,
    /// The section of the specification.
    pub section: String,
    /// What it shows.
    pub title: String,
    /// The bug of another implementation that it is about: a number of an advisory or of a thread.
    pub bug: Option<String>,
    /// Which machine it is for.
    pub side: Side,
    /// How an application's machine is configured.
    pub config: application::Config,
    /// The limits of the machine.
    pub limits: Limits,
    /// Why it is not run, where it is not.
    pub disabled: Option<String>,
    /// What happens.
    pub stages: Vec<Stage>,
}

/// Everything that is wrong with a vector file; shown, one line each.
#[derive(Clone, Debug)]
pub struct LoadError(pub Vec<String>);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for LoadError {}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    case: Vec<Spanned<RawCase>>,
    #[serde(default)]
    outside: Vec<RawOutside>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutside {
    item: u8,
    reason: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    id: Spanned<String>,
    #[serde(default)]
    items: Vec<u8>,
    section: String,
    title: String,
    bug: Option<String>,
    side: RawSide,
    #[serde(default)]
    config: Table,
    #[serde(default)]
    limits: Table,
    disabled: Option<String>,
    steps: Vec<Spanned<Table>>,
}

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawSide {
    Application,
    WebServer,
}

/// Reads a vector file.
///
/// # Errors
/// All that is wrong with it, each with file, line and case. A file that is no TOML, or has keys that are not known or
/// lacks some at its upper levels, has one fault.
pub fn load(path: &Utf8Path) -> Result<VectorFile, LoadError> {
    let text = fs::read_to_string(path).map_err(|error| LoadError(vec![error.to_string()]))?;
    parse(path.as_str(), &text)
}

fn parse(name: &str, text: &str) -> Result<VectorFile, LoadError> {
    let line_of = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
    let raw: RawFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        LoadError(vec![format!("{name}:{line}: {}", error.message())])
    })?;
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    let mut cases = Vec::new();
    for case in raw.case {
        let case = case.into_inner();
        let line = line_of(case.id.span().start);
        let id = case.id.into_inner();
        let side = match case.side {
            RawSide::Application => Side::Application,
            RawSide::WebServer => Side::WebServer,
        };
        let mut wrong: Vec<(usize, String)> = Vec::new();
        if !ids.insert(id.clone()) {
            wrong.push((line, "another case has this id".to_owned()));
        }
        if let Some(item) = case.items.iter().find(|item| !(1..=40).contains(*item)) {
            wrong.push((line, format!("there is no item {item}")));
        }
        let steps = case.steps.into_iter().map(|step| {
            let line = line_of(step.span().start);
            (line, Fields::new(step.into_inner()))
        });
        let (config, config_faults) = config(case.config);
        let (limits, limits_faults) = limits(case.limits);
        wrong.extend(config_faults.into_iter().map(|fault| (line, fault)));
        wrong.extend(limits_faults.into_iter().map(|fault| (line, fault)));
        let stages = stages(side, steps, &mut wrong);
        let expects = |stage: &Stage| {
            !stage.told.is_empty() || !stage.sent.is_empty() || stage.closes.is_some()
        };
        if case.disabled.is_none() && wrong.is_empty() && !stages.iter().any(expects) {
            wrong.push((line, "nothing is expected, so it cannot fail".to_owned()));
        }
        let wrong = wrong.into_iter();
        faults.extend(wrong.map(|(line, fault)| format!("{name}:{line}: case `{id}`: {fault}")));
        cases.push(Case {
            id,
            line,
            items: case.items,
            section: case.section,
            title: case.title,
            bug: case.bug,
            side,
            config,
            limits,
            disabled: case.disabled,
            stages,
        });
    }
    if !faults.is_empty() {
        return Err(LoadError(faults));
    }
    let outside = raw.outside.into_iter().map(|outside| Outside {
        item: outside.item,
        reason: outside.reason,
    });
    Ok(VectorFile {
        name: name.to_owned(),
        cases,
        outside: outside.collect(),
    })
}

fn config(table: Table) -> (application::Config, Vec<String>) {
    let mut fields = Fields::new(table);
    let mut config = application::Config::default();
    let roles = fields.texts("roles");
    if let Some((first, more)) = roles.split_first() {
        let mut role = |name: &str| match name {
            "responder" => Roles::RESPONDER,
            "authorizer" => Roles::AUTHORIZER,
            "filter" => Roles::FILTER,
            _ => {
                let fault = format!("`{name}` is no role: responder, authorizer, filter");
                fields.faults.push(fault);
                Roles::RESPONDER
            }
        };
        config.roles = more
            .iter()
            .fold(role(first), |roles, name| roles.with(role(name)));
    }
    config.max_conns = fields.number("max_conns").unwrap_or(config.max_conns);
    config.max_reqs = fields.number("max_reqs").unwrap_or(config.max_reqs);
    config.mpxs_conns = fields.flag("mpxs_conns").unwrap_or(config.mpxs_conns);
    (config, fields.finish("`config`"))
}

fn limits(table: Table) -> (Limits, Vec<String>) {
    let mut fields = Fields::new(table);
    let mut limits = Limits::default();
    let sizes = [
        ("params_len", &mut limits.params_len),
        ("params_pairs", &mut limits.params_pairs),
        ("name_len", &mut limits.name_len),
        ("value_len", &mut limits.value_len),
        ("requests", &mut limits.requests),
        ("replies_len", &mut limits.replies_len),
        ("management_len", &mut limits.management_len),
    ];
    for (key, limit) in sizes {
        *limit = fields.number(key).unwrap_or(*limit);
    }
    limits.unread_len = fields.number("unread_len").unwrap_or(limits.unread_len);
    (limits, fields.finish("`limits`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "\
[[case]]
id = 'one'
items = [12]
section = '4.2'
title = 'An unknown management record'
side = 'application'
steps = [
  { receive = 99, text = 'what' },
  { send = 'UNKNOWN_TYPE', record_type = 99 },
]
";

    fn check(text: &str, expected: &[&str]) {
        let faults = parse("x.toml", text).map_or_else(|error| error.0, |_| Vec::new());
        assert_eq!(faults, expected, "{text}");
    }

    #[test]
    fn a_case_is_read() {
        let file = parse("x.toml", CASE).unwrap();
        let [case] = &file.cases[..] else {
            panic!("{file:?}")
        };
        assert_eq!(
            (case.id.as_str(), case.line, &case.items[..]),
            ("one", 2, &[12][..])
        );
        let [stage] = &case.stages[..] else {
            panic!("{case:?}")
        };
        assert_eq!(stage.sent, b"\x01\x0b\0\0\0\x08\0\0\x63\0\0\0\0\0\0\0");
    }

    #[test]
    fn faults_name_file_line_and_case() {
        check(
            &CASE.replace("title =", "titel ="),
            &[
                "x.toml:5: unknown field `titel`, expected one of `id`, `items`, `section`, `title`, `bug`, `side`, `config`, `limits`, `disabled`, `steps`",
            ],
        );
        check(
            &CASE.replace("text =", "txt ="),
            &["x.toml:8: case `one`: `txt` means nothing for this `receive`"],
        );
        check(
            &CASE.replace("receive = 99", "receive = 'STDINN'"),
            &[
                "x.toml:8: case `one`: `receive` is `STDINN`, expected the name of a type or a number up to 255",
            ],
        );
        check(
            &CASE.replace("[12]", "[41]"),
            &["x.toml:2: case `one`: there is no item 41"],
        );
        check(
            &format!("{CASE}{CASE}"),
            &["x.toml:12: case `one`: another case has this id"],
        );
        check(
            &CASE.replace("{ send = 'UNKNOWN_TYPE', record_type = 99 },", ""),
            &["x.toml:2: case `one`: nothing is expected, so it cannot fail"],
        );
        check(
            &CASE.replace("{ receive = 99, text = 'what' },", ""),
            &["x.toml:9: case `one`: `send` comes before anything was done"],
        );
        check(
            &CASE.replace("items =", "limits = { params = 1 }\nitems ="),
            &["x.toml:2: case `one`: `params` means nothing for `limits`"],
        );
    }
}
