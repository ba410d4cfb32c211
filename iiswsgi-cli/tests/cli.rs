//! The command line as a person sees it: help texts and diagnostics, compared with the files in `cmd`.
//!
//! `TRYCMD=overwrite cargo test -p iiswsgi-cli --test cli` writes what the command says now.

use std::process::Command;

/// Compared on Unix only: on Windows the command has `.exe`, and the system its own words for its errors.
#[cfg(unix)]
#[test]
fn what_the_command_says() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = Command::new(env!("CARGO_BIN_EXE_iiswsgi"))
            .args(["completions", shell])
            .output()
            .expect("it starts");
        let script = String::from_utf8(output.stdout).expect("text");
        assert!(
            output.status.success() && script.contains("msdeploy") && script.contains("site-root"),
            "{shell}: {script}"
        );
        if cfg!(unix) && shell == "bash" {
            let checked = Command::new("bash")
                .args(["-n", "-c", &script])
                .status()
                .expect("bash starts");
            assert!(checked.success(), "bash cannot read it");
        }
    }
}
