//! What differs in `fastCgi/application` between versions of IIS.
//!
//! *IIS configuration reference*, "FastCGI Application `<application>`", Compatibility and Attributes.

use core::time::Duration;

use super::FastCgiApplication;

/// A version of IIS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IisVersion {
    /// IIS 7.0: Windows Vista and Server 2008.
    V7_0,
    /// IIS 7.5: Windows 7 and Server 2008 R2.
    V7_5,
    /// IIS 8.0: Windows 8 and Server 2012.
    V8_0,
    /// IIS 8.5: Windows 8.1 and Server 2012 R2.
    V8_5,
    /// IIS 10: Windows 10, Server 2016 and later.
    V10_0,
}

impl IisVersion {
    /// Whether this version knows an attribute of `application`; `monitorChangesTo` and `stderrMode` came with IIS 7.5.
    #[must_use]
    pub fn has_fast_cgi_attribute(self, name: &str) -> bool {
        super::application::ATTRIBUTES.contains(&name)
            && (self >= Self::V7_5 || !matches!(name, "monitorChangesTo" | "stderrMode"))
    }
}

impl FastCgiApplication {
    /// An application with the defaults of a version: before IIS 8 there are 4 processes at most, and IIS 7.0 waits 30
    /// seconds for output.
    #[must_use]
    pub fn with_defaults_of(
        version: IisVersion,
        full_path: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        let mut application = Self::new(full_path, arguments);
        if version < IisVersion::V8_0 {
            application.max_instances = 4;
        }
        if version == IisVersion::V7_0 {
            application.activity_timeout = Duration::from_secs(30);
        }
        application
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ() {
        for (version, max_instances, activity, stderr_mode) in [
            (IisVersion::V7_0, 4, 30, false),
            (IisVersion::V7_5, 4, 70, true),
            (IisVersion::V8_0, 0, 70, true),
            (IisVersion::V10_0, 0, 70, true),
        ] {
            let application = FastCgiApplication::with_defaults_of(version, "p", "a");
            assert_eq!(application.max_instances, max_instances, "{version:?}");
            assert_eq!(application.activity_timeout.as_secs(), activity);
            assert_eq!(version.has_fast_cgi_attribute("stderrMode"), stderr_mode);
            assert!(version.has_fast_cgi_attribute("idleTimeout"));
            assert!(!version.has_fast_cgi_attribute("idletimeout"));
        }
    }
}
