//! Applying parameters: provider paths, and the contents of files.
//!
//! An edited file keeps its encoding, byte order mark and line ends; in an XML file only what is selected changes.
//! What an `XmlFile` entry does depends on what its path selects: an attribute or text gets the value; an element is
//! replaced by a value that is an XML fragment, and gets any other value as its content.
//!
//! Left out: `DeploymentObjectAttribute`, `DestinationBinding` and `DestinationVirtualDirectory`, which concern IIS's
//! own configuration, and the removal of elements.

use spanned_xml::{
    Document, Problem, Problems, Source, Span, Splices, escape_attribute, escape_text,
};

use crate::dotnet_regex::{Pattern, PatternFault};
use crate::parameters::{EntryKind, ParameterEntry, TextPosition};
use crate::resolve::{ResolvedParameter, ResolvedParameters};
use crate::xpath::{Selected, XPath};

impl ResolvedParameters {
    /// The new path of a provider: the value of the first parameter with a `ProviderPath` entry whose scope matches
    /// the provider's name and whose match matches its path. `None` where there is none and the path stays.
    ///
    /// # Errors
    ///
    /// A problem, placed in the `Parameters.xml`, where the entry's regular expressions cannot be used.
    pub fn provider_path(&self, provider: &str, path: &str) -> Result<Option<&str>, Problem> {
        for (resolved, entry) in self.entries() {
            if let EntryKind::ProviderPath(pattern) = &entry.kind
                && is_match(&entry.scope, provider, entry)?
                && is_match(pattern, path, entry)?
            {
                return Ok(Some(&resolved.value));
            }
        }
        Ok(None)
    }

    /// Whether an entry that edits files may concern this one. `relative_path` has forward slashes.
    ///
    /// A scope is matched against the path with backslashes, as Web Deploy has it at installation, and with forward
    /// slashes, as package authors on other systems write it, each with and without the separator before it.
    #[must_use]
    pub fn applies_to(&self, relative_path: &str) -> bool {
        self.entries().any(|(_, entry)| {
            entry.kind.edits_files()
                // A scope that cannot be evaluated might: `apply` says so then.
                && in_scope(entry, relative_path).unwrap_or(true)
        })
    }

    /// A file's new contents; `None` where nothing in it changes. `relative_path` has forward slashes.
    ///
    /// Of the file's entries each one sees what those before it left.
    ///
    /// # Errors
    ///
    /// All problems of the first entry that has any: text that is not in its encoding, XML that is not well-formed, a
    /// position outside the text, a character that the file's encoding cannot hold, an expression that is not
    /// supported (placed in the `Parameters.xml`).
    pub fn apply(&self, relative_path: &str, octets: &[u8]) -> Result<Option<Vec<u8>>, Problems> {
        let mut file: Option<TextFile> = None;
        let mut changed = false;
        for (resolved, entry) in self.entries() {
            if !entry.kind.edits_files()
                || !in_scope(entry, relative_path)
                    .map_err(|problem| problem.in_source(&self.source))?
            {
                continue;
            }
            let open = match &mut file {
                Some(open) => open,
                None => file.insert(TextFile::open(relative_path, octets)?),
            };
            changed |= self.edit(open, resolved, entry)?;
        }
        match file {
            Some(file) if changed => file.encode().map(Some),
            _ => Ok(None),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&ResolvedParameter, &ParameterEntry)> + '_ {
        self.values.iter().flat_map(|resolved| {
            resolved
                .parameter
                .entries
                .iter()
                .map(move |entry| (resolved, entry))
        })
    }

    fn edit(
        &self,
        file: &mut TextFile,
        resolved: &ResolvedParameter,
        entry: &ParameterEntry,
    ) -> Result<bool, Problems> {
        let here = |problem: Problem| problem.in_source(&self.source);
        let new = match &entry.kind {
            EntryKind::TextFile(pattern) => pattern
                .replace_all(file.current.text(), &resolved.value)
                .map_err(|fault| here(pattern_fault(&fault, entry)))?,
            EntryKind::TextFilePosition(position) => Some(
                replace_at(file.current.text(), *position, &resolved.value).ok_or_else(|| {
                    here(
                        Problem::error(
                            "text-position-outside",
                            format!("`{}` has no text at {}", file.current.name(), entry.match_text),
                        )
                        .at(entry.match_span)
                        .help("give line, column and number of characters of the file as it is, or use a `TextFile` entry"),
                    )
                })?,
            ),
            EntryKind::XmlFile(Ok(path)) => replace_xml(&file.current, path, &resolved.value)?,
            EntryKind::XmlFile(Err(fault)) => {
                return Err(here(
                    Problem::error("xpath-unsupported", fault.message.clone())
                        .at(entry.match_span)
                        .help("write the path in another way, or install the package on Windows"),
                ));
            }
            _ => None,
        };
        match new.filter(|new| new != file.current.text()) {
            Some(new) => {
                file.current = Source::from_text(file.current.name(), new);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// Whether an entry finds anything to change in a file; `None` where that cannot be told.
pub(crate) fn finds(entry: &ParameterEntry, name: &str, octets: &[u8]) -> Option<bool> {
    let file = TextFile::open(name, octets).ok()?;
    match &entry.kind {
        EntryKind::TextFile(pattern) => pattern.is_match(file.current.text()).ok(),
        EntryKind::TextFilePosition(position) => {
            Some(replace_at(file.current.text(), *position, "").is_some())
        }
        EntryKind::XmlFile(path) => {
            let document = Document::parse(&file.current).ok()?;
            let selected = path.as_ref().ok()?.select(&document).ok()?;
            Some(!selected.is_empty())
        }
        _ => None,
    }
}

/// A file as text, and how to turn it back.
struct TextFile {
    /// How the file was written; `None` where its octets are taken for ISO 8859-1.
    written: Option<Source>,
    current: Source,
}

impl TextFile {
    fn open(name: &str, octets: &[u8]) -> Result<Self, Problems> {
        let written = match Source::decode(name, octets) {
            Ok(source) => source,
            // Text in a code page, or not text at all: as ISO 8859-1 every octet is a character and nothing is lost.
            Err(problem) if problem.code == "not-text" && !octets.starts_with(b"<") => {
                return Ok(Self {
                    written: None,
                    current: Source::from_text(
                        name,
                        octets
                            .iter()
                            .map(|&octet| char::from(octet))
                            .collect::<String>(),
                    ),
                });
            }
            Err(problem) => return Err(problem.in_source(&Source::from_text(name, ""))),
        };
        Ok(Self {
            current: Source::from_text(name, written.text()),
            written: Some(written),
        })
    }

    fn encode(self) -> Result<Vec<u8>, Problems> {
        match &self.written {
            Some(written) => written
                .encode(self.current.text())
                .map_err(|problem| problem.in_source(&self.current)),
            None => self
                .current
                .text()
                .chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
                .collect::<Option<Vec<u8>>>()
                .ok_or_else(|| {
                    Problem::error(
                        "encoding-cannot-hold-character",
                        format!(
                            "`{}` is not UTF-8, and the value has characters that ISO 8859-1 lacks",
                            self.current.name()
                        ),
                    )
                    .help("save the file as UTF-8 in the package, or use a value of plain letters")
                    .in_source(&self.current)
                }),
        }
    }
}

fn pattern_fault(fault: &PatternFault, entry: &ParameterEntry) -> Problem {
    Problem::error("regex-unsupported", fault.message.clone())
        .at(entry.span)
        .help("write the regular expression without it, or install the package on Windows")
}

fn is_match(pattern: &Pattern, text: &str, entry: &ParameterEntry) -> Result<bool, Problem> {
    pattern
        .is_match(text)
        .map_err(|fault| pattern_fault(&fault, entry))
}

pub(crate) fn in_scope(entry: &ParameterEntry, relative_path: &str) -> Result<bool, Problem> {
    let backslashes = relative_path.replace('/', "\\");
    for path in [
        format!("\\{backslashes}"),
        backslashes,
        format!("/{relative_path}"),
        relative_path.to_owned(),
    ] {
        if is_match(&entry.scope, &path, entry)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `None` where the stretch is not inside the line.
fn replace_at(text: &str, position: TextPosition, value: &str) -> Option<String> {
    let line_start = match position.line {
        1 => 0,
        line => text.match_indices('\n').nth(line - 2)?.0 + 1,
    };
    let line = text.get(line_start..)?.lines().next().unwrap_or_default();
    let offset = |characters: usize| {
        line.char_indices()
            .map(|(offset, _)| offset)
            .chain([line.len()])
            .nth(characters)
    };
    let start = line_start + offset(position.column - 1)?;
    let end = line_start + offset((position.column - 1).checked_add(position.count)?)?;
    Some(format!("{}{value}{}", &text[..start], &text[end..]))
}

fn replace_xml(source: &Source, path: &XPath, value: &str) -> Result<Option<String>, Problems> {
    let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
    let selected = path.select(&document).map_err(|fault| {
        Problem::error("xpath-too-expensive", format!("`{}`: {fault}", path.text()))
            .help("name the elements on the way instead of `//` and `*`")
            .in_source(source)
    })?;
    if selected.is_empty() {
        return Ok(None);
    }
    let fragment = is_fragment(value);
    let mut splices = Splices::new();
    // Elements inside a replaced element go with it.
    let mut replaced_to = 0;
    for node in selected {
        match node {
            Selected::Document => {}
            Selected::Attribute(attribute) => {
                if attribute.span.start >= replaced_to && attribute.value != value {
                    let quoted =
                        source.slice(Span::new(attribute.value_span.end, attribute.span.end));
                    let mut escaped = escape_attribute(value);
                    if quoted == "'" {
                        escaped = escaped.replace('\'', "&apos;");
                    }
                    splices.replace(attribute.value_span, escaped);
                }
            }
            Selected::Text(text, span) => {
                if span.start >= replaced_to && text != value {
                    splices.replace(span, escape_text(value));
                }
            }
            Selected::Element(element) => {
                if element.span.start < replaced_to {
                    continue;
                }
                replaced_to = element.span.end;
                if fragment {
                    splices.replace(element.span, value);
                } else if element.end_tag.is_some() {
                    splices.replace(element.content_span(), escape_text(value));
                } else if !value.is_empty() {
                    // `<a b="c" />` becomes `<a b="c">value</a>`.
                    let tag = source.slice(element.start_tag);
                    let open = tag.strip_suffix("/>").unwrap_or(tag).trim_end();
                    splices.replace(
                        element.start_tag,
                        format!("{open}>{}</{}>", escape_text(value), element.name),
                    );
                }
            }
        }
    }
    // The spans come from one parse of this text, and those inside a replaced element were left out.
    let Some(text) = splices.apply(source.text()) else {
        return Ok(None);
    };
    if fragment {
        let new = Source::from_text(source.name(), text.as_str());
        Document::parse(&new).map_err(|mut problem| {
            problem.message = format!("with the new element: {}", problem.message);
            problem.in_source(&new)
        })?;
    }
    Ok(Some(text))
}

/// Whether the value is XML with an element in it, so that it can stand in an element's place.
fn is_fragment(value: &str) -> bool {
    value.trim_start().starts_with('<')
        && Document::parse(&Source::from_text(
            "value",
            format!("<value>{value}</value>"),
        ))
        .is_ok_and(|document| document.root().elements().next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Given, Origin, Parameters};

    fn resolved(entries: &str, value: &str) -> ResolvedParameters {
        let xml = format!("<parameters><parameter name='P'>{entries}</parameter></parameters>");
        let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml)).unwrap();
        let mut given = Given::new();
        given.push("P", value, Origin::CommandLine);
        parameters.resolve(&given).unwrap()
    }

    fn xml(path: &str) -> String {
        format!("<parameterEntry kind='XmlFile' scope='config$' match=\"{path}\"/>")
    }

    fn check(entries: &str, value: &str, before: &[u8], expected: Option<&[u8]>) {
        let parameters = resolved(entries, value);
        let after = parameters.apply("App/web.config", before).unwrap();
        assert_eq!(
            after.as_deref().map(String::from_utf8_lossy),
            expected.map(String::from_utf8_lossy),
            "{entries}"
        );
        assert_eq!(after.as_deref(), expected);
    }

    #[test]
    fn text_is_replaced_literally_and_nothing_else() {
        let entry = "<parameterEntry kind='TextFile' scope='\\\\web\\.config$' match='@[a-z]+@'/>";
        check(
            entry,
            "$0\\1",
            b"x=@NAME@\r\ny=@two@\r\n",
            Some(b"x=$0\\1\r\ny=$0\\1\r\n"),
        );
        check(entry, "v", b"nothing", None);
        check(entry, "@a@", b"@a@", None);
        // Byte order marks and encodings stay.
        check(
            entry,
            "\u{e9}",
            b"\xEF\xBB\xBF@a@",
            Some(b"\xEF\xBB\xBF\xC3\xA9"),
        );
        check(entry, "b", b"\xFF\xFE@\0a\0@\0", Some(b"\xFF\xFEb\0"));
        // Neither UTF-8 nor marked: other octets stay as they are.
        check(entry, "b", b"\x80\xFF@a@\xE9", Some(b"\x80\xFFb\xE9"));
    }

    #[test]
    fn scopes_with_either_slash() {
        for scope in [
            r"\\web\.config$",
            "/web.config$",
            "^App/web",
            r"^App\\web",
            r"\\App\\",
            "/App/",
        ] {
            let parameters = resolved(
                &format!("<parameterEntry kind='TextFile' scope='{scope}' match='x'/>"),
                "",
            );
            assert!(parameters.applies_to("App/web.config"), "{scope}");
            assert!(!parameters.applies_to("other/file"), "{scope}");
        }
        let root = resolved(
            "<parameterEntry kind='TextFile' scope='\\\\setup\\.cfg$' match='x'/>",
            "",
        );
        assert!(root.applies_to("setup.cfg"));
        let provider = resolved(
            "<parameterEntry kind='ProviderPath' scope='.' match='.'/>",
            "",
        );
        assert!(!provider.applies_to("setup.cfg"));
    }

    #[test]
    fn provider_paths() {
        let parameters = resolved(
            "<parameterEntry kind='ProviderPath' scope='iisapp' match='^App$'/>",
            "Site/x",
        );
        assert_eq!(
            parameters.provider_path("iisApp", "App"),
            Ok(Some("Site/x"))
        );
        assert_eq!(parameters.provider_path("iisApp", "App2"), Ok(None));
        assert_eq!(parameters.provider_path("setAcl", "App"), Ok(None));
    }

    #[test]
    fn xml_edits_touch_only_what_is_selected() {
        let before = b"<?xml version='1.0'?>\r\n<configuration>\r\n  <add  key=\"a\"\tvalue='1' /><!-- c -->\r\n  <note>old</note><empty/></configuration>";
        let text = std::str::from_utf8(before).unwrap();
        let edit = |path: &str, value: &str, from: &str, to: &str| {
            let after = text.replace(from, to);
            check(&xml(path), value, before, Some(after.as_bytes()));
        };
        edit(
            "//add[@key='a']/@value",
            "it's <2> & \"3\"",
            "'1'",
            "'it&apos;s &lt;2&gt; &amp; &quot;3&quot;'",
        );
        edit("//note/text()", "new & old", "old", "new &amp; old");
        edit("//note", "a < b", "old", "a &lt; b");
        edit("//note", "<b x='1'/>", "<note>old</note>", "<b x='1'/>");
        edit("//note", "", "old", "");
        edit("//empty", "x", "<empty/>", "<empty>x</empty>");
        edit("//add", "x", "\tvalue='1' />", "\tvalue='1'>x</add>");
        check(&xml("//missing/@x"), "v", before, None);
        check(&xml("//note"), "old", before, None);
        // Every selected attribute, and of nested elements the outer one.
        check(
            &xml("//@v"),
            "9",
            b"<a v='1'><b v='2'/></a>",
            Some(b"<a v='9'><b v='9'/></a>"),
        );
        check(
            &xml("//x"),
            "<y/>",
            b"<a><x><x/></x></a>",
            Some(b"<a><y/></a>"),
        );
    }

    #[test]
    fn entries_follow_each_other() {
        let entries = format!(
            "<parameterEntry kind='TextFile' scope='config' match='old'/>{}",
            xml("/new/@a")
        );
        check(
            &entries,
            "new",
            b"<old a='1'></old>",
            Some(b"<new a='new'></new>"),
        );
    }

    #[test]
    fn positions() {
        let entry = |at: &str| {
            format!("<parameterEntry kind='TextFilePosition' scope='config' match='{at}'/>")
        };
        check(
            &entry("2;3;2"),
            "X",
            "ab\r\ncdéfg\n".as_bytes(),
            Some("ab\r\ncdXg\n".as_bytes()),
        );
        check(&entry("1;1;0"), "X", b"", Some(b"X"));
        for outside in ["3;1;1", "1;5;0", "1;1;4", "1;1;18446744073709551615"] {
            let problems = resolved(&entry(outside), "X")
                .apply("web.config", b"abc\r\ndef")
                .unwrap_err();
            assert_eq!(
                problems.problems[0].code, "text-position-outside",
                "{outside}"
            );
            assert_eq!(problems.source.name(), "Parameters.xml");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let refused = |entries: &str, value: &str, before: &[u8], code: &str| {
            let problems = resolved(entries, value)
                .apply("web.config", before)
                .unwrap_err();
            assert_eq!(problems.problems[0].code, code, "{problems}");
        };
        refused(&xml("//x:a"), "v", b"<a/>", "xpath-unsupported");
        refused(&xml("//a"), "v", b"<a", "xml-syntax");
        refused(
            "<parameterEntry kind='TextFile' scope='(?=x)' match='x'/>",
            "v",
            b"",
            "regex-unsupported",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='(?=x)'/>",
            "v",
            b"",
            "regex-unsupported",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='x'/>",
            "\u{20AC}",
            b"\xFFx",
            "encoding-cannot-hold-character",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='y'/>",
            "\u{4E2D}",
            b"<?xml version='1.0' encoding='iso-8859-1'?><y/>",
            "encoding-cannot-hold-character",
        );
        refused(&xml("/a"), "<b/><c/>", b"<a/>", "xml-syntax");
    }
}
