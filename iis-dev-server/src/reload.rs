//! The configuration as the files say it now.
//!
//! IIS notices a change of its configuration files and applies it to the next request. So does this: before each
//! request the files' dates and lengths are compared with those of the last reading. A change that cannot be read is
//! answered with a page, as IIS answers it with 500.19, until the file is mended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::Error;
use crate::config::{Configuration, load_with};

/// A configuration and the number of its reading.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) configuration: Arc<Configuration>,
    /// Counts the readings: what was derived from an earlier one may be out of date.
    pub(crate) reading: u64,
}

/// Reads the configuration again when its files have changed.
#[derive(Debug)]
pub(crate) struct Reloader {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Current,
    files: Vec<(Utf8PathBuf, Option<Stamp>)>,
    /// Why the files cannot be read as they are now.
    error: Option<Arc<Error>>,
}

/// What tells a file from its earlier self.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
}

impl Stamp {
    /// `None` if there is no such file.
    fn of(path: &Utf8Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            len: metadata.len(),
        })
    }
}

impl Reloader {
    pub(crate) fn new(configuration: Configuration) -> Self {
        let files = stamps(&configuration);
        let current = Current {
            configuration: Arc::new(configuration),
            reading: 0,
        };
        Self {
            state: Mutex::new(State {
                current,
                files,
                error: None,
            }),
        }
    }

    /// The configuration as the files say it now, or why they cannot be read.
    pub(crate) fn current(&self) -> Result<Current, Arc<Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = state
            .files
            .iter()
            .any(|(path, stamp)| Stamp::of(path) != *stamp);
        if changed {
            // Taken before reading: a change in between is noticed the next time.
            for (path, stamp) in &mut state.files {
                *stamp = Stamp::of(path);
            }
            let known = &state.current.configuration;
            match load_with(&known.folder, known.given_environment.iter().cloned()) {
                Ok(configuration) => {
                    for problems in &configuration.warnings {
                        tracing::warn!("{problems}");
                    }
                    tracing::info!("the configuration has changed and was read again");
                    let mut files = stamps(&configuration);
                    for (path, stamp) in &mut files {
                        if let Some((_, before)) =
                            state.files.iter().find(|(known, _)| known == path)
                        {
                            *stamp = *before;
                        }
                    }
                    state.files = files;
                    state.current.configuration = Arc::new(configuration);
                    state.current.reading += 1;
                    state.error = None;
                }
                Err(error) => state.error = Some(Arc::new(error)),
            }
        }
        match &state.error {
            Some(error) => Err(Arc::clone(error)),
            None => Ok(state.current.clone()),
        }
    }
}

/// The files that make a configuration, also those that are not there yet.
fn stamps(configuration: &Configuration) -> Vec<(Utf8PathBuf, Option<Stamp>)> {
    let applications = configuration
        .sites
        .iter()
        .flat_map(|site| &site.applications);
    let web_configs = applications.map(|application| {
        application
            .web_config
            .clone()
            .unwrap_or_else(|| application.physical_path.join("web.config"))
    });
    let files = configuration
        .application_host
        .iter()
        .cloned()
        .chain(web_configs);
    files
        .map(|path| {
            let stamp = Stamp::of(&path);
            (path, stamp)
        })
        .collect()
}
