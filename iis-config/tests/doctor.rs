//! What the doctor finds, and what it does not: each finding with a configuration that has the fault and one that has
//! not.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read the samples and write the snapshot; the crate does not"
)]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use iis_config::doctor::{
    Inputs, Machine, PathFact, PathKind, Report, Subject, WebConfigFile, doctor, folders,
};
use iis_config::edit::set_fast_cgi_application;
use iis_config::{ApplicationHost, FastCgiApplication};
use spanned_xml::{Problem, Severity, Source};

/// A configuration in which all is well, to be spoiled.
const HOST: &str = r#"<configuration>
  <configSections>
    <sectionGroup name="system.webServer">
      <section name="fastCgi" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
      <section name="handlers" overrideModeDefault="Deny" />
    </sectionGroup>
  </configSections>
  <system.applicationHost>
    <applicationPools><add name="Blog" /></applicationPools>
    <sites>
      <site name="Blog" id="3">
        <application path="/" applicationPool="Blog">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\blog" />
        </application>
        <logFile directory="D:\logs" />
      </site>
    </sites>
  </system.applicationHost>
  <system.webServer>
    <globalModules><add name="FastCgiModule" image="iisfcgi.dll" /></globalModules>
    <fastCgi>
      <application fullPath="C:\blog\env\Scripts\python.exe" arguments="-m iiswsgi serve C:\blog\app.ini#main" monitorChangesTo="C:\blog\web.config" stderrMode="ReturnGeneric500" activityTimeout="90" requestTimeout="90" signalBeforeTerminateSeconds="30" />
    </fastCgi>
  </system.webServer>
  <location path="" overrideMode="Allow">
    <system.webServer><handlers accessPolicy="Read, Script" /></system.webServer>
  </location>
</configuration>
"#;

const WEB: &str = r#"<configuration>
  <system.webServer>
    <handlers>
      <add name="blog" path="*" verb="*" modules="FastCgiModule" scriptProcessor="C:\blog\env\Scripts\python.exe|-m iiswsgi serve C:\blog\app.ini#main" responseBufferLimit="0" />
    </handlers>
    <security><requestFiltering allowDoubleEscaping="true" /></security>
  </system.webServer>
</configuration>
"#;

fn machine() -> Machine {
    let mut machine = Machine::default();
    for (name, value) in [("SystemDrive", "C:"), ("SystemRoot", r"C:\Windows")] {
        machine
            .environment
            .insert(name.to_owned(), value.to_owned());
    }
    machine.utf8_server_variables = Some(vec!["REQUEST_URI".to_owned(), "PATH_INFO".to_owned()]);
    for (path, fact) in [
        (r"C:\blog", PathFact::new(PathKind::Folder)),
        (r"C:\blog\web.config", PathFact::new(PathKind::File)),
        (r"C:\blog\app.ini", PathFact::new(PathKind::File)),
        (
            r"C:\blog\env\Scripts\python.exe",
            PathFact::new(PathKind::File),
        ),
        (
            r"C:\blog\env\pyvenv.cfg",
            PathFact::file("home = C:\\Python\n"),
        ),
        (r"C:\Python", PathFact::new(PathKind::Folder)),
        (r"D:\logs\W3SVC3", PathFact::file("GET / 200\nGET /x 500")),
        (
            r"C:\inetpub\logs\FailedReqLogFiles\W3SVC3",
            PathFact::new(PathKind::Missing),
        ),
        (
            r"C:\Windows\System32\LogFiles\HTTPERR",
            PathFact::new(PathKind::Unknown),
        ),
        (r"C:\Windows\TEMP\iiswsgi.log", PathFact::file("started")),
    ] {
        machine.paths.insert(path.to_owned(), fact);
    }
    machine
}

/// Has the doctor look at files of ours, whose findings are in the snapshot.
fn examine(
    host: Option<&str>,
    web: Option<&str>,
    machine: &Machine,
    silence: Option<u64>,
) -> Report {
    let report = examine_any(host, web, machine, silence);
    for finding in &report.findings {
        check_words(&finding.problem);
    }
    report
}

fn examine_any(
    host: Option<&str>,
    web: Option<&str>,
    machine: &Machine,
    silence: Option<u64>,
) -> Report {
    let host = host.map(|text| Source::from_text("applicationHost.config", text));
    let web = web.map(|text| Source::from_text("web.config", text));
    let mut inputs = Inputs::new(machine);
    inputs.application_host = host.as_ref();
    inputs.web_configs = web
        .iter()
        .map(|source| WebConfigFile {
            source,
            place: "Blog",
        })
        .collect();
    inputs.longest_silence = silence.map(Duration::from_secs);
    doctor(&inputs)
}

/// The codes found with the text under each, in `applicationHost.config` and `web.config` as given.
fn codes(host: &str, web: &str, machine: &Machine) -> Vec<(&'static str, String)> {
    let report = examine(Some(host), Some(web), machine, None);
    assert_eq!(report.questions, [], "the machine knows everything");
    report
        .findings
        .iter()
        .map(|finding| {
            let text = match finding.subject {
                Subject::ApplicationHost => host,
                Subject::WebConfig(0) => web,
                Subject::Machine => "",
                other => panic!("{other:?}"),
            };
            let span = finding.problem.span;
            let place = span.map_or("", |span| &text[span.start..span.end]);
            (finding.problem.code, place.to_owned())
        })
        .collect()
}

/// The findings as people read them: code, message and help of each.
const WORDS: &str = include_str!("findings.txt");

/// Checks that a finding reads as in the snapshot. `SNAPSHOTS=overwrite` adds to it what is new: empty it first.
fn check_words(problem: &Problem) {
    static WRITING: Mutex<()> = Mutex::new(());
    let help = problem.help.as_deref().expect("what to do");
    let words = format!(
        "{}[{}]: {}\n  {help}\n",
        problem.severity, problem.code, problem.message
    );
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        let _writing = WRITING.lock();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/findings.txt");
        let written = std::fs::read_to_string(path).expect("the snapshot");
        let mut all: BTreeSet<&str> = written.split_inclusive("\n\n").collect();
        let words = words + "\n";
        all.insert(&words);
        let all: String = all.into_iter().collect();
        std::fs::write(path, all).expect("the snapshot");
    } else {
        assert!(
            WORDS.contains(&words),
            "not in tests/findings.txt:\n{words}"
        );
    }
}

#[test]
fn every_finding_of_the_doctor_is_in_the_snapshot() {
    const SOURCES: [&str; 13] = [
        include_str!("../src/doctor/application.rs"),
        include_str!("../src/doctor/double_escaping.rs"),
        include_str!("../src/doctor/files.rs"),
        include_str!("../src/doctor/handler.rs"),
        include_str!("../src/doctor/http_platform.rs"),
        include_str!("../src/doctor/locking.rs"),
        include_str!("../src/doctor/logs.rs"),
        include_str!("../src/doctor/machine.rs"),
        include_str!("../src/doctor/modules.rs"),
        include_str!("../src/doctor/paths.rs"),
        include_str!("../src/doctor/report.rs"),
        include_str!("../src/doctor/server_variables.rs"),
        include_str!("../src/doctor/virtual_env.rs"),
    ];
    let mut count = 0;
    for source in SOURCES {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (start, _) in source.match_indices("\"iis-") {
            let code = source[start + 1..].split('"').next().unwrap_or_default();
            assert!(WORDS.contains(&format!("[{code}]: ")), "{code}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// `file` with one thing replaced that must be in it.
fn with(file: &str, old: &str, new: &str) -> String {
    assert!(file.contains(old), "`{old}` is in it");
    file.replace(old, new)
}

#[test]
fn a_sound_installation_has_no_findings() {
    assert_eq!(codes(HOST, WEB, &machine()), []);
}

#[test]
fn faults_of_application_host() {
    for (old, new, expected) in [
        (
            r#"<add name="FastCgiModule" image="iisfcgi.dll" />"#,
            "",
            &[("iis-module-missing", "<globalModules>")][..],
        ),
        (
            r#"overrideMode="Allow""#,
            r#"overrideMode="Inherit""#,
            &[("iis-handlers-locked", "<handlers>")],
        ),
        (
            r#"<handlers accessPolicy="Read, Script" />"#,
            r#"<handlers lockElements="remove,add" />"#,
            &[("iis-handlers-locked", r#"<add name="blog""#)],
        ),
        (
            r#"overrideMode="Allow""#,
            r#"allowOverride="false""#,
            &[("iis-handlers-locked", "<handlers>")],
        ),
        (
            r#"<section name="handlers" overrideModeDefault="Deny" />"#,
            r#"<section name="handlers" overrideModeDefault="Allow" />"#,
            &[],
        ),
        (
            r#"stderrMode="ReturnGeneric500" "#,
            "",
            &[("iis-stderr-shown", "<application fullPath=")],
        ),
        (
            r#"stderrMode="ReturnGeneric500""#,
            r#"stderrMode="IgnoreAndReturn200""#,
            &[],
        ),
        (
            r#"signalBeforeTerminateSeconds="30""#,
            r#"signalBeforeTerminateSeconds="0""#,
            &[("iis-signal-before-terminate-missing", "0")],
        ),
        (
            r#"activityTimeout="90" requestTimeout="90""#,
            r#"activityTimeout="60" requestTimeout="3600""#,
            &[("iis-activity-timeout-short", "60")],
        ),
        (r#"requestTimeout="90""#, r#"requestTimeout="3600""#, &[]),
        (
            r#"monitorChangesTo="C:\blog\web.config""#,
            r#"monitorChangesTo="%SystemDrive%\blog\web.config""#,
            &[(
                "iis-monitor-changes-to-variable",
                r"%SystemDrive%\blog\web.config",
            )],
        ),
        (
            r#"<site name="Blog" id="3">"#,
            r#"<site name="Blog" id="0">"#,
            &[("iis-attribute-out-of-range", "0")],
        ),
        (
            "<fastCgi>",
            r#"<fastCgi><application fullPath="c:\blog\env\scripts\python.exe" arguments="-m iiswsgi serve c:\blog\app.ini#main" stderrMode="ReturnGeneric500" activityTimeout="90" signalBeforeTerminateSeconds="30" />"#,
            &[("iis-fast-cgi-duplicate", r"<application fullPath=")],
        ),
        (
            r#"<applicationPools><add name="Blog" /></applicationPools>"#,
            "",
            &[],
        ),
    ] {
        let mut machine = machine();
        for path in [
            r"c:\blog\env\scripts\python.exe",
            r"c:\blog\env\pyvenv.cfg",
            r"c:\blog\env\scripts\pyvenv.cfg",
            r"c:\blog\app.ini",
            r"C:\inetpub\logs\FailedReqLogFiles\W3SVC0",
            r"D:\logs\W3SVC0",
        ] {
            machine
                .paths
                .insert(path.to_owned(), PathFact::new(PathKind::File));
        }
        let found = codes(&with(HOST, old, new), WEB, &machine);
        assert_eq!(found.len(), expected.len(), "{new}: {found:?}");
        for ((code, place), (expected, starts)) in found.iter().zip(expected) {
            assert_eq!(code, expected, "{new}");
            assert!(place.starts_with(starts), "{new}: {place}");
        }
    }
}

#[test]
fn locks_on_parts_of_the_handlers_are_found_with_their_place() {
    for (host, web, start, lock) in [
        (
            r#"<handlers lockAttributes="accessPolicy" />"#,
            r#"<handlers accessPolicy="Read">"#,
            "accessPolicy",
            "applicationHost.config:26:33",
        ),
        (
            r#"<handlers><add name="static" path="*" verb="*" lockItem="true" /></handlers>"#,
            "<handlers><clear />",
            "<clear />",
            "applicationHost.config:26:70",
        ),
        (
            r#"<handlers lockItem="true" />"#,
            r#"<handlers><remove name="x" />"#,
            "<remove",
            "applicationHost.config:26:33",
        ),
    ] {
        let host = with(HOST, r#"<handlers accessPolicy="Read, Script" />"#, host);
        let web = with(WEB, "<handlers>", web);
        let report = examine(Some(&host), Some(&web), &machine(), None);
        let found = report.findings.iter().map(|finding| &finding.problem);
        let locked = found
            .clone()
            .find(|problem| problem.code == "iis-handlers-locked");
        let problem = locked.unwrap_or_else(|| panic!("{:?}", found.collect::<Vec<_>>()));
        assert!(
            web[problem.span.unwrap().start..].starts_with(start),
            "{problem}"
        );
        assert!(problem.message.contains(lock), "{problem}");
    }
}

#[test]
fn files_without_a_known_place_do_not_lock_each_other() {
    let host = Source::from_text("applicationHost.config", HOST);
    let lock = with(
        WEB,
        "<handlers>",
        r#"<handlers lockElements="add,clear,remove">"#,
    );
    let [one, other] =
        ["1/web.config", "2/web.config"].map(|name| Source::from_text(name, lock.as_str()));
    let machine = machine();
    for (place, codes) in [("", vec![]), ("Blog", vec!["iis-handlers-locked"])] {
        let mut inputs = Inputs::new(&machine);
        inputs.application_host = Some(&host);
        inputs.web_configs = vec![
            WebConfigFile {
                source: &one,
                place,
            },
            WebConfigFile {
                source: &other,
                place,
            },
        ];
        let findings = doctor(&inputs).findings;
        let found: Vec<_> = findings
            .iter()
            .map(|finding| finding.problem.code)
            .collect();
        assert_eq!(found, codes, "{place}");
    }
}

#[test]
fn faults_of_registration() {
    const PROCESSOR: &str = r"C:\blog\env\Scripts\python.exe|-m iiswsgi serve C:\blog\app.ini#main";
    for (new, code, caret) in [
        (
            r"C:\blog\env\Scripts\python.exe|-m iiswsgi serve  C:\blog\app.ini#main",
            "iis-script-processor-near-miss",
            " ",
        ),
        (
            r"C:\blog\env\scripts\python.exe|-m iiswsgi serve C:\blog\app.ini#main",
            "iis-script-processor-near-miss",
            "s",
        ),
        (
            r"&quot;C:\blog\env\Scripts\python.exe&quot;|-m iiswsgi serve C:\blog\app.ini#main",
            "iis-script-processor-near-miss",
            "&quot;",
        ),
        (
            r"C:\blog\env\Scripts\python.exe",
            "iis-script-processor-near-miss",
            "",
        ),
        (
            r"C:\php\php-cgi.exe",
            "iis-script-processor-unregistered",
            r"C:\php\php-cgi.exe",
        ),
    ] {
        let found = codes(HOST, &with(WEB, PROCESSOR, new), &machine());
        assert_eq!(found, [(code, caret.to_owned())], "{new}");
    }
    let elsewhere = with(WEB, "FastCgiModule", "CgiModule");
    assert_eq!(
        codes(HOST, &elsewhere, &machine()),
        [],
        "another module's handler is no concern"
    );
}

#[test]
fn faults_of_web_config() {
    for (old, new, code) in [
        (
            "<handlers>",
            "<fastCgi /><handlers>",
            Some("iis-fast-cgi-in-web-config"),
        ),
        (
            r#" responseBufferLimit="0""#,
            "",
            Some("iis-response-buffered"),
        ),
        (
            r#" responseBufferLimit="0""#,
            r#" responseBufferLimit="1000""#,
            Some("iis-response-buffered"),
        ),
        (
            r#"allowDoubleEscaping="true""#,
            "",
            Some("iis-double-escaping-refused"),
        ),
        (
            "<handlers>",
            r#"<handlers><add name="blog" path="x" verb="*" />"#,
            Some("iis-handler-duplicate"),
        ),
        ("</configuration>", "", Some("xml-not-well-formed")),
        ("<handlers>", r#"<appSettings /><handlers>"#, None),
    ] {
        let found = codes(HOST, &with(WEB, old, new), &machine());
        let found: Vec<_> = found.iter().map(|(code, _)| *code).collect();
        match code {
            // The parser's codes are its own business.
            Some("xml-not-well-formed") => assert!(found[0].starts_with("xml-"), "{found:?}"),
            _ => assert_eq!(found, Vec::from_iter(code), "{new}"),
        }
    }
    let everywhere = with(
        HOST,
        "<fastCgi>",
        r#"<security><requestFiltering allowDoubleEscaping="true" /></security><fastCgi>"#,
    );
    let web = with(WEB, r#"allowDoubleEscaping="true""#, "");
    assert_eq!(
        codes(&everywhere, &web, &machine()),
        [],
        "what the server allows is inherited"
    );
}

#[test]
fn what_is_escaped_twice_is_found_on_both_sides() {
    let host = with(HOST, "serve C:", "serve &amp;quot;C:");
    let web = with(WEB, "serve C:", "serve &amp;quot;C:");
    let codes: Vec<_> = codes(&host, &web, &machine())
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert_eq!(codes, ["iis-value-escaped-twice"; 2]);
}

#[test]
fn quotes_inside_full_path_are_a_fault() {
    let host = with(
        HOST,
        r#"fullPath="C:\blog\env\Scripts\python.exe""#,
        r#"fullPath="&quot;C:\blog\env\Scripts\python.exe&quot;""#,
    );
    let found = codes(&host, WEB, &machine());
    let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        ["iis-full-path-quoted", "iis-script-processor-near-miss"]
    );
}

#[test]
fn paths_that_are_not_there() {
    for (path, code, place) in [
        (r"C:\blog", "iis-folder-missing", r"%SystemDrive%\blog"),
        (
            r"C:\blog\env\Scripts\python.exe",
            "iis-program-missing",
            r"C:\blog\env\Scripts\python.exe",
        ),
        (
            r"C:\blog\app.ini",
            "iis-argument-path-missing",
            r"-m iiswsgi serve C:\blog\app.ini#main",
        ),
        (
            r"C:\blog\web.config",
            "iis-monitored-file-missing",
            r"C:\blog\web.config",
        ),
        (
            r"C:\Python",
            "iis-base-interpreter-missing",
            r"C:\blog\env\Scripts\python.exe",
        ),
    ] {
        let mut machine = machine();
        machine
            .paths
            .insert(path.to_owned(), PathFact::new(PathKind::Missing));
        assert_eq!(
            codes(HOST, WEB, &machine),
            [(code, place.to_owned())],
            "{path}"
        );
        machine
            .paths
            .insert(path.to_owned(), PathFact::new(PathKind::Unknown));
        assert_eq!(
            codes(HOST, WEB, &machine),
            [("iis-path-not-checked", String::new())],
            "{path}"
        );
    }
}

#[test]
fn an_interpreter_in_a_profile_is_for_its_owner() {
    const HOME: &str = r"C:\Users\ann\AppData\Local\Programs\Python";
    for (pool, readable) in [
        (r#"<add name="Blog" />"#, false),
        (
            r#"<add name="Blog"><processModel identityType="NetworkService" /></add>"#,
            false,
        ),
        (
            r#"<add name="Blog"><processModel identityType="SpecificUser" userName="OFFICE\Ann" /></add>"#,
            true,
        ),
        (
            r#"<add name="Blog"><processModel identityType="SpecificUser" userName="bob" /></add>"#,
            false,
        ),
        (
            r#"<add name="Blog" /><applicationPoolDefaults><processModel identityType="LocalSystem" /></applicationPoolDefaults>"#,
            true,
        ),
    ] {
        let mut machine = machine();
        let settings = PathFact::file(format!("home = {HOME}\r\n"));
        machine
            .paths
            .insert(r"C:\blog\env\pyvenv.cfg".to_owned(), settings);
        machine
            .paths
            .insert(HOME.to_owned(), PathFact::new(PathKind::Folder));
        let host = with(HOST, r#"<add name="Blog" />"#, pool);
        let found = codes(&host, WEB, &machine);
        assert_eq!(found.is_empty(), readable, "{pool}: {found:?}");
        if !readable {
            assert_eq!(found[0].0, "iis-base-interpreter-unreadable");
        }
        // IIS Express runs as the user.
        let express = with(&host, "iisfcgi.dll", r"%IIS_BIN%\iisfcgi.dll");
        assert_eq!(codes(&express, WEB, &machine), []);
    }
}

#[test]
fn the_registry_value_is_there_or_not_or_not_known() {
    for (names, code) in [
        (None, Some("iis-utf8-variables-not-checked")),
        (Some(&[][..]), Some("iis-utf8-variables-missing")),
        (Some(&["request_uri"]), Some("iis-utf8-variables-missing")),
        (Some(&["request_uri", "path_info", "x"]), None),
    ] {
        let mut machine = machine();
        machine.utf8_server_variables =
            names.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        let found = codes(HOST, WEB, &machine);
        assert_eq!(found.iter().map(|(code, _)| *code).next(), code);
    }
}

#[test]
fn activity_timeout_against_what_the_application_needs() {
    for (silence, expected) in [(60, 0), (90, 0), (91, 1)] {
        let report = examine(Some(HOST), Some(WEB), &machine(), Some(silence));
        assert_eq!(report.findings.len(), expected, "{silence}");
    }
    let report = examine(Some(HOST), Some(WEB), &machine(), Some(600));
    assert_eq!(
        report.findings[0].problem.to_string(),
        "`activityTimeout` is 90 s, less than the 600 s that the application may take before it answers: a process that says \
         nothing for so long is ended (500.0, 0x80070102) (help: set activityTimeout=\"600\", and requestTimeout as well)"
    );
}

#[test]
fn http_platform_is_checked_like_fast_cgi() {
    const PLATFORM: &str = r#"<configuration><system.webServer>
  <handlers><add name="blog" path="*" verb="*" modules="httpPlatformHandler" /></handlers>
  <httpPlatform processPath="C:\blog\env\Scripts\python.exe" arguments="serve --port %HTTP_PLATFORM_PORT%" stdoutLogEnabled="true" stdoutLogFile="D:\logs\W3SVC3" />
</system.webServer></configuration>"#;
    let host = with(
        HOST,
        "<globalModules>",
        r#"<globalModules><add name="httpPlatformHandler" image="httpPlatformHandler.dll" />"#,
    );
    assert_eq!(codes(&host, PLATFORM, &machine()), []);
    let found = codes(HOST, PLATFORM, &machine());
    assert_eq!(
        found,
        [("iis-module-missing", "<globalModules>".to_owned())]
    );
    let deaf = with(PLATFORM, "serve --port %HTTP_PLATFORM_PORT%", "serve");
    assert_eq!(
        codes(&host, &deaf, &machine())[0].0,
        "iis-http-platform-port-not-passed"
    );
    let gone = with(PLATFORM, r"env\Scripts\python.exe", r"gone.exe");
    let mut machine = machine();
    machine.paths.insert(
        r"C:\blog\gone.exe".to_owned(),
        PathFact::new(PathKind::Missing),
    );
    assert_eq!(
        codes(&host, &gone, &machine),
        [("iis-program-missing", r"C:\blog\gone.exe".to_owned())]
    );
}

#[test]
fn logs_are_told_with_their_newest_lines() {
    let logs: Vec<_> = examine(Some(HOST), Some(WEB), &machine(), None)
        .logs
        .into_iter()
        .map(|log| (log.path, log.newest.map(|lines| lines.join("|"))))
        .collect();
    let lines = |text: &str| Some(text.to_owned());
    let log = |path: &str, newest| (path.to_owned(), newest);
    assert_eq!(
        logs,
        [
            log(r"D:\logs\W3SVC3", lines("GET / 200|GET /x 500")),
            log(r"C:\inetpub\logs\FailedReqLogFiles\W3SVC3", lines("")),
            log(r"C:\Windows\System32\LogFiles\HTTPERR", None),
            log(r"C:\Windows\TEMP\iiswsgi.log", lines("started")),
        ]
    );
    for (arguments, path) in [
        (
            r#"-m iiswsgi serve a:b --log-file "C:\a b\x.log""#,
            Some(r"C:\a b\x.log"),
        ),
        (
            r"-m iiswsgi serve a:b --log-file=C:\x.log",
            Some(r"C:\x.log"),
        ),
        ("wfastcgi.py", None),
    ] {
        let source = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
        let application = FastCgiApplication::new("python.exe", arguments);
        let host = set_fast_cgi_application(&source, &application)
            .expect("an edit")
            .text;
        let report = examine(Some(&host), None, &machine(), None);
        let paths: Vec<_> = report.logs.iter().map(|log| log.path.as_str()).collect();
        assert_eq!(paths, Vec::from_iter(path), "{arguments}");
    }
}

#[test]
fn without_application_host_what_can_be_checked_is() {
    let report = examine(None, Some(WEB), &machine(), None);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.problem.code, finding.problem.severity))
        .collect();
    assert_eq!(found, [("iis-registration-not-checked", Severity::Note)]);
    assert!(!report.has_errors());
    assert_eq!(doctor(&Inputs::new(&Machine::default())).findings, []);
}

#[test]
fn questions_lead_to_each_other_and_end() {
    let mut known = machine();
    let all = std::mem::take(&mut known.paths);
    let mut rounds = 0;
    loop {
        let questions = examine(Some(HOST), Some(WEB), &known, None).questions;
        if questions.is_empty() {
            break;
        }
        rounds += 1;
        for question in questions {
            let fact = all.get(&question.path).cloned();
            let fact = fact.unwrap_or_else(|| PathFact::new(PathKind::Unknown));
            known.paths.insert(question.path, fact);
        }
    }
    assert_eq!(rounds, 2, "pyvenv.cfg names the interpreter's folder");
}

#[test]
fn folders_are_those_of_the_sites() {
    let source = Source::from_text("applicationHost.config", HOST);
    let found: Vec<_> = folders(&source, &machine())
        .into_iter()
        .map(|folder| (folder.place, folder.physical_path))
        .collect();
    assert_eq!(found, [("Blog".to_owned(), r"C:\blog".to_owned())]);
}

#[test]
fn real_files_are_read_without_panics() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/samples/iis/webconfig"
    );
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("{folder} is missing: real files are not read");
        return;
    };
    let mut count = 0;
    for file in files {
        let octets = std::fs::read(file.expect("a file").path()).expect("readable");
        let source = Source::decode("web.config", &octets).expect("text");
        let report = examine_any(Some(HOST), Some(source.text()), &machine(), None);
        for finding in &report.findings {
            if let Some(span) = finding.problem.span {
                let text = match finding.subject {
                    Subject::ApplicationHost => HOST,
                    _ => source.text(),
                };
                assert!(
                    text.get(span.start..span.end).is_some(),
                    "{}",
                    finding.problem
                );
            }
        }
        count += 1;
    }
    assert!(count > 10, "{count} files");
}
