//! [`doctor`]: whatever the files hold, findings have a place inside of them, and questions end.

use iis_config::RULES;
use iis_config::doctor::{
    Inputs, Machine, PathFact, PathKind, Report, Subject, Wants, WebConfigFile, doctor, folders,
};
use spanned_xml::Source;

/// More rounds than one answer leads to the next question.
const ROUNDS: usize = 4;

/// The input is an applicationHost.config, then a NUL and a web.config, then a NUL and an export of the registry.
pub fn check(octets: &[u8]) {
    let mut parts = octets.splitn(3, |&octet| octet == 0);
    let mut source = |name: &str| {
        let octets = parts.next().unwrap_or_default();
        Source::from_text(name, String::from_utf8_lossy(octets))
    };
    let (host, web, export) = (
        source("applicationHost.config"),
        source("web.config"),
        source("x.reg"),
    );
    let mut machine = Machine::default();
    machine.read_registry_export(&export);
    let _ = folders(&host, &machine);
    for _ in 0..ROUNDS {
        let report = examine(&host, &web, &machine);
        if report.questions.is_empty() {
            return;
        }
        for question in report.questions {
            // Some paths are there and some are not.
            let fact = match (question.wants, question.path.len() % 3) {
                (Wants::Text | Wants::NewestLines, 0) => PathFact::file(export.text()),
                (_, 1) => PathFact::new(PathKind::Missing),
                (_, 2) => PathFact::new(PathKind::Folder),
                _ => PathFact::new(PathKind::Unknown),
            };
            machine.paths.insert(question.path, fact);
        }
    }
    panic!("there are questions after {ROUNDS} rounds of answers");
}

fn examine(host: &Source, web: &Source, machine: &Machine) -> Report {
    let mut inputs = Inputs::new(machine);
    inputs.application_host = Some(host);
    inputs.web_configs = vec![WebConfigFile {
        source: web,
        place: "Default Web Site",
    }];
    let report = doctor(&inputs);
    for finding in &report.findings {
        let text = match finding.subject {
            Subject::ApplicationHost => host.text(),
            Subject::WebConfig(0) => web.text(),
            _ => "",
        };
        let problem = &finding.problem;
        let related = problem.related.iter().map(|(span, _)| span);
        for span in problem.span.iter().chain(related) {
            assert!(text.get(span.range()).is_some(), "{problem:?}");
        }
        let known =
            problem.code.starts_with("xml-") || RULES.iter().any(|rule| rule.code == problem.code);
        assert!(known || problem.help.is_some(), "{problem:?}");
    }
    report
}
