//! [`Parameters`], [`ResolvedParameters`] and rules: what is read can be resolved, applied and written again.

use msdeploy_pkg::{
    EntryKind, Given, Parameters, ReplaceRule, ResolvedParameters, SetParameters, SkipRule,
};
use spanned_xml::{Document, Problem, Source};

/// The file that parameters are applied to.
const PATH: &str = "App/web.config";

/// The input is a `Parameters.xml`, then a NUL and the contents of `App/web.config`, then a NUL and a rule.
pub fn check(octets: &[u8]) {
    let mut parts = octets.splitn(3, |&octet| octet == 0);
    let (xml, file, rule) = (parts.next(), parts.next(), parts.next());
    if let Some(rule) = rule.and_then(|rule| core::str::from_utf8(rule).ok()) {
        check_rule(rule);
    }
    let Ok(source) = Source::decode("Parameters.xml", xml.unwrap_or_default()) else {
        return;
    };
    let (parameters, problems) = match Parameters::parse(&source) {
        Ok(found) => found,
        Err(problems) => return check_places(&source, &problems.problems),
    };
    check_places(&source, &problems);
    let to_fill_in = SetParameters::to_fill_in(&parameters);
    let written = Source::from_text("SetParameters.xml", to_fill_in.write());
    let (read, _) = SetParameters::parse(&written).expect("what is written reads");
    let pairs = |set: &SetParameters| -> Vec<(String, String)> {
        let parameters = set.parameters.iter();
        parameters
            .map(|set| (set.name.clone(), set.value.clone()))
            .collect()
    };
    assert_eq!(pairs(&read), pairs(&to_fill_in));
    match parameters.resolve(&Given::new()) {
        Ok(resolved) => check_resolved(&resolved, file.unwrap_or_default()),
        Err(problems) => check_places(&source, &problems),
    }
}

fn check_resolved(resolved: &ResolvedParameters, file: &[u8]) {
    let remaining = resolved.remaining_parameters().expect("it was read before");
    let (remaining, _) = Parameters::parse(&Source::from_text("Parameters.xml", remaining))
        .expect("what is left of it reads");
    assert!(remaining.parameters.len() <= resolved.iter().count());
    let applies = resolved.applies_to(PATH);
    let Ok(edit) = resolved.edit(PATH, file) else {
        assert!(applies);
        return;
    };
    assert!(applies || edit.changes.is_empty());
    let Some(new) = edit.octets else { return };
    assert!(!edit.changes.is_empty() && new != file);
    let only_xml = resolved
        .iter()
        .flat_map(|resolved| &resolved.parameter.entries)
        .all(|entry| !entry.kind.edits_files() || matches!(entry.kind, EntryKind::XmlFile(_)));
    if only_xml {
        let new = Source::decode(PATH, &new).expect("its encoding stays");
        Document::parse(&new).expect("it stays XML");
    }
}

fn check_rule(text: &str) {
    for problems in [SkipRule::parse(text).err(), ReplaceRule::parse(text).err()] {
        let Some(problems) = problems else { continue };
        assert!(problems.has_errors());
        assert!(
            problems
                .problems
                .iter()
                .all(|problem| problem.span.is_some())
        );
        check_places(&problems.source, &problems.problems);
    }
    if let Ok(rule) = ReplaceRule::parse(text) {
        let mut attributes = vec![("path".to_owned(), text.to_owned())];
        let _ = rule.apply("filePath", &mut attributes);
    }
}

/// Problems are about places inside of the file.
fn check_places(source: &Source, problems: &[Problem]) {
    for problem in problems {
        if let Some(span) = problem.span {
            assert!(source.text().get(span.range()).is_some(), "{problem:?}");
        }
    }
}
