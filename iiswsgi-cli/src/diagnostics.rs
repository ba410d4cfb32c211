//! Errors as a person reads them: the line of the file, a caret under the fault, and what to do.
//!
//! The only file that knows annotate-snippets, whose interface is not stable yet.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
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
        Error::Io(error) => render_message(&error.to_string(), None, renderer),
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
        let mut snippet = Snippet::source(source.text())
            .line_start(source.first().line)
            .path(source.name());
        if let Some(span) = problem.span {
            snippet = snippet.annotation(AnnotationKind::Primary.span(clamp(source, span)));
        }
        for (span, label) in &problem.related {
            snippet = snippet.annotation(
                AnnotationKind::Context
                    .span(clamp(source, *span))
                    .label(label.as_str()),
            );
        }
        title.element(snippet)
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

/// A span that certainly lies inside the text, on character borders.
fn clamp(source: &Source, span: Span) -> std::ops::Range<usize> {
    let text = source.text();
    let floor = |mut offset: usize| {
        offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
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
        Error::Io(error) => vec![json!({ "severity": "error", "message": error.to_string() })],
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
