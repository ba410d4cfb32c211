//! uv, which makes and fills environments faster than `venv` and pip do.
//!
//! It does not read pip's configuration. Where a machine has one and nothing that is uv's own, the indexes that it names are
//! passed on.

use camino::Utf8Path;
use fs_err as fs;

use crate::context::Context;
use crate::deploy::process::Process;
use crate::error::Result;

/// The program, and what it is told of pip's configuration.
#[derive(Clone, Debug)]
pub(super) struct Uv {
    /// Variables, since an index's address may hold a password: a command line is shown.
    variables: Vec<(&'static str, String)>,
    no_index: bool,
}

/// pip's settings with the variables by which uv takes the same.
const SETTINGS: [(&str, &str); 4] = [
    ("index-url", "UV_DEFAULT_INDEX"),
    ("extra-index-url", "UV_INDEX"),
    ("find-links", "UV_FIND_LINKS"),
    ("cert", "SSL_CERT_FILE"),
];

impl Uv {
    /// uv, where it is on the path. The pip of `python` tells its configuration; else that of the Python that runs us, as an
    /// environment that uv has made has none.
    pub(super) fn find(python: &Utf8Path, context: &Context) -> Option<Self> {
        let outcome = Process::new("uv")
            .args(["--version"])
            .outcome(context)
            .ok()?;
        if outcome.code != Some(0) {
            return None;
        }
        let configured = |name: &str| context.environment.non_empty(name).is_some();
        let own = [
            "UV_DEFAULT_INDEX",
            "UV_INDEX",
            "UV_INDEX_URL",
            "UV_EXTRA_INDEX_URL",
            "UV_FIND_LINKS",
            "UV_CONFIG_FILE",
        ];
        let mut uv = Self {
            variables: Vec::new(),
            no_index: false,
        };
        if !own.into_iter().any(configured) {
            let pythons = std::iter::once(python).chain(context.host.python.as_deref());
            let settings = pythons.into_iter().find_map(|python| {
                let pip = Process::new(python.as_str()).args(["-m", "pip", "config", "list"]);
                let outcome = pip.unshown_outcome(context).ok()?;
                (outcome.code == Some(0)).then_some(outcome.stdout)
            });
            uv.take_pip_settings(&settings.unwrap_or_default());
            uv.variables.retain(|(name, _)| !configured(name));
        }
        Some(uv)
    }

    /// Takes the lines of `pip config list`: `global.index-url='…'`, the variables last, which win.
    fn take_pip_settings(&mut self, text: &str) {
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let Some((section, key)) = key.rsplit_once('.') else {
                continue;
            };
            if !matches!(section, "global" | "install" | ":env:") {
                continue;
            }
            // Python's repr of a string, whose only escape that matters here is that of a new line.
            let value = value.trim().trim_matches(['\'', '"']).replace("\\n", " ");
            if key == "no-index" {
                self.no_index = matches!(value.as_str(), "1" | "true" | "True" | "yes" | "on");
                continue;
            }
            let Some((_, variable)) = SETTINGS.iter().find(|(name, _)| *name == key) else {
                continue;
            };
            // Several are separated by spaces, and by commas in UV_FIND_LINKS.
            let separator = if key == "find-links" { "," } else { " " };
            let words: Vec<&str> = value.split_whitespace().collect();
            self.variables.retain(|(name, _)| name != variable);
            self.variables.push((variable, words.join(separator)));
        }
    }

    /// Makes an environment; what is there was left by an interrupted run.
    pub(super) fn make(&self, folder: &Utf8Path, base: &Utf8Path, context: &Context) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        Process::new("uv")
            .args(["venv", "--no-project", "--python", base.as_str()])
            .args([folder.as_str()])
            .run(context)
            .map(|_| ())
    }

    /// The command that installs what is named behind it.
    pub(super) fn install(&self, python: &Utf8Path) -> Process {
        let process = Process::new("uv")
            .args(["pip", "install", "--python", python.as_str()])
            .variables(
                self.variables
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            );
        if self.no_index {
            process.args(["--no-index"])
        } else {
            process
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pips_indexes_are_passed_on() {
        let mut uv = Uv {
            variables: Vec::new(),
            no_index: false,
        };
        uv.take_pip_settings(
            "global.index-url='https://user:secret@example.org/simple'\n\
             global.timeout='60'\n\
             install.find-links='/one\\n/two'\n\
             download.no-index='true'\n\
             :env:.index-url='https://example.com/simple'\n",
        );
        assert_eq!(
            uv.variables,
            [
                ("UV_FIND_LINKS", "/one,/two".to_owned()),
                ("UV_DEFAULT_INDEX", "https://example.com/simple".to_owned()),
            ]
        );
        assert!(!uv.no_index);
        uv.take_pip_settings("global.no-index='true'\n");
        assert!(uv.no_index);
        let shown = uv.install(Utf8Path::new("python")).command_line();
        assert!(!shown.contains("example.com"), "{shown}");
    }
}
