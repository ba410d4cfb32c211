//! Edits of one environment variable of a FastCGI application; the others stay as they are.

use spanned_xml::{Element, Problem, Problems, Source};

use super::change::{Change, Edit, refuse};
use super::fast_cgi::{SECTION, environment_variable, same_key};
use super::layout::{Fragment, Place};
use crate::attribute::check_text;
use crate::section::{kept_elsewhere, sections};
use crate::{EnvironmentVariable, FastCgiApplication, win_path};

/// Sets an environment variable of the FastCGI application of this `fullPath` and `arguments`: adds it behind those that
/// are there, or changes its value. Windows does not tell names apart by case, and a name that is there keeps its own.
///
/// ```
/// use iis_config::{ApplicationHost, EnvironmentVariable, FastCgiApplication, edit};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
/// let edit = edit::set_fast_cgi_application(&source, &FastCgiApplication::new("python.exe", ""))?;
/// let source = Source::from_text("applicationHost.config", edit.text);
/// let variable = EnvironmentVariable::new("PYTHONUTF8", "1");
/// let edit = edit::set_environment_variable(&source, "python.exe", "", &variable)?;
/// assert_eq!(edit.summary, ["add PYTHONUTF8 for python.exe"]);
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, the application is not in it, or IIS would refuse the
/// variable.
pub fn set_environment_variable(
    source: &Source,
    full_path: &str,
    arguments: &str,
    variable: &EnvironmentVariable,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, check(variable))?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    let key = FastCgiApplication::new(full_path, arguments);
    let Some(&application) = same_key(root, &key).first() else {
        return Err(Problem::error(
            "iis-fast-cgi-missing",
            format!(
                "there is no FastCGI application `{}`",
                key.script_processor()
            ),
        )
        .help("register it first; fullPath and arguments are its key")
        .in_source(source));
    };
    let name = &variable.name;
    match named(application, name).first() {
        Some(element) if element.value("value") == Some(&variable.value) => {}
        Some(element) => {
            change
                .layout
                .set_attribute(element, "value", &variable.value);
            change.say(format!("set {name} for {}", key.script_processor()));
        }
        None => {
            let new = environment_variable(name, &variable.value);
            match sections(application, "environmentVariables").first() {
                Some(parent) => change.layout.insert(parent, Place::Last, &[new]),
                None => change.layout.insert(
                    application,
                    Place::Last,
                    &[Fragment::new("environmentVariables").child(new)],
                ),
            }
            change.say(format!("add {name} for {}", key.script_processor()));
        }
    }
    change.finish(|root| {
        all(root, &key, name)
            .first()
            .is_some_and(|element| element.value("value") == Some(&variable.value))
    })
}

/// Removes an environment variable of the FastCGI application of this `fullPath` and `arguments`, with its line; changes
/// nothing where there is none. The element `environmentVariables` stays.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_environment_variable(
    source: &Source,
    full_path: &str,
    arguments: &str,
    name: &str,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    let key = FastCgiApplication::new(full_path, arguments);
    for element in all(root, &key, name) {
        change.layout.remove(element);
        change.say(format!("remove {name} for {}", key.script_processor()));
    }
    change.finish(|root| all(root, &key, name).is_empty())
}

/// The variables of this name, of all entries that have the application's key.
fn all<'a>(root: &'a Element, key: &FastCgiApplication, name: &str) -> Vec<&'a Element> {
    same_key(root, key)
        .into_iter()
        .flat_map(|application| named(application, name))
        .collect()
}

fn named<'a>(application: &'a Element, name: &str) -> Vec<&'a Element> {
    sections(application, "environmentVariables/environmentVariable")
        .into_iter()
        .filter(|element| {
            element
                .value("name")
                .is_some_and(|written| win_path::eq_ignore_case(written, name))
        })
        .collect()
}

fn check(variable: &EnvironmentVariable) -> Vec<Problem> {
    let empty = variable.name.is_empty().then(|| {
        Problem::error(
            "iis-attribute-empty",
            "the environment variable's name is empty",
        )
        .help("give it a name")
    });
    empty
        .into_iter()
        .chain(check_text("name", &variable.name))
        .chain(check_text(&variable.name, &variable.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "<configuration>\r\n<system.webServer>\r\n\t<fastCgi>\r\n\t\t<application fullPath='p' arguments='a'>\r\n\t\t\t<environmentVariables>\r\n\t\t\t\t<environmentVariable name='A' value='1' /> <!-- a -->\r\n\t\t\t\t<environmentVariable value = '2' name='B' />\r\n\t\t\t</environmentVariables>\r\n\t\t</application>\r\n\t\t<application fullPath='q'/>\r\n\t</fastCgi>\r\n</system.webServer>\r\n</configuration>";

    fn source(text: &str) -> Source {
        Source::from_text("x", text)
    }

    #[test]
    fn one_is_set_and_the_others_stay() {
        for (full_path, arguments, name, value, expected, summary) in [
            (
                "P",
                "A",
                "C",
                "it's",
                OLD.replace(
                    "name='B' />",
                    "name='B' />\r\n\t\t\t\t<environmentVariable name=\"C\" value=\"it's\" />",
                ),
                "add C for P|A",
            ),
            (
                "p",
                "a",
                "b",
                "it's",
                OLD.replace("'2'", "'it&apos;s'"),
                "set b for p|a",
            ),
            (
                "q",
                "",
                "A",
                "1",
                OLD.replace(
                    "<application fullPath='q'/>",
                    "<application fullPath='q'>\r\n\t\t    <environmentVariables>\r\n\t\t        <environmentVariable name=\"A\" value=\"1\" />\r\n\t\t    </environmentVariables>\r\n\t\t</application>",
                ),
                "add A for q",
            ),
        ] {
            let variable = EnvironmentVariable::new(name, value);
            let set = |text: &str| {
                set_environment_variable(&source(text), full_path, arguments, &variable).unwrap()
            };
            let edit = set(OLD);
            assert_eq!(edit.text, expected);
            assert_eq!(edit.summary, [summary]);
            assert!(!set(&edit.text).changed);
        }
    }

    #[test]
    fn one_is_removed_with_its_line() {
        let remove =
            |text: &str, name| remove_environment_variable(&source(text), "p", "a", name).unwrap();
        let without = remove(OLD, "b");
        assert_eq!(
            without.text,
            OLD.replace(
                "\r\n\t\t\t\t<environmentVariable value = '2' name='B' />",
                ""
            )
        );
        assert_eq!(without.summary, ["remove b for p|a"]);
        assert!(!remove(&without.text, "B").changed);
        assert!(!remove(OLD, "none").changed);
    }

    #[test]
    fn refuses_what_iis_would() {
        for (full_path, name, value, expected) in [
            ("none", "A", "1", "iis-fast-cgi-missing"),
            ("p", "", "1", "iis-attribute-empty"),
            ("p", "A", "\0", "iis-attribute-not-xml"),
        ] {
            let variable = EnvironmentVariable::new(name, value);
            let problems =
                set_environment_variable(&source(OLD), full_path, "a", &variable).unwrap_err();
            assert_eq!(problems.problems[0].code, expected);
        }
    }
}
