//! Real configuration files: read, left alone, edited, and edited back.

use iis_config::appcmd::{Answer, parse_answer};
use iis_config::edit::{self, ApplicationPlace};
use iis_config::{ApplicationHost, Error, FastCgiApplication, Handler, WebConfig};
use spanned_xml::{Problems, Source};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples/iis");

/// The files of a folder of samples, sorted; empty, and said aloud, where the samples are not there.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests read the samples where they are and say aloud when they cannot"
)]
fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(format!("{SAMPLES}/{folder}")) else {
        eprintln!("skipped: the samples are not at {SAMPLES}/{folder}");
        return Vec::new();
    };
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// All samples that are configuration files, each also with CRLF, in UTF-8 with a byte order mark, and in UTF-16.
#[expect(
    clippy::unwrap_used,
    reason = "a sample that cannot be read is a failure"
)]
fn configurations() -> Vec<(String, Source, Vec<u8>)> {
    let mut found = Vec::new();
    for (name, octets) in ["apphost", "webconfig", "xdt"]
        .into_iter()
        .flat_map(samples)
    {
        let source = Source::decode(name.as_str(), &octets).unwrap();
        if WebConfig::parse(&source).is_err_and(|problems| {
            problems.problems.iter().any(|problem| {
                !problem.code.starts_with("iis-") || problem.code == "iis-not-a-configuration"
            })
        }) {
            continue;
        }
        let crlf = source.text().replace("\r\n", "\n").replace('\n', "\r\n");
        let with_mark = [b"\xEF\xBB\xBF", crlf.as_bytes()].concat();
        let utf16: Vec<u8> = [0xFEFF]
            .into_iter()
            .chain(crlf.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for octets in [octets, crlf.into_bytes(), with_mark, utf16] {
            let source = Source::decode(name.as_str(), &octets).unwrap();
            found.push((name.clone(), source, octets));
        }
    }
    found
}

fn application() -> FastCgiApplication {
    let mut application = FastCgiApplication::new(
        r"C:\Sites\app\.venv\Scripts\python.exe",
        r#"-m iiswsgi serve "C:\Sites\app\app.ini" -v"#,
    );
    application.max_instances = 4;
    application
        .environment_variables
        .push(iis_config::EnvironmentVariable::new(
            "PYTHONPATH",
            "<a> & 'b'",
        ));
    application
}

/// What `new` has that `old` has not: `new` must be `old` with one piece put in.
fn inserted<'a>(old: &str, new: &'a str, name: &str) -> &'a str {
    let prefix = old
        .bytes()
        .zip(new.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let suffix = old.len() - prefix;
    assert!(
        new.is_char_boundary(prefix) && new.as_bytes().ends_with(&old.as_bytes()[prefix..]),
        "{name}: more than an insertion"
    );
    &new[prefix..new.len() - suffix]
}

#[test]
fn nothing_asked_for_nothing_changed() {
    for (name, source, octets) in configurations() {
        let edits = [
            edit::remove_fast_cgi_application(&source, "not there", "at all"),
            edit::remove_application(&source, "not there", "/at-all"),
            edit::remove_handler(&source, "not there"),
        ];
        for edit in edits {
            let edit = edit.unwrap();
            assert!(!edit.changed && edit.summary.is_empty(), "{name}");
            assert!(source.encode(&edit.text).unwrap() == octets, "{name}");
        }
    }
}

#[test]
fn an_application_added_is_an_insertion_and_comes_out_again() {
    let mut seen = 0;
    for (name, source, octets) in configurations() {
        let application = application();
        let edit = edit::set_fast_cgi_application(&source, &application).unwrap();
        assert!(edit.changed, "{name}");
        assert_eq!(edit.summary.len(), 1, "{name}");
        let new = inserted(source.text(), &edit.text, &name);
        let crlf = source.line_ending() == "\r\n";
        assert_eq!(
            new.matches("\r\n").count() == new.matches('\n').count(),
            crlf,
            "{name}: {new:?}"
        );
        let encoded = source.encode(&edit.text).unwrap();
        let edited = Source::decode(name.as_str(), &encoded).unwrap();
        assert_eq!(edited.has_bom(), source.has_bom());

        let again = edit::set_fast_cgi_application(&edited, &application).unwrap();
        assert!(!again.changed && again.text == edit.text, "{name}");

        // The XDT sample has sections twice: a transformation, not a configuration.
        let Ok(host) = ApplicationHost::parse(&source) else {
            continue;
        };
        let registered = ApplicationHost::parse(&edited).unwrap().fast_cgi;
        assert!(
            registered
                .iter()
                .any(|registered| registered.value == application),
            "{name}"
        );
        let removed = edit::remove_fast_cgi_application(
            &edited,
            &application.full_path,
            &application.arguments,
        )
        .unwrap();
        // Where the section was not there before, it stays behind, empty.
        if !host.fast_cgi.is_empty() {
            assert!(source.encode(&removed.text).unwrap() == octets, "{name}");
            seen += 1;
        }
    }
    assert!(seen > 0 || samples("apphost").is_empty());
}

#[test]
fn a_handler_added_is_an_insertion_and_comes_out_again() {
    for (name, source, _) in configurations() {
        let handler = Handler::fast_cgi("iiswsgi", application().script_processor());
        let edit = edit::set_handler(&source, &handler).unwrap();
        inserted(source.text(), &edit.text, &name);
        let edited = Source::from_text(name.as_str(), edit.text.as_str());
        if WebConfig::parse(&source).is_err() {
            continue;
        }
        let read = WebConfig::parse(&edited).unwrap();
        assert_eq!(
            read.handlers.added().last().unwrap().value,
            handler,
            "{name}"
        );
        assert!(!edit::set_handler(&edited, &handler).unwrap().changed);
        let removed = edit::remove_handler(&edited, "iiswsgi").unwrap();
        assert!(
            edit::remove_handler(&Source::from_text("x", removed.text), "iiswsgi")
                .is_ok_and(|edit| !edit.changed)
        );
    }
}

#[test]
fn sites_and_applications_go_in_and_out() {
    for (name, octets) in samples("apphost") {
        let source = Source::decode(name.as_str(), &octets).unwrap();
        let Ok(host) = ApplicationHost::parse(&source) else {
            continue;
        };
        let first = host.sites[0].name.clone();
        let last_id = host.sites.iter().map(|site| site.id).max().unwrap();

        let place = ApplicationPlace::new(first.to_uppercase(), "/demo", r"C:\demo");
        let edit = edit::set_application(&source, &place).unwrap();
        let new = inserted(source.text(), &edit.text, &name);
        assert!(new.contains("application path=\"/demo\">"), "{new}");
        let edited = Source::from_text(name.as_str(), edit.text.as_str());
        assert!(!edit::set_application(&edited, &place).unwrap().changed);
        let out = edit::remove_application(&edited, &first, "/DEMO").unwrap();
        assert!(out.text == source.text(), "{name}");

        let place = ApplicationPlace::new("Demo Site", "/", "/srv/demo");
        let edit = edit::set_application(&source, &place).unwrap();
        inserted(source.text(), &edit.text, &name);
        let host = ApplicationHost::parse(&Source::from_text("x", edit.text)).unwrap();
        let site = host.site("demo site").unwrap();
        assert_eq!(
            (site.id, site.applications[0].physical_path()),
            (last_id + 1, Some("/srv/demo"))
        );
        assert_eq!(
            site.applications[0].application_pool.as_deref(),
            Some("Clr4IntegratedAppPool")
        );
    }
}

#[test]
fn what_is_not_a_configuration_file_is_refused_with_its_place() {
    for (file, place, code) in [
        (
            "iisdocs_fastcgi_sample1.xml",
            "iisdocs_fastcgi_sample1.xml:1:2:",
            "iis-not-a-configuration",
        ),
        (
            "iisdocs_fastcgi_sample3.xml",
            "iisdocs_fastcgi_sample3.xml:8:1:",
            "",
        ),
        (
            "jexus_original2_missing_closing.config",
            "jexus_original2_missing_closing.config:",
            "",
        ),
    ] {
        let all = ["apphost", "webconfig"].into_iter().flat_map(samples);
        for (name, octets) in all.filter(|(name, _)| name == file) {
            let source = Source::decode(name, &octets).unwrap();
            let refused = |problems: Problems| {
                let text = problems.to_string();
                assert!(text.starts_with(place) && text.contains(code), "{text}");
                assert_eq!(problems.problems.len(), 1, "{text}");
            };
            refused(ApplicationHost::parse(&source).unwrap_err());
            refused(WebConfig::parse(&source).unwrap_err());
            refused(edit::set_fast_cgi_application(&source, &application()).unwrap_err());
            refused(edit::set_handler(&source, &Handler::new("a", "*", "*")).unwrap_err());
        }
    }
}

#[test]
fn the_handlers_of_ptvs_find_their_application() {
    for (name, octets) in samples("apphost") {
        if !name.starts_with("ptvs") {
            continue;
        }
        let host = ApplicationHost::parse(&Source::decode(name, &octets).unwrap()).unwrap();
        let (handlers, problems) = host.handlers_at("WebSite1/x");
        assert!(problems.is_empty(), "{problems:?}");
        let request = iis_config::Request::new("GET", "/anything");
        let found = handlers
            .find(&request, |_| iis_config::Resource::Missing)
            .unwrap();
        assert_eq!(found.handler.name, "Python_via_FastCGI");
        let application = iis_config::find_fast_cgi_application(
            &found.handler.script_processor,
            host.fast_cgi.iter().map(|application| &application.value),
        )
        .unwrap();
        assert_eq!(application.arguments, "\"[WFASTCGIPATH]\"");
        assert_eq!(application.max_instances, 4);
        let site = host.site("website1").unwrap();
        let resolved = site.resolve("/x/y").unwrap();
        assert_eq!(resolved.virtual_directory.physical_path, "[SITE_LOCATION]");
        assert_eq!(site.bindings[0].http_parts(), Some(("", 8080, "localhost")));
    }
}

#[test]
fn application_settings_of_ptvs() {
    let mut keys = std::collections::BTreeSet::new();
    let files = samples("webconfig");
    for (name, octets) in &files {
        let source = Source::decode(name.as_str(), octets).unwrap();
        let Ok(web_config) = WebConfig::parse(&source) else {
            continue;
        };
        for part in source.text().split("<add key=\"").skip(1) {
            let (key, rest) = part.split_once('"').unwrap();
            assert!(
                web_config.app_setting(key).is_some() || !rest.trim_start().starts_with("value"),
                "{name}: {key}"
            );
            keys.insert(key.to_owned());
        }
        match name.as_str() {
            "ptvs_template_fastcgi.web.config" => {
                assert_eq!(web_config.app_setting("WSGI_HANDLER"), Some("app.wsgi_app"));
                let handler = web_config.handlers.added().next().unwrap();
                assert_eq!(
                    handler.script_processor_parts(),
                    (
                        r"D:\home\Python35\python.exe",
                        r"D:\home\Python35\wfastcgi.py"
                    )
                );
            }
            "ptvs_wfastcgi_FileSystemChangesCustomRegex.web.config" => {
                assert_eq!(
                    web_config.app_setting("WSGI_RESTART_FILE_REGEX"),
                    Some(r".*\.data$")
                );
            }
            _ => {}
        }
    }
    let known = [
        "DJANGO_SETTINGS_MODULE",
        "PYTHONPATH",
        "WSGI_HANDLER",
        "WSGI_LOG",
        "WSGI_RESTART_FILE_REGEX",
    ];
    assert!(
        files.is_empty() || known.iter().all(|key| keys.contains(*key)),
        "{keys:?}"
    );
}

#[test]
fn transcribed_answers_of_appcmd() {
    let transcripts = samples("appcmd");
    let Some((_, octets)) = transcripts
        .iter()
        .find(|(name, _)| name == "README_outputs.txt")
    else {
        return;
    };
    let text = std::str::from_utf8(octets).unwrap();
    let mut objects = Vec::new();
    let mut failures = Vec::new();
    for part in text.split("\n--- ").skip(1) {
        let (title, answer) = part.split_once('\n').unwrap();
        if title != "text outputs" {
            let Ok(Answer::Objects(found)) = parse_answer(answer) else {
                panic!("{answer}");
            };
            objects.extend(found);
            continue;
        }
        let first_error = answer.find("ERROR").unwrap();
        let Ok(Answer::Messages(lines)) = parse_answer(&answer[..first_error]) else {
            panic!("{answer}");
        };
        assert_eq!(lines.len(), 6);
        for error in answer[first_error..].split("ERROR (").skip(1) {
            match parse_answer(&format!("ERROR ({error}")) {
                Err(Error::AppcmdFailed { hresult, message }) => failures.push((hresult, message)),
                other => panic!("{other:?}"),
            }
        }
    }
    let types: Vec<&str> = objects
        .iter()
        .map(|object| object.object_type.as_str())
        .collect();
    assert_eq!(
        types,
        ["SITE", "SITE", "SITE", "APP", "VDIR", "CONFIG", "CONFIG"]
    );
    assert_eq!(objects[1].attribute("SITE.NAME"), Some("Empty Site"));
    let site = objects[2].site().unwrap();
    assert_eq!(
        (site.name.as_str(), site.bindings[0].to_string().as_str()),
        ("Default Web Site", "http/*:80:")
    );
    assert_eq!(
        failures.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        [
            None,
            None,
            Some(0x8007_06BE),
            Some(0x8007_000D),
            Some(0xC00C_EE2B)
        ]
    );
    assert!(
        failures[0]
            .1
            .contains("combined key attributes 'fullPath, arguments'")
    );
    assert_eq!(failures[4].1, "Failed to commit configuration changes.");
}
