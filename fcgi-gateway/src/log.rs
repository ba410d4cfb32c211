//! Where the log goes, and opening it before anything else can fail.
//!
//! IIS swallows whatever a FastCGI process says while it starts, so the log must be found without any configuration. The
//! places are those of iiswsgi 0.3, the first writable one is taken:
//! 1. what the caller names, or else the variable `WSGI_LOG`, as wfastcgi has it;
//! 2. `%IIS_USER_HOME%\Logs\%IISEXPRESS_SITENAME%\iiswsgi.log`;
//! 3. `%IIS_USER_HOME%\Logs\iiswsgi.log`;
//! 4. `%TEMP%\iiswsgi.log` (on Unix also `TMPDIR`, and `/tmp`);
//! 5. `\iiswsgi.log`, the root.
//!
//! Each line is written with one call on a file opened for appending, so that several processes can share it.

#[cfg(windows)]
mod event_log;
mod file;

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, PoisonError, RwLock};

use camino::{Utf8Path, Utf8PathBuf};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry, fmt};

pub use self::file::{LineWriter, LogFile, Rotation};
use crate::Error;

/// The target of events for the file alone.
const FATAL: &str = "fatal";

const FILE_NAME: &str = "iiswsgi.log";

/// What to log, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The file; `None` looks for a place.
    pub file: Option<Utf8PathBuf>,
    /// The least important level, `error`, `warn`, `info`, `debug` or `trace`; or several, as `info,fcgi_gateway=debug`.
    /// Default `info`.
    pub level: Option<String>,
    /// One JSON object a line rather than text.
    pub json: bool,
    /// When the file is replaced by a new one.
    pub rotation: Rotation,
    /// Whether to log to standard error as well. Default: where it is a terminal.
    pub stderr: Option<bool>,
}

/// The file that the log is in at the moment.
#[derive(Clone, Debug)]
pub struct CurrentFile(Arc<RwLock<LogFile>>);

impl CurrentFile {
    fn new(file: LogFile) -> Self {
        Self(Arc::new(RwLock::new(file)))
    }

    /// The file.
    #[must_use]
    pub fn get(&self) -> LogFile {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, file: LogFile) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = file;
    }
}

impl<'w> fmt::MakeWriter<'w> for CurrentFile {
    type Writer = LineWriter;

    fn make_writer(&'w self) -> Self::Writer {
        self.get().make_writer()
    }
}

/// The log, as long as this is kept.
#[derive(Debug)]
pub struct LogGuard {
    file: Option<CurrentFile>,
    refused: Vec<(Utf8PathBuf, io::Error)>,
    stderr: bool,
}

impl LogGuard {
    /// The file that was opened; `None` where no place is writable.
    #[must_use]
    pub fn path(&self) -> Option<Utf8PathBuf> {
        self.file.as_ref()?.get().path().map(Utf8Path::to_owned)
    }

    /// The file itself, to have it opened again.
    #[must_use]
    pub const fn file(&self) -> Option<&CurrentFile> {
        self.file.as_ref()
    }

    /// Has everything from now on go to the file at `path`, where it can be written; otherwise the log says so, and stays
    /// where it is.
    pub fn move_to(&self, path: &Utf8Path, rotation: Rotation) {
        let path = native(path.as_str());
        let Some(current) = &self.file else {
            return;
        };
        if self.path().as_ref() == Some(&path) {
            return;
        }
        match LogFile::open(&path, rotation) {
            Ok(file) => {
                tracing::info!(%path, "the log goes on in another file");
                current.set(file);
            }
            Err(error) => tracing::warn!(%path, %error, "not a place for the log"),
        }
    }

    /// Puts the failure that ends the process into the file. Telling the person at a terminal is the program's part, so it does
    /// not go to standard error.
    ///
    /// On Windows it goes to the event log too where there is no terminal.
    pub fn fatal(&self, message: &str) {
        tracing::error!(target: FATAL, "{message}");
        #[cfg(windows)]
        if !self.stderr
            && let Err(error) = event_log::report(message)
        {
            tracing::warn!(%error, "the event log does not take it");
        }
    }
}

/// Opens the log and sends the events of this process there.
///
/// That no place is writable is no error, since serving matters more: see [`LogGuard::path`]. Where the program has set up
/// `tracing` itself, its subscriber stays.
///
/// # Errors
/// [`Error::LogLevel`].
pub fn init(options: &Options) -> Result<LogGuard, Error> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (file, refused) = open_first(places(options.file.as_deref(), &variable), options.rotation);
    let stderr = options.stderr.unwrap_or_else(|| io::stderr().is_terminal());
    let guard = LogGuard {
        file: file.map(CurrentFile::new),
        refused,
        stderr,
    };
    let installed = install(options, &guard)?;
    if installed {
        for (path, error) in &guard.refused {
            tracing::warn!(%path, %error, "not a place for the log");
        }
    }
    Ok(guard)
}

fn install(options: &Options, guard: &LogGuard) -> Result<bool, Error> {
    let level = options.level.as_deref().unwrap_or("info");
    let malformed = |message: String| Error::LogLevel {
        level: level.to_owned(),
        message,
    };
    let filter = || {
        EnvFilter::builder()
            .with_default_directive(LevelFilter::INFO.into())
            .parse(level)
            .map_err(|error| malformed(error.to_string()))
    };
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    if let Some(file) = &guard.file {
        layers.push(layer(options.json, file.clone(), filter()?));
    }
    if guard.stderr {
        layers.push(layer(
            options.json,
            io::stderr,
            filter()?.and(filter_fn(|event| event.target() != FATAL)),
        ));
    }
    let subscriber: Box<dyn Subscriber + Send + Sync> = Box::new(Registry::default().with(layers));
    Ok(tracing::subscriber::set_global_default(subscriber).is_ok())
}

fn layer<W>(
    json: bool,
    writer: W,
    filter: impl Filter<Registry> + Send + Sync + 'static,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer()
        .with_ansi(false)
        // It would tell standard error, and panic where that is gone.
        .log_internal_errors(false)
        .with_writer(writer);
    if json {
        layer.json().flatten_event(true).with_filter(filter).boxed()
    } else {
        layer.with_filter(filter).boxed()
    }
}

/// The places for the log, best first: the first that can be written to is used. `named` is [`Options::file`], `variable`
/// gives environment variables that are set and not empty.
#[must_use]
pub fn places(
    named: Option<&Utf8Path>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Vec<Utf8PathBuf> {
    let folder = |name: &str| variable(name).map(|folder| native(&folder));
    let mut places = Vec::new();
    places.extend(named.map(Utf8Path::to_owned).or_else(|| folder("WSGI_LOG")));
    if let Some(home) = folder("IIS_USER_HOME") {
        let logs = home.join("Logs");
        places.extend(variable("IISEXPRESS_SITENAME").map(|site| logs.join(site).join(FILE_NAME)));
        places.push(logs.join(FILE_NAME));
    }
    for name in ["TEMP", "TMP", "TMPDIR"] {
        places.extend(folder(name).map(|folder| folder.join(FILE_NAME)));
    }
    if cfg!(unix) {
        places.push(Utf8Path::new("/tmp").join(FILE_NAME));
    }
    places.push(Utf8Path::new(std::path::MAIN_SEPARATOR_STR).join(FILE_NAME));
    places.dedup();
    places
}

/// A path that may be spelled for Windows, as this system spells it.
fn native(path: &str) -> Utf8PathBuf {
    if cfg!(windows) {
        path.into()
    } else {
        path.replace('\\', "/").into()
    }
}

type Opened = (Option<LogFile>, Vec<(Utf8PathBuf, io::Error)>);

/// Opens the first place that can be written to, and says of those before it why not.
fn open_first(places: Vec<Utf8PathBuf>, rotation: Rotation) -> Opened {
    let mut refused = Vec::new();
    for path in places {
        match LogFile::open(&path, rotation) {
            Ok(file) => return (Some(file), refused),
            Err(error) => refused.push((path, error)),
        }
    }
    (None, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_those_of_the_description_in_its_order() {
        // (named, environment, places in front of /tmp and the root)
        type Case<'c> = (Option<&'c str>, &'c [(&'c str, &'c str)], &'c [&'c str]);
        let table: [Case<'_>; 6] = [
            (None, &[], &[]),
            (None, &[("TMPDIR", "/var/tmp")], &["/var/tmp/iiswsgi.log"]),
            (
                None,
                &[
                    ("IIS_USER_HOME", "/srv/iis"),
                    ("IISEXPRESS_SITENAME", "My Site"),
                    ("TEMP", "/t"),
                ],
                &[
                    "/srv/iis/Logs/My Site/iiswsgi.log",
                    "/srv/iis/Logs/iiswsgi.log",
                    "/t/iiswsgi.log",
                ],
            ),
            (None, &[("IISEXPRESS_SITENAME", "s")], &[]),
            (
                None,
                &[("IIS_USER_HOME", "\\srv\\iis"), ("WSGI_LOG", "/l/w.log")],
                &["/l/w.log", "/srv/iis/Logs/iiswsgi.log"],
            ),
            (Some("x.log"), &[("WSGI_LOG", "/l/w.log")], &["x.log"]),
        ];
        for (named, environment, expected) in table {
            let variable = |name: &str| {
                environment
                    .iter()
                    .find(|(found, _)| *found == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            let mut expected: Vec<_> = expected.iter().map(Utf8PathBuf::from).collect();
            expected.extend(cfg!(unix).then(|| "/tmp/iiswsgi.log".into()));
            expected.push("/iiswsgi.log".into());
            assert_eq!(
                places(named.map(Utf8Path::new), &variable),
                expected,
                "{environment:?}"
            );
        }
    }

    #[test]
    fn the_first_writable_place_is_taken_and_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::write(folder.join("file"), "").unwrap();
        let good = folder.join("Logs/site/iiswsgi.log");
        for round in 1..=2 {
            let places = vec![
                folder.join("file/iiswsgi.log"),
                good.clone(),
                folder.join("never/iiswsgi.log"),
            ];
            let (file, refused) = open_first(places, Rotation::default());
            let file = file.unwrap();
            assert_eq!(file.path(), Some(&*good));
            assert_eq!(refused.len(), 1);
            file.write(b"line\n");
            assert_eq!(
                fs_err::read_to_string(&good).unwrap(),
                "line\n".repeat(round)
            );
        }
        assert!(!folder.join("never").exists());
    }

    #[test]
    fn a_log_is_moved_unless_the_place_is_not_writable() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let [first, second] = ["first.log", "sub/second.log"].map(|name| folder.join(name));
        let file = LogFile::open(&first, Rotation::default()).unwrap();
        let guard = LogGuard {
            file: Some(CurrentFile::new(file)),
            refused: Vec::new(),
            stderr: false,
        };
        let write = |line: &str| guard.file().unwrap().get().write(line.as_bytes());
        write("one\n");
        guard.move_to(&first.join("impossible"), Rotation::default());
        write("two\n");
        guard.move_to(&second, Rotation::default());
        guard.move_to(&second, Rotation::default());
        write("three\n");
        let read = |path: &Utf8Path| fs_err::read_to_string(path).unwrap();
        assert_eq!(read(&first), "one\ntwo\n");
        assert_eq!(read(&second), "three\n");
        assert_eq!(guard.path(), Some(second));
    }

    #[test]
    fn a_malformed_level_is_an_error() {
        let mut options = Options {
            file: None,
            level: Some("fcgi_gateway=loud".to_owned()),
            json: false,
            rotation: Rotation::default(),
            stderr: Some(true),
        };
        let guard = LogGuard {
            file: None,
            refused: Vec::new(),
            stderr: true,
        };
        let error = install(&options, &guard).unwrap_err();
        assert!(error.to_string().contains("`fcgi_gateway=loud`"), "{error}");
        options.level = Some("warn".to_owned());
        assert!(install(&options, &guard).is_ok());
    }
}
