//! Edits of an application's virtual directories: `system.applicationHost/sites/site/application/virtualDirectory`.

use spanned_xml::{Element, Problem, Problems, Source};

use super::application::{
    SECTION, bad_path, empty, find, find_directory, virtual_directory, virtual_directory_place,
};
use super::change::{Change, Edit, refuse};
use crate::attribute::check_text;
use crate::section::kept_elsewhere;

/// Adds a virtual directory to an application of a site, or gives the one at the same path this folder.
///
/// `application` is the application's path in the site and `path` the directory's in the application, `/` or `/name`
/// both. The user name, password and logon method of a directory that is there stay.
///
/// ```
/// use iis_config::edit::{ApplicationPlace, set_application, set_virtual_directory};
/// use iis_config::ApplicationHost;
/// use spanned_xml::Source;
///
/// let source = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
/// let edit = set_application(&source, &ApplicationPlace::new("Demo", "/", r"C:\demo"))?;
/// let source = Source::from_text("applicationHost.config", edit.text);
/// let edit = set_virtual_directory(&source, "Demo", "/", "/static", r"D:\static")?;
/// assert!(edit.text.contains(r#"<virtualDirectory path="/static" physicalPath="D:\static" />"#));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, the application is not in it, or IIS would refuse the path or
/// the folder.
pub fn set_virtual_directory(
    source: &Source,
    site: &str,
    application: &str,
    path: &str,
    physical_path: &str,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, check(path, physical_path))?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    let Some(parent) = find(root, site, application) else {
        return Err(Problem::error(
            "iis-application-missing",
            format!("there is no application `{application}` of a site `{site}`"),
        )
        .help("add the application first, or name one that is there")
        .in_source(source));
    };
    let name = format!("{path} of {site}{application}");
    match find_directory(parent, path) {
        Some(directory) if directory.value("physicalPath") == Some(physical_path) => {}
        Some(directory) => {
            change
                .layout
                .set_attribute(directory, "physicalPath", physical_path);
            let old = directory.value("physicalPath").unwrap_or("nothing");
            change.say(format!(
                "set the folder of the virtual directory {name} to {physical_path}, was {old}"
            ));
        }
        None => {
            change.layout.insert(
                parent,
                virtual_directory_place(parent),
                &[virtual_directory(path, physical_path)],
            );
            change.say(format!(
                "add the virtual directory {name} in {physical_path}"
            ));
        }
    }
    change.finish(|root| {
        directory(root, site, application, path)
            .is_some_and(|directory| directory.value("physicalPath") == Some(physical_path))
    })
}

/// Removes a virtual directory of an application, with its line; changes nothing where there is none.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, or the path is `/`: that is the application's own folder.
pub fn remove_virtual_directory(
    source: &Source,
    site: &str,
    application: &str,
    path: &str,
) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    if let Some(found) = directory(root, site, application, path) {
        if path == "/" {
            return Err(Problem::error(
                "iis-root-virtual-directory",
                format!("the virtual directory `/` of {site}{application} cannot be removed: it is the application's folder"),
            )
            .at(found.start_tag)
            .help("remove the application, or give the directory another folder")
            .in_source(source));
        }
        change.layout.remove(found);
        change.say(format!(
            "remove the virtual directory {path} of {site}{application}"
        ));
    }
    change.finish(|root| directory(root, site, application, path).is_none())
}

fn directory<'a>(
    root: &'a Element,
    site: &str,
    application: &str,
    path: &str,
) -> Option<&'a Element> {
    find_directory(find(root, site, application)?, path)
}

fn check(path: &str, physical_path: &str) -> Vec<Problem> {
    let texts = [
        ("the virtual directory's path", path),
        ("the virtual directory's folder", physical_path),
    ];
    let texts = texts.into_iter().flat_map(|(what, value)| {
        empty(what, value)
            .into_iter()
            .chain(check_text(what, value))
    });
    texts.chain(bad_path("virtual directory", path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "<configuration><system.applicationHost><sites>\n <site name='S' id='1'>\n  <application path='/a'>\n   <virtualDirectory path='/' physicalPath='r'/>\n   <virtualDirectory path='/x' physicalPath='x' userName='u'/><!-- x -->\n   <virtualDirectoryDefaults/>\n  </application>\n  <application path='/'/>\n </site>\n</sites></system.applicationHost></configuration>";

    fn source(text: &str) -> Source {
        Source::from_text("x", text)
    }

    fn code(result: Result<Edit, Problems>) -> &'static str {
        result.unwrap_err().problems[0].code
    }

    #[test]
    fn is_added_after_the_last_changed_in_its_place_and_removed() {
        let added = set_virtual_directory(&source(OLD), "s", "/A", "/y", "D:\\y & z").unwrap();
        assert_eq!(
            added.text,
            OLD.replace(
                "<!-- x -->",
                "<!-- x -->\n   <virtualDirectory path=\"/y\" physicalPath=\"D:\\y &amp; z\" />"
            )
        );
        assert_eq!(
            added.summary,
            ["add the virtual directory /y of s/A in D:\\y & z"]
        );
        let removed = remove_virtual_directory(&source(&added.text), "S", "/a", "/Y").unwrap();
        assert_eq!(removed.text, OLD);
        let changed = set_virtual_directory(&source(OLD), "S", "/a", "/X", "new").unwrap();
        assert_eq!(changed.text, OLD.replace("'x' u", "'new' u"));
        assert_eq!(
            changed.summary,
            ["set the folder of the virtual directory /X of S/a to new, was x"]
        );
        let again = set_virtual_directory(&source(&changed.text), "S", "/a", "/X", "new").unwrap();
        assert!(!again.changed && again.summary.is_empty());
        // An empty-element tag is opened.
        let opened = set_virtual_directory(&source(OLD), "S", "/", "/z", "z").unwrap();
        assert_eq!(
            opened.text,
            OLD.replace(
                "<application path='/'/>",
                "<application path='/'>\n      <virtualDirectory path=\"/z\" physicalPath=\"z\" />\n  </application>"
            )
        );
    }

    #[test]
    fn refuses_what_iis_would() {
        for (site, application, path, folder, expected) in [
            ("S", "/none", "/x", "x", "iis-application-missing"),
            ("T", "/a", "/x", "x", "iis-application-missing"),
            ("S", "/a", "x", "x", "iis-application-path"),
            ("S", "/a", "/x/", "x", "iis-application-path"),
            ("S", "/a", "/x", "", "iis-attribute-empty"),
            ("S", "/a", "/x", "\u{1}", "iis-attribute-not-xml"),
        ] {
            let result = set_virtual_directory(&source(OLD), site, application, path, folder);
            assert_eq!(code(result), expected, "{site} {application} {path}");
        }
        assert_eq!(
            code(remove_virtual_directory(&source(OLD), "S", "/a", "/")),
            "iis-root-virtual-directory"
        );
        for (application, path) in [("/a", "/none"), ("/none", "/x")] {
            let nothing = remove_virtual_directory(&source(OLD), "S", application, path).unwrap();
            assert!(!nothing.changed);
        }
    }
}
