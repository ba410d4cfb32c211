//! The syntax of setup.cfg.
//!
//! Follows Python's `configparser` as setuptools sets it up: `=` and `:`, `#` and `;` at the start
//! of a line, values continued by indentation, no interpolation, nothing twice. Left out: its
//! DEFAULT section.

use spanned_xml::{Problem, Span};

/// A section with its entries, in the order of the file.
pub(crate) struct Section {
    pub(crate) name: String,
    span: Span,
    pub(crate) entries: Vec<Entry>,
}

/// `key = value`.
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The key's place.
    pub(crate) span: Span,
    /// The lines of the value, without their indentation.
    pub(crate) lines: Vec<String>,
}

/// Reads a file; every fault becomes a problem.
pub(crate) fn read_sections(text: &str, problems: &mut Vec<Problem>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // The indentation of the key whose value is being continued.
    let mut open: Option<usize> = None;
    let mut offset = 0;
    for whole in text.split_inclusive('\n') {
        let start = offset;
        offset += whole.len();
        let line = whole.trim_end();
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let span = Span::new(start + indent, start + line.len());
        if content.is_empty() {
            // A blank line belongs to a value only if the value goes on after it.
            if let Some(entry) = sections
                .last_mut()
                .filter(|_| open.is_some())
                .and_then(|section| section.entries.last_mut())
            {
                entry.lines.push(String::new());
            }
            continue;
        }
        if content.starts_with(['#', ';']) {
            continue;
        }
        if let (Some(key_indent), Some(section)) = (open, sections.last_mut())
            && indent > key_indent
        {
            if let Some(entry) = section.entries.last_mut() {
                entry.lines.push(content.to_owned());
            }
            continue;
        }
        if let Some(name) = content
            .strip_prefix('[')
            .and_then(|rest| rest.rfind(']').map(|end| &rest[..end]))
        {
            open = None;
            if let Some(first) = sections.iter().find(|section| section.name == name) {
                let problem = Problem::error(
                    "setup-cfg-duplicate-section",
                    format!("section `[{name}]` comes twice"),
                )
                .at(span);
                problems.push(
                    problem
                        .related(first.span, "first here")
                        .help("put its lines into the first one"),
                );
            }
            sections.push(Section {
                name: name.to_owned(),
                span,
                entries: Vec::new(),
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            let problem = Problem::error(
                "setup-cfg-no-section",
                format!("`{content}` is outside of a section"),
            )
            .at(span);
            problems.push(problem.help("begin the file with a section, for example `[metadata]`"));
            continue;
        };
        let Some(sign) = content.find(['=', ':']) else {
            let problem =
                Problem::error("setup-cfg-no-value", format!("`{content}` has no `=`")).at(span);
            problems.push(
                problem
                    .help("write `key = value`; indent the line where it continues the one above"),
            );
            open = None;
            continue;
        };
        let key = content[..sign].trim_end();
        let span = Span::new(span.start, span.start + key.len());
        // setuptools' own keys are written with `-` or `_`, and once were in any case.
        let key = match section.name.as_str() {
            "metadata" | "options" => key.to_lowercase().replace('-', "_"),
            _ => key.to_owned(),
        };
        if let Some(first) = section.entries.iter().find(|entry| entry.key == key) {
            let problem = Problem::error(
                "setup-cfg-duplicate-key",
                format!("`{key}` comes twice in `[{}]`", section.name),
            )
            .at(span);
            problems.push(
                problem
                    .related(first.span, "first here")
                    .help("remove one of the two"),
            );
        }
        section.entries.push(Entry {
            key,
            span,
            lines: vec![content[sign + 1..].trim().to_owned()],
        });
        open = Some(indent);
    }
    sections
}
