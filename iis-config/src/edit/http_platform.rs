//! Edits of `system.webServer/httpPlatform` in `web.config`.

use spanned_xml::{Element, Problem, Problems, Source};

use super::change::{Change, Edit, refuse};
use super::fast_cgi::{environment_variable, group_place};
use super::layout::{Fragment, Place};
use crate::attribute::{AttributeValue, check_text};
use crate::section::{kept_elsewhere, sections, to_extend};
use crate::{HttpPlatform, win_path};

const SECTION: &str = "system.webServer/httpPlatform";

/// Writes the section, or changes the one that is there: its program, its arguments, the settings that are not at their
/// default, and the files and environment variables named; whatever else it holds stays.
///
/// ```
/// use iis_config::{HttpPlatform, edit};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("web.config", "<configuration>\n</configuration>\n");
/// let platform = HttpPlatform::new("python.exe", "serve.py %HTTP_PLATFORM_PORT%");
/// let edit = edit::set_http_platform(&source, &platform)?;
/// assert!(edit.text.contains(r#"<httpPlatform processPath="python.exe" arguments="serve.py %HTTP_PLATFORM_PORT%" />"#));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, or a value is none that XML can hold.
pub fn set_http_platform(source: &Source, platform: &HttpPlatform) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, check(platform))?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    match sections(root, SECTION).first() {
        Some(section) => update(&mut change, section, platform),
        None => add(&mut change, root, platform),
    }
    change.finish(|root| {
        sections(root, SECTION).first().is_some_and(|section| {
            let read = HttpPlatform::read(section, &mut Vec::new());
            let has_all = |asked: &[String], present: &[String]| {
                asked.iter().all(|file| present.contains(file))
            };
            let attributes = platform.attributes();
            attributes
                .iter()
                .zip(read.attributes())
                .all(|(asked, present)| !is_asked(asked) || *asked == present)
                && has_all(
                    &platform.recycle_on_file_change,
                    &read.recycle_on_file_change,
                )
                && platform
                    .environment_variables
                    .iter()
                    .all(|variable| read.environment_variables.contains(variable))
        })
    })
}

/// Removes the section with all in it, and with its line; changes nothing where there is none.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_http_platform(source: &Source) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    for section in sections(root, SECTION) {
        change.layout.remove(section);
        change.say("remove the section httpPlatform");
    }
    change.finish(|root| sections(root, SECTION).is_empty())
}

fn check(platform: &HttpPlatform) -> Vec<Problem> {
    let mut problems = Vec::new();
    if platform.process_path.is_empty() {
        problems.push(
            Problem::error("iis-attribute-empty", "`processPath` is empty")
                .help("name the program that serves HTTP"),
        );
    }
    let attributes = platform.attributes();
    let texts = attributes
        .iter()
        .map(|attribute| (attribute.name, &attribute.value));
    let files = platform.recycle_on_file_change.iter();
    problems.extend(
        texts
            .chain(files.map(|file| ("path", file)))
            .filter_map(|(name, value)| check_text(name, value)),
    );
    problems.extend(platform.check_numbers());
    for variable in &platform.environment_variables {
        problems.extend(check_text("name", &variable.name));
        problems.extend(check_text(&variable.name, &variable.value));
    }
    problems
}

fn add(change: &mut Change<'_>, root: &Element, platform: &HttpPlatform) {
    change.say(format!(
        "add the section httpPlatform for {}",
        platform.process_path
    ));
    let mut section = Fragment::new("httpPlatform").attributes(&platform.attributes());
    if !platform.recycle_on_file_change.is_empty() {
        section = section.child(files(&platform.recycle_on_file_change));
    }
    if !platform.environment_variables.is_empty() {
        section = section.child(variables(platform));
    }
    if let Some(group) = to_extend(root, "system.webServer") {
        change.layout.insert(group, Place::Last, &[section]);
        return;
    }
    let group = Fragment::new("system.webServer").child(section);
    change.layout.insert(root, group_place(root), &[group]);
}

fn variables(platform: &HttpPlatform) -> Fragment {
    let all = platform.environment_variables.iter();
    all.fold(Fragment::new("environmentVariables"), |parent, variable| {
        parent.child(environment_variable(&variable.name, &variable.value))
    })
}

fn update(change: &mut Change<'_>, section: &Element, platform: &HttpPlatform) {
    for attribute in platform.attributes() {
        let written = section.value(attribute.name);
        let same =
            written.map_or_else(|| attribute.is_default(), |written| attribute.says(written));
        if is_asked(&attribute) && !same {
            change
                .layout
                .set_attribute(section, attribute.name, &attribute.value);
            change.say(format!(
                "set {} of httpPlatform to {}",
                attribute.name, attribute.value
            ));
        }
    }
    let mut children: Vec<Fragment> = Vec::new();
    let watched = sections(section, "recycleOnFileChange/file");
    let unwatched: Vec<String> = platform
        .recycle_on_file_change
        .iter()
        .filter(|file| !watched.iter().any(|of| of.value("path") == Some(file)))
        .cloned()
        .collect();
    for file in &unwatched {
        change.say(format!("have a change of {file} end the process"));
    }
    if !unwatched.is_empty() {
        let new = files(&unwatched);
        match sections(section, "recycleOnFileChange").first() {
            Some(parent) => change.layout.insert(parent, Place::Last, new.children()),
            None => children.push(new),
        }
    }
    let present = sections(section, "environmentVariables/environmentVariable");
    let mut missing = Vec::new();
    for asked in &platform.environment_variables {
        let found = present.iter().find(|variable| {
            let name = variable.value("name").unwrap_or_default();
            win_path::eq_ignore_case(name, &asked.name)
        });
        match found {
            None => missing.push(environment_variable(&asked.name, &asked.value)),
            Some(variable) => {
                if variable.value("name") != Some(&asked.name) {
                    change.layout.set_attribute(variable, "name", &asked.name);
                }
                if variable.value("value").unwrap_or_default() == asked.value {
                    continue;
                }
                change.layout.set_attribute(variable, "value", &asked.value);
            }
        }
        change.say(format!("set {} for httpPlatform", asked.name));
    }
    if !missing.is_empty() {
        match sections(section, "environmentVariables").first() {
            Some(parent) => change.layout.insert(parent, Place::Last, &missing),
            None => children.push(
                missing
                    .into_iter()
                    .fold(Fragment::new("environmentVariables"), Fragment::child),
            ),
        }
    }
    if !children.is_empty() {
        change.layout.insert(section, Place::Last, &children);
    }
}

/// Whether an attribute is to be as the value has it: the program and its arguments, and what is not at its default.
fn is_asked(attribute: &AttributeValue) -> bool {
    matches!(attribute.name, "processPath" | "arguments") || !attribute.is_default()
}

fn files(paths: &[String]) -> Fragment {
    paths
        .iter()
        .fold(Fragment::new("recycleOnFileChange"), |parent, path| {
            parent.child(Fragment::new("file").attribute("path", path))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnvironmentVariable;

    fn check(old: &str, platform: &HttpPlatform, expected: &str, changes: usize) {
        let edit = set_http_platform(&Source::from_text("web.config", old), platform).unwrap();
        assert_eq!(edit.text, expected);
        assert_eq!(edit.summary.len(), changes, "{:?}", edit.summary);
        let source = Source::from_text("web.config", edit.text);
        assert!(
            !set_http_platform(&source, platform).unwrap().changed,
            "once is enough"
        );
    }

    #[test]
    fn what_else_the_section_holds_stays() {
        let mut platform = HttpPlatform::new("p", "a \"b\"");
        platform.environment_variables = vec![
            EnvironmentVariable::new("A", "1"),
            EnvironmentVariable::new("B", "2"),
        ];
        check(
            "<configuration><system.webServer>\n <httpPlatform requestTimeout='00:05:00'\n   processPath='old'>\n  <environmentVariables>\n   <environmentVariable name='a' value='0'/>\n   <environmentVariable name='C' value='3'/>\n  </environmentVariables>\n </httpPlatform>\n</system.webServer></configuration>",
            &platform,
            "<configuration><system.webServer>\n <httpPlatform requestTimeout='00:05:00'\n   processPath='p'\n   arguments=\"a &quot;b&quot;\">\n  <environmentVariables>\n   <environmentVariable name='A' value='1'/>\n   <environmentVariable name='C' value='3'/>\n   <environmentVariable name=\"B\" value=\"2\" />\n  </environmentVariables>\n </httpPlatform>\n</system.webServer></configuration>",
            4,
        );
    }

    #[test]
    fn settings_beyond_the_default_are_written() {
        let mut platform = HttpPlatform::new("p", "");
        platform.request_timeout = core::time::Duration::from_secs(600);
        platform.processes_per_application = 2;
        platform.recycle_on_file_change = vec!["a.py".to_owned(), "b.py".to_owned()];
        check(
            "<configuration><system.webServer>\n <httpPlatform processPath='p' startupTimeLimit='9' processesPerApplication='02'>\n  <recycleOnFileChange>\n   <file path='a.py' />\n  </recycleOnFileChange>\n </httpPlatform>\n</system.webServer></configuration>",
            &platform,
            "<configuration><system.webServer>\n <httpPlatform processPath='p' startupTimeLimit='9' processesPerApplication='02' requestTimeout=\"00:10:00\">\n  <recycleOnFileChange>\n   <file path='a.py' />\n   <file path=\"b.py\" />\n  </recycleOnFileChange>\n </httpPlatform>\n</system.webServer></configuration>",
            2,
        );
        check(
            "<configuration>\n <system.webServer>\n  <httpPlatform processPath='q' />\n </system.webServer>\n</configuration>",
            &platform,
            "<configuration>\n <system.webServer>\n  <httpPlatform processPath='p' requestTimeout=\"00:10:00\" processesPerApplication=\"2\">\n   <recycleOnFileChange>\n    <file path=\"a.py\" />\n    <file path=\"b.py\" />\n   </recycleOnFileChange>\n  </httpPlatform>\n </system.webServer>\n</configuration>",
            5,
        );
        platform.processes_per_application = 0;
        let refused = set_http_platform(&Source::from_text("x", "<configuration/>"), &platform);
        assert_eq!(
            refused.unwrap_err().problems[0].code,
            "iis-attribute-out-of-range"
        );
    }

    #[test]
    fn is_added_and_removed() {
        let old =
            "<configuration>\n  <system.webServer>\n  </system.webServer>\n</configuration>\n";
        let new = "<configuration>\n  <system.webServer>\n    <httpPlatform processPath=\"p\" />\n  </system.webServer>\n</configuration>\n";
        check(old, &HttpPlatform::new("p", ""), new, 1);
        let removed = remove_http_platform(&Source::from_text("web.config", new)).unwrap();
        assert_eq!(removed.text, old);
        let again = remove_http_platform(&Source::from_text("web.config", old)).unwrap();
        assert!(!again.changed);
    }

    #[test]
    fn refuses_what_iis_would() {
        let source = Source::from_text("web.config", "<configuration/>");
        let problems = set_http_platform(&source, &HttpPlatform::new("", "\0")).unwrap_err();
        let codes: Vec<_> = problems
            .problems
            .iter()
            .map(|problem| problem.code)
            .collect();
        assert_eq!(codes, ["iis-attribute-empty", "iis-attribute-not-xml"]);
    }
}
