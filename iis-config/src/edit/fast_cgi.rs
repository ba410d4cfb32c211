//! Edits of `system.webServer/fastCgi` in `applicationHost.config`.

use spanned_xml::{Element, Problems, Source};

use super::change::{Change, Edit, refuse};
use super::layout::{Fragment, Place};
use crate::section::{kept_elsewhere, sections, to_extend};
use crate::{FastCgiApplication, win_path};

pub(super) const SECTION: &str = "system.webServer/fastCgi";

/// Sections that come before and after `fastCgi` in the files that IIS ships, nearest first.
const BEFORE: [&str; 5] = [
    "directoryBrowse",
    "defaultDocument",
    "cgi",
    "caching",
    "asp",
];
const AFTER: [&str; 4] = ["globalModules", "handlers", "httpCompression", "httpErrors"];

/// Registers a FastCGI application: adds it, or makes the one of the same `fullPath` and `arguments` equal to it.
///
/// Attributes that this crate does not know stay. Attributes at their default are left out of a new element; in an
/// existing one they are written where another value stands. Environment variables become exactly those asked for.
/// Further entries of the same key, which IIS refuses, are removed.
///
/// ```
/// use iis_config::{ApplicationHost, FastCgiApplication, edit};
/// use spanned_xml::Source;
///
/// let text = "<configuration>\n  <system.webServer>\n    <fastCgi />\n  </system.webServer>\n</configuration>\n";
/// let source = Source::from_text("applicationHost.config", text);
/// let edit = edit::set_fast_cgi_application(&source, &FastCgiApplication::new("python.exe", "-u app.py"))?;
/// assert_eq!(
///     edit.text,
///     "<configuration>\n  <system.webServer>\n    <fastCgi>\n      <application fullPath=\"python.exe\" arguments=\"-u app.py\" />\n    </fastCgi>\n  </system.webServer>\n</configuration>\n"
/// );
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, or IIS would refuse the application.
pub fn set_fast_cgi_application(
    source: &Source,
    application: &FastCgiApplication,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, application.check())?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    let mut same = same_key(root, application);
    if same.is_empty() {
        add(&mut change, root, application);
    } else {
        update(&mut change, same.remove(0), application);
        for duplicate in same {
            change.layout.remove(duplicate);
            change.say(format!(
                "remove another FastCGI application {}",
                application.script_processor()
            ));
        }
    }
    change.finish(|root| {
        let [element] = same_key(root, application)[..] else {
            return false;
        };
        let mut read = FastCgiApplication::read(element, &mut Vec::new());
        let mut asked = application.clone();
        // Their order means nothing, and those that were there keep theirs.
        let by_name = |list: &mut FastCgiApplication| {
            list.environment_variables
                .sort_by(|a, b| a.name.cmp(&b.name));
        };
        by_name(&mut read);
        by_name(&mut asked);
        read == asked
    })
}

/// Removes the FastCGI application of this `fullPath` and `arguments`, with its line; changes nothing where there is
/// none.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_fast_cgi_application(
    source: &Source,
    full_path: &str,
    arguments: &str,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    let key = FastCgiApplication::new(full_path, arguments);
    for element in same_key(root, &key) {
        change.layout.remove(element);
        change.say(format!(
            "remove the FastCGI application {}",
            key.script_processor()
        ));
    }
    change.finish(|root| same_key(root, &key).is_empty())
}

/// Removes the section `system.webServer/fastCgi` with all in it, comments too: from a web.config, where it has no
/// effect in IIS, once its applications are registered in `applicationHost.config`.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_fast_cgi_section(source: &Source) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    let mut change = Change::new(source, root, SECTION);
    for section in sections(root, SECTION) {
        change.layout.remove(section);
        change.say("remove the section fastCgi");
    }
    change.finish(|root| sections(root, SECTION).is_empty())
}

/// The entries that have the application's key.
pub(super) fn same_key<'a>(
    root: &'a Element,
    application: &FastCgiApplication,
) -> Vec<&'a Element> {
    sections(root, "system.webServer/fastCgi/application")
        .into_iter()
        .filter(|element| {
            element.value("fullPath").is_some_and(|full_path| {
                application.has_key(full_path, element.value("arguments").unwrap_or_default())
            })
        })
        .collect()
}

fn add(change: &mut Change<'_>, root: &Element, application: &FastCgiApplication) {
    change.say(format!(
        "add the FastCGI application {}",
        application.script_processor()
    ));
    let mut new = Fragment::new("application").attributes(&application.attributes());
    if !application.environment_variables.is_empty() {
        new = new.child(environment_variables(application));
    }
    if let Some(section) = to_extend(root, SECTION) {
        change.layout.insert(section, Place::Last, &[new]);
        return;
    }
    let section = Fragment::new("fastCgi").child(new);
    if let Some(group) = to_extend(root, "system.webServer") {
        let child = |name: &str| group.elements().find(|child| child.name == name);
        let place = BEFORE
            .iter()
            .find_map(|name| child(name))
            .map(Place::After)
            .or_else(|| AFTER.iter().find_map(|name| child(name)).map(Place::Before))
            .unwrap_or(Place::Last);
        change.layout.insert(group, place, &[section]);
        return;
    }
    let group = Fragment::new("system.webServer").child(section);
    change.layout.insert(root, group_place(root), &[group]);
}

/// Where a new section group goes: after the last group, before the `location` elements.
pub(super) fn group_place(root: &Element) -> Place<'_> {
    root.elements()
        .rfind(|child| child.name != "location")
        .map(Place::After)
        .or_else(|| root.elements().next().map(Place::Before))
        .unwrap_or(Place::Last)
}

fn environment_variables(application: &FastCgiApplication) -> Fragment {
    application.environment_variables.iter().fold(
        Fragment::new("environmentVariables"),
        |fragment, variable| fragment.child(environment_variable(&variable.name, &variable.value)),
    )
}

pub(super) fn environment_variable(name: &str, value: &str) -> Fragment {
    Fragment::new("environmentVariable")
        .attribute("name", name)
        .attribute("value", value)
}

fn update(change: &mut Change<'_>, element: &Element, application: &FastCgiApplication) {
    let key = application.script_processor();
    for attribute in application.attributes() {
        let written = element.value(attribute.name);
        let same = match written {
            Some(written) => attribute.says(written),
            None => attribute.is_default(),
        };
        if !same {
            change
                .layout
                .set_attribute(element, attribute.name, &attribute.value);
            let old = written.map_or_else(String::new, |old| format!(", was {old}"));
            change.say(format!(
                "set {} of {key} to {}{old}",
                attribute.name, attribute.value
            ));
        }
    }
    let present = sections(element, "environmentVariables/environmentVariable");
    let mut kept: Vec<&str> = Vec::new();
    for variable in &present {
        let name = variable.value("name").unwrap_or_default();
        let asked = application
            .environment_variables
            .iter()
            .find(|asked| win_path::eq_ignore_case(&asked.name, name));
        match asked {
            Some(asked) if !kept.contains(&asked.name.as_str()) => {
                kept.push(&asked.name);
                if asked.name != name {
                    change.layout.set_attribute(variable, "name", &asked.name);
                }
                if variable.value("value").unwrap_or_default() != asked.value {
                    change.layout.set_attribute(variable, "value", &asked.value);
                    change.say(format!("set {} for {key}", asked.name));
                }
            }
            _ => {
                change.layout.remove(variable);
                change.say(format!("remove {name} for {key}"));
            }
        }
    }
    let missing: Vec<_> = application
        .environment_variables
        .iter()
        .filter(|variable| !kept.contains(&variable.name.as_str()))
        .collect();
    if missing.is_empty() {
        return;
    }
    let parent = sections(element, "environmentVariables");
    match parent.first() {
        Some(parent) => {
            let new: Vec<Fragment> = missing
                .iter()
                .map(|variable| environment_variable(&variable.name, &variable.value))
                .collect();
            change.layout.insert(parent, Place::Last, &new);
        }
        None => change
            .layout
            .insert(element, Place::Last, &[environment_variables(application)]),
    }
    for variable in missing {
        change.say(format!("add {} for {key}", variable.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnvironmentVariable;

    /// A file that is hard to keep: character references, CDATA, single quotes, spaces around `=`, mixed line ends.
    const ODD: &str = "<?xml version='1.0'?>\r\n<!-- \u{a0} -->\n<configuration  a = \"&#65;\" >\r\n\t<system.webServer>\n\t\t<![CDATA[ <fastCgi/> & ]]>\r\n\t\t<fastCgi >\n\t\t\t<!--<application/>-->\r\n\t\t\t<application fullPath='C:\\&quot;p&quot;.exe'\r\n\t\t\t\targuments = \"-u\" lockItem='true' maxInstances=\"004\"></application><!-- same line -->\r\n\t\t</fastCgi >\n\t</system.webServer></configuration >\n<?end?>";

    fn check(old: &str, application: &FastCgiApplication, expected: &str, summary: &[&str]) {
        let edit = set_fast_cgi_application(&Source::from_text("x", old), application).unwrap();
        assert_eq!(edit.text, expected);
        assert_eq!(edit.summary, summary);
        assert_eq!(edit.changed, !summary.is_empty());
    }

    #[test]
    fn the_odd_file_is_kept() {
        let mut application = FastCgiApplication::new("C:\\\"p\".exe", "-u");
        application.max_instances = 4;
        check(ODD, &application, ODD, &[]);
        check(
            ODD,
            &FastCgiApplication::new("x", ""),
            &ODD.replace(
                "<!-- same line -->",
                "<!-- same line -->\r\n\t\t\t<application fullPath=\"x\" />",
            ),
            &["add the FastCGI application x"],
        );
        application.max_instances = 8;
        application.queue_length = 5;
        application.environment_variables = vec![EnvironmentVariable::new("A", "'1'")];
        check(
            ODD,
            &application,
            &ODD.replace("004\">", "8\" queueLength=\"5\">\r\n\t\t\t\t<environmentVariables>\r\n\t\t\t\t\t<environmentVariable name=\"A\" value=\"'1'\" />\r\n\t\t\t\t</environmentVariables>\r\n\t\t\t"),
            &[
                "set maxInstances of C:\\\"p\".exe|-u to 8, was 004",
                "set queueLength of C:\\\"p\".exe|-u to 5",
                "add A for C:\\\"p\".exe|-u",
            ],
        );
    }

    #[test]
    fn the_section_is_made_in_its_place() {
        for (siblings, before) in [
            (
                vec![
                    "asp",
                    "caching",
                    "cgi",
                    "defaultDocument",
                    "directoryBrowse",
                    "globalModules",
                ],
                5,
            ),
            (vec!["serverRuntime", "asp", "zebra"], 2),
            (vec!["serverRuntime", "globalModules"], 1),
            (vec!["zebra"], 1),
        ] {
            let mut lines: Vec<String> = siblings
                .iter()
                .map(|name| format!("  <{name} />"))
                .collect();
            let file = |lines: &[String]| {
                format!(
                    "<configuration>\n <system.webServer>\n{}\n </system.webServer>\n</configuration>\n",
                    lines.join("\n")
                )
            };
            let old = file(&lines);
            lines.insert(
                before,
                "  <fastCgi>\n   <application fullPath=\"p\" />\n  </fastCgi>".to_owned(),
            );
            check(
                &old,
                &FastCgiApplication::new("p", ""),
                &file(&lines),
                &["add the FastCGI application p"],
            );
        }
    }

    #[test]
    fn groups_stay_before_locations() {
        check(
            "<configuration>\n  <configSections />\n  <location />\n</configuration>",
            &FastCgiApplication::new("p", ""),
            "<configuration>\n  <configSections />\n  <system.webServer>\n    <fastCgi>\n      <application fullPath=\"p\" />\n    </fastCgi>\n  </system.webServer>\n  <location />\n</configuration>",
            &["add the FastCGI application p"],
        );
        check(
            "<configuration>\n  <location />\n</configuration>",
            &FastCgiApplication::new("p", ""),
            "<configuration>\n  <system.webServer>\n    <fastCgi>\n      <application fullPath=\"p\" />\n    </fastCgi>\n  </system.webServer>\n  <location />\n</configuration>",
            &["add the FastCGI application p"],
        );
    }

    #[test]
    fn duplicates_and_variables_come_in_order() {
        let old = "<configuration>\n<system.webServer>\n<fastCgi>\n  <application fullPath=\"C:\\P.exe\" unknown=\"1\">\n    <environmentVariables>\n      <environmentVariable name=\"A\" value=\"1\" />\n      <environmentVariable name=\"old\" value=\"2\" />\n      <environmentVariable name=\"B\" value=\"3\" />  \n    </environmentVariables>\n  </application>\n  <application fullPath=\"c:\\p.exe\" />\n</fastCgi>\n</system.webServer>\n</configuration>\n";
        let mut application = FastCgiApplication::new("c:\\p.exe", "");
        application.environment_variables = vec![
            EnvironmentVariable::new("New", "4"),
            EnvironmentVariable::new("a", "5"),
        ];
        check(
            old,
            &application,
            "<configuration>\n<system.webServer>\n<fastCgi>\n  <application fullPath=\"c:\\p.exe\" unknown=\"1\">\n    <environmentVariables>\n      <environmentVariable name=\"a\" value=\"5\" />\n      <environmentVariable name=\"New\" value=\"4\" />  \n    </environmentVariables>\n  </application>\n</fastCgi>\n</system.webServer>\n</configuration>\n",
            &[
                "set fullPath of c:\\p.exe to c:\\p.exe, was C:\\P.exe",
                "set a for c:\\p.exe",
                "remove old for c:\\p.exe",
                "remove B for c:\\p.exe",
                "add New for c:\\p.exe",
                "remove another FastCGI application c:\\p.exe",
            ],
        );
    }

    #[test]
    fn the_whole_section_goes() {
        let source = Source::from_text(
            "web.config",
            "<configuration>\r\n  <system.webServer>\r\n    <fastCgi>\r\n      <application fullPath='p'/>\r\n    </fastCgi>\r\n    <handlers/>\r\n  </system.webServer>\r\n</configuration>",
        );
        let edit = remove_fast_cgi_section(&source).unwrap();
        assert_eq!(
            edit.text,
            "<configuration>\r\n  <system.webServer>\r\n    <handlers/>\r\n  </system.webServer>\r\n</configuration>"
        );
        assert_eq!(edit.summary, ["remove the section fastCgi"]);
    }

    #[test]
    fn refuses_what_iis_would() {
        let source = Source::from_text("x", "<configuration/>");
        let mut application = FastCgiApplication::new("", "");
        application.max_instances = 20_000;
        let problems = set_fast_cgi_application(&source, &application).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "x: error[iis-attribute-empty]: `fullPath` is empty\n  help: name the program that serves FastCGI\n\
             x: error[iis-attribute-out-of-range]: `maxInstances` is 20000; IIS takes 0 to 10000 processes\n  help: use a value from 0 to 10000 processes"
        );
        let source = Source::from_text(
            "x",
            "<configuration><system.webServer><fastCgi configSource='f'/></system.webServer></configuration>",
        );
        let problems =
            set_fast_cgi_application(&source, &FastCgiApplication::new("p", "")).unwrap_err();
        assert_eq!(problems.problems[0].code, "iis-config-source");
    }
}
