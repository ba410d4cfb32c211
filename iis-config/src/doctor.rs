//! What keeps an application from working on IIS, read from its configuration and from facts about the machine.
//!
//! IIS says little: "500.0", "the FastCGI process exited unexpectedly", or nothing at all. [`doctor`] checks what those
//! answers are known to come from. It reads no files itself: configuration files come in as [`Source`]s, everything
//! else as a [`Machine`], and what it would like to know besides goes out as [`Question`]s. So it works the same on a
//! live machine and on files that were copied from one; what is not known is said to be not checked.
//!
//! Sources: *IIS configuration reference* ("FastCGI", "Handlers", "Request filtering", `location`), IIS 10's
//! `IIS_schema.xml`, KB2277918 (`FastCGIUtf8ServerVariables`), PEP 405 (`pyvenv.cfg`).
//!
//! Left out: file permissions other than reading a site's folder and starting its program, URL Rewrite, and `web.config` files below an
//! application's own folder unless they are given.
//!
//! ```
//! use iis_config::doctor::{Inputs, Machine, Subject, doctor};
//! use spanned_xml::Source;
//!
//! let host = Source::from_text("applicationHost.config", r#"<configuration><system.webServer>
//!   <globalModules><add name="FastCgiModule" image="%windir%\System32\inetsrv\iisfcgi.dll" /></globalModules>
//!   <fastCgi><application fullPath="C:\Python\python.exe" arguments="-u app.py" /></fastCgi>
//!   <handlers><add name="app" path="*" verb="*" modules="FastCgiModule"
//!     scriptProcessor="C:\Python\Python.exe|-u app.py" /></handlers>
//! </system.webServer></configuration>"#);
//! let machine = Machine::default();
//! let mut inputs = Inputs::new(&machine);
//! inputs.application_host = Some(&host);
//! let report = doctor(&inputs);
//! let finding = report.findings.iter().find(|finding| finding.problem.is_error()).unwrap();
//! assert_eq!(finding.subject, Subject::ApplicationHost);
//! assert_eq!(finding.problem.code, "iis-script-processor-near-miss");
//! // It would like to know more: whether the program is there, for example.
//! assert_eq!(report.questions[1].path, r"C:\Python\pyvenv.cfg");
//! ```

mod access;
mod application;
mod double_escaping;
mod files;
mod handler;
mod http_platform;
mod locking;
mod logs;
mod machine;
mod modules;
mod paths;
mod pools;
mod report;
mod server_variables;
mod virtual_env;

use core::time::Duration;

use spanned_xml::Source;

use files::Files;
use report::Found;

pub use files::{Folder, folders};
pub use machine::{Machine, PathFact, PathKind};
pub use report::{Finding, Log, Question, Report, Subject, Wants};

/// What [`doctor`] looks at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inputs<'a> {
    /// `applicationHost.config`; without it registrations and locks are not checked.
    pub application_host: Option<&'a Source>,
    /// The `web.config` files.
    pub web_configs: Vec<WebConfigFile<'a>>,
    /// What is known of the machine.
    pub machine: &'a Machine,
    /// How long the application may take before it answers, where somebody knows: `activityTimeout` has to be longer.
    pub longest_silence: Option<Duration>,
}

impl<'a> Inputs<'a> {
    /// No files yet.
    #[must_use]
    pub const fn new(machine: &'a Machine) -> Self {
        Self {
            application_host: None,
            web_configs: Vec::new(),
            machine,
            longest_silence: None,
        }
    }
}

/// A `web.config` and where in IIS it applies.
#[derive(Clone, Copy, Debug)]
pub struct WebConfigFile<'a> {
    /// The file.
    pub source: &'a Source,
    /// Site and path, `Default Web Site/app`; empty where it is not known, which applies what the server as a whole says.
    pub place: &'a str,
}

/// Checks everything that it knows.
///
/// The questions in the report are what it would like to know besides: put the answers into the [`Machine`] and ask
/// again, until there are no more of them (two or three rounds, since one answer leads to another question).
#[must_use]
pub fn doctor(inputs: &Inputs<'_>) -> Report {
    let mut found = Found::new(inputs.machine);
    let files = Files::read(inputs, &mut found);
    modules::check(&files, &mut found);
    locking::check(&files, &mut found);
    handler::check(&files, &mut found);
    application::check(&files, inputs.longest_silence, &mut found);
    http_platform::check(&files, &mut found);
    paths::check(&files, &mut found);
    virtual_env::check(&files, &mut found);
    access::check(&files, &mut found);
    double_escaping::check(&files, &mut found);
    server_variables::check(&files, &mut found);
    logs::gather(&files, &mut found);
    found.into_report()
}
