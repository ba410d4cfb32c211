//! Web Deploy's runCommand provider: a command of the package, run on the machine it is installed on.
//!
//! Msdeploy waits `waitAttempts` times `waitInterval` for it and takes the exit codes of `successReturnCodes` for success;
//! what it has started goes with it when it takes too long, unless `dontUseJobObject` is set.
//!
//! On Windows the command goes through `cmd.exe`, as msdeploy does unless `dontUseCommandExe` is set; elsewhere through
//! `sh`. Packages of ours name `iiswsgi_install.exe` or `iiswsgi.exe`: where a package is installed by this command, that
//! is this command, whatever the system and wherever it is installed.

use iis_config::command_line;
use msdeploy_pkg::RunCommand;

use crate::context::Context;
use crate::deploy::process::{Patience, Process};
use crate::error::{Error, Result};

/// Runs `command` with `variables` in its environment, and returns its standard output.
///
/// # Errors
///
/// It could not be started, did not end within `waitAttempts` times `waitInterval`, or ended with a code that is not one
/// of `successReturnCodes`.
pub(crate) fn run(
    command: &RunCommand,
    variables: &[(&str, &str)],
    context: &Context,
) -> Result<String> {
    let process = process(command, context)?
        .variables(variables.iter().copied())
        .outlived(command.dont_use_job_object)
        .shown();
    let patience = Patience {
        attempts: command.wait_attempts,
        interval: command.wait_interval,
    };
    let outcome = process.outcome_within(patience, context).map_err(|error| {
        error.help(format!(
            "the manifest gives it waitAttempts {} times waitInterval {} ms",
            command.wait_attempts,
            command.wait_interval.as_millis()
        ))
    })?;
    let succeeded = outcome
        .code
        .is_some_and(|code| command.accepts(code.cast_unsigned()));
    if succeeded {
        Ok(outcome.stdout)
    } else {
        Err(process.failure(&outcome))
    }
}

fn process(command: &RunCommand, context: &Context) -> Result<Process> {
    let words = command_line::split(&command.path);
    let Some((program, arguments)) = words.split_first() else {
        return Err(Error::new("a runCommand of the package has no command")
            .help("give it a `path` in Manifest.xml"));
    };
    if let Some(own) = own_arguments(program) {
        // The command line that started us always has at least the program.
        let (program, first) = context
            .host
            .command
            .split_first()
            .ok_or_else(|| Error::new("the command that runs is not known"))?;
        return Ok(Process::new(program)
            .args(first.iter().map(String::as_str))
            .args(own.iter().copied())
            .args(arguments.iter().map(String::as_str)));
    }
    Ok(match (command.dont_use_command_exe, cfg!(windows)) {
        (true, _) => Process::new(program).args(arguments.iter().map(String::as_str)),
        (false, true) => Process::new("cmd.exe").args(["/c", command.path.as_str()]),
        (false, false) => Process::new("sh").args(["-c", command.path.as_str()]),
    })
}

/// The arguments that make this command do what `program` does, where it is one of ours.
fn own_arguments(program: &str) -> Option<&'static [&'static str]> {
    let name = program.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    match name.strip_suffix(".exe").unwrap_or(&name) {
        "iiswsgi" => Some(&[]),
        "iiswsgi_install" => Some(&["bootstrap"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_programs_are_recognised_wherever_they_are() {
        for (program, expected) in [
            (
                r"%SystemDrive%\Python27\Scripts\iiswsgi_install.exe",
                Some(1),
            ),
            ("/usr/bin/iiswsgi", Some(0)),
            ("IISWSGI.EXE", Some(0)),
            ("iiswsgi_installer.exe", None),
            ("cmd", None),
        ] {
            assert_eq!(
                own_arguments(program).map(<[_]>::len),
                expected,
                "{program}"
            );
        }
    }
}
