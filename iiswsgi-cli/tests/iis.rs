//! `iiswsgi iis`: what is in the files afterwards, what an appcmd was asked, what the doctor says of copied files.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod scratch;

use std::process::{Command, Stdio};

use camino::Utf8Path;
use fs_err as fs;
use scratch::{Answer, Scratch};

/// Comments, single quotes and spacing that an edit has to keep; the section is not there yet.
const HOST: &str = "<?xml version='1.0'?>\r\n<configuration>\r\n\t<!-- ours -->\r\n\t<system.webServer>\r\n\t\t<globalModules><add name = 'FastCgiModule' image='iisfcgi.dll'/></globalModules>\r\n\t</system.webServer>\r\n</configuration>\r\n";

impl Scratch {
    /// One with an applicationHost.config and an empty site folder.
    fn with_host() -> Self {
        let scratch = Self::new();
        fs::write(scratch.path("applicationHost.config"), HOST).unwrap();
        fs::create_dir(scratch.path("site")).unwrap();
        scratch
    }

    /// Puts the example `stand_in` at a path.
    fn put_stand_in(&self, path: &Utf8Path) {
        let program = std::env::current_exe().unwrap();
        let program = program
            .parent()
            .and_then(std::path::Path::parent)
            .unwrap()
            .join("examples")
            .join(format!("stand_in{}", std::env::consts::EXE_SUFFIX));
        assert!(
            program.is_file(),
            "`cargo build --package iiswsgi-cli --example stand_in` makes {}",
            program.display()
        );
        let _ = fs::remove_file(path);
        // A copy could not be started on Unix while another test starts a program of its own: that one would hold it open.
        #[cfg(unix)]
        std::os::unix::fs::symlink(&program, path).unwrap();
        #[cfg(windows)]
        fs::copy(&program, path).map(|_| ()).unwrap();
    }

    fn iis_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_iiswsgi"));
        command
            .env("NUMBER_OF_PROCESSORS", "8")
            .env("IISWSGI_TEST_STAND_IN", self.path(""))
            .arg("iis")
            .args(arguments);
        for name in [
            "windir",
            "USERPROFILE",
            "IIS_USER_HOME",
            "IIS_BIN",
            "ProgramFiles",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn iis(&self, arguments: &[&str]) -> Answer {
        Answer::of(&mut self.iis_command(arguments))
    }

    fn enable(&self, more: &[&str]) -> Answer {
        let mut arguments = vec!["enable", "--config", "applicationHost.config"];
        arguments.extend(["--full-path", r"C:\Program Files\python.exe"]);
        arguments.extend(["--arguments", r#"-u "C:\my app\app.py""#]);
        arguments.extend(more);
        self.iis(&arguments)
    }
}

impl Answer {
    #[track_caller]
    fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

#[test]
fn enabling_writes_both_sides_the_same_and_disabling_takes_them_back() {
    let scratch = Scratch::with_host();
    let handler = ["--handler", "app", "--site-dir", "site"];
    let more = [&handler[..], &["--set", "idleTimeout=600", "--env", "A=1"]].concat();
    scratch.enable(&more).succeeded();
    let host = scratch.read("applicationHost.config");
    let entry = r#"<application fullPath="C:\Program Files\python.exe" arguments="-u &quot;C:\my app\app.py&quot;" maxInstances="8" idleTimeout="600" instanceMaxRequests="10000" signalBeforeTerminateSeconds="30" stderrMode="ReturnGeneric500">"#;
    assert!(host.contains(entry), "{host}");
    assert!(
        host.contains("<add name = 'FastCgiModule' image='iisfcgi.dll'/>"),
        "{host}"
    );
    assert_eq!(host.matches('\n').count(), host.matches("\r\n").count());
    let web = scratch.read("site/web.config");
    let processor =
        r#"scriptProcessor="C:\Program Files\python.exe|-u &quot;C:\my app\app.py&quot;""#;
    assert!(web.contains(processor), "{web}");

    assert_eq!(scratch.enable(&more).succeeded(), "nothing to change\n");
    assert_eq!(scratch.read("applicationHost.config"), host);

    let mut disable = vec!["disable", "--config", "applicationHost.config"];
    disable.extend(handler);
    scratch.iis(&disable).succeeded();
    assert_eq!(
        scratch.read("applicationHost.config"),
        HOST,
        "byte for byte"
    );
    assert!(
        !scratch.path("site/web.config").exists(),
        "it was made for the handler"
    );
    assert_eq!(
        scratch.read("history/CFGHISTORY_0000000001/applicationHost.config"),
        HOST
    );
    assert_eq!(
        scratch.read("history/CFGHISTORY_0000000002/applicationHost.config"),
        host
    );
}

#[test]
fn what_an_administrator_has_tuned_stays() {
    let scratch = Scratch::with_host();
    scratch.enable(&[]).succeeded();
    let tuned = scratch.read("applicationHost.config").replace(
        r#"maxInstances="8""#,
        r#"maxInstances="3" queueLength="50""#,
    );
    fs::write(scratch.path("applicationHost.config"), &tuned).unwrap();
    assert_eq!(scratch.enable(&[]).succeeded(), "nothing to change\n");
    scratch.enable(&["--set", "queueLength=60"]).succeeded();
    assert_eq!(
        scratch.read("applicationHost.config"),
        tuned.replace(r#"queueLength="50""#, r#"queueLength="60""#)
    );
    // Since the registration is not all that was changed, the entry alone is taken out.
    let others = scratch
        .read("applicationHost.config")
        .replace("<!-- ours -->", "<!-- still ours -->");
    fs::write(scratch.path("applicationHost.config"), &others).unwrap();
    let config = ["--config", "applicationHost.config"];
    let named = ["--full-path", r#""c:\program files\PYTHON.exe""#];
    scratch
        .iis(&[&["disable"], &config[..], &named].concat())
        .succeeded();
    let left = scratch.read("applicationHost.config");
    assert!(
        left.contains("<!-- still ours -->") && !left.contains("<application"),
        "{left}"
    );
}

#[test]
fn a_dry_run_writes_nothing_and_a_diff_shows_all() {
    let scratch = Scratch::with_host();
    let handler = ["--handler", "app", "--site-dir", "site"];
    let shown = scratch
        .enable(&[&handler[..], &["--dry-run", "--diff"]].concat())
        .succeeded();
    let mut names: Vec<String> = scratch
        .path("")
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["applicationHost.config", "site"]);
    assert_eq!(scratch.path("site").read_dir_utf8().unwrap().count(), 0);
    assert_eq!(scratch.read("applicationHost.config"), HOST);
    for line in [
        "--- applicationHost.config",
        "+++ applicationHost.config",
        "+\t\t<fastCgi>",
        "--- site/web.config",
        "+        <handlers>",
    ] {
        let mut lines = shown.lines().map(|shown| shown.replace('\\', "/"));
        let found = lines.any(|shown| shown.trim_end() == line);
        assert!(found, "{line} in\n{shown}");
    }
    let report = scratch.enable(&["--dry-run", "--format", "json"]).json();
    assert_eq!(
        (&report["dry_run"], &report["changed"], &report["backup"]),
        (&true.into(), &true.into(), &serde_json::Value::Null)
    );
}

#[test]
fn many_processes_at_once_lose_nothing() {
    let scratch = Scratch::with_host();
    let running: Vec<_> = (0..8)
        .map(|number| {
            scratch
                .iis_command(&["enable", "--config", "applicationHost.config"])
                .args([
                    "--full-path",
                    &format!(r"C:\p{number}.exe"),
                    "--arguments",
                    "",
                ])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for process in running {
        let output = process.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let listed = scratch
        .iis(&[
            "list",
            "--config",
            "applicationHost.config",
            "--format",
            "json",
        ])
        .json();
    let mut programs: Vec<&str> = listed["applications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|application| application["full_path"].as_str().unwrap())
        .collect();
    programs.sort_unstable();
    let expected: Vec<String> = (0..8).map(|number| format!(r"C:\p{number}.exe")).collect();
    assert_eq!(programs, expected);
}

#[test]
fn what_cannot_be_done_leaves_everything_as_it_was() {
    for (more, says) in [
        (&["--set", "maxInstances=20000"][..], "IIS takes 0 to 10000"),
        (&["--set", "maxInstance=2"], "did you mean `maxInstances`"),
        (&["--set", "arguments=x"], "part of the key"),
        (
            &["--set", r"monitorChangesTo=%NotHere%\x"],
            "does not expand variables",
        ),
        (&["--env", "A=\u{1}"], "character"),
        (&["--handler", "app", "--site-dir", "nowhere"], "nowhere"),
    ] {
        let scratch = Scratch::with_host();
        let message = scratch.enable(more).failed();
        assert!(message.contains(says), "{message}");
        assert_eq!(scratch.read("applicationHost.config"), HOST, "{more:?}");
    }
    let scratch = Scratch::with_host();
    fs::write(scratch.path("web.config"), HOST).unwrap();
    for command in ["enable", "disable"] {
        let message = scratch
            .iis(&[
                command,
                "--config",
                "web.config",
                "--full-path",
                "p",
                "--arguments",
                "a",
                "--handler",
                "app",
                "--site-dir",
                ".",
            ])
            .failed();
        assert!(
            message.contains("web.config of the site's folder as well"),
            "{message}"
        );
        assert_eq!(scratch.read("web.config"), HOST);
    }
    // The second file cannot be written: the first is put back.
    let scratch = Scratch::with_host();
    fs::write(scratch.path("site/web.config"), "<configuration>").unwrap();
    scratch
        .enable(&["--handler", "app", "--site-dir", "site"])
        .failed();
    assert_eq!(scratch.read("applicationHost.config"), HOST);
}

#[test]
fn what_would_grow_without_end_is_refused_by_every_command() {
    let declared = "<!DOCTYPE configuration [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>\n<configuration>&b;</configuration>";
    let external =
        "<!DOCTYPE configuration SYSTEM 'file:///etc/passwd'>\n<configuration></configuration>";
    let undeclared = "<configuration name='&xxe;'></configuration>";
    let deep = format!(
        "<configuration>{}{}</configuration>",
        "<a>".repeat(100_000),
        "</a>".repeat(100_000)
    );
    let attributes: String = (0..5_000).map(|n| format!(" a{n}=''")).collect();
    let wide = format!("<configuration{attributes}/>");
    for (text, code) in [
        (declared, "error[xml-doctype]"),
        (external, "error[xml-doctype]"),
        (undeclared, "error[xml-unknown-entity]"),
        (&deep, "error[xml-limit]"),
        (&wide, "error[xml-limit]"),
    ] {
        let scratch = Scratch::with_host();
        fs::write(scratch.path("bad.config"), text).unwrap();
        fs::write(scratch.path("site/web.config"), text).unwrap();
        let key = ["--full-path", "p", "--arguments", "a"];
        let handler = ["--handler", "app", "--site-dir", "site"];
        let file = ["--config", "bad.config"];
        let good = ["--config", "applicationHost.config"];
        for arguments in [
            [&["list"][..], &file, &[], &[]],
            [&["enable"], &file, &key, &[]],
            [&["disable"], &file, &key, &[]],
            [&["enable"], &good, &key, &handler],
            [&["disable"], &good, &key, &handler],
            [&["enable", "--http-platform"], &key, &handler, &[]],
            [&["doctor", "bad.config"], &[], &[], &[]],
            [&["doctor", "site"], &[], &[], &[]],
        ] {
            let arguments = arguments.concat();
            let answer = scratch.iis(&arguments);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(said.contains(code), "{arguments:?}: {said}");
            assert_eq!(answer.code, Some(1), "{arguments:?}: {said}");
            assert!(
                !said.contains("aaaaaaaaaaaa") && !said.contains("root:"),
                "{said}"
            );
        }
        assert_eq!(scratch.read("bad.config"), text);
        assert_eq!(scratch.read("site/web.config"), text);
        assert_eq!(scratch.read("applicationHost.config"), HOST);
    }
    // Longer than any configuration file, and nothing of it is read.
    let scratch = Scratch::with_host();
    let file = fs::File::create(scratch.path("long.config")).unwrap();
    file.set_len(300 << 20).unwrap();
    for command in [&["list", "--config"][..], &["doctor"]] {
        let message = scratch.iis(&[command, &["long.config"]].concat()).failed();
        assert!(message.contains("more than 268435456 octets"), "{message}");
    }
}

#[test]
fn variables_of_this_machine_are_expanded_where_iis_does_not() {
    let scratch = Scratch::with_host();
    let mut command = scratch.iis_command(&["enable", "--config", "applicationHost.config"]);
    command
        .args([
            "--full-path",
            r"%SystemDrive%\python.exe",
            "--arguments",
            "",
        ])
        .args(["--set", r"monitorChangesTo=%SiteHome%\web.config"])
        .env("SITEHOME", r"D:\home");
    Answer::of(&mut command).succeeded();
    let host = scratch.read("applicationHost.config");
    assert!(
        host.contains(r#"fullPath="%SystemDrive%\python.exe""#),
        "IIS expands that: {host}"
    );
    assert!(
        host.contains(r#"monitorChangesTo="D:\home\web.config""#),
        "{host}"
    );
}

#[test]
fn which_configuration_is_said() {
    let scratch = Scratch::with_host();
    let message = scratch.iis(&["list"]).failed();
    assert!(
        message.contains("neither IIS nor a configuration of IIS Express"),
        "{message}"
    );
    let home = ["user", "Documents", "IISExpress", "config"]
        .into_iter()
        .fold(scratch.path(""), |path, part| path.join(part));
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("applicationhost.config"), HOST).unwrap();
    let mut command = scratch.iis_command(&["list"]);
    command.env("USERPROFILE", scratch.path("user"));
    let answer = Answer::of(&mut command);
    let chosen = format!("using {}", home.join("applicationhost.config"));
    assert!(answer.stderr.contains(&chosen), "{}", answer.stderr);
    answer.succeeded();
}

#[test]
fn an_http_platform_handler_stands_for_itself() {
    let scratch = Scratch::with_host();
    let enable = |more: &[&str]| {
        let arguments = [
            "enable",
            "--http-platform",
            "--handler",
            "app",
            "--site-dir",
            "site",
        ];
        scratch.iis(&[&arguments[..], more].concat())
    };
    let program = ["--full-path", r"C:\python.exe", "--arguments"];
    let serve = "-m waitress --port %HTTP_PLATFORM_PORT% app:application";
    let more = [&program[..], &[serve, "--env", "A=1"]].concat();
    enable(&more).succeeded();
    let web = scratch.read("site/web.config");
    for part in [
        r#"<add name="app" path="*" verb="*" modules="httpPlatformHandler" />"#,
        r#"processPath="C:\python.exe""#,
        r#"arguments="-m waitress --port %HTTP_PLATFORM_PORT% app:application""#,
        r#"<environmentVariable name="A" value="1" />"#,
    ] {
        assert!(web.contains(part), "{part} in {web}");
    }
    assert_eq!(
        scratch.read("applicationHost.config"),
        HOST,
        "nothing to register"
    );
    assert_eq!(enable(&more).succeeded(), "nothing to change\n");
    let disable = [
        "disable",
        "--http-platform",
        "--handler",
        "app",
        "--site-dir",
        "site",
    ];
    scratch.iis(&disable).succeeded();
    assert!(!scratch.path("site/web.config").exists());
}

/// Copied files: what the doctor finds in a folder, and which status it gives.
#[test]
fn the_doctor_looks_at_copied_files() {
    let scratch = Scratch::new();
    let site = scratch.path("server/inetpub/blog");
    fs::create_dir_all(&site).unwrap();
    fs::create_dir_all(scratch.path("server/Python312")).unwrap();
    fs::create_dir_all(scratch.path("server/logs/W3SVC7")).unwrap();
    fs::write(scratch.path("server/logs/W3SVC7/u_ex1.log"), "one\ntwo\n").unwrap();
    fs::write(scratch.path("server/Python312/python.exe"), "").unwrap();
    fs::write(
        scratch.path("server/w3svc.reg"),
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\W3SVC\\Parameters]\r\n",
    )
    .unwrap();
    let host = |folder: &str| {
        format!(
            r#"<configuration>
  <system.applicationHost><sites>
    <site name="Blog" id="7">
      <application path="/"><virtualDirectory path="/" physicalPath="%SystemDrive%\Inetpub\{folder}" /></application>
      <logFile directory="C:\logs" />
    </site>
  </sites></system.applicationHost>
  <system.webServer>
    <globalModules><add name="FastCgiModule" /></globalModules>
    <fastCgi><application fullPath="C:\Python312\python.exe" arguments="-u app.py" /></fastCgi>
  </system.webServer>
</configuration>"#
        )
    };
    let web = r#"<configuration><system.webServer><handlers>
  <add name="blog" path="*" verb="*" modules="FastCgiModule" scriptProcessor="C:\Python312\Python.exe|-u app.py" />
</handlers></system.webServer></configuration>"#;
    fs::write(scratch.path("server/applicationHost.config"), host("blog")).unwrap();
    fs::write(site.join("Web.config"), web).unwrap();
    let answer = scratch.iis(&["doctor", "server", "--format", "json"]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    let report = answer.json();
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    for code in [
        "iis-script-processor-near-miss",
        "iis-stderr-shown",
        "iis-utf8-variables-missing",
    ] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    assert!(
        !codes
            .iter()
            .any(|code| code.contains("missing") && code.contains("program"))
    );
    let log = &report["logs"][0];
    assert_eq!(log["newest"], serde_json::json!(["one", "two"]), "{log}");

    // Once the difference is gone, what is left is no error.
    fs::write(
        site.join("Web.config"),
        web.replace("Python.exe", "python.exe"),
    )
    .unwrap();
    let text = scratch.iis(&["doctor", "server"]).succeeded();
    assert!(text.contains("0 errors"), "{text}");
    // The same by naming the files, and a folder that is not there.
    fs::write(scratch.path("server/applicationHost.config"), host("gone")).unwrap();
    let text = scratch.iis(&["doctor", "server"]);
    assert!(
        text.stdout.contains("error[iis-folder-missing]"),
        "{}",
        text.stdout
    );
    let files = [
        "doctor",
        "server/applicationHost.config",
        "server/inetpub/blog/Web.config",
    ];
    let text = scratch.iis(&files).stdout;
    let said = if cfg!(windows) {
        // The paths in them are this machine's then.
        "error[iis-folder-missing]"
    } else {
        "note[iis-path-not-checked]"
    };
    assert!(text.contains(said), "{text}");
    let message = scratch.iis(&["doctor", "server/Python312"]).failed();
    assert!(
        message.contains("neither an applicationHost.config nor a web.config"),
        "{message}"
    );
}

/// The real code against a program of ours in appcmd's place: it records its arguments and answers as the transcribed
/// outputs do.
mod appcmd {
    use super::*;

    const KEYS: [&str; 4] = [
        "--full-path",
        r"C:\it's\python.exe",
        "--arguments",
        r#"-c "100%""#,
    ];
    const KEY: &str = "[fullPath='C:\\it%u0027s\\python.exe',arguments='-c %u0022100%u0025%u0022']";

    /// Puts an appcmd at `path` that lists `applications`, and answers a change with the file `answer` where there is one.
    fn appcmd(scratch: &Scratch, path: &str, applications: &str) {
        let path = scratch.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let config = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<appcmd>\n<CONFIG CONFIG.SECTION=\"system.webServer/fastCgi\" path=\"MACHINE/WEBROOT/APPHOST\" overrideMode=\"Inherit\" locked=\"false\"><system.webServer-fastCgi>{applications}</system.webServer-fastCgi></CONFIG>\n</appcmd>"
        );
        fs::write(scratch.path("config.xml"), config).unwrap();
        scratch.put_stand_in(&path);
    }

    /// The command lines that were recorded since, one word a line; those that only list are left out.
    fn recorded(scratch: &Scratch) -> Vec<Vec<String>> {
        let log = scratch.read("appcmd.log");
        fs::remove_file(scratch.path("appcmd.log")).unwrap();
        log.split("--\n")
            .map(|command| command.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter(|command| command.first().is_some_and(|verb| verb != "list"))
            .collect()
    }

    fn with(scratch: &Scratch, verb: &str, more: &[&str]) -> Answer {
        let start = [verb, "--appcmd", "appcmd.exe"];
        scratch.iis(&[&start[..], &KEYS, more].concat())
    }

    #[test]
    fn is_told_only_what_differs() {
        let scratch = Scratch::new();
        appcmd(&scratch, "appcmd.exe", "");
        let text = with(&scratch, "enable", &["--env", "P=a,b"]).succeeded();
        assert!(text.contains("set config"), "{text}");
        let keys = KEY.trim_end_matches(']');
        let added = [
            "set",
            "config",
            "-section:system.webServer/fastCgi",
            &format!(
                "/+{keys},maxInstances='8',instanceMaxRequests='10000',signalBeforeTerminateSeconds='30',stderrMode='ReturnGeneric500']"
            ),
            &format!("/+{KEY}.environmentVariables.[name='P',value='a,b']"),
            "/commit:apphost",
        ];
        assert_eq!(recorded(&scratch), [added]);

        let entry = |more: &str| {
            format!(
                "<application fullPath=\"C:\\it's\\python.exe\" arguments=\"-c &quot;100%&quot;\" {more}/>"
            )
        };
        appcmd(&scratch, "appcmd.exe", &entry("maxInstances=\"3\""));
        assert_eq!(
            with(&scratch, "enable", &[]).succeeded(),
            "nothing to change\n"
        );
        assert!(recorded(&scratch).is_empty());
        with(&scratch, "enable", &["--set", "maxInstances=5"]).succeeded();
        assert_eq!(recorded(&scratch)[0][3], format!("/{KEY}.maxInstances:5"));

        // Duplicates of the two keys, whatever their case, become one.
        appcmd(
            &scratch,
            "appcmd.exe",
            &(entry("") + &entry("").replace("python", "PYTHON")),
        );
        with(&scratch, "enable", &["--set", "maxInstances=5"]).succeeded();
        let commands: Vec<String> = recorded(&scratch)
            .into_iter()
            .map(|command| command[3].clone())
            .collect();
        assert_eq!(
            commands,
            [
                format!("/-{KEY}"),
                format!("/-{}", KEY.replace("python", "PYTHON")),
                format!("/+{keys},maxInstances='5']"),
            ]
        );

        with(&scratch, "disable", &["--dry-run"]).succeeded();
        assert!(recorded(&scratch).is_empty(), "a dry run only lists");
        appcmd(&scratch, "appcmd.exe", &entry(""));
        with(&scratch, "disable", &[]).succeeded();
        assert_eq!(recorded(&scratch)[0][3], format!("/-{KEY}"));
        appcmd(&scratch, "appcmd.exe", "");
        assert_eq!(
            with(&scratch, "disable", &[]).succeeded(),
            "nothing to change\n"
        );
    }

    /// What is given on its command line arrives as one argument each, whatever is in it: the stand-in has them split as
    /// programs of Windows have.
    #[test]
    fn gets_every_argument_whole() {
        let scratch = Scratch::new();
        appcmd(&scratch, "appcmd.exe", "");
        for value in [
            r"C:\with spaces\",
            r#"a "quoted" word"#,
            r#"backslashes \\" before a quote"#,
            r"ends with one\",
            "日本 Jürgen ''",
            "%PATH% ^ & | < > !x!",
            "",
        ] {
            let command = ["enable", "--appcmd", "appcmd.exe", "--full-path", "p"];
            let arguments = ["--arguments", "", "--env", &format!("V={value}")];
            scratch
                .iis(&[&command[..], &arguments].concat())
                .succeeded();
            let escape = iis_config::appcmd::escape;
            let expected = format!(
                "/+[fullPath='p',arguments=''].environmentVariables.[name='V',value='{}']",
                escape(value)
            );
            assert_eq!(recorded(&scratch)[0][4], expected, "{value}");
        }
    }

    #[test]
    fn that_refuses_undoes_the_handler_too() {
        let outputs = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/samples/iis/appcmd/README_outputs.txt"
        );
        let Ok(transcribed) = fs::read_to_string(outputs) else {
            eprintln!("{outputs} is missing: appcmd's errors are not tried");
            return;
        };
        let mut tried = 0;
        for error in transcribed.split("\nERROR (").skip(1) {
            let scratch = Scratch::with_host();
            appcmd(&scratch, "appcmd.exe", "");
            fs::write(scratch.path("answer"), format!("ERROR ({error}")).unwrap();
            let handler = ["--handler", "app", "--site-dir", "site"];
            let message = with(&scratch, "enable", &handler).failed();
            assert!(
                message.contains("appcmd failed") && message.contains("elevated prompt"),
                "{message}"
            );
            assert!(!scratch.path("site/web.config").exists(), "{message}");
            tried += 1;
        }
        assert!(tried >= 4, "{tried} errors");
    }

    #[test]
    fn of_this_machine_is_found() {
        let scratch = Scratch::new();
        appcmd(&scratch, "windows/System32/inetsrv/appcmd.exe", "");
        let mut command = scratch.iis_command(&["list"]);
        command.env("windir", scratch.path("windows"));
        let answer = Answer::of(&mut command);
        assert!(
            answer
                .stderr
                .replace('\\', "/")
                .contains("inetsrv/appcmd.exe"),
            "{}",
            answer.stderr
        );
        answer.succeeded();

        // IIS Express: its appcmd is told which file.
        let home = scratch.path("express");
        fs::create_dir_all(home.join("config")).unwrap();
        fs::write(home.join("config/applicationhost.config"), HOST).unwrap();
        appcmd(&scratch, "programs/IIS Express/appcmd.exe", "");
        fs::remove_file(scratch.path("appcmd.log")).unwrap();
        let mut command = scratch.iis_command(&["enable"]);
        command
            .args(KEYS)
            .env("IIS_USER_HOME", &home)
            .env("IIS_BIN", scratch.path("programs/IIS Express"));
        Answer::of(&mut command).succeeded();
        let commands = recorded(&scratch);
        assert_eq!(
            *commands[0].last().unwrap(),
            format!(
                "/apphostconfig:{}",
                home.join("config").join("applicationhost.config")
            )
        );
    }
}
