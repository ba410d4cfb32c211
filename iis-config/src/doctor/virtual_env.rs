//! A virtual environment's `pyvenv.cfg`, PEP 405: its `python.exe` starts the interpreter that `home` names, which the
//! identity of the application pool has to be able to read.

use spanned_xml::{Element, Problem};

use super::files::Files;
use super::pools::{Pool, pools};
use super::report::{Found, Subject, Wants};
use crate::win_path;

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    let root = host.document.root();
    // IIS Express runs everything as the user who started it.
    let is_express = host.source.text().contains("%IIS_BIN%");
    for application in files.applications() {
        let Some(program) = found
            .machine
            .expand(application.full_path.trim_matches('"'))
        else {
            continue;
        };
        let span = application.attribute_span("fullPath");
        let home = settings_files(&program)
            .into_iter()
            .find_map(|path| home(found.ask(&path, Wants::Text)?.text.as_deref()?));
        if let Some(home) = &home
            && found.is_missing(home)
        {
            found.push(
                Subject::ApplicationHost,
                Problem::error(
                    "iis-base-interpreter-missing",
                    format!("the virtual environment of `{program}` needs the interpreter in `{home}`, which is not there"),
                )
                .at(span)
                .help("install that Python again, or make the virtual environment anew with one that is there"),
            );
            continue;
        }
        let place = home.as_deref().unwrap_or(&program);
        let Some(user) = profile_of(place).filter(|_| !is_express) else {
            continue;
        };
        for pool in pools_that_cannot_read(root, user) {
            found.push(
                Subject::ApplicationHost,
                Problem::error(
                    "iis-base-interpreter-unreadable",
                    format!(
                        "the Python in `{place}` is in the profile of `{user}`, where {pool} may not read: the process exits at once"
                    ),
                )
                .at(span)
                .help("install Python for all users, and make the virtual environment with that one; `icacls` can grant reading too"),
            );
        }
    }
}

/// Where `pyvenv.cfg` is: in the folder above that of the program, or beside the program.
fn settings_files(program: &str) -> Vec<String> {
    let separator = if program.contains('\\') { '\\' } else { '/' };
    let parts: Vec<&str> = program.split(['\\', '/']).collect();
    let folders = [parts.len().saturating_sub(2), parts.len().saturating_sub(1)];
    folders
        .into_iter()
        .filter(|&len| len > 0)
        .map(|len| {
            let folder: Vec<&str> = parts.iter().take(len).copied().collect();
            let folder = folder.join(separator.encode_utf8(&mut [0; 4]));
            format!("{folder}{separator}pyvenv.cfg")
        })
        .collect()
}

/// `home = …`.
fn home(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("home")
            .then(|| value.trim().to_owned())
    })
}

/// The user whose profile a Windows path is in, `C:\Users\name\…`; `Public` is everybody's.
fn profile_of(path: &str) -> Option<&str> {
    let mut parts = path.split(['\\', '/']);
    let (drive, users, user) = (parts.next()?, parts.next()?, parts.next()?);
    let is_profile = drive.ends_with(':')
        && users.eq_ignore_ascii_case("users")
        && !user.eq_ignore_ascii_case("public");
    is_profile.then_some(user)
}

/// The pools whose identity is another account than `user` and not the system's, as text for people.
fn pools_that_cannot_read(root: &Element, user: &str) -> Vec<String> {
    let reads = |pool: &Pool| {
        let account = pool.user_name.rsplit('\\').next().unwrap_or_default();
        pool.identity_type.eq_ignore_ascii_case("LocalSystem")
            || pool.identity_type.eq_ignore_ascii_case("SpecificUser")
                && win_path::eq_ignore_case(account, user)
    };
    pools(root)
        .iter()
        .filter(|pool| !reads(pool))
        .map(Pool::describe)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_files_are_beside_and_above() {
        assert_eq!(
            settings_files(r"C:\app\env\Scripts\python.exe"),
            [r"C:\app\env\pyvenv.cfg", r"C:\app\env\Scripts\pyvenv.cfg"]
        );
        assert_eq!(
            settings_files("/app/bin/python"),
            ["/app/pyvenv.cfg", "/app/bin/pyvenv.cfg"]
        );
        assert_eq!(settings_files("python"), Vec::<String>::new());
    }

    #[test]
    fn profiles_are_told_apart() {
        for (path, user) in [
            (r"C:\Users\ann\AppData\Local\Programs\Python", Some("ann")),
            ("c:/users/ann/x", Some("ann")),
            (r"C:\Users\Public\Python", None),
            (r"C:\Python", None),
            ("/home/ann", None),
        ] {
            assert_eq!(profile_of(path), user, "{path}");
        }
    }

    #[test]
    fn home_is_read_as_python_reads_it() {
        for (text, expected) in [
            (
                "home = C:\\Python\ninclude-system-site-packages = false\n",
                Some("C:\\Python"),
            ),
            ("version = 3.12\r\nHOME=/usr/bin\r\n", Some("/usr/bin")),
            ("", None),
        ] {
            assert_eq!(home(text).as_deref(), expected);
        }
    }
}
