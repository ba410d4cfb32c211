//! [`Schema`]: whatever a schema file says, checking and merging end, and every problem has its place inside its file.

use iis_config::effective::Configuration;
use iis_config::schema::Schema;
use spanned_xml::Source;

/// The input is a schema file, then a NUL and a configuration file, then a NUL and a `web.config`.
pub fn check(octets: &[u8]) {
    let mut parts = octets.splitn(3, |&octet| octet == 0);
    let mut source = |name: &str| {
        let octets = parts.next().unwrap_or_default();
        Source::from_text(name, String::from_utf8_lossy(octets))
    };
    let (schema_file, host, web) = (source("schema.xml"), source("host"), source("web.config"));
    let mut schema = Schema::new();
    if schema.read(&schema_file).is_err() {
        assert_eq!(
            schema,
            Schema::new(),
            "a file that is refused leaves nothing"
        );
        return;
    }
    for problem in schema.check(&host).into_iter().flatten() {
        let span = problem.span.expect("a place");
        assert!(host.text().get(span.range()).is_some());
    }
    let Ok(mut configuration) = Configuration::new(&schema, host) else {
        return;
    };
    let _ = configuration.web_config("Site/app", web);
    for path in schema.section_paths() {
        for place in ["", "Site", "Site/app/x"] {
            let section = configuration
                .section(place, path)
                .expect("the schema has it");
            for problems in section.problems {
                for problem in &problems.problems {
                    let span = problem.span.expect("a place");
                    assert!(problems.source.text().get(span.range()).is_some());
                }
            }
        }
    }
    let _ = configuration.application_pool("Site", "/");
    let _ = configuration.handlers("Site/app");
}
