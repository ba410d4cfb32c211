//! What a sync leaves out, renames or deletes: the rules of the command line.

use std::collections::HashSet;
use std::time::UNIX_EPOCH;

use camino::Utf8Path;
use msdeploy_pkg::{ContentObject, ReplaceRule, SkipRule, SyncOptions};
use spanned_xml::{Problems, Source};
use walkdir::WalkDir;

use crate::context::Context;
use crate::deploy::file;
use crate::error::{Error, Result};

#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RuleArgs {
    /// Leave out what the rule is about, in msdeploy's own words:
    /// `objectName=filePath,absolutePath=\.log$,skipAction=Delete`; can be repeated
    #[arg(
        long,
        value_name = "RULE",
        help_heading = "Rules",
        allow_hyphen_values = true
    )]
    skip: Vec<String>,
    /// Change names on the way, in msdeploy's own words:
    /// `objectName=filePath,match=\.config\.prod$,replace=.config`; can be repeated
    #[arg(
        long,
        value_name = "RULE",
        help_heading = "Rules",
        allow_hyphen_values = true
    )]
    replace: Vec<String>,
    /// Switch a built-in rule of Web Deploy on; can be repeated
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    enable_rule: Vec<String>,
    /// Switch a built-in rule of Web Deploy off; can be repeated. Without DoNotDeleteRule, which is on, files that the
    /// package does not have are deleted
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    disable_rule: Vec<String>,
}

impl RuleArgs {
    /// The options of a sync, with the rules that are asked for.
    ///
    /// # Errors
    ///
    /// All faults of all rules, each with its place in the rule.
    pub(crate) fn options(&self, context: &Context) -> Result<SyncOptions> {
        let mut options = without_rules();
        let mut faults: Vec<Problems> = Vec::new();
        for text in &self.skip {
            match SkipRule::parse(text) {
                Ok(rule) => options.skip.push(rule),
                Err(problems) => faults.push(problems),
            }
        }
        for text in &self.replace {
            match ReplaceRule::parse(text) {
                Ok(rule) => options.replace.push(rule),
                Err(problems) => faults.push(problems),
            }
        }
        for (names, on, option) in [
            (&self.enable_rule, true, "--enable-rule"),
            (&self.disable_rule, false, "--disable-rule"),
        ] {
            for name in names {
                let source = Source::from_text(option, name.as_str());
                match options.rules.switch(name, on) {
                    Ok(warning) => context.warn(&source, warning.as_slice()),
                    Err(problem) => faults.push(problem.in_source(&source)),
                }
            }
        }
        if faults.is_empty() {
            Ok(options)
        } else {
            Err(Error::Problems(faults))
        }
    }
}

/// A sync by content that deletes nothing: databases and uploads live in the folder too.
pub(crate) fn without_rules() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.use_checksum = true;
    options.ignore_case = cfg!(windows);
    options.rules.do_not_delete = true;
    options
}

/// What is in a folder now, for comparing it with a package: `source` are the package's files. Only files that may be the
/// same are read.
pub(crate) fn destination(
    folder: &Utf8Path,
    source: &[ContentObject],
) -> Result<Vec<ContentObject>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    // A rule may give a file another name, so that only its size tells.
    let sizes: HashSet<u64> = source.iter().map(|object| object.size).collect();
    let mut objects = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry
            .map_err(|error| Error::new(format!("cannot list the files of `{folder}`: {error}")))?;
        let path = file::relative(folder, entry.path())?;
        // A link to a folder is not looked into: what is there may be anywhere.
        if entry.path().is_dir() {
            objects.push(ContentObject::directory(path));
            continue;
        }
        let metadata = entry.metadata().ok();
        let size = metadata.as_ref().map_or(0, std::fs::Metadata::len);
        let modified = metadata
            .and_then(|metadata| metadata.modified().ok())
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_secs()).ok());
        let mut object = ContentObject::file(path, size, modified);
        if sizes.contains(&size) && entry.path().is_file() {
            let (crc32, _) = file::crc32(&folder.join(&object.path))?;
            object = object.with_crc32(crc32);
        }
        objects.push(object);
    }
    Ok(objects)
}
