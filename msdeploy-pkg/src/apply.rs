//! Applying parameters: provider paths, and the contents of files.
//!
//! *Web Deploy Parameterization*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569084(v=ws.10)>. An
//! edited file keeps its encoding, byte order mark and line ends; in an XML file only what is selected changes.
//!
//! `DeploymentObjectAttribute`, `DestinationBinding` and `DestinationVirtualDirectory` change the configuration of the IIS
//! that is deployed to. They are not applied, and [`ResolvedParameters::destination_changes`] says what they would do.

mod destination;
mod remaining;
mod scopes;
mod text_file;
mod xml_file;

pub use destination::DestinationChange;
pub(crate) use scopes::Scopes;

use spanned_xml::{Problem, Problems, Source};

use crate::dotnet_regex::{Pattern, PatternFault};
use crate::parameters::{EntryKind, ParameterEntry};
use crate::plan::ParameterChange;
use crate::resolve::{ResolvedParameter, ResolvedParameters};
use text_file::{TextFile, replace_at};

/// What parameters make of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEdit {
    /// The new contents; `None` where nothing changes.
    pub octets: Option<Vec<u8>>,
    /// What changed, by entry.
    pub changes: Vec<ParameterChange>,
}

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

    /// Whether an entry that edits files may concern this one, told by its path: no other file needs to be read.
    /// `relative_path` is below the root of the content and has forward slashes.
    ///
    /// All scopes are searched for at once. A scope is matched against the path with backslashes, as Web Deploy has it at
    /// installation, or with forward slashes where it is written with those, with and without the separator before it.
    #[must_use]
    pub fn applies_to(&self, relative_path: &str) -> bool {
        // A scope that cannot be evaluated might: `apply` says so then.
        self.scopes
            .matching(relative_path)
            .map_or(true, |entries| !entries.is_empty())
    }

    /// A file's new contents; `None` where nothing in it changes. As [`edit`](Self::edit), without what changed.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    pub fn apply(&self, relative_path: &str, octets: &[u8]) -> Result<Option<Vec<u8>>, Problems> {
        self.edit(relative_path, octets).map(|edit| edit.octets)
    }

    /// What the parameters make of a file. `relative_path` is below the root of the content and has forward slashes.
    ///
    /// Of the file's entries each one sees what those before it left.
    ///
    /// # Errors
    ///
    /// All problems of the first entry that has any: text that is not in its encoding, XML that is not well-formed, a
    /// position outside the text, a character that the file's encoding cannot hold, an expression that is not
    /// supported (placed in the `Parameters.xml`).
    pub fn edit(&self, relative_path: &str, octets: &[u8]) -> Result<FileEdit, Problems> {
        let entries: Vec<_> = self.entries().collect();
        let matching = self
            .scopes
            .matching(relative_path)
            .map_err(|(at, fault)| pattern_fault(&fault, entries[at].1).in_source(&self.source))?;
        let mut edit = FileEdit::default();
        if matching.is_empty() {
            return Ok(edit);
        }
        let mut file = TextFile::open(relative_path, octets)?;
        for at in matching {
            let (resolved, entry) = entries[at];
            let places = self.edit_by(&mut file, resolved, entry)?;
            if places > 0 {
                edit.changes.push(ParameterChange {
                    parameter: resolved.parameter.name.clone(),
                    kind: entry.kind.name().to_owned(),
                    places,
                });
            }
        }
        if !edit.changes.is_empty() {
            edit.octets = Some(file.encode()?).filter(|new| new != octets);
        }
        Ok(edit)
    }

    pub(crate) fn entries(
        &self,
    ) -> impl Iterator<Item = (&ResolvedParameter, &ParameterEntry)> + '_ {
        self.values.iter().flat_map(|resolved| {
            resolved
                .parameter
                .entries
                .iter()
                .map(move |entry| (resolved, entry))
        })
    }

    /// Applies one entry; the number of places that changed.
    fn edit_by(
        &self,
        file: &mut TextFile,
        resolved: &ResolvedParameter,
        entry: &ParameterEntry,
    ) -> Result<usize, Problems> {
        let here = |problem: Problem| problem.in_source(&self.source);
        let text = file.current.text();
        let new = match &entry.kind {
            EntryKind::TextFile(pattern) => pattern
                .replace_all(text, &resolved.value)
                .map_err(|fault| here(pattern_fault(&fault, entry)))?,
            EntryKind::TextFilePosition(position) => Some((
                replace_at(text, *position, &resolved.value).ok_or_else(|| {
                    here(
                        Problem::error(
                            "text-position-outside",
                            format!("`{}` has no text at {}", file.current.name(), entry.match_text),
                        )
                        .at(entry.match_span)
                        .help("give line, column and number of characters of the file as it is, or use a `TextFile` entry"),
                    )
                })?,
                1,
            )),
            EntryKind::XmlFile(Ok(path)) => xml_file::edit(&file.current, path, &resolved.value)?,
            EntryKind::XmlFile(Err(fault)) => {
                return Err(here(
                    Problem::error("xpath-unsupported", fault.message.clone())
                        .at(entry.match_span)
                        .help("write the path in another way, or install the package on Windows"),
                ));
            }
            _ => None,
        };
        match new.filter(|(new, _)| new != text) {
            Some((new, places)) => {
                file.current = Source::from_text(file.current.name(), new);
                Ok(places)
            }
            None => Ok(0),
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
        EntryKind::XmlFile(path) => xml_file::finds(&file.current, path.as_ref().ok()?),
        _ => None,
    }
}

/// Whether one entry's scope matches a path with forward slashes.
pub(crate) fn in_scope(entry: &ParameterEntry, relative_path: &str) -> Result<bool, Problem> {
    scopes::scope_matches(&entry.scope, relative_path).map_err(|fault| pattern_fault(&fault, entry))
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
            "<x a='1'/>",
            b"<a><x><x/></x></a>",
            Some(b"<a><x a='1'/></a>"),
        );
    }

    #[test]
    fn elements_are_replaced_added_and_deleted() {
        let books = "<books>\r\n  <book name=\"1\"/>\r\n  <book name=\"2\"/>\r\n</books>\r\n";
        let edit = |path: &str, value: &str, before: &str, after: &str| {
            check(&xml(path), value, before.as_bytes(), Some(after.as_bytes()));
            // The second time there is nothing left to do.
            check(&xml(path), value, after.as_bytes(), None);
        };
        edit(
            "//book[@name='1']",
            "<book name='3' />",
            books,
            &books.replace("<book name=\"1\"/>", "<book name='3' />"),
        );
        edit(
            "/books",
            "<note/>",
            books,
            &books.replace("2\"/>", "2\"/>\r\n  <note/>"),
        );
        edit(
            "//book[@name='2']",
            "<note>n</note>",
            books,
            &books.replace("2\"/>", "2\"><note>n</note></book>"),
        );
        edit("//book", "", books, "<books>\r\n</books>\r\n");
        edit("//b", "", "<a><b>x</b> <c/></a>", "<a> <c/></a>");
        edit("//b", "<c/>", "<a><b>x</b></a>", "<a><b>x<c/></b></a>");
        edit("/a", "<b/><c/>", "<a><b/></a>", "<a><b/><b/><c/></a>");
        // Every selected element gets it, also one inside of another.
        check(
            &xml("//*"),
            "<n/>",
            b"<a><b/></a>",
            Some(b"<a><b><n/></b><n/></a>"),
        );
    }

    #[test]
    fn what_changed_is_counted() {
        let entries = format!(
            "<parameterEntry kind='TextFile' scope='config' match='o'/>{}",
            xml("//@a")
        );
        let edit = resolved(&entries, "0")
            .edit("web.config", b"<o a='1'><p a='0'/>oo</o>")
            .unwrap_err();
        assert_eq!(edit.problems[0].code, "xml-syntax");
        let edit = resolved(&entries, "x")
            .edit("web.config", b"<o a='1'><p a='x'/>oo</o>")
            .unwrap();
        let changes: Vec<(&str, usize)> = edit
            .changes
            .iter()
            .map(|change| (change.kind.as_str(), change.places))
            .collect();
        assert_eq!(changes, [("TextFile", 4), ("XmlFile", 1)]);
        assert_eq!(
            edit.octets.as_deref(),
            Some(&b"<x a='x'><p a='x'/>xx</x>"[..])
        );
    }

    #[test]
    fn the_destination_s_configuration_is_reported() {
        let changes = resolved(
            "<parameterEntry kind='DestinationBinding' scope='^Site$' match=':80:'/>\
             <parameterEntry kind='DestinationVirtualDirectory' scope='Site/app/' match=''/>\
             <parameterEntry kind='DeploymentObjectAttribute' scope='x' match='application/@applicationPool'/>",
            "v",
        )
        .destination_changes();
        let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "bindings that match `:80:` of sites that match `^Site$` would become `v` (parameter `P`, DestinationBinding)",
                "the physical path of virtual directories that match `Site/app/` would become `v` (parameter `P`, DestinationVirtualDirectory)",
                "the attributes `application/@applicationPool` of objects that match `x` would become `v` (parameter `P`, DeploymentObjectAttribute)",
            ]
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
            "<parameterEntry kind='TextFile' scope='[[:x:]]' match='x'/>",
            "v",
            b"",
            "regex-unsupported",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='[[:x:]]'/>",
            "v",
            b"",
            "regex-unsupported",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='x'/>",
            "\u{20AC}",
            b"\xFFx",
            "text-file-encoding",
        );
        refused(
            "<parameterEntry kind='TextFile' scope='config' match='y'/>",
            "\u{4E2D}",
            b"<?xml version='1.0' encoding='iso-8859-1'?><y/>",
            "encoding-cannot-hold-character",
        );
        refused(&xml("/a"), "<a/><c/>", b"<a/>", "xml-syntax");
        refused(&xml("/a"), "", b"<a/>", "xml-delete-root");
    }
}
