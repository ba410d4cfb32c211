//! `iiswsgi msdeploy files`.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use python_dist::manifest_in::{Dialect, Explanation, Origin};
use serde::Serialize;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::project::{NEEDED_FILES, Project, hiding_folder};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
    /// Say which line of MANIFEST.in, or which rule, took this file in or out; can be repeated
    #[arg(long, value_name = "PATH")]
    explain: Vec<Utf8PathBuf>,
    #[command(flatten)]
    dialect: DialectArgs,
}

/// Whose MANIFEST.in it is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct DialectArgs {
    /// Read MANIFEST.in as distutils or as setuptools does [default: distutils where there is no pyproject.toml and setup.py
    /// imports distutils and not setuptools, else setuptools]
    #[arg(long, value_enum, value_name = "DIALECT")]
    dialect: Option<DialectName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum DialectName {
    /// The standard library's, until Python 3.11
    Distutils,
    /// Today's
    Setuptools,
}

impl DialectArgs {
    pub(crate) fn dialect(self) -> Option<Dialect> {
        self.dialect.map(|dialect| match dialect {
            DialectName::Distutils => Dialect::Distutils,
            DialectName::Setuptools => Dialect::Setuptools,
        })
    }
}

#[derive(Serialize)]
struct Report {
    dialect: String,
    files: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{file}"))
    }
}

#[derive(Serialize)]
struct Explained {
    dialect: String,
    files: Vec<ExplainedFile>,
}

#[derive(Serialize)]
struct ExplainedFile {
    path: String,
    exists: bool,
    distributed: bool,
    steps: Vec<ExplainedStep>,
    /// The whole in words.
    text: String,
}

/// What took a file in or out.
#[derive(Serialize)]
struct ExplainedStep {
    taken: bool,
    /// In words.
    by: String,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files
            .iter()
            .try_for_each(|file| writeln!(f, "{}", file.text))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let project = Project::load(&args.folder, &[], context)?.with_dialect(args.dialect.dialect());
    let dialect = project.dialect().to_string();
    if args.explain.is_empty() {
        return context.report(&Report {
            dialect,
            files: project.package_files(context)?,
        });
    }
    let list = project.file_list(context)?;
    let files = args
        .explain
        .iter()
        .map(|path| {
            let path = relative(&project.folder, path)?;
            let explanation = list.explain(path.as_str());
            Ok(explained(&project.folder, &path, &explanation))
        })
        .collect::<Result<_>>()?;
    context.report(&Explained { dialect, files })
}

/// The path as MANIFEST.in would write it: given from the project's folder, or from here.
fn relative(project: &Utf8Path, path: &Utf8Path) -> Result<Utf8PathBuf> {
    let from_here = file::absolute(path)?;
    let inside = if path.is_absolute() || !project.join(path).exists() {
        from_here.strip_prefix(project)
    } else {
        Ok(path)
    };
    let inside = match inside {
        Ok(inside) => inside,
        Err(_) if path.is_absolute() => {
            return Err(Error::new(format!("`{path}` is not inside of `{project}`"))
                .help("name a file of the project"));
        }
        Err(_) => path,
    };
    Ok(inside
        .as_str()
        .replace('\\', "/")
        .trim_start_matches("./")
        .into())
}

fn explained(project: &Utf8Path, path: &Utf8Path, explanation: &Explanation) -> ExplainedFile {
    let hidden = hiding_folder(project, path).filter(|_| !explanation.exists);
    let needed = explanation.exists && NEEDED_FILES.contains(&path.as_str());
    let text = match hidden {
        Some((folder, why)) => {
            format!("`{path}` is not distributed: `{folder}` is {why}, and is not looked into")
        }
        None if needed && !explanation.taken => {
            format!("`{path}` is distributed\n  a package needs it, whatever MANIFEST.in says")
        }
        None => explanation.to_string(),
    };
    let steps = explanation.steps.iter().map(|step| {
        let (file, line, column) = match &step.origin {
            Origin::Command(command) => (
                Some(command.file.clone()),
                Some(command.line),
                Some(command.column),
            ),
            Origin::Recorded { file, line } => (Some(file.clone()), Some(*line), Some(1)),
            _ => (None, None, None),
        };
        ExplainedStep {
            taken: step.taken,
            by: step.origin.to_string(),
            file,
            line,
            column,
        }
    });
    ExplainedFile {
        path: path.to_string(),
        exists: explanation.exists || project.join(path).is_file(),
        distributed: explanation.taken || needed,
        steps: steps.collect(),
        text,
    }
}
