//! Edits of `system.applicationHost/sites`: a site's applications and their folders.

use spanned_xml::{Element, Problem, Problems, Source};

use super::change::{Change, Edit, refuse};
use super::fast_cgi::group_place;
use super::layout::{Fragment, Place};
use crate::attribute::check_text;
use crate::section::{kept_elsewhere, sections, to_extend};
use crate::sites::bad_site_name_character;
use crate::{Binding, win_path};

pub(super) const SECTION: &str = "system.applicationHost/sites";

/// Where an application goes, and its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationPlace {
    /// The site's name; names compare whatever their case.
    pub site: String,
    /// The application's path in the site: `/`, or `/name`.
    pub path: String,
    /// The folder: `physicalPath` of the application's virtual directory `/`.
    pub physical_path: String,
    /// The application pool; none, the default, leaves what is there, and a new application to `applicationDefaults`.
    pub application_pool: Option<String>,
    /// The folder of the site's root application, needed only where the site is new and `path` is not `/`.
    pub root_physical_path: Option<String>,
    /// The binding of a site that is new. Default: HTTP at port 80.
    pub binding: Binding,
}

impl ApplicationPlace {
    /// An application of this site, at this path, with this folder.
    #[must_use]
    pub fn new(
        site: impl Into<String>,
        path: impl Into<String>,
        physical_path: impl Into<String>,
    ) -> Self {
        Self {
            site: site.into(),
            path: path.into(),
            physical_path: physical_path.into(),
            application_pool: None,
            root_physical_path: None,
            binding: Binding::http(80),
        }
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = [
            ("the site's name", &self.site),
            ("the application's path", &self.path),
            ("the application's folder", &self.physical_path),
            ("the binding's protocol", &self.binding.protocol),
            ("the binding", &self.binding.binding_information),
        ]
        .into_iter()
        .flat_map(|(what, value)| {
            empty(what, value)
                .into_iter()
                .chain(check_text(what, value))
        })
        .collect();
        if let Some(bad) = bad_site_name_character(&self.site) {
            problems.push(
                Problem::error(
                    "iis-site-name-character",
                    format!(
                        "the site name `{}` holds `{bad}`, which IIS refuses",
                        self.site
                    ),
                )
                .help("choose a name of letters, digits, spaces, dots and hyphens"),
            );
        }
        problems.extend(bad_path("application", &self.path));
        let more = [&self.application_pool, &self.root_physical_path];
        problems.extend(
            more.into_iter()
                .flatten()
                .filter_map(|value| check_text("the application", value)),
        );
        problems
    }

    fn application(&self) -> Fragment {
        let mut new = Fragment::new("application").attribute("path", &self.path);
        if let Some(pool) = &self.application_pool {
            new = new.attribute("applicationPool", pool);
        }
        new.child(virtual_directory("/", &self.physical_path))
    }
}

/// Puts an application into a site: adds it, or gives the one at the same path this folder.
///
/// A site that is missing is added with the next free id and the place's binding. A site must have an application `/`:
/// where the site is new and the application is another, [`ApplicationPlace::root_physical_path`] is the folder of that.
/// The binding of a site that is there already stays.
///
/// ```
/// use iis_config::ApplicationHost;
/// use iis_config::edit::{ApplicationPlace, set_application};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
/// let edit = set_application(&source, &ApplicationPlace::new("Demo", "/", "/srv/demo"))?;
/// assert_eq!(edit.summary[0], "add the site Demo with id 1, bound to http/*:80:");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, IIS would refuse a name or path, or the site is new and the
/// folder of its root application is not given.
pub fn set_application(source: &Source, place: &ApplicationPlace) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    refuse(source, place.check())?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    match find_site(root, &place.site) {
        Some(site) => set_in_site(&mut change, site, place),
        None => add_site(&mut change, source, root, place)?,
    }
    change.finish(|root| {
        find(root, &place.site, &place.path).is_some_and(|application| {
            let pool = place.application_pool.as_deref();
            let folder = root_directory(application).and_then(|d| d.value("physicalPath"));
            folder == Some(&place.physical_path)
                && (pool.is_none() || application.value("applicationPool") == pool)
        })
    })
}

/// Removes a site's application, with its lines; changes nothing where there is none. The site stays.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file, or the path is `/`: a site cannot be without that one.
pub fn remove_application(source: &Source, site: &str, path: &str) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    if let Some(application) = find(root, site, path) {
        if path == "/" {
            return Err(Problem::error(
                "iis-root-application",
                format!(
                    "the application `/` of site `{site}` cannot be removed: no site is without it"
                ),
            )
            .at(application.start_tag)
            .help("remove the site, or give the application another folder")
            .in_source(source));
        }
        change.layout.remove(application);
        change.say(format!("remove the application {site}{path}"));
    }
    change.finish(|root| find(root, site, path).is_none())
}

/// Removes a site with all its applications, with its lines; changes nothing where there is none. What `location` elements
/// say of it stays.
///
/// # Errors
///
/// Where the file is not a well-formed configuration file.
pub fn remove_site(source: &Source, site: &str) -> Result<Edit, Problems> {
    let document = Change::parse(source, SECTION)?;
    let root = document.root();
    refuse(source, kept_elsewhere(root, SECTION))?;
    let mut change = Change::new(source, root, SECTION);
    if let Some(found) = find_site(root, site) {
        change.layout.remove(found);
        change.say(format!("remove the site {site}"));
    }
    change.finish(|root| find_site(root, site).is_none())
}

/// The problem with a value that has to be there, where it is empty.
pub(super) fn empty(what: &str, value: &str) -> Option<Problem> {
    value.is_empty().then(|| {
        Problem::error("iis-attribute-empty", format!("{what} is empty")).help("give it a value")
    })
}

/// The problem with the path of an application or a virtual directory, where IIS would not take it.
pub(super) fn bad_path(what: &str, path: &str) -> Option<Problem> {
    let bad = path.strip_prefix('/').is_none_or(|rest| {
        rest.ends_with('/')
            || rest.contains("//")
            || rest.contains(['\\', '?', '*', '|', '"', '<', '>', ':'])
    });
    (!path.is_empty() && bad).then(|| {
        Problem::error(
            "iis-application-path",
            format!("the {what} path `{path}` is not one that IIS takes"),
        )
        .help("write `/`, or `/name` without a slash at its end")
    })
}

pub(super) fn virtual_directory(path: &str, physical_path: &str) -> Fragment {
    Fragment::new("virtualDirectory")
        .attribute("path", path)
        .attribute("physicalPath", physical_path)
}

/// Where a new virtual directory goes: after the last, else before what else is there.
pub(super) fn virtual_directory_place(application: &Element) -> Place<'_> {
    sections(application, "virtualDirectory")
        .last()
        .map(|last| Place::After(last))
        .or_else(|| application.elements().next().map(Place::Before))
        .unwrap_or(Place::Last)
}

fn find_site<'a>(root: &'a Element, name: &str) -> Option<&'a Element> {
    sections(root, "system.applicationHost/sites/site")
        .into_iter()
        .find(|site| {
            site.value("name")
                .is_some_and(|written| win_path::eq_ignore_case(written, name))
        })
}

pub(super) fn find<'a>(root: &'a Element, site: &str, path: &str) -> Option<&'a Element> {
    find_application(find_site(root, site)?, path)
}

fn find_application<'a>(site: &'a Element, path: &str) -> Option<&'a Element> {
    sections(site, "application")
        .into_iter()
        .find(|application| {
            application
                .value("path")
                .is_some_and(|written| win_path::eq_ignore_case(written, path))
        })
}

fn root_directory(application: &Element) -> Option<&Element> {
    find_directory(application, "/")
}

pub(super) fn find_directory<'a>(application: &'a Element, path: &str) -> Option<&'a Element> {
    sections(application, "virtualDirectory")
        .into_iter()
        .find(|directory| win_path::eq_ignore_case(directory.value("path").unwrap_or("/"), path))
}

fn set_in_site(change: &mut Change<'_>, site: &Element, place: &ApplicationPlace) {
    let name = format!("{}{}", place.site, place.path);
    let Some(application) = find_application(site, &place.path) else {
        let applications = sections(site, "application");
        let position = applications
            .last()
            .map(|last| Place::After(last))
            .or_else(|| site.elements().next().map(Place::Before))
            .unwrap_or(Place::Last);
        change.layout.insert(site, position, &[place.application()]);
        change.say(format!(
            "add the application {name} in {}",
            place.physical_path
        ));
        return;
    };
    if let Some(pool) = &place.application_pool
        && application.value("applicationPool") != Some(pool)
    {
        change
            .layout
            .set_attribute(application, "applicationPool", pool);
        change.say(format!("set the application pool of {name} to {pool}"));
    }
    match root_directory(application) {
        Some(directory) if directory.value("physicalPath") == Some(&place.physical_path) => {}
        Some(directory) => {
            change
                .layout
                .set_attribute(directory, "physicalPath", &place.physical_path);
            let old = directory.value("physicalPath").unwrap_or("nothing");
            change.say(format!(
                "set the folder of {name} to {}, was {old}",
                place.physical_path
            ));
        }
        None => {
            let position = application
                .elements()
                .next()
                .map_or(Place::Last, Place::Before);
            change.layout.insert(
                application,
                position,
                &[virtual_directory("/", &place.physical_path)],
            );
            change.say(format!(
                "set the folder of {name} to {}",
                place.physical_path
            ));
        }
    }
}

fn add_site(
    change: &mut Change<'_>,
    source: &Source,
    root: &Element,
    place: &ApplicationPlace,
) -> Result<(), Problems> {
    let known = sections(root, "system.applicationHost/sites/site");
    let last_id = known
        .iter()
        .filter_map(|site| site.value("id")?.trim().parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let Some(id) = last_id.checked_add(1) else {
        return Err(
            Problem::error("iis-site-id", format!("no site id is free after {last_id}"))
                .help("give the site with that id a smaller one")
                .in_source(source),
        );
    };
    let mut site = Fragment::new("site")
        .attribute("name", &place.site)
        .attribute("id", &id.to_string());
    if place.path != "/" {
        let Some(folder) = &place.root_physical_path else {
            return Err(Problem::error(
                "iis-site-missing",
                format!(
                    "there is no site `{}`, and a new one needs a folder of its own",
                    place.site
                ),
            )
            .help("name an existing site, or give the folder of the new site's root application")
            .in_source(source));
        };
        site = site.child(
            Fragment::new("application")
                .attribute("path", "/")
                .child(virtual_directory("/", folder)),
        );
    }
    let binding = Fragment::new("binding")
        .attribute("protocol", &place.binding.protocol)
        .attribute("bindingInformation", &place.binding.binding_information);
    site = site
        .child(place.application())
        .child(Fragment::new("bindings").child(binding));
    change.say(format!(
        "add the site {} with id {id}, bound to {}",
        place.site, place.binding
    ));
    change.say(format!(
        "add the application {}{} in {}",
        place.site, place.path, place.physical_path
    ));
    if let Some(section) = to_extend(root, SECTION) {
        let position = sections(section, "site")
            .last()
            .map(|last| Place::After(last))
            .or_else(|| section.elements().next().map(Place::Before))
            .unwrap_or(Place::Last);
        change.layout.insert(section, position, &[site]);
        return Ok(());
    }
    let section = Fragment::new("sites").child(site);
    if let Some(group) = to_extend(root, "system.applicationHost") {
        let position = group
            .elements()
            .find(|child| child.name == "webLimits")
            .map_or(Place::Last, Place::Before);
        change.layout.insert(group, position, &[section]);
        return Ok(());
    }
    let group = Fragment::new("system.applicationHost").child(section);
    let position = root
        .elements()
        .find(|child| child.name == "system.webServer")
        .map_or_else(|| group_place(root), Place::Before);
    change.layout.insert(root, position, &[group]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, place: &ApplicationPlace, expected: &str, summary: &[&str]) {
        let edit = set_application(&Source::from_text("x", old), place).unwrap();
        assert_eq!(edit.text, expected);
        assert_eq!(edit.summary, summary);
        let again = set_application(&Source::from_text("x", expected), place).unwrap();
        assert!(!again.changed);
    }

    fn refused(old: &str, place: &ApplicationPlace) -> String {
        set_application(&Source::from_text("x", old), place)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_site_goes_behind_the_last() {
        check(
            "<configuration>\n  <system.applicationHost>\n    <sites>\n      <site name=\"a\" id=\"7\" />\n      <siteDefaults />\n    </sites>\n  </system.applicationHost>\n</configuration>\n",
            &ApplicationPlace::new("b", "/", "/srv/b"),
            "<configuration>\n  <system.applicationHost>\n    <sites>\n      <site name=\"a\" id=\"7\" />\n      <site name=\"b\" id=\"8\">\n        <application path=\"/\">\n          <virtualDirectory path=\"/\" physicalPath=\"/srv/b\" />\n        </application>\n        <bindings>\n          <binding protocol=\"http\" bindingInformation=\"*:80:\" />\n        </bindings>\n      </site>\n      <siteDefaults />\n    </sites>\n  </system.applicationHost>\n</configuration>\n",
            &[
                "add the site b with id 8, bound to http/*:80:",
                "add the application b/ in /srv/b",
            ],
        );
    }

    #[test]
    fn the_greatest_id_leaves_none_for_another_site() {
        let old = "<configuration><system.applicationHost><sites><site name='a' id='4294967295'/></sites></system.applicationHost></configuration>";
        assert_eq!(
            refused(old, &ApplicationPlace::new("b", "/", "/srv/b")),
            "x: error[iis-site-id]: no site id is free after 4294967295\n  help: give the site with that id a smaller one"
        );
    }

    #[test]
    fn missing_sections_are_made_in_their_places() {
        let mut place = ApplicationPlace::new("s", "/app", "C:\\app");
        place.root_physical_path = Some("C:\\root".to_owned());
        place.application_pool = Some("pool".to_owned());
        place.binding = Binding::http(8080);
        let site = |indent: &str| {
            [
                "<site name=\"s\" id=\"1\">",
                "\t<application path=\"/\">",
                "\t\t<virtualDirectory path=\"/\" physicalPath=\"C:\\root\" />",
                "\t</application>",
                "\t<application path=\"/app\" applicationPool=\"pool\">",
                "\t\t<virtualDirectory path=\"/\" physicalPath=\"C:\\app\" />",
                "\t</application>",
                "\t<bindings>",
                "\t\t<binding protocol=\"http\" bindingInformation=\"*:8080:\" />",
                "\t</bindings>",
                "</site>",
            ]
            .map(|line| format!("\r\n{indent}{line}"))
            .concat()
        };
        let summary = [
            "add the site s with id 1, bound to http/*:8080:",
            "add the application s/app in C:\\app",
        ];
        check(
            "<configuration>\r\n\t<configSections />\r\n\t<system.webServer />\r\n</configuration>",
            &place,
            &format!(
                "<configuration>\r\n\t<configSections />\r\n\t<system.applicationHost>\r\n\t\t<sites>{}\r\n\t\t</sites>\r\n\t</system.applicationHost>\r\n\t<system.webServer />\r\n</configuration>",
                site("\t\t\t")
            ),
            &summary,
        );
        check(
            "<configuration>\r\n\t<system.applicationHost>\r\n\t\t<webLimits />\r\n\t</system.applicationHost>\r\n</configuration>",
            &place,
            &format!(
                "<configuration>\r\n\t<system.applicationHost>\r\n\t\t<sites>{}\r\n\t\t</sites>\r\n\t\t<webLimits />\r\n\t</system.applicationHost>\r\n</configuration>",
                site("\t\t\t")
            ),
            &summary,
        );
    }

    #[test]
    fn what_is_there_is_changed_in_its_place() {
        let old = "<configuration><system.applicationHost><sites><site name='S' id='1'><application path='/'><virtualDirectory path='/' physicalPath='old' userName='u'/></application><application path='/a'/></site></sites></system.applicationHost></configuration>";
        check(
            old,
            &ApplicationPlace::new("s", "/", "it's"),
            &old.replace("'old'", "'it&apos;s'"),
            &["set the folder of s/ to it's, was old"],
        );
        let mut place = ApplicationPlace::new("s", "/A", "x");
        place.application_pool = Some("p".to_owned());
        check(
            old,
            &place,
            &old.replace(
                "<application path='/a'/>",
                "<application path='/a' applicationPool=\"p\">\n    <virtualDirectory path=\"/\" physicalPath=\"x\" />\n</application>",
            ),
            &["set the application pool of s/A to p", "set the folder of s/A to x"],
        );
    }

    #[test]
    fn refuses_what_iis_would() {
        let empty = "<configuration/>";
        let text = refused(empty, &ApplicationPlace::new("s", "/app", "f"));
        assert_eq!(
            text,
            "x: error[iis-site-missing]: there is no site `s`, and a new one needs a folder of its own\n  \
               help: name an existing site, or give the folder of the new site's root application"
        );
        let text = refused(empty, &ApplicationPlace::new("a/b", "app/", ""));
        for code in [
            "iis-site-name-character",
            "iis-application-path",
            "iis-attribute-empty",
        ] {
            assert!(text.contains(code), "{text}");
        }
        for path in ["app", "/app/", "//", "/a\\b", "/a:b"] {
            assert!(
                refused(empty, &ApplicationPlace::new("s", path, "f"))
                    .contains("iis-application-path"),
                "{path}"
            );
        }
        let elsewhere = "<configuration><system.applicationHost><sites configSource='s.config'/></system.applicationHost></configuration>";
        assert!(
            refused(elsewhere, &ApplicationPlace::new("s", "/", "f"))
                .starts_with("x:1:47: error[iis-config-source]")
        );
        let full = "<configuration><system.applicationHost><sites><site name='a' id='4294967295'/></sites></system.applicationHost></configuration>";
        assert!(
            refused(full, &ApplicationPlace::new("s", "/", "f"))
                .contains("no site id is free after 4294967295")
        );
    }

    #[test]
    fn the_root_application_stays() {
        let old = "<configuration><system.applicationHost><sites><site name='s' id='1'><application path='/'/><application path='/a'/></site></sites></system.applicationHost></configuration>";
        let source = Source::from_text("x", old);
        let refused = remove_application(&source, "s", "/").unwrap_err();
        assert_eq!(refused.problems[0].code, "iis-root-application");
        let edit = remove_application(&source, "S", "/A").unwrap();
        assert_eq!(edit.text, old.replace("<application path='/a'/>", ""));
        assert_eq!(edit.summary, ["remove the application S/A"]);
    }
}
