//! Edits of `system.webServer/handlers`, in `web.config` as a rule.

use spanned_xml::{Element, Problem, Problems, Source};

use super::change::{Change, Edit, refuse};
use super::fast_cgi::group_place;
use super::layout::{Fragment, Place};
use crate::Handler;
use crate::attribute::check_text;
use crate::section::{kept_elsewhere, sections, to_extend};

const SECTION: &str = "system.webServer/handlers";
const ADD: &str = "system.webServer/handlers/add";

/// Adds a handler, or makes the one of the same name equal to it. A new one goes behind those that are there, so that
/// handlers of narrower patterns keep their precedence.
///
/// `location` elements are left alone. Attributes that this crate does not know stay; attributes at their default are
/// left out of a new element.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, or IIS would refuse the handler.
pub fn set_handler(source: &Source, handler: &Handler) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, check(handler))?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    match named(root, &handler.name).first() {
        Some(element) => update(&mut change, element, handler),
        None => add(&mut change, root, handler),
    }
    change.finish(|root| {
        named(root, &handler.name)
            .first()
            .is_some_and(|element| Handler::read(element, &mut Vec::new()) == *handler)
    })
}

/// Removes the handlers of this name that the file adds, with their lines; changes nothing where there is none.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_handler(source: &Source, name: &str) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    for element in named(root, name) {
        change.layout.remove(element);
        change.say(format!("remove the handler {name}"));
    }
    change.finish(|root| named(root, name).is_empty())
}

fn check(handler: &Handler) -> Vec<Problem> {
    let mut problems: Vec<Problem> = [("name", &handler.name), ("path", &handler.path)]
        .into_iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| {
            Problem::error(
                "iis-attribute-empty",
                format!("`{name}` of the handler is empty"),
            )
            .help("give it a value; IIS refuses the section without one")
        })
        .collect();
    problems.extend(
        handler
            .attributes()
            .iter()
            .filter_map(|attribute| check_text(attribute.name, &attribute.value)),
    );
    problems
}

fn named<'a>(root: &'a Element, name: &str) -> Vec<&'a Element> {
    sections(root, ADD)
        .into_iter()
        .filter(|element| element.value("name") == Some(name))
        .collect()
}

fn add(change: &mut Change<'_>, root: &Element, handler: &Handler) {
    change.say(format!("add the handler {}", handler.name));
    let new = Fragment::new("add").attributes(&handler.attributes());
    if let Some(section) = to_extend(root, SECTION) {
        change.layout.insert(section, Place::Last, &[new]);
        return;
    }
    let section = Fragment::new("handlers").child(new);
    if let Some(group) = to_extend(root, "system.webServer") {
        change.layout.insert(group, Place::Last, &[section]);
        return;
    }
    let group = Fragment::new("system.webServer").child(section);
    change.layout.insert(root, group_place(root), &[group]);
}

fn update(change: &mut Change<'_>, element: &Element, handler: &Handler) {
    for attribute in handler.attributes() {
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
                "set {} of the handler {} to {}{old}",
                attribute.name, handler.name, attribute.value
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, handler: &Handler, expected: &str, summary: &[&str]) {
        let edit = set_handler(&Source::from_text("web.config", old), handler).unwrap();
        assert_eq!(edit.text, expected);
        assert_eq!(edit.summary, summary);
        assert_eq!(edit.changed, !summary.is_empty());
    }

    #[test]
    fn a_new_one_goes_behind_the_others() {
        let handler = Handler::fast_cgi("app", "p|a");
        let add = "<add name=\"app\" path=\"*\" verb=\"*\" modules=\"FastCgiModule\" scriptProcessor=\"p|a\" />";
        check(
            "<configuration>\n <system.webServer>\n  <handlers>\n   <clear />\n   <add name=\"s\" path=\"*.s\" verb=\"*\" />  <!-- first -->\n  </handlers>\n </system.webServer>\n</configuration>",
            &handler,
            &format!(
                "<configuration>\n <system.webServer>\n  <handlers>\n   <clear />\n   <add name=\"s\" path=\"*.s\" verb=\"*\" />  <!-- first -->\n   {add}\n  </handlers>\n </system.webServer>\n</configuration>"
            ),
            &["add the handler app"],
        );
        check(
            "<configuration/>",
            &handler,
            &format!(
                "<configuration>\n    <system.webServer>\n        <handlers>\n            {add}\n        </handlers>\n    </system.webServer>\n</configuration>"
            ),
            &["add the handler app"],
        );
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut handler = Handler::fast_cgi("app", "p|b");
        handler.response_buffer_limit = 0;
        let old = "<configuration><system.webServer><handlers>\r\n<add name='app'\r\n     path = \"*\"\r\n     verb='*' modules=\"FastCgiModule\"\r\n     scriptProcessor='p|a'/></handlers></system.webServer></configuration>";
        check(
            old,
            &handler,
            &old.replace("'p|a'", "'p|b'\r\n     responseBufferLimit=\"0\""),
            &[
                "set scriptProcessor of the handler app to p|b, was p|a",
                "set responseBufferLimit of the handler app to 0",
            ],
        );
        let same = Handler::fast_cgi("app", "p|a");
        check(old, &same, old, &[]);
    }

    #[test]
    fn refuses_an_empty_name() {
        let source = Source::from_text("web.config", "<configuration/>");
        let text = set_handler(&source, &Handler::new("", "", "\0"))
            .unwrap_err()
            .to_string();
        assert_eq!(text.matches("iis-attribute-empty").count(), 2, "{text}");
        assert_eq!(text.matches("iis-attribute-not-xml").count(), 1, "{text}");
    }
}
