//! Rules about parameter entries: whether each finds something to change.

use spanned_xml::Problem;

use super::CheckReport;
use super::providers::names_provider;
use crate::apply::{finds, in_scope};
use crate::manifest::{Manifest, ProviderKind};
use crate::parameters::{EntryKind, ParameterEntry};

/// An entry that edits files, and what has been found of it so far.
struct Search<'p> {
    entry: &'p ParameterEntry,
    /// Files and scripts in its scope.
    scoped: usize,
    /// Whether the scope is one for paths, and not the name of a provider.
    by_path: bool,
    found: bool,
    /// Whether a file could not be looked at, which may be the one.
    unknown: bool,
    /// Whether its match, taken for plain text, is in one of the files.
    literal: bool,
}

/// Checks all entries. Each file that is in the scope of one of them is asked for once.
pub(crate) fn entries<'p>(
    entries: impl Iterator<Item = &'p ParameterEntry>,
    manifest: &Manifest,
    files: &[&str],
    contents: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
    report: &mut CheckReport,
) {
    let mut searches: Vec<Search<'_>> = entries
        .filter(|entry| alone(entry, manifest, report))
        .map(|entry| Search {
            entry,
            scoped: 0,
            by_path: false,
            found: false,
            unknown: false,
            literal: false,
        })
        .collect();
    for file in files {
        look(file, None, &mut searches, contents);
    }
    // A scope may also name the providers whose scripts to edit.
    for provider in &manifest.providers {
        if matches!(
            provider.kind,
            ProviderKind::DbFullSql | ProviderKind::DbMySql
        ) {
            let file = provider.path.replace('\\', "/");
            look(&file, Some(provider.kind.name()), &mut searches, contents);
        }
    }
    for search in &searches {
        tell(search, report);
    }
}

/// Looks for all entries whose scope is this file, or the provider that it belongs to.
fn look(
    file: &str,
    provider: Option<&str>,
    searches: &mut [Search<'_>],
    contents: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
) {
    let mut octets = None;
    for search in searches {
        let scope = &search.entry.scope;
        let scoped = match provider {
            Some(provider) => scope.is_match(provider) == Ok(true),
            None => in_scope(search.entry, file).unwrap_or(false),
        };
        if !scoped {
            continue;
        }
        search.scoped += 1;
        search.by_path |= provider.is_none();
        if search.found {
            continue;
        }
        let octets = octets.get_or_insert_with(|| contents(file));
        match octets
            .as_deref()
            .and_then(|octets| finds(search.entry, file, octets))
        {
            Some(true) => search.found = true,
            Some(false) => {
                let text = search.entry.match_text.as_bytes();
                search.literal |= octets
                    .as_deref()
                    .is_some_and(|octets| octets.windows(text.len()).any(|window| window == text));
            }
            None => search.unknown = true,
        }
    }
}

fn tell(search: &Search<'_>, report: &mut CheckReport) {
    let entry = search.entry;
    if search.scoped == 0 {
        if entry.scope.fault().is_none() {
            report.parameters.push(
                Problem::warning(
                    "check-scope-unmatched",
                    format!("no file of the package is in the scope `{}`", entry.scope.text()),
                )
                .at(entry.span)
                .help("a scope is a regular expression for the file's path, which has backslashes: `\\\\web\\.config$`"),
            );
        }
        return;
    }
    if search.by_path && !entry.scope.text().ends_with('$') {
        report.parameters.push(
            Problem::note(
                "check-scope-open",
                format!(
                    "the scope `{}` also matches in the middle of a path",
                    entry.scope.text()
                ),
            )
            .at(entry.span)
            .help("end it with `$`, so that `web.config.bak` is not edited with `web.config`"),
        );
    }
    if search.found || search.unknown {
        return;
    }
    let help = if search.literal {
        format!(
            "the text itself is there, but a match is a regular expression: write `{}`",
            regex::escape(&entry.match_text)
        )
    } else {
        "the value would go nowhere: correct the match, or the files".to_owned()
    };
    report.parameters.push(
        Problem::warning(
            "check-match-unmatched",
            format!(
                "`{}` matches nothing in the files of its scope",
                entry.match_text
            ),
        )
        .at(entry.match_span)
        .help(help),
    );
}

/// The rules for which no file is needed. Says whether one has to be looked for.
fn alone(entry: &ParameterEntry, manifest: &Manifest, report: &mut CheckReport) -> bool {
    let kind = entry.kind.name();
    if entry.scope.text().is_empty() || entry.match_text.is_empty() {
        report.parameters.push(
            Problem::warning(
                "check-entry-empty",
                format!("a `{kind}` entry without scope or match"),
            )
            .at(entry.span)
            .help("say which provider or files (`scope`) and what in them (`match`)"),
        );
        return false;
    }
    match &entry.kind {
        EntryKind::ProviderPath(_) => {
            let matched = manifest
                .providers
                .iter()
                .any(|provider| names_provider(entry, provider));
            if !matched {
                report.parameters.push(
                    Problem::warning(
                        "check-provider-path-unmatched",
                        format!(
                            "no provider of the manifest matches scope `{}` and match `{}`",
                            entry.scope.text(),
                            entry.match_text
                        ),
                    )
                    .at(entry.match_span)
                    .help("scope is a regular expression for the provider's name, match one for its path"),
                );
            }
            false
        }
        EntryKind::TextFilePosition(_) => {
            report.parameters.push(
                Problem::warning(
                    "check-text-file-position",
                    "the gallery did not allow `TextFilePosition`",
                )
                .at(entry.span)
                .help("use a `TextFile` entry with a placeholder"),
            );
            true
        }
        EntryKind::TextFile(_) | EntryKind::XmlFile(_) => true,
        _ => false,
    }
}
