//! `*.in` templates: variables as Windows writes them, filled in inside the values of a document that is parsed already.

use python_dist::expandvars_reporting;
use spanned_xml::{Document, Problem, Problems, Source, Span, map_values};

use crate::context::Environment;
use crate::error::{Error, Result};

/// What a template's variables stand for: the project's and the installation's own names first, then the environment.
#[derive(Clone, Debug)]
pub(crate) struct Variables<'a> {
    own: Vec<(&'static str, String)>,
    environment: &'a Environment,
}

/// What becomes of a variable that nothing defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undefined {
    /// It stays as written: the machine that the package is installed on may define it.
    Keep,
    /// It is an error: the file is used as it is.
    Refuse,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self {
            own: Vec::new(),
            environment,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.own.push((name, value.into()));
        self
    }

    /// The names that are not from the environment, with their values.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let own = self
            .own
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        own.or_else(|| self.environment.get(name))
            .map(str::to_owned)
    }

    /// Expands a text; `place` turns a span of it into one of the file.
    fn expand(
        &self,
        text: &str,
        undefined: Undefined,
        place: impl Fn(Span) -> Span,
    ) -> Result<String, Vec<Problem>> {
        let (expanded, missing) = expandvars_reporting(text, |name| self.lookup(name));
        if undefined == Undefined::Keep || missing.is_empty() {
            return Ok(expanded);
        }
        let known: Vec<&str> = self.own.iter().map(|(name, _)| *name).collect();
        Err(missing
            .into_iter()
            .map(|variable| {
                Problem::error(
                    "template-undefined-variable",
                    format!("the variable `{}` is not defined", variable.name),
                )
                .at(place(variable.span))
                .help(format!(
                    "set it in the environment, or use one of {}; write `%%` for a percent sign",
                    known.join(", ")
                ))
            })
            .collect())
    }
}

/// Fills in an XML template. All undefined variables are reported at once.
pub(crate) fn expand_xml(
    source: &Source,
    variables: &Variables<'_>,
    undefined: Undefined,
) -> Result<String> {
    let document = Document::parse(source).map_err(|problem| Error::problem(problem, source))?;
    map_values(source, &document, |value, span| {
        // Where the value holds references, its own offsets are not those of the file: the whole value is the place.
        let exact = source.slice(span) == value;
        let place = |found: Span| {
            if exact {
                found.shifted(span.start)
            } else {
                span
            }
        };
        variables.expand(value, undefined, place).map(Some)
    })
    .map_err(|problems| {
        Problems {
            source: source.clone(),
            problems,
        }
        .into()
    })
}

/// Fills in a template that is plain text.
pub(crate) fn expand_text(
    source: &Source,
    variables: &Variables<'_>,
    undefined: Undefined,
) -> Result<String> {
    variables
        .expand(source.text(), undefined, |span| span)
        .map_err(|problems| {
            Problems {
                source: source.clone(),
                problems,
            }
            .into()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_after_parsing() {
        let mut environment = Environment::default();
        environment.set("Hostile", "\"><evil/>");
        let variables = Variables::new(&environment).with("NAME", "sample");
        let source = Source::from_text("x.in", "<a b=\"%name% %HOSTILE% %Other%\"/>");
        assert_eq!(
            expand_xml(&source, &variables, Undefined::Keep).unwrap(),
            "<a b=\"sample &quot;&gt;&lt;evil/&gt; %Other%\"/>"
        );
    }

    #[test]
    fn undefined_variables_are_reported_all_at_once_with_their_places() {
        let environment = Environment::default();
        let variables = Variables::new(&environment);
        let source = Source::from_text("x.in", "<a b=\"%ONE%\">\n%TWO%</a>");
        let error = expand_xml(&source, &variables, Undefined::Refuse)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("x.in:1:7: error[template-undefined-variable]: the variable `ONE`"),
            "{error}"
        );
        assert!(
            error.contains("x.in:2:1: error[template-undefined-variable]: the variable `TWO`"),
            "{error}"
        );
    }
}
