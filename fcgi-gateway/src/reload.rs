//! Noticing that an application's files have changed.
//!
//! The files are looked at again and again, rather than that the operating system is asked to tell: sites of IIS often lie on
//! network shares, which tell nothing, and an editor that replaces a file is seen in the same way as one that writes it. A look
//! takes at most a tenth of the time, however slow the share is.
//!
//! wfastcgi watched the application's folder for names that a regular expression matches, the variable
//! `WSGI_RESTART_FILE_REGEX` (wfastcgi 3.0.0's description, "Additional Configuration"), and ended its process at
//! once. Here the running requests are finished first.

#[cfg(any(test, feature = "python"))]
#[cfg_attr(
    not(feature = "python"),
    expect(dead_code, reason = "what is loaded anew is Python")
)]
mod watcher;

use camino::Utf8PathBuf;

#[cfg(feature = "python")]
pub(crate) use self::watcher::{Watcher, Watching};

/// What has the application loaded anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reload {
    /// Whether the files that the application was loaded from are watched, and the [`roots`](Self::roots). Default: no.
    pub enabled: bool,
    /// Folders whose files are watched, with the folders in them, but for those that begin with a dot and `__pycache__`,
    /// `node_modules` and `site-packages`. Default: the application's folder.
    pub roots: Vec<Utf8PathBuf>,
    /// Which files of the folders: a regular expression for the beginning of the path below the folder. Default:
    /// `.*((\.py)|(\.config))$`, wfastcgi's.
    pub pattern: Option<String>,
    /// Single files, watched even where [`enabled`](Self::enabled) is not set: whoever deploys touches one at the end.
    pub files: Vec<Utf8PathBuf>,
}

/// The variable that wfastcgi has for [`Reload::pattern`].
const VARIABLE: &str = "WSGI_RESTART_FILE_REGEX";

impl Reload {
    /// With what wfastcgi's variable says: where it is set, files are watched; where it is empty, only if the options say
    /// so.
    #[must_use]
    pub fn or_environment(mut self, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        if let Some(pattern) = variable(VARIABLE).filter(|pattern| !pattern.is_empty()) {
            self.enabled = true;
            self.pattern.get_or_insert(pattern);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wfastcgis_variable_is_honoured() {
        let environment = |value: Option<&'static str>| move |_: &str| value.map(str::to_owned);
        let found = |value| Reload::default().or_environment(&environment(value));
        assert!(!found(None).enabled);
        assert!(!found(Some("")).enabled);
        assert_eq!(found(Some("x")).pattern.as_deref(), Some("x"));
        assert!(found(Some("x")).enabled);
        let named = Reload {
            pattern: Some("y".to_owned()),
            ..Reload::default()
        };
        assert_eq!(
            named
                .or_environment(&environment(Some("x")))
                .pattern
                .as_deref(),
            Some("y")
        );
        assert!(Reload::default().watcher("/".into()).unwrap().is_none());
        let error = found(Some("(?=x)")).watcher("/nowhere".into()).unwrap_err();
        assert!(error.to_string().contains("`(?=x)`"), "{error}");
    }
}
