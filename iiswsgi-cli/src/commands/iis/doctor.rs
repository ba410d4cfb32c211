//! `iiswsgi iis doctor`.

use std::fmt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fcgi_gateway::registry;
use iis_config::doctor::{self, Inputs, Machine, Report as Examination, Subject, WebConfigFile};
use serde::Serialize;
use spanned_xml::{Problems, Source};

use super::local_machine::{LocalMachine, resolve};
use crate::context::Context;
use crate::deploy::appcmd::express_config;
use crate::deploy::file;
use crate::error::{Error, Result};
use crate::findings::Findings;

/// Where applicationHost.config is, in a folder with copied files.
const PLACES: [&[&str]; 5] = [
    &["applicationHost.config"],
    &["config", "applicationHost.config"],
    &["System32", "inetsrv", "config", "applicationHost.config"],
    &[
        "Windows",
        "System32",
        "inetsrv",
        "config",
        "applicationHost.config",
    ],
    &[
        "C",
        "Windows",
        "System32",
        "inetsrv",
        "config",
        "applicationHost.config",
    ],
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files copied from a server: applicationHost.config, web.config, an export of the registry (.reg), or a folder with
    /// them [default: this machine's IIS, else its IIS Express, else the current folder]
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<Utf8PathBuf>,
    /// How long the application may take before it answers; activityTimeout has to be longer
    #[arg(long, value_name = "SECONDS")]
    longest_silence: Option<u64>,
}

/// The files that are looked at.
#[derive(Debug, Default)]
struct Files {
    application_host: Option<Source>,
    /// Each with its place in IIS, where it is known, and its path here.
    web_configs: Vec<(Source, String, Utf8PathBuf)>,
    registry_exports: Vec<Source>,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    findings: Findings,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    of: String,
    path: String,
    /// The newest lines; none where the place is not known here.
    newest: Option<Vec<String>>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.logs.is_empty() {
            writeln!(f, "logs:")?;
        }
        for log in &self.logs {
            let lines = log.newest.as_deref();
            let state = match lines {
                None => " (not among the files at hand)",
                Some([]) => " (nothing in it)",
                Some(_) => "",
            };
            writeln!(f, "  {}: {}{state}", log.of, log.path)?;
            for line in lines.unwrap_or_default() {
                writeln!(f, "    {line}")?;
            }
        }
        if !self.logs.is_empty() {
            writeln!(f)?;
        }
        self.findings.fmt(f)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let (paths, roots) = places(args, context)?;
    let local = LocalMachine::new(roots);
    let mut machine = local.facts(context);
    let mut files = Files::default();
    for path in &paths {
        files.add(path)?;
    }
    if files.application_host.is_none() && files.web_configs.is_empty() {
        return Err(
            Error::new("there is neither an applicationHost.config nor a web.config")
                .help("name the files, or a folder with them: copies from the server will do"),
        );
    }
    for export in &files.registry_exports {
        machine.read_registry_export(export);
    }
    files.add_those_of_sites(&machine, &local)?;

    let examination = files.examine(&mut machine, &local, args.longest_silence);
    let subject = paths.iter().map(|path| path.as_str()).collect::<Vec<_>>();
    let report = Report {
        logs: examination
            .logs
            .iter()
            .map(|log| Log {
                of: log.of.clone(),
                path: log.path.clone(),
                newest: log.newest.clone(),
            })
            .collect(),
        findings: Findings::with_notes(subject.join(", "), files.problems(&examination), context),
    };
    context.report(&report)?;
    if examination.has_errors() {
        return Err(Error::Reported);
    }
    Ok(())
}

/// The files and folders to look at, and those of them that stand for a machine.
fn places(args: &Args, context: &Context) -> Result<(Vec<Utf8PathBuf>, Vec<Utf8PathBuf>)> {
    if !args.paths.is_empty() {
        let folders = args.paths.iter().filter(|path| path.is_dir());
        let roots = folders.map(|path| file::absolute(path));
        return Ok((args.paths.clone(), roots.collect::<Result<_>>()?));
    }
    let windir = context.environment.non_empty("windir").map(Utf8Path::new);
    let of_iis = windir
        .and_then(|windir| resolve(windir, PLACES[2]))
        .filter(|path| path.is_file());
    if let Some(path) = &of_iis
        && let Some((major, minor)) = registry::iis_version()
    {
        context.say(format_args!("this is IIS {major}.{minor}, with `{path}`"));
    }
    if let Some(path) = of_iis.or_else(|| express_config(context)) {
        context.say(format_args!("looking at `{path}`"));
        return Ok((vec![path], Vec::new()));
    }
    let here = Utf8PathBuf::from(".");
    context.say("this machine has no IIS: looking at the files in this folder");
    Ok((vec![here.clone()], vec![file::absolute(&here)?]))
}

impl Files {
    fn add(&mut self, path: &Utf8Path) -> Result<()> {
        if !path.is_dir() {
            return self.add_file(path);
        }
        let host = PLACES.iter().find_map(|place| resolve(path, place));
        if let Some(host) = host {
            self.add_file(&host)?;
        }
        let mut entries: Vec<Utf8PathBuf> = path
            .read_dir_utf8()?
            .flatten()
            .map(camino::Utf8DirEntry::into_path)
            .filter(|path| path.is_file())
            .collect();
        entries.sort();
        for entry in entries {
            let is_web_config = entry
                .file_name()
                .is_some_and(|name| name.eq_ignore_ascii_case("web.config"));
            if is_web_config || is_registry_export(&entry) {
                self.add_file(&entry)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Utf8Path) -> Result<()> {
        let source = file::read_source(path)?;
        if is_registry_export(path) {
            self.registry_exports.push(source);
        } else if source.text().contains("<system.applicationHost")
            || path
                .file_name()
                .is_some_and(|name| name.eq_ignore_ascii_case("applicationHost.config"))
        {
            if let Some(first) = &self.application_host {
                return Err(Error::new(format!(
                    "`{path}` and `{}` are both an applicationHost.config",
                    first.name()
                ))
                .help("look at one machine at a time"));
            }
            self.application_host = Some(source);
        } else {
            let known = self.web_configs.iter().any(|(_, _, other)| other == path);
            if !known {
                self.web_configs
                    .push((source, String::new(), path.to_owned()));
            }
        }
        Ok(())
    }

    /// The web.config files in the folders of the sites; one that is there already is told its place.
    fn add_those_of_sites(&mut self, machine: &Machine, local: &LocalMachine) -> Result<()> {
        let Some(host) = &self.application_host else {
            return Ok(());
        };
        for folder in doctor::folders(host, machine) {
            let Some(path) = local
                .find(&folder.physical_path)
                .flatten()
                .and_then(|path| resolve(&path, &["web.config"]))
                .filter(|path| path.is_file())
            else {
                continue;
            };
            let canonical = file::canonical(&path)?;
            let known = self.web_configs.iter_mut().find(|(_, place, other)| {
                place.is_empty() && file::canonical(other).is_ok_and(|other| other == canonical)
            });
            match known {
                Some((_, place, _)) => *place = folder.place,
                None => {
                    let source = file::read_source(&path)?;
                    self.web_configs.push((source, folder.place, path));
                }
            }
        }
        Ok(())
    }

    /// Asks until everything is answered that can be.
    fn examine(
        &self,
        machine: &mut Machine,
        local: &LocalMachine,
        longest_silence: Option<u64>,
    ) -> Examination {
        loop {
            let mut inputs = Inputs::new(machine);
            inputs.application_host = self.application_host.as_ref();
            inputs.web_configs = self
                .web_configs
                .iter()
                .map(|(source, place, _)| WebConfigFile { source, place })
                .collect();
            inputs.longest_silence = longest_silence.map(Duration::from_secs);
            let examination = doctor::doctor(&inputs);
            if examination.questions.is_empty() {
                return examination;
            }
            for question in &examination.questions {
                let fact = local.answer(question);
                machine.paths.insert(question.path.clone(), fact);
            }
        }
    }

    /// The findings, file by file.
    fn problems(&self, examination: &Examination) -> Vec<Problems> {
        let mut files: Vec<(Subject, Problems)> = Vec::new();
        for finding in &examination.findings {
            let subject = finding.subject;
            let problem = finding.problem.clone();
            match files.iter_mut().find(|(known, _)| *known == subject) {
                Some((_, file)) => file.problems.push(problem),
                None => files.push((subject, problem.in_source(&self.source_of(subject)))),
            }
        }
        files.into_iter().map(|(_, file)| file).collect()
    }

    fn source_of(&self, subject: Subject) -> Source {
        let source = match subject {
            Subject::ApplicationHost => self.application_host.as_ref(),
            Subject::WebConfig(index) => self.web_configs.get(index).map(|(source, ..)| source),
            _ => None,
        };
        source
            .cloned()
            .unwrap_or_else(|| Source::from_text("the machine", ""))
    }
}

fn is_registry_export(path: &Utf8Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("reg"))
}
