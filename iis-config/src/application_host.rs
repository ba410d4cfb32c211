//! `applicationHost.config`: the machine's sites, FastCGI applications and handlers.
//!
//! *IIS configuration reference* and the schema of IIS 10. Sections that this crate does not model are ignored.

use spanned_xml::{Document, Element, Problem, Problems, Source, Span, XmlWriter};

use crate::section;
use crate::{
    Declared, FastCgiApplication, Handlers, HandlersSection, Site, fast_cgi, sites, win_path,
};

/// What an `applicationHost.config` says about serving FastCGI applications.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplicationHost {
    /// `system.applicationHost/sites`.
    pub sites: Vec<Declared<Site>>,
    /// `system.webServer/fastCgi`.
    pub fast_cgi: Vec<Declared<FastCgiApplication>>,
    /// `system.webServer/handlers` outside any `location`.
    pub handlers: HandlersSection,
    /// The `location` elements, in order.
    pub locations: Vec<Location>,
    /// What is odd but not refused.
    pub warnings: Vec<Problem>,
}

/// A `location` element: sections for one place below the file's own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Location {
    /// `path`, such as `Default Web Site/app`; empty or `.` for the file's own place.
    pub path: String,
    /// Its handlers, where it has that section.
    pub handlers: Option<HandlersSection>,
    /// The start tag.
    pub span: Span,
}

impl Location {
    pub(crate) fn read_all(root: &Element, problems: &mut Vec<Problem>) -> Vec<Self> {
        root.elements()
            .filter(|child| child.name == "location")
            .map(|location| Self {
                path: location.value("path").unwrap_or_default().to_owned(),
                handlers: read_handlers(location, problems),
                span: location.start_tag,
            })
            .collect()
    }

    /// Whether the element applies at `place` (`Site/app/folder`): its path is a prefix by whole segments.
    #[must_use]
    pub fn applies_to(&self, place: &str) -> bool {
        let segments = |path: &str| -> Vec<String> {
            path.split(['/', '\\'])
                .filter(|segment| !segment.is_empty() && *segment != ".")
                .map(str::to_lowercase)
                .collect()
        };
        segments(place).starts_with(&segments(&self.path))
    }

    pub(crate) fn depth(&self) -> usize {
        self.path
            .split(['/', '\\'])
            .filter(|segment| !segment.is_empty() && *segment != ".")
            .count()
    }
}

/// Applies the handlers of the locations that hold at `place`, the shallowest first.
pub(crate) fn apply_locations(
    handlers: &mut Handlers,
    locations: &[Location],
    place: &str,
) -> Vec<Problem> {
    let mut applicable: Vec<&Location> = locations
        .iter()
        .filter(|location| location.applies_to(place))
        .collect();
    applicable.sort_by_key(|location| location.depth());
    applicable
        .into_iter()
        .filter_map(|location| location.handlers.as_ref())
        .flat_map(|section| handlers.apply(section))
        .collect()
}

pub(crate) fn read_handlers(
    parent: &Element,
    problems: &mut Vec<Problem>,
) -> Option<HandlersSection> {
    section::single(parent, "system.webServer/handlers", problems)
        .map(|section| HandlersSection::read(section, problems))
}

impl ApplicationHost {
    /// Reads a file.
    ///
    /// ```
    /// use iis_config::ApplicationHost;
    /// use spanned_xml::Source;
    ///
    /// let source = Source::from_text("applicationHost.config", r#"<configuration><system.webServer><fastCgi>
    ///   <application fullPath="python.exe" maxInstances="20000" />
    /// </fastCgi></system.webServer></configuration>"#);
    /// let problems = ApplicationHost::parse(&source).unwrap_err().to_string();
    /// assert!(problems.starts_with("applicationHost.config:2:52: error[iis-attribute-out-of-range]"));
    /// ```
    ///
    /// # Errors
    ///
    /// All that IIS would refuse in the sections read: XML faults, missing attributes, numbers out of range,
    /// duplicates.
    pub fn parse(source: &Source) -> Result<Self, Problems> {
        let document = section::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut problems = Vec::new();
        let host = Self::read(&document, &mut problems);
        let (mut host, warnings) = Problems::or_value(source, problems, host)?;
        host.warnings = warnings;
        Ok(host)
    }

    pub(crate) fn read(document: &Document, problems: &mut Vec<Problem>) -> Self {
        let root = document.root();
        let sites_section = section::single(root, "system.applicationHost/sites", problems);
        let fast_cgi_section = section::single(root, "system.webServer/fastCgi", problems);
        Self {
            sites: sites_section
                .map(|section| sites::read_section(section, problems))
                .unwrap_or_default(),
            fast_cgi: fast_cgi_section
                .map(|section| fast_cgi::read_section(section, problems))
                .unwrap_or_default(),
            handlers: read_handlers(root, problems).unwrap_or_default(),
            locations: Location::read_all(root, problems),
            warnings: Vec::new(),
        }
    }

    /// The site of this name, whatever the case of letters.
    #[must_use]
    pub fn site(&self, name: &str) -> Option<&Declared<Site>> {
        self.sites
            .iter()
            .find(|site| win_path::eq_ignore_case(&site.name, name))
    }

    /// The handlers that this file gives a place such as `Default Web Site/app`, before any web.config, with what IIS
    /// would refuse in merging them.
    #[must_use]
    pub fn handlers_at(&self, place: &str) -> (Handlers, Vec<Problem>) {
        let mut handlers = Handlers::default();
        let mut problems = handlers.apply(&self.handlers);
        problems.extend(apply_locations(&mut handlers, &self.locations, place));
        (handlers, problems)
    }

    /// A small file for a machine without IIS: its sections declared as IIS declares them, no site, no FastCGI
    /// application, static files for every path. `line_ending` is `"\n"` or `"\r\n"`.
    #[must_use]
    pub fn new_text(line_ending: &'static str) -> String {
        let mut xml = XmlWriter::new("    ", line_ending);
        xml.declaration();
        xml.start("configuration");
        section_declarations(&mut xml);
        xml.start("system.applicationHost");
        xml.start("applicationPools");
        xml.empty("add", &[("name", "DefaultAppPool")]);
        xml.end();
        xml.start("sites");
        xml.empty(
            "applicationDefaults",
            &[("applicationPool", "DefaultAppPool")],
        );
        xml.end();
        xml.end();
        xml.start("system.webServer");
        xml.empty("fastCgi", &[]);
        xml.start("globalModules");
        for (name, image) in [
            ("StaticFileModule", "static.dll"),
            ("FastCgiModule", "iisfcgi.dll"),
        ] {
            let image = format!("%windir%\\System32\\inetsrv\\{image}");
            xml.empty("add", &[("name", name), ("image", &image)]);
        }
        xml.end();
        xml.end();
        // Handlers are declared with overrideModeDefault="Deny"; this is the place where IIS unlocks them, so that a
        // web.config may add its own.
        xml.start("location");
        xml.attribute("path", "");
        xml.attribute("overrideMode", "Allow");
        xml.start("system.webServer");
        xml.start("modules");
        for name in ["StaticFileModule", "FastCgiModule"] {
            xml.empty("add", &[("name", name), ("lockItem", "true")]);
        }
        xml.end();
        xml.start("handlers");
        xml.attribute("accessPolicy", "Read, Script");
        xml.empty(
            "add",
            &[
                ("name", "StaticFile"),
                ("path", "*"),
                ("verb", "*"),
                ("modules", "StaticFileModule"),
                ("resourceType", "Either"),
                ("requireAccess", "Read"),
            ],
        );
        xml.finish()
    }
}

/// `configSections` of the sections that a new file uses, with the levels at which IIS allows them.
fn section_declarations(xml: &mut XmlWriter) {
    const APP_HOST_ONLY: Option<&str> = Some("AppHostOnly");
    xml.start("configSections");
    for (group, declarations) in [
        (
            "system.applicationHost",
            &[
                ("applicationPools", APP_HOST_ONLY),
                ("sites", APP_HOST_ONLY),
            ][..],
        ),
        (
            "system.webServer",
            &[
                ("fastCgi", APP_HOST_ONLY),
                ("globalModules", APP_HOST_ONLY),
                ("handlers", None),
                ("modules", Some("MachineToApplication")),
            ],
        ),
    ] {
        xml.start("sectionGroup");
        xml.attribute("name", group);
        for &(name, allow_definition) in declarations {
            xml.start("section");
            xml.attribute("name", name);
            if let Some(level) = allow_definition {
                xml.attribute("allowDefinition", level);
            }
            xml.attribute("overrideModeDefault", "Deny");
            xml.end();
        }
        xml.end();
    }
    xml.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ApplicationHost, Problems> {
        ApplicationHost::parse(&Source::from_text("applicationHost.config", text))
    }

    #[test]
    fn a_new_file_is_valid_and_empty() {
        for line_ending in ["\n", "\r\n"] {
            let text = ApplicationHost::new_text(line_ending);
            let host = parse(&text).unwrap();
            assert!(host.warnings.is_empty() && host.sites.is_empty() && host.fast_cgi.is_empty());
            let (handlers, problems) = host.handlers_at("Any Site/app");
            assert!(problems.is_empty());
            assert_eq!(handlers.list[0].name, "StaticFile");
            assert!(handlers.grants(crate::RequireAccess::Script));
            assert_eq!(text.contains('\r'), line_ending == "\r\n");
        }
    }

    #[test]
    fn locations_apply_from_the_outside_in() {
        let handlers = |name: &str| {
            format!(
                "<system.webServer><handlers><add name='{name}' path='*' verb='*'/></handlers></system.webServer>"
            )
        };
        let host = parse(&format!(
            "<configuration>{}<location path='Site/App'>{}</location><location path='site'>{}</location>
             <location path='.'>{}</location><location path='Other'>{}</location><location/></configuration>",
            handlers("root"),
            handlers("app"),
            handlers("site"),
            handlers("dot"),
            handlers("other")
        ))
        .unwrap();
        for (place, expected) in [
            ("", "dot root"),
            ("Site", "site dot root"),
            ("SITE/app/folder", "app site dot root"),
            ("Site/Apple", "site dot root"),
            ("Other", "other dot root"),
        ] {
            let (found, problems) = host.handlers_at(place);
            assert!(problems.is_empty());
            let names: Vec<_> = found
                .list
                .iter()
                .map(|handler| handler.name.as_str())
                .collect();
            assert_eq!(names.join(" "), expected, "{place}");
        }
    }

    #[test]
    fn problems_read_well() {
        let text = "<configuration>\n  <system.webServer>\n    <fastCgi configSource=\"x.config\">\n      <application fullPath=\"a\" maxInstances=\"20000\" />\n    </fastCgi>\n    <fastCgi />\n  </system.webServer>\n</configuration>\n";
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            "applicationHost.config:6:5: error[iis-section-duplicate]: the section `system.webServer/fastCgi` is there twice\n  \
               3:5: first here\n  \
               help: move everything into one; IIS refuses the file with both\n\
             applicationHost.config:3:14: warning[iis-config-source]: the section `system.webServer/fastCgi` is kept in `x.config`, which was not read\n  \
               help: move the section's content into this file\n\
             applicationHost.config:4:47: error[iis-attribute-out-of-range]: `maxInstances` is 20000; IIS takes 0 to 10000 processes\n  \
               help: use a value from 0 to 10000 processes"
        );
        assert_eq!(
            parse("<fastCgi/>").unwrap_err().to_string(),
            "applicationHost.config:1:2: error[iis-not-a-configuration]: the root element is `fastCgi`; an IIS configuration file's is `configuration`\n  \
               help: put the section into <configuration>, below the groups that its name lists"
        );
    }
}
