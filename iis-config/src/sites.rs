//! The section `system.applicationHost/sites`: sites, their applications, virtual directories and bindings.
//!
//! Elements, attributes and keys are those of IIS 10's `IIS_schema.xml`, section schema
//! `system.applicationHost/sites`. Limits, logging and tracing are not read.

use core::fmt;

use spanned_xml::{Element, Problem};

use crate::attribute::{Reader, Uint};
use crate::declared::{Declared, Keys};
use crate::win_path;

const SITE_ID: Uint = Uint::new("id", 0, 1, u32::MAX, "");

/// `sites/site`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Site {
    /// `name`, unique whatever its case.
    pub name: String,
    /// `id`, unique, from 1.
    pub id: u32,
    /// The applications; one of them has the path `/`.
    pub applications: Vec<Application>,
    /// The bindings.
    pub bindings: Vec<Binding>,
}

/// `site/application`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Application {
    /// `path` in the site: `/` or `/name`.
    pub path: String,
    /// `applicationPool`, or that of `applicationDefaults`; none where neither names one.
    pub application_pool: Option<String>,
    /// The virtual directories; that of path `/` is the application's own folder.
    pub virtual_directories: Vec<VirtualDirectory>,
}

/// `application/virtualDirectory`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualDirectory {
    /// `path` in the application: `/` or `/name`.
    pub path: String,
    /// `physicalPath` as written; IIS expands `%VAR%` in it.
    pub physical_path: String,
}

/// `bindings/binding`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// `protocol`: `http`, `https`, or another that IIS hosts.
    pub protocol: String,
    /// `bindingInformation`: for HTTP `address:port:host`.
    pub binding_information: String,
}

impl Binding {
    /// HTTP at a port of every address and for every host name.
    #[must_use]
    pub fn http(port: u16) -> Self {
        Self {
            protocol: "http".to_owned(),
            binding_information: format!("*:{port}:"),
        }
    }

    /// Address, port and host name of an HTTP or HTTPS binding; an address of `*` or nothing is every address, and an
    /// IPv6 address stands in brackets.
    #[must_use]
    pub fn http_parts(&self) -> Option<(&str, u16, &str)> {
        if !matches!(
            self.protocol.to_ascii_lowercase().as_str(),
            "http" | "https"
        ) {
            return None;
        }
        let (rest, host) = self.binding_information.rsplit_once(':')?;
        let (address, port) = rest.rsplit_once(':')?;
        Some((address, port.parse().ok()?, host))
    }
}

impl fmt::Display for Binding {
    /// As appcmd writes it: `http/*:80:`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.protocol, self.binding_information)
    }
}

/// Where a URL path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedPath<'a> {
    /// The application.
    pub application: &'a Application,
    /// The virtual directory in it.
    pub virtual_directory: &'a VirtualDirectory,
    /// What of the path lies below the application; empty or begins with `/`.
    pub path_in_application: &'a str,
    /// What of the path lies below the virtual directory; empty or begins with `/`.
    pub path_in_virtual_directory: &'a str,
}

/// What `validationType="siteName"` refuses in a site's name.
const NOT_IN_SITE_NAMES: &str = "\\/?;:@&=+$,|\"<>*[]";

/// The first character of `name` that IIS refuses in a site's name.
pub(crate) fn bad_site_name_character(name: &str) -> Option<char> {
    name.chars()
        .find(|&c| NOT_IN_SITE_NAMES.contains(c) || c.is_control())
}

impl Site {
    /// A site's name made from any text, a folder's name for example: what IIS refuses becomes `-`.
    ///
    /// ```
    /// # use iis_config::Site;
    /// assert_eq!(Site::name_from("R&D [new]"), "R-D -new-");
    /// assert_eq!(Site::name_from(" "), "site");
    /// ```
    #[must_use]
    pub fn name_from(text: &str) -> String {
        let name: String = text
            .trim()
            .chars()
            .map(
                |c| match bad_site_name_character(c.encode_utf8(&mut [0; 4])) {
                    Some(_) => '-',
                    None => c,
                },
            )
            .collect();
        if name.is_empty() {
            "site".to_owned()
        } else {
            name
        }
    }

    /// The application and virtual directory of a URL path, percent-decoded: those of the longest paths that are a
    /// prefix of it by whole segments, whatever the case of letters.
    #[must_use]
    pub fn resolve<'a>(&'a self, path: &'a str) -> Option<ResolvedPath<'a>> {
        let (application, path_in_application) = self
            .applications
            .iter()
            .filter_map(|application| Some((application, below(path, &application.path)?)))
            .min_by_key(|(_, rest)| rest.len())?;
        let (virtual_directory, path_in_virtual_directory) = application
            .virtual_directories
            .iter()
            .filter_map(|directory| Some((directory, below(path_in_application, &directory.path)?)))
            .min_by_key(|(_, rest)| rest.len())?;
        Some(ResolvedPath {
            application,
            virtual_directory,
            path_in_application,
            path_in_virtual_directory,
        })
    }

    /// The application of exactly this path, whatever the case of letters.
    #[must_use]
    pub fn application(&self, path: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| win_path::eq_ignore_case(&application.path, path))
    }
}

impl Application {
    /// The application's own folder: `physicalPath` of its virtual directory `/`, as written.
    #[must_use]
    pub fn physical_path(&self) -> Option<&str> {
        self.virtual_directories
            .iter()
            .find(|directory| directory.path == "/")
            .map(|directory| directory.physical_path.as_str())
    }
}

/// What of `path` lies below `prefix`, where that is a prefix by whole segments.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let prefix = prefix.trim_end_matches('/');
    let mut rest = path;
    for expected in prefix.chars() {
        let mut characters = rest.chars();
        let found = characters.next()?;
        if !found.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
        rest = characters.as_str();
    }
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Reads a `sites` section.
pub(crate) fn read_section(section: &Element, problems: &mut Vec<Problem>) -> Vec<Declared<Site>> {
    let default_pool = section
        .elements()
        .find(|child| child.name == "applicationDefaults")
        .and_then(|defaults| defaults.value("applicationPool"));
    let mut sites = Vec::new();
    let mut names = Keys::new();
    let mut ids = Keys::new();
    for element in section.elements().filter(|child| child.name == "site") {
        let site = read_site(element, default_pool, problems);
        // What is missing or out of range has been reported already.
        let same_name = (!site.name.is_empty())
            .then(|| names.declared_before(win_path::fold(&site.name), element.start_tag))
            .flatten();
        let same_id = (site.id != 0)
            .then(|| ids.declared_before(site.id, element.start_tag))
            .flatten();
        if let Some(first) = same_name {
            problems.push(
                Problem::error(
                    "iis-site-duplicate-name",
                    format!("the site `{}` is there twice", site.name),
                )
                .at(element.start_tag)
                .related(first, "first here")
                .help("rename or remove one; IIS starts no site while both are there"),
            );
        } else if let Some(first) = same_id {
            problems.push(
                Problem::error(
                    "iis-site-duplicate-id",
                    format!("the site `{}` has the id {} of another", site.name, site.id),
                )
                .at(element.start_tag)
                .related(first, "first here")
                .help("give one another id; IIS starts no site while both have it"),
            );
        }
        sites.push(Declared::new(site, element));
    }
    sites
}

pub(crate) fn read_site(
    element: &Element,
    default_pool: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Site {
    let children = |name: &'static str| element.elements().filter(move |child| child.name == name);
    let site_pool = children("applicationDefaults")
        .find_map(|defaults| defaults.value("applicationPool"))
        .or(default_pool);
    let mut reader = Reader::new(element, problems);
    let name = reader.required("name", true);
    if element.attribute("id").is_none() {
        reader.required("id", true);
    }
    let id = reader.uint(SITE_ID);
    let mut applications = Vec::new();
    let mut paths = Keys::new();
    for child in children("application") {
        let mut reader = Reader::new(child, problems);
        let path = reader.required("path", true);
        let first = (!path.is_empty())
            .then(|| paths.declared_before(win_path::fold(&path), child.start_tag))
            .flatten();
        if let Some(first) = first {
            problems.push(
                Problem::error(
                    "iis-application-duplicate",
                    format!("the application `{path}` of site `{name}` is there twice"),
                )
                .at(child.start_tag)
                .related(first, "first here")
                .help("remove one; IIS does not start the site while both are there"),
            );
        }
        applications.push(Application {
            path,
            application_pool: child
                .value("applicationPool")
                .or(site_pool)
                .map(str::to_owned),
            virtual_directories: child
                .elements()
                .filter(|directory| directory.name == "virtualDirectory")
                .map(|directory| VirtualDirectory {
                    path: directory.value("path").unwrap_or("/").to_owned(),
                    physical_path: directory
                        .value("physicalPath")
                        .unwrap_or_default()
                        .to_owned(),
                })
                .collect(),
        });
    }
    let bindings = children("bindings")
        .flat_map(Element::elements)
        .filter(|binding| binding.name == "binding")
        .map(|binding| {
            let mut reader = Reader::new(binding, problems);
            Binding {
                protocol: reader.required("protocol", true),
                binding_information: reader.required("bindingInformation", true),
            }
        })
        .collect();
    Site {
        name,
        id,
        applications,
        bindings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::{Document, Source};

    fn read(xml: &str) -> (Vec<Declared<Site>>, Vec<Problem>) {
        let source = Source::from_text("x", format!("<sites>{xml}</sites>"));
        let mut problems = Vec::new();
        let sites = read_section(Document::parse(&source).unwrap().root(), &mut problems);
        (sites, problems)
    }

    #[test]
    fn resolves_the_longest_prefix() {
        let (sites, problems) = read(
            "<site name='s' id='1'>
               <application path='/'>
                 <virtualDirectory path='/' physicalPath='root'/><virtualDirectory path='/Img' physicalPath='img'/>
               </application>
               <application path='/app' applicationPool='own'><virtualDirectory physicalPath='app'/></application>
               <application path='/app/inner'><virtualDirectory path='/' physicalPath='inner'/></application>
             </site>
             <applicationDefaults applicationPool='usual'/>",
        );
        assert!(problems.is_empty(), "{problems:?}");
        for (path, folder, pool, in_application, in_directory) in [
            ("/", "root", "usual", "/", "/"),
            ("/x/y", "root", "usual", "/x/y", "/x/y"),
            ("/img/a.png", "img", "usual", "/img/a.png", "/a.png"),
            ("/image", "root", "usual", "/image", "/image"),
            ("/app", "app", "own", "", ""),
            ("/APP/x", "app", "own", "/x", "/x"),
            ("/apple", "root", "usual", "/apple", "/apple"),
            ("/app/inner/z", "inner", "usual", "/z", "/z"),
        ] {
            let found = sites[0].resolve(path).unwrap();
            assert_eq!(
                (
                    found.virtual_directory.physical_path.as_str(),
                    found.application.application_pool.as_deref(),
                    found.path_in_application,
                    found.path_in_virtual_directory
                ),
                (folder, Some(pool), in_application, in_directory),
                "{path}"
            );
        }
        assert_eq!(
            sites[0].application("/App").unwrap().physical_path(),
            Some("app")
        );
    }

    #[test]
    fn reads_bindings() {
        for (protocol, information, expected) in [
            ("http", "*:80:", Some(("*", 80, ""))),
            (
                "HTTPS",
                "127.0.0.1:443:www.example.com",
                Some(("127.0.0.1", 443, "www.example.com")),
            ),
            ("http", "[::1]:8080:", Some(("[::1]", 8080, ""))),
            ("http", ":8080:localhost", Some(("", 8080, "localhost"))),
            ("http", "*:99999:", None),
            ("http", "80", None),
            ("net.tcp", "808:*", None),
        ] {
            let binding = Binding {
                protocol: protocol.to_owned(),
                binding_information: information.to_owned(),
            };
            assert_eq!(binding.http_parts(), expected, "{binding}");
        }
        assert_eq!(Binding::http(8080).to_string(), "http/*:8080:");
    }

    #[test]
    fn says_what_iis_would_refuse() {
        let (_, problems) = read(
            "<site name='a' id='1'/><site name='A' id='2'/><site name='b' id='1'/><site name='' id='0'/><site/>
             <site name='c' id='9'><application/><application path='/'/><application path='/'/><bindings><binding/></bindings></site>",
        );
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(
            codes,
            [
                "iis-site-duplicate-name",
                "iis-site-duplicate-id",
                "iis-attribute-empty",
                "iis-attribute-out-of-range",
                "iis-attribute-missing",
                "iis-attribute-missing",
                "iis-attribute-missing",
                "iis-application-duplicate",
                "iis-attribute-missing",
                "iis-attribute-missing",
            ]
        );
    }
}
