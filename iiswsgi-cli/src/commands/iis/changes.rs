//! Changes to files and by appcmd, made together: all of them, or none.

use std::fmt;

use camino::Utf8PathBuf;
use iis_config::edit::Edit;
use serde::Serialize;

use crate::context::Context;
use crate::deploy::appcmd::AppcmdProgram;
use crate::deploy::config_file::ConfigFile;
use crate::error::Result;

/// How changes are made.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ModeArgs {
    /// Show what changes in the files, as a unified diff
    #[arg(long)]
    pub(crate) diff: bool,
    /// Change nothing: only say what would be
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl ModeArgs {
    /// The file to change, which nobody else changes meanwhile; only read in a dry run.
    pub(crate) fn open(
        self,
        path: &camino::Utf8Path,
        empty: impl FnOnce() -> String,
    ) -> Result<ConfigFile> {
        if self.dry_run {
            ConfigFile::read(path, empty)
        } else {
            ConfigFile::lock(path, empty)
        }
    }
}

/// What is to be changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    files: Vec<FileChange>,
    appcmd: Option<(AppcmdProgram, Vec<Vec<String>>)>,
}

#[derive(Debug)]
struct FileChange {
    file: ConfigFile,
    /// None deletes the file.
    text: Option<String>,
    summary: Vec<String>,
    backed_up: bool,
}

/// What was changed, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    configuration: String,
    /// What a handler has to have as its scriptProcessor; none for an httpPlatform handler.
    script_processor: Option<String>,
    dry_run: bool,
    changed: bool,
    /// One line each, for people.
    changes: Vec<String>,
    /// The command lines of appcmd.
    commands: Vec<String>,
    /// The files that were written.
    files: Vec<Utf8PathBuf>,
    backup: Option<Utf8PathBuf>,
    diff: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.changed {
            return writeln!(f, "nothing to change");
        }
        if let Some(diff) = &self.diff {
            f.write_str(diff)?;
        } else {
            for line in &self.changes {
                writeln!(f, "{line}")?;
            }
        }
        self.commands
            .iter()
            .try_for_each(|command| writeln!(f, "{command}"))
    }
}

impl Changes {
    /// Changes a file; an edit that changes nothing is left out.
    pub(crate) fn edit(&mut self, file: ConfigFile, edit: Edit, backed_up: bool) {
        if edit.changed {
            self.files.push(FileChange {
                file,
                text: Some(edit.text),
                summary: edit.summary,
                backed_up,
            });
        }
    }

    /// Deletes a file.
    pub(crate) fn delete(&mut self, file: ConfigFile, summary: Vec<String>) {
        self.files.push(FileChange {
            file,
            text: None,
            summary,
            backed_up: false,
        });
    }

    /// Runs commands of an appcmd.
    pub(crate) fn run(&mut self, appcmd: AppcmdProgram, commands: Vec<Vec<String>>) {
        self.appcmd = Some((appcmd, commands));
    }

    /// Makes the changes, and reports them.
    ///
    /// # Errors
    ///
    /// What could not be written, or what appcmd refused; the files are as they were then.
    pub(crate) fn carry_out(
        self,
        configuration: String,
        script_processor: Option<String>,
        mode: ModeArgs,
        context: &Context,
    ) -> Result<()> {
        let commands = self.appcmd.iter().flat_map(|(appcmd, commands)| {
            commands
                .iter()
                .map(|arguments| appcmd.command_line(arguments))
        });
        let diffs = self
            .files
            .iter()
            .map(|change| change.file.diff(change.text.as_deref().unwrap_or_default()));
        let mut report = Report {
            configuration,
            script_processor,
            dry_run: mode.dry_run,
            changed: false,
            changes: self
                .files
                .iter()
                .flat_map(|change| change.summary.clone())
                .collect(),
            commands: commands.collect(),
            files: self
                .files
                .iter()
                .map(|change| change.file.path().to_owned())
                .collect(),
            backup: None,
            diff: mode.diff.then(|| diffs.collect()),
        };
        report.changed = !report.commands.is_empty() || !report.files.is_empty();
        if mode.dry_run {
            context.say("dry run: nothing is changed");
        } else {
            report.backup = self.make(context)?;
            if let Some(backup) = &report.backup {
                context.say(format_args!("the file as it was is in `{backup}`"));
            }
        }
        context.report(&report)
    }

    fn make(&self, context: &Context) -> Result<Option<Utf8PathBuf>> {
        let mut backup = None;
        for change in self.files.iter().filter(|change| change.backed_up) {
            backup = change.file.back_up(&context.environment)?;
        }
        let made = self.write(context);
        if made.is_err() {
            for change in &self.files {
                change.file.put_back()?;
            }
        }
        made.map(|()| backup)
    }

    fn write(&self, context: &Context) -> Result<()> {
        for change in &self.files {
            match &change.text {
                Some(text) => change.file.write(text)?,
                None => change.file.delete()?,
            }
        }
        if let Some((appcmd, commands)) = &self.appcmd {
            for arguments in commands {
                appcmd.ask(arguments.clone(), context)?;
            }
        }
        Ok(())
    }
}
