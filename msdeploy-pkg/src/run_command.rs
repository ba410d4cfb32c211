//! `runCommand`: the provider that runs a command on the destination, and its settings.
//!
//! *Web Deploy runCommand Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/ee619740(v=ws.10)>.
//! Web Deploy reads the settings from `MSDeploy.MSDeployProviderOptions` only; plain attributes in a manifest are for
//! [`build_manifest`](crate::build_manifest), which turns them into that.

use core::time::Duration;

use spanned_xml::{Problem, Span, nearest};

use crate::provider::{boolean, exit_codes, number};

/// The settings of `runCommand`, spelled as Web Deploy spells them.
pub const RUN_COMMAND_SETTINGS: [&str; 5] = [
    "dontUseCommandExe",
    "dontUseJobObject",
    "successReturnCodes",
    "waitAttempts",
    "waitInterval",
];

/// A command to run at installation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunCommand {
    /// `path`: the command line.
    pub path: String,
    /// `waitAttempts`: how many times to wait for the command to end; 5 by default.
    pub wait_attempts: u32,
    /// `waitInterval`: how long to wait each time; 1 s by default. Milliseconds in the manifest.
    pub wait_interval: Duration,
    /// `successReturnCodes`: exit codes that mean success. Empty, as it is by default, means that no exit code fails
    /// the deployment.
    pub success_return_codes: Vec<u32>,
    /// `dontUseCommandExe`: start the command itself instead of through `cmd.exe`; false by default.
    pub dont_use_command_exe: bool,
    /// `dontUseJobObject`: start the command outside of Web Deploy's job object, so that what it starts in turn may
    /// outlive it; false by default.
    pub dont_use_job_object: bool,
}

impl RunCommand {
    /// A command with the default settings.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            wait_attempts: 5,
            wait_interval: Duration::from_secs(1),
            success_return_codes: Vec::new(),
            dont_use_command_exe: false,
            dont_use_job_object: false,
        }
    }

    /// How long the command may take before the deployment gives up on it: attempts times interval.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.wait_interval.saturating_mul(self.wait_attempts)
    }

    /// Whether an exit code means success.
    #[must_use]
    pub fn accepts(&self, exit_code: u32) -> bool {
        self.success_return_codes.is_empty() || self.success_return_codes.contains(&exit_code)
    }

    /// Takes one setting, whatever the case of its name.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: &str,
        span: Option<Span>,
    ) -> Result<(), Problem> {
        let place = |problem: Problem| match span {
            Some(span) => problem.at(span),
            None => problem,
        };
        let Some(known) = canonical_setting(name) else {
            return Err(place(Problem::error(
                "run-command-unknown-setting",
                format!("`runCommand` has no setting `{name}`"),
            ))
            .help(format!(
                "{}its settings are {}",
                did_you_mean(name, RUN_COMMAND_SETTINGS),
                RUN_COMMAND_SETTINGS
                    .map(|known| format!("`{known}`"))
                    .join(", ")
            )));
        };
        let fault = |expected: &str, help: &str| {
            place(Problem::error(
                "run-command-setting-value",
                format!("`{known}` is `{value}`, which is not {expected}"),
            ))
            .help(help.to_owned())
        };
        let trimmed = value.trim();
        match known {
            "waitAttempts" => {
                self.wait_attempts = count(trimmed).ok_or_else(|| {
                    fault(
                        "a whole number from 0 to 2147483647",
                        "write how many times to wait, for example `waitAttempts=\"10\"`",
                    )
                })?;
            }
            "waitInterval" => {
                let milliseconds = count(trimmed).ok_or_else(|| {
                    fault(
                        "a whole number from 0 to 2147483647",
                        "write milliseconds, for example `waitInterval=\"60000\"` for a minute",
                    )
                })?;
                self.wait_interval = Duration::from_millis(milliseconds.into());
            }
            "successReturnCodes" => {
                self.success_return_codes = exit_codes(trimmed)
                    .ok_or_else(|| {
                        fault(
                            "a list of exit codes",
                            "separate codes by `;` and write each as a decimal number or as `0x…`, for example `successReturnCodes=\"0x0;0xbc2\"`",
                        )
                    })?;
            }
            other => {
                let flag = boolean(trimmed)
                    .ok_or_else(|| fault("`true` or `false`", "write `true` or `false`"))?;
                if other == "dontUseCommandExe" {
                    self.dont_use_command_exe = flag;
                } else {
                    self.dont_use_job_object = flag;
                }
            }
        }
        Ok(())
    }
}

/// Web Deploy's spelling of a setting's name.
pub(crate) fn canonical_setting(name: &str) -> Option<&'static str> {
    RUN_COMMAND_SETTINGS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// "did you mean `x`? ", or nothing where no known name is like it.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known, 1)
        .first()
        .map(|known| format!("did you mean `{known}`? "))
        .unwrap_or_default()
}

/// .NET's `Int32`, not negative.
fn count(text: &str) -> Option<u32> {
    let number = i32::try_from(number(text)?).ok()?;
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: Result<fn(&mut RunCommand), &str>) {
        let mut command = RunCommand::new("x");
        let result = command.set(name, value, None);
        match expected {
            Ok(change) => {
                result.unwrap();
                let mut wanted = RunCommand::new("x");
                change(&mut wanted);
                assert_eq!(command, wanted, "{name}={value}");
            }
            Err(text) => {
                let problem = result.unwrap_err();
                assert!(problem.to_string().contains(text), "{problem}");
                assert_eq!(command, RunCommand::new("x"));
            }
        }
    }

    #[test]
    fn settings_are_checked_for_type_and_range() {
        check("waitAttempts", "10", Ok(|c| c.wait_attempts = 10));
        check("WAITATTEMPTS", " 0 ", Ok(|c| c.wait_attempts = 0));
        check("waitAttempts", "-1", Err("whole number"));
        check("waitAttempts", "+1", Err("whole number"));
        check("waitAttempts", "2147483648", Err("2147483647"));
        check("waitAttempts", "", Err("whole number"));
        check(
            "waitInterval",
            "60000",
            Ok(|c| c.wait_interval = Duration::from_secs(60)),
        );
        check("waitInterval", "1s", Err("milliseconds"));
        check(
            "successReturnCodes",
            "0x0",
            Ok(|c| c.success_return_codes = vec![0]),
        );
        check(
            "successReturnCodes",
            "0; 0xBC2;-1;",
            Ok(|c| c.success_return_codes = vec![0, 0xBC2, u32::MAX]),
        );
        for bad in ["", ";", "0,1", "0x", "0x1g", "zero", "4294967296", "0x+1"] {
            check("successReturnCodes", bad, Err("separate codes by `;`"));
        }
        check(
            "dontUseCommandExe",
            "True",
            Ok(|c| c.dont_use_command_exe = true),
        );
        check(
            "dontUseJobObject",
            "true",
            Ok(|c| c.dont_use_job_object = true),
        );
        check("dontUseJobObject", "1", Err("`true` or `false`"));
        check("enableRunCommandOutput", "true", Err("its settings are"));
    }

    #[test]
    fn exit_codes() {
        let mut command = RunCommand::new("x");
        assert!(command.accepts(3));
        command.success_return_codes = vec![0];
        assert!(command.accepts(0) && !command.accepts(3));
        assert_eq!(command.time_limit(), Duration::from_secs(5));
    }
}
