//! What would grow without end is refused by everything that reads: no document type, no entity of one's own, no
//! elements or attributes beyond the caps.

use iis_config::appcmd::parse_answer;
use iis_config::doctor::{Inputs, Machine, doctor};
use iis_config::effective::Configuration;
use iis_config::schema::Schema;
use iis_config::{
    ApplicationHost, EnvironmentVariable, FastCgiApplication, Handler, HttpPlatform, WebConfig,
    edit,
};
use spanned_xml::{Problems, Source};

type Reader = (&'static str, fn(&Source) -> Result<(), Problems>);

/// Everything that takes a file.
const READERS: [Reader; 16] = [
    ("ApplicationHost", |source| {
        ApplicationHost::parse(source).map(drop)
    }),
    ("WebConfig", |source| WebConfig::parse(source).map(drop)),
    ("Schema", |source| Schema::new().read(source).map(drop)),
    ("Configuration", |source| {
        Configuration::new(&Schema::new(), source.clone()).map(drop)
    }),
    ("web_config", |source| {
        let schema = Schema::new();
        let host = Source::from_text("host", "<configuration/>");
        Configuration::new(&schema, host)?.web_config("Site", source.clone())
    }),
    ("config_source", |source| {
        let schema = Schema::new();
        let host = Source::from_text("host", "<configuration/>");
        Configuration::new(&schema, host)?.config_source("", "x", source.clone())
    }),
    ("doctor", |source| {
        let machine = Machine::default();
        let mut inputs = Inputs::new(&machine);
        inputs.application_host = Some(source);
        match doctor(&inputs).findings.into_iter().next() {
            Some(finding) => Err(finding.problem.in_source(source)),
            None => Ok(()),
        }
    }),
    ("set_fast_cgi_application", |source| {
        edit::set_fast_cgi_application(source, &FastCgiApplication::new("p", "")).map(drop)
    }),
    ("remove_fast_cgi_application", |source| {
        edit::remove_fast_cgi_application(source, "p", "").map(drop)
    }),
    ("remove_fast_cgi_section", |source| {
        edit::remove_fast_cgi_section(source).map(drop)
    }),
    ("set_environment_variable", |source| {
        let variable = EnvironmentVariable::new("A", "1");
        edit::set_environment_variable(source, "p", "", &variable).map(drop)
    }),
    ("set_handler", |source| {
        edit::set_handler(source, &Handler::new("a", "*", "*")).map(drop)
    }),
    ("remove_handler", |source| {
        edit::remove_handler(source, "a").map(drop)
    }),
    ("set_http_platform", |source| {
        edit::set_http_platform(source, &HttpPlatform::new("p", "")).map(drop)
    }),
    ("set_virtual_directory", |source| {
        edit::set_virtual_directory(source, "Site", "/", "/a", "C:\\a").map(drop)
    }),
    ("remove_virtual_directory", |source| {
        edit::remove_virtual_directory(source, "Site", "/", "/a").map(drop)
    }),
];

fn files() -> [(String, &'static str); 6] {
    let attributes: String = (0..5_000).map(|n| format!(" a{n}=''")).collect();
    [
        (
            "<!DOCTYPE c [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><configuration>&b;</configuration>"
                .to_owned(),
            "xml-doctype",
        ),
        (
            "<!DOCTYPE c SYSTEM 'file:///etc/passwd'><configuration/>".to_owned(),
            "xml-doctype",
        ),
        (
            "<configuration a='&xxe;'/>".to_owned(),
            "xml-unknown-entity",
        ),
        (
            "<configuration>&xxe;</configuration>".to_owned(),
            "xml-unknown-entity",
        ),
        (
            format!(
                "<configuration>{}{}</configuration>",
                "<a>".repeat(100_000),
                "</a>".repeat(100_000)
            ),
            "xml-limit",
        ),
        (format!("<configuration{attributes}/>"), "xml-limit"),
    ]
}

#[test]
fn every_reader_of_files_refuses_them() {
    for (text, code) in files() {
        let source = Source::from_text("x.config", text);
        for (name, read) in READERS {
            let problems = read(&source).expect_err(name);
            let codes: Vec<_> = problems
                .problems
                .iter()
                .map(|problem| problem.code)
                .collect();
            assert_eq!(codes, [code], "{name}");
            assert!(problems.problems[0].help.is_some(), "{name}");
        }
    }
}

#[test]
fn so_does_the_reader_of_what_appcmd_writes() {
    for (text, code) in files() {
        let answer = text.replace("configuration", "appcmd");
        let error = parse_answer(&answer).expect_err(code).to_string();
        assert!(error.contains(&format!("[{code}]")), "{error}");
    }
}
