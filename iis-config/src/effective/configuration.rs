//! The files of one machine, and sections merged from them.

use spanned_xml::{Document, Element, Problem, Problems, Source, Span};

use super::element::EffectiveElement;
use super::locks::place as place_of;
use super::merge::{Merge, fill_defaults};
use crate::schema::{ElementSchema, Schema};
use crate::section::{self, sections};
use crate::{FastCgiApplication, Handler, HttpPlatform};

/// `applicationHost.config` and the `web.config` files below it.
#[derive(Clone, Debug)]
pub struct Configuration<'s> {
    schema: &'s Schema,
    host: File,
    webs: Vec<File>,
    /// The sections that files keep elsewhere.
    elsewhere: Vec<Elsewhere>,
}

/// A file that a `configSource` names: one section, which is its root element.
#[derive(Clone, Debug)]
struct Elsewhere {
    /// The place of the file that names it, as in [`File::place`].
    place: Vec<String>,
    /// The path that is written there, in segments.
    path: Vec<String>,
    source: Source,
    document: Document,
}

#[derive(Clone, Debug)]
struct File {
    source: Source,
    document: Document,
    /// The segments of its place, lower case; empty for `applicationHost.config`.
    place: Vec<String>,
    /// How many `web.config` files were added before it; none for `applicationHost.config`.
    number: Option<usize>,
}

/// A section as it holds at one place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EffectiveSection {
    /// What holds, with defaults.
    pub element: EffectiveElement,
    /// What IIS would refuse on the way, by file; such parts are left out of `element`.
    pub problems: Vec<Problems>,
}

/// What IIS would refuse, with the number of the file that has it.
type Refused = Vec<(Option<usize>, Problems)>;

/// One `section` of `configSections`.
struct Declaration {
    /// Where it is; none where the section is not declared.
    span: Option<Span>,
    allow_definition: String,
    allow_location: bool,
    locked: bool,
}

fn segments(place: &str) -> Vec<String> {
    place
        .split(['/', '\\'])
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .map(str::to_lowercase)
        .collect()
}

fn says(element: &Element, attribute: &str, value: &str) -> bool {
    element
        .value(attribute)
        .is_some_and(|written| written.eq_ignore_ascii_case(value))
}

/// What a `location` says about overriding: `overrideMode`, else the older `allowOverride`; `None` is inherit.
fn locks(location: &Element) -> Option<bool> {
    if says(location, "overrideMode", "Deny") || says(location, "allowOverride", "false") {
        Some(true)
    } else if says(location, "overrideMode", "Allow") || says(location, "allowOverride", "true") {
        Some(false)
    } else {
        None
    }
}

/// The message that IIS gives with its error 500.19 and 0x80070021.
fn locked_section(path: &str, section: &Element, lock: &str) -> Problem {
    Problem::error(
        "iis-config-section-locked",
        format!("`{path}` cannot be used here, as it is locked at a parent level, in {lock}: IIS answers 500.19 with 0x80070021"),
    )
    .at(section.start_tag)
    .help(r#"move it into applicationHost.config, or unlock it as an administrator: `%windir%\System32\inetsrv\appcmd unlock config -section:…`; a section with allowDefinition stays where that says"#)
}

fn no_location(path: &str, section: &Element) -> Problem {
    Problem::error(
        "iis-config-no-location",
        format!(
            "`{path}` is declared with allowLocation=\"false\": IIS refuses it inside a `location`"
        ),
    )
    .at(section.start_tag)
    .help("move it out of the location element")
}

impl<'s> Configuration<'s> {
    /// The machine's own file.
    ///
    /// # Errors
    ///
    /// It is not a configuration file.
    pub fn new(schema: &'s Schema, host: Source) -> Result<Self, Problems> {
        Ok(Self {
            schema,
            host: File::parse(host, "", None)?,
            webs: Vec::new(),
            elsewhere: Vec::new(),
        })
    }

    /// Adds the `web.config` of a place, such as `Default Web Site/app/static`.
    ///
    /// # Errors
    ///
    /// It is not a configuration file.
    pub fn web_config(&mut self, place: &str, source: Source) -> Result<(), Problems> {
        let number = Some(self.webs.len());
        self.webs.push(File::parse(source, place, number)?);
        // Shallower files are merged first.
        self.webs.sort_by_key(|file| file.place.len());
        Ok(())
    }

    /// Adds a file that `configSource` names in the `web.config` of `place`, or in `applicationHost.config` where that is
    /// empty. `path` is as written there, relative to the file that names it; its slashes and letter case do not count.
    /// What is not added is reported as not read where its section is asked for.
    ///
    /// ```
    /// # use iis_config::effective::Configuration;
    /// # use iis_config::schema::Schema;
    /// # use spanned_xml::Source;
    /// let mut schema = Schema::new();
    /// schema.read(&Source::from_text("schema.xml", r#"<configSchema><sectionSchema name="system.webServer/defaultDocument">
    ///   <attribute name="enabled" type="bool" defaultValue="true"/></sectionSchema></configSchema>"#))?;
    /// let host = r#"<configuration><system.webServer><defaultDocument configSource="parts\default.config"/></system.webServer></configuration>"#;
    /// let mut configuration = Configuration::new(&schema, Source::from_text("applicationHost.config", host))?;
    /// configuration.config_source("", "parts/default.config", Source::from_text("default.config", r#"<defaultDocument enabled="false"/>"#))?;
    /// let section = configuration.section("Site", "system.webServer/defaultDocument").unwrap();
    /// assert_eq!(section.element.value("enabled"), Some("false"));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It is not well-formed XML.
    pub fn config_source(
        &mut self,
        place: &str,
        path: &str,
        source: Source,
    ) -> Result<(), Problems> {
        let document = Document::parse(&source).map_err(|problem| problem.in_source(&source))?;
        self.elsewhere.push(Elsewhere {
            place: segments(place),
            path: segments(path),
            source,
            document,
        });
        Ok(())
    }

    /// A section as it holds at `place` (`Default Web Site/app/folder`; empty for the whole machine), or `None` where the
    /// schema does not have it.
    #[must_use]
    pub fn section(&self, place: &str, path: &str) -> Option<EffectiveSection> {
        let (element, problems) = self.merged(&segments(place), path)?;
        Some(EffectiveSection {
            element,
            problems: problems.into_iter().map(|(_, problems)| problems).collect(),
        })
    }

    /// What IIS would refuse of a section in the `web.config` that was added as number `number`.
    pub(crate) fn refused_in(&self, number: usize, path: &str) -> Vec<Problem> {
        let is_it = |of: Option<usize>| of == Some(number);
        let file = self.webs.iter().find(|file| is_it(file.number));
        file.and_then(|file| self.merged(&file.place, path))
            .into_iter()
            .flat_map(|(_, problems)| problems)
            .filter(|(of, _)| is_it(*of))
            .flat_map(|(_, problems)| problems.problems)
            .collect()
    }

    /// A section as it holds at `place`, with what IIS would refuse on the way, each with its file's number.
    fn merged(&self, place: &[String], path: &str) -> Option<(EffectiveElement, Refused)> {
        let schema = self.schema.section(path)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut element = EffectiveElement::of(schema, name);
        let declaration = self.declaration(path);
        let declared = declaration
            .span
            .map(|span| place_of(&self.host.source, span));
        // Where it was locked.
        let mut locked = declared.clone().filter(|_| declaration.locked);
        let mut found = Vec::new();
        for depth in 0..=place.len() {
            let level = &place[..depth];
            let allowed = declaration.allows_web_config(self.is_application(level), depth);
            let refused = declared.clone().filter(|_| !allowed);
            let files = core::iter::once(&self.host).chain(&self.webs);
            for file in files.filter(|file| level.starts_with(&file.place)) {
                let mut problems = Vec::new();
                let mut lock_below = None;
                for (location, section) in self.contributions(file, level, place, path) {
                    if let Some(lock) = locked.as_ref().or(refused.as_ref())
                        && !file.is_host()
                    {
                        problems.push(locked_section(path, section, lock));
                        continue;
                    }
                    if location.is_some() && !declaration.allow_location {
                        problems.push(no_location(path, section));
                        continue;
                    }
                    if let Some(written) = section.value("configSource") {
                        let Some(elsewhere) = self.elsewhere(file, written) else {
                            problems.push(section::not_read(section, path));
                            continue;
                        };
                        let refused = elsewhere.merge(&mut element, schema);
                        found.extend(refused.map(|problems| (file.number, problems)));
                    } else {
                        Merge {
                            source: &file.source,
                            problems: &mut problems,
                        }
                        .merge(&mut element, schema, section);
                    }
                    if let Some(location) = location
                        && let Some(lock) = locks(location)
                    {
                        let place = place_of(&file.source, location.start_tag);
                        lock_below = Some(Some(place).filter(|_| lock));
                    }
                }
                // A file's own locks hold for the files below it, not for the rest of the file.
                locked = lock_below.unwrap_or(locked);
                if !problems.is_empty() {
                    let source = file.source.clone();
                    found.push((file.number, Problems { source, problems }));
                }
            }
        }
        fill_defaults(&mut element, schema, &[]);
        Some((element, found))
    }

    /// The effective `handlers` at a place, in IIS's order of precedence.
    #[must_use]
    pub fn handlers(&self, place: &str) -> Vec<Handler> {
        self.entries(place, "system.webServer/handlers")
            .iter()
            .map(|entry| Handler::read(entry, &mut Vec::new()))
            .collect()
    }

    /// The machine's FastCGI applications; the section has no effect below it.
    #[must_use]
    pub fn fast_cgi(&self) -> Vec<FastCgiApplication> {
        self.entries("", "system.webServer/fastCgi")
            .iter()
            .map(|entry| FastCgiApplication::read(entry, &mut Vec::new()))
            .collect()
    }

    /// The effective `httpPlatform` at a place, where something sets its `processPath`.
    #[must_use]
    pub fn http_platform(&self, place: &str) -> Option<HttpPlatform> {
        let section = self.section(place, "system.webServer/httpPlatform")?;
        let platform = section.element.value("processPath").is_some();
        platform.then(|| HttpPlatform::read(&section.element.to_element(), &mut Vec::new()))
    }

    fn entries(&self, place: &str, path: &str) -> Vec<Element> {
        self.section(place, path)
            .map(|section| section.element.entries)
            .unwrap_or_default()
            .iter()
            .map(EffectiveElement::to_element)
            .collect()
    }

    /// The file that `file` names by `path` in a `configSource`, where it was added.
    fn elsewhere(&self, file: &File, path: &str) -> Option<&Elsewhere> {
        let path = segments(path);
        self.elsewhere
            .iter()
            .find(|of| of.place == file.place && of.path == path)
    }

    /// The section elements of `path` that `file` has for `level`, each with its `location`.
    fn contributions<'a>(
        &self,
        file: &'a File,
        level: &[String],
        place: &[String],
        path: &str,
    ) -> Vec<(Option<&'a Element>, &'a Element)> {
        let root = file.document.root();
        let mut found = Vec::new();
        if file.place == level {
            found.extend(
                sections(root, path)
                    .into_iter()
                    .map(|section| (None, section)),
            );
        }
        for location in root.elements().filter(|child| child.name == "location") {
            let mut at = file.place.clone();
            at.extend(segments(location.value("path").unwrap_or_default()));
            let ends_here = says(location, "inheritInChildApplications", "false")
                && (at.len() + 1..=place.len()).any(|depth| self.is_application(&place[..depth]));
            if at == level && !ends_here {
                let below = sections(location, path).into_iter();
                found.extend(below.map(|section| (Some(location), section)));
            }
        }
        found
    }

    /// Whether an application of a site begins at these segments.
    fn is_application(&self, place: &[String]) -> bool {
        let Some((site_name, path)) = place.split_first() else {
            return false;
        };
        sections(
            self.host.document.root(),
            "system.applicationHost/sites/site",
        )
        .into_iter()
        .filter(|site| {
            site.value("name")
                .is_some_and(|name| name.to_lowercase() == *site_name)
        })
        .flat_map(Element::elements)
        .filter(|child| child.name == "application")
        .any(|application| segments(application.value("path").unwrap_or_default()) == path)
    }

    /// What `configSections` says about a section; IIS's defaults where it is not declared.
    fn declaration(&self, path: &str) -> Declaration {
        let (groups, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut parents = sections(self.host.document.root(), "configSections");
        for group in groups.split('/').filter(|group| !group.is_empty()) {
            parents = named(&parents, "sectionGroup", group);
        }
        Declaration::read(named(&parents, "section", name).first().copied())
    }
}

/// The children of this kind whose `name` is as asked for.
fn named<'a>(parents: &[&'a Element], kind: &str, name: &str) -> Vec<&'a Element> {
    parents
        .iter()
        .flat_map(|parent| parent.elements())
        .filter(|child| child.name == kind && child.value("name") == Some(name))
        .collect()
}

impl Declaration {
    fn read(section: Option<&Element>) -> Self {
        let says =
            |attribute, value| section.is_some_and(|section| says(section, attribute, value));
        Self {
            span: section.map(|section| section.start_tag),
            allow_definition: section
                .and_then(|section| section.value("allowDefinition"))
                .unwrap_or("Everywhere")
                .to_owned(),
            allow_location: !says("allowLocation", "false"),
            locked: says("overrideModeDefault", "Deny"),
        }
    }

    /// Whether the section may be in the `web.config` of a folder.
    fn allows_web_config(&self, is_application: bool, depth: usize) -> bool {
        match self.allow_definition.to_ascii_lowercase().as_str() {
            "machineonly" | "machinetorootweb" | "apphostonly" => false,
            // The root of a site is an application too.
            "machinetoapplication" => is_application || depth <= 1,
            _ => true,
        }
    }
}

impl Elsewhere {
    /// Merges its section; what is wrong with it, if anything is.
    fn merge(&self, into: &mut EffectiveElement, schema: &ElementSchema) -> Option<Problems> {
        let root = self.document.root();
        let mut problems = Vec::new();
        if root.name == into.name {
            Merge {
                source: &self.source,
                problems: &mut problems,
            }
            .merge(into, schema, root);
        } else {
            problems.push(
                Problem::error(
                    "iis-config-source-root",
                    format!(
                        "the root element is `{}`; the configSource that names this file is one of `{}`",
                        root.name, into.name
                    ),
                )
                .at(root.name_span)
                .help(format!("begin the file with <{}>, without the groups around it", into.name)),
            );
        }
        (!problems.is_empty()).then(|| Problems {
            source: self.source.clone(),
            problems,
        })
    }
}

impl File {
    fn parse(source: Source, place: &str, number: Option<usize>) -> Result<Self, Problems> {
        let document = section::parse(&source).map_err(|problem| problem.in_source(&source))?;
        Ok(Self {
            source,
            document,
            place: segments(place),
            number,
        })
    }

    fn is_host(&self) -> bool {
        self.number.is_none()
    }
}
