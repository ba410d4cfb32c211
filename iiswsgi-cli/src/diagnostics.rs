//! Errors as a person reads them: the line of the file, a caret under the fault, and what to do.
//!
//! The only file that knows annotate-snippets, whose interface is not stable yet.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};
use spanned_xml::{Problem, Severity, Source, Span};

use crate::error::Error;

/// Draws an error and its help for a terminal.
pub(crate) fn render(error: &Error, renderer: &Renderer) -> String {
    match error {
        Error::Problems(files) => {
            let drawn: Vec<String> = files
                .iter()
                .flat_map(|file| {
                    file.problems
                        .iter()
                        .map(|problem| render_problem(&file.source, problem, renderer))
                })
                .collect();
            drawn.join("\n\n")
        }
        Error::Failed { message, help } => render_message(message, help.as_deref(), renderer),
        Error::Reported => String::new(),
        Error::Io(error) => render_message(&error.to_string(), Error::io_help(error), renderer),
    }
}

/// Draws one problem of a file.
pub(crate) fn render_problem(source: &Source, problem: &Problem, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(problem.message.as_str())
        .id(problem.code);
    let mut group = if problem.span.is_some() || !problem.related.is_empty() {
        let mut marks: Vec<Mark<'_>> = Vec::with_capacity(problem.related.len() + 1);
        marks.extend(problem.span.map(|span| (clamp(source, span), None)));
        let related = problem.related.iter();
        marks.extend(related.map(|(span, label)| (clamp(source, *span), Some(label.as_str()))));
        let mut snippets = Vec::new();
        while let Some((first, _)) = marks.first() {
            let at_hand = source.at_hand(first.start);
            let near = first.start.saturating_sub(NEAR).max(at_hand.start)
                ..first.end.saturating_add(NEAR).min(at_hand.end + 1);
            let (together, far): (Vec<_>, Vec<_>) = marks
                .into_iter()
                .partition(|(span, _)| near.contains(&span.start) && near.contains(&span.end));
            snippets.push(snippet(source, &together));
            marks = far;
        }
        title.elements(snippets)
    } else {
        title.element(annotate_snippets::Origin::path(source.name()))
    };
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

fn render_message(message: &str, help: Option<&str>, renderer: &Renderer) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(message));
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// A place inside the text, and what is said of it; the problem's own place has no label.
type Mark<'a> = (Range<usize>, Option<&'a str>);

/// Octets between places that are drawn together. What is between them costs time for each problem.
const NEAR: usize = 1 << 13;

/// The lines that the places are in.
fn snippet<'a>(source: &'a Source, marks: &[Mark<'a>]) -> Snippet<'a, Annotation<'a>> {
    let start = marks.iter().map(|(span, _)| span.start).min().unwrap_or(0);
    let end = marks.iter().map(|(span, _)| span.end).max().unwrap_or(0);
    let at_hand = source.at_hand(start);
    let before = source.slice(Span::new(at_hand.start, start));
    let start = start
        - before
            .rfind('\n')
            .map_or(before.len(), |newline| before.len() - newline - 1);
    let after = source.slice(Span::new(end, at_hand.end));
    let end = end + after.find('\n').map_or(after.len(), |newline| newline + 1);
    let mut snippet = Snippet::source(source.slice(Span::new(start, end)))
        .line_start(source.line_column(start).line)
        .path(source.name());
    for (span, label) in marks {
        let place = span.start - start..span.end - start;
        snippet = snippet.annotation(match label {
            None => AnnotationKind::Primary.span(place),
            Some(label) => AnnotationKind::Context.span(place).label(*label),
        });
    }
    snippet
}

/// A span that certainly lies inside the text at hand, on character borders.
fn clamp(source: &Source, span: Span) -> Range<usize> {
    let at_hand = source.at_hand(span.start);
    let text = source.slice(Span::new(at_hand.start, at_hand.end));
    let floor = |offset: usize| {
        let mut local = offset.saturating_sub(at_hand.start).min(text.len());
        while !text.is_char_boundary(local) {
            local -= 1;
        }
        at_hand.start + local
    };
    floor(span.start)..floor(span.end)
}

/// An error as `--format json` writes it.
pub(crate) fn to_json(error: &Error) -> Value {
    let problems: Vec<Value> = match error {
        Error::Problems(files) => files
            .iter()
            .flat_map(|file| {
                file.problems
                    .iter()
                    .map(|problem| problem_to_json(&file.source, problem))
            })
            .collect(),
        Error::Failed { message, help } => {
            vec![json!({ "severity": "error", "message": message, "help": help })]
        }
        Error::Reported => Vec::new(),
        Error::Io(error) => vec![
            json!({ "severity": "error", "message": error.to_string(), "help": Error::io_help(error) }),
        ],
    };
    json!({ "status": "error", "problems": problems })
}

/// A problem as `--format json` writes it.
pub(crate) fn problem_to_json(source: &Source, problem: &Problem) -> Value {
    let place = problem.span.map(|span| source.line_column(span.start));
    let related: Vec<Value> = problem
        .related
        .iter()
        .map(|(span, label)| {
            let place = source.line_column(span.start);
            json!({ "line": place.line, "column": place.column, "label": label })
        })
        .collect();
    json!({
        "severity": problem.severity.to_string(),
        "code": problem.code,
        "message": problem.message,
        "file": source.name(),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "help": problem.help,
        "related": related,
    })
}
