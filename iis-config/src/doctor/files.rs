//! The configuration files of an examination, read as far as they can be.

use spanned_xml::{Document, Element, Source};

use super::Inputs;
use super::machine::Machine;
use super::report::{Found, Subject};
use crate::section;
use crate::{ApplicationHost, Declared, FastCgiApplication, Handler, HandlersSection, WebConfig};

/// `applicationHost.config`.
#[derive(Debug)]
pub(super) struct Host<'a> {
    pub(super) source: &'a Source,
    pub(super) document: Document,
    pub(super) config: ApplicationHost,
}

/// A `web.config`.
#[derive(Debug)]
pub(super) struct Web<'a> {
    pub(super) subject: Subject,
    pub(super) source: &'a Source,
    pub(super) place: &'a str,
    pub(super) document: Document,
    pub(super) config: WebConfig,
}

/// All of them. A file that is no XML is left out: its fault is among the findings.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pub(super) host: Option<Host<'a>>,
    pub(super) webs: Vec<Web<'a>>,
}

/// A handler where a file declares it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeclaredHandler<'f> {
    pub(super) subject: Subject,
    pub(super) source: &'f Source,
    pub(super) handler: &'f Declared<Handler>,
}

impl<'a> Files<'a> {
    /// Reads the files; what IIS would refuse in them is found on the way.
    pub(super) fn read(inputs: &Inputs<'a>, found: &mut Found<'_>) -> Self {
        let host = inputs.application_host.and_then(|source| {
            let subject = Subject::ApplicationHost;
            let document = document(source, subject, found)?;
            let mut problems = Vec::new();
            let config = ApplicationHost::read(&document, &mut problems);
            problems.extend(config.handlers_at("").1);
            found.extend(subject, problems);
            Some(Host {
                source,
                document,
                config,
            })
        });
        let mut webs = Vec::new();
        for (index, file) in inputs.web_configs.iter().enumerate() {
            let subject = Subject::WebConfig(index);
            let Some(document) = document(file.source, subject, found) else {
                continue;
            };
            let mut problems = Vec::new();
            let config = WebConfig::read(&document, &mut problems);
            let mut handlers = host
                .as_ref()
                .map(|host| host.config.handlers_at(file.place).0)
                .unwrap_or_default();
            problems.extend(config.apply_handlers(&mut handlers, ""));
            found.extend(subject, problems);
            webs.push(Web {
                subject,
                source: file.source,
                place: file.place,
                document,
                config,
            });
        }
        Self { host, webs }
    }

    /// The handlers that the files add, one after the other.
    pub(super) fn handlers(&self) -> Vec<DeclaredHandler<'_>> {
        let host = self.host.iter().map(|host| {
            let config = &host.config;
            let subject = Subject::ApplicationHost;
            (subject, host.source, &config.handlers, &config.locations)
        });
        let webs = self.webs.iter().map(|web| {
            let config = &web.config;
            (web.subject, web.source, &config.handlers, &config.locations)
        });
        let files = host.chain(webs);
        files
            .flat_map(|(subject, source, handlers, locations)| {
                let inner = locations
                    .iter()
                    .filter_map(|location| location.handlers.as_ref());
                let sections = core::iter::once(handlers).chain(inner);
                sections
                    .flat_map(HandlersSection::added)
                    .map(move |handler| DeclaredHandler {
                        subject,
                        source,
                        handler,
                    })
            })
            .collect()
    }

    /// The FastCGI applications that are registered.
    pub(super) fn applications(&self) -> impl Iterator<Item = &Declared<FastCgiApplication>> + '_ {
        self.host.iter().flat_map(|host| &host.config.fast_cgi)
    }

    /// Whether anything in the files has to do with FastCGI.
    pub(super) fn use_fast_cgi(&self) -> bool {
        self.applications().next().is_some()
            || self
                .handlers()
                .iter()
                .any(|declared| declared.handler.is_fast_cgi())
    }
}

fn document(source: &Source, subject: Subject, found: &mut Found<'_>) -> Option<Document> {
    section::parse(source)
        .map_err(|problem| found.push(subject, problem))
        .ok()
}

/// A virtual directory's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folder {
    /// Site and path: `Default Web Site/app`.
    pub place: String,
    /// `physicalPath` with the variables expanded that the machine knows.
    pub physical_path: String,
}

/// The folders of the sites of an `applicationHost.config`: each may have a `web.config`. A file with faults gives what
/// can be read of it.
#[must_use]
pub fn folders(application_host: &Source, machine: &Machine) -> Vec<Folder> {
    let Ok(document) = section::parse(application_host) else {
        return Vec::new();
    };
    virtual_directories(document.root())
        .into_iter()
        .filter_map(|(place, directory)| {
            let physical_path = machine.expand(directory.value("physicalPath")?)?;
            Some(Folder {
                place,
                physical_path,
            })
        })
        .collect()
}

/// Each `virtualDirectory` with its place.
pub(super) fn virtual_directories(root: &Element) -> Vec<(String, &Element)> {
    let mut all = Vec::new();
    for site in section::sections(root, "system.applicationHost/sites/site") {
        let name = site.value("name").unwrap_or_default();
        for application in section::sections(site, "application") {
            let path = application.value("path").unwrap_or("/");
            for directory in section::sections(application, "virtualDirectory") {
                let parts = [name, path, directory.value("path").unwrap_or("/")];
                let parts: Vec<&str> = parts
                    .iter()
                    .map(|part| part.trim_matches('/'))
                    .filter(|part| !part.is_empty())
                    .collect();
                all.push((parts.join("/"), directory));
            }
        }
    }
    all
}
