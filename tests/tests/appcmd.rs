//! Registration through appcmd: the real code against a program of ours that records its arguments and answers as the
//! transcribed outputs of appcmd.exe do.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::{Scratch, fail, iiswsgi, succeed};

/// Puts an icacls that records its arguments into a folder that is `%windir%`.
fn icacls(windir: &Utf8Path) {
    let program = windir.join("System32/icacls.exe");
    fs::create_dir_all(program.parent().expect("a folder")).expect("made");
    fs::write(
        &program,
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >> \"$(dirname \"$0\")/log\"\n[ ! -f \"$(dirname \"$0\")/refuse\" ]\n",
    )
    .expect("written");
    fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
}

/// An appcmd that knows one site with `application` as its folder, and the FastCGI applications in `fast_cgi`.
fn appcmd(folder: &Utf8Path, application: &Utf8Path, fast_cgi: &str) -> Utf8PathBuf {
    fs::write(
        folder.join("sites.xml"),
        format!(
            "<appcmd><SITE SITE.NAME=\"Blog\" SITE.ID=\"7\" bindings=\"http/*:80:\" state=\"Started\"><site name=\"Blog\" id=\"7\"><application path=\"/\"><virtualDirectory path=\"/\" physicalPath=\"{application}\" /></application></site></SITE></appcmd>"
        ),
    )
    .expect("written");
    fs::write(
        folder.join("config.xml"),
        format!(
            "<appcmd><CONFIG CONFIG.SECTION=\"system.webServer/fastCgi\" path=\"MACHINE/WEBROOT/APPHOST\" overrideMode=\"Inherit\" locked=\"false\"><system.webServer-fastCgi>{fast_cgi}</system.webServer-fastCgi></CONFIG></appcmd>"
        ),
    )
    .expect("written");
    let program = folder.join("appcmd.exe");
    fs::write(
        &program,
        "#!/bin/sh
here=$(dirname \"$0\")
printf '%s\\n' \"$@\" >> \"$here/log\"
case \"$1 $2\" in
  'list site') cat \"$here/sites.xml\" ;;
  'list config') cat \"$here/config.xml\" ;;
  *) if [ -f \"$here/refuse\" ]; then echo 'ERROR ( message:Configuration error'; echo 'Cannot write configuration file due to insufficient permissions'; echo '. )'; exit 5; fi
     echo 'Applied configuration changes to section \"system.webServer/fastCgi\"' ;;
esac
",
    )
    .expect("written");
    fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
    program
}

fn install(application: &Utf8Path, appcmd: &Utf8Path) -> std::process::Command {
    let mut command = iiswsgi();
    command.args([
        "msdeploy",
        "install",
        application.as_str(),
        "--no-virtual-env",
        "--appcmd",
        appcmd.as_str(),
        "--format",
        "json",
    ]);
    command
}

#[test]
fn an_application_is_added_changed_and_left_alone() {
    let scratch = Scratch::new();
    let application = scratch.example("sample.msdeploy");
    let program = appcmd(scratch.path(), &application, "");
    let log = || fs::read_to_string(scratch.path().join("log")).expect("a log");

    let report: serde_json::Value =
        serde_json::from_str(&succeed(&mut install(&application, &program))).expect("JSON");
    assert_eq!(
        (&report["site"], &report["application_path"]),
        (&"Blog".into(), &"/".into())
    );
    let added = log();
    let line = added
        .lines()
        .find(|line| line.starts_with("/+["))
        .unwrap_or_else(|| panic!("nothing is added: {added}"));
    // Quotes are escaped as appcmd has it, and both keys are there.
    assert!(
        line.contains("arguments='-u -m iiswsgi serve iiswsgi_sample:application --chdir %u0022"),
        "{line}"
    );
    assert!(line.contains("instanceMaxRequests='10000'"), "{line}");
    assert!(
        added.lines().any(|line| line == "/commit:apphost"),
        "{added}"
    );
    assert!(
        !application.join("applicationHost.config").exists(),
        "IIS's own configuration is used, not a file"
    );

    // The same application with another setting is changed by its two keys.
    let key = report["fast_cgi"][0].as_str().expect("a key");
    let (full_path, arguments) = key.split_once('|').expect("both keys");
    let arguments = arguments.replace('"', "&quot;");
    fs::remove_file(scratch.path().join("log")).expect("removed");
    appcmd(
        scratch.path(),
        &application,
        &format!(
            "<application fullPath=\"{full_path}\" arguments=\"{arguments}\" instanceMaxRequests=\"200\" />"
        ),
    );
    succeed(&mut install(&application, &program));
    let changed = log();
    assert!(
        !changed.contains("/+[") && changed.contains("].instanceMaxRequests:10000"),
        "{changed}"
    );
}

/// What IIS's worker processes have to read is allowed to the identity of their pool.
#[test]
fn the_pool_is_allowed_to_read_the_folder() {
    let scratch = Scratch::new();
    let application = scratch.example("sample.msdeploy");
    let program = appcmd(scratch.path(), &application, "");
    let windir = scratch.path().join("windows");
    icacls(&windir);
    let log = windir.join("System32/log");
    let sites = scratch.path().join("sites.xml");
    let text = fs::read_to_string(&sites).expect("sites");
    let in_pool = "<application path=\"/\" applicationPool=\"Blog's pool\">";
    for (text, account) in [
        (text.clone(), "IIS_IUSRS"),
        (
            text.replace("<application path=\"/\">", in_pool),
            r"IIS AppPool\Blog's pool",
        ),
    ] {
        fs::write(&sites, text).expect("written");
        succeed(install(&application, &program).env("windir", &windir));
        assert_eq!(
            fs::read_to_string(&log).expect("a log"),
            format!("{application}\n/grant\n{account}:(OI)(CI)(RX)\n/Q\n")
        );
        fs::remove_file(&log).expect("removed");
    }
    fs::write(windir.join("System32/refuse"), "").expect("written");
    let message = fail(install(&application, &program).env("windir", &windir));
    assert!(message.contains("elevated prompt"), "{message}");
}

#[test]
fn what_appcmd_refuses_is_shown() {
    let scratch = Scratch::new();
    let application = scratch.example("sample.msdeploy");
    let program = appcmd(scratch.path(), &application, "");
    fs::write(scratch.path().join("refuse"), "").expect("written");
    let message = fail(&mut install(&application, &program));
    assert!(
        message.contains("insufficient permissions") && message.contains("elevated prompt"),
        "{message}"
    );
}

#[test]
fn bootstrap_finds_the_application_with_the_newest_stamp() {
    let scratch = Scratch::new();
    let application = scratch.example("sample.msdeploy");
    let program = appcmd(scratch.path(), &application, "");
    let bootstrap = || {
        let mut command = iiswsgi();
        command
            .args(["bootstrap", "--appcmd", program.as_str()])
            .current_dir("/");
        command
    };
    let message = fail(&mut bootstrap());
    assert!(message.contains("iis_install.stamp"), "{message}");
    fs::write(application.join("iis_install.stamp"), "").expect("written");
    assert_eq!(succeed(&mut bootstrap()).trim(), application.as_str());
    assert!(
        !application.join("iis_install.stamp").exists(),
        "the stamp is removed"
    );
}
