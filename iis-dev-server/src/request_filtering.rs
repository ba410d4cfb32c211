//! What IIS refuses before any handler sees it: the request filtering of a default installation.
//!
//! *IIS configuration reference*, "Request Filtering `<requestFiltering>`", with the lists that the
//! `applicationHost.config` of IIS 10 comes with. An application with a page `/bin/x` or `/a+b` works under other
//! servers and not under IIS: better found here than there. Left out: changes of the section in configuration files.

/// Why IIS would refuse a path, with the sub-status that its log shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// 404.7
    #[error("files ending in `{extension}` are not served (IIS: 404.7, fileExtensions)")]
    FileExtension { extension: String },
    /// 404.8
    #[error("the segment `{segment}` is hidden (IIS: 404.8, hiddenSegments)")]
    HiddenSegment { segment: String },
    /// 404.11
    #[error("the path is encoded twice or contains `+` (IIS: 404.11, allowDoubleEscaping)")]
    DoubleEscaping,
}

impl Refused {
    /// The element of the configuration that would allow it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::FileExtension { .. } => {
                "rename it, or remove the extension from system.webServer/security/requestFiltering/fileExtensions"
            }
            Self::HiddenSegment { .. } => {
                "use another path, or remove the segment from system.webServer/security/requestFiltering/hiddenSegments"
            }
            Self::DoubleEscaping => {
                "write a space as %20, or set allowDoubleEscaping=\"true\" on system.webServer/security/requestFiltering"
            }
        }
    }
}

/// `hiddenSegments` of a default installation.
const HIDDEN_SEGMENTS: [&str; 8] = [
    "web.config",
    "bin",
    "App_code",
    "App_GlobalResources",
    "App_LocalResources",
    "App_WebReferences",
    "App_Data",
    "App_Browsers",
];

/// Those of `fileExtensions` of a default installation that a Python site can have.
const DENIED_EXTENSIONS: [&str; 30] = [
    ".asa",
    ".asax",
    ".ascx",
    ".master",
    ".skin",
    ".browser",
    ".sitemap",
    ".config",
    ".cs",
    ".csproj",
    ".vb",
    ".vbproj",
    ".webinfo",
    ".licx",
    ".resx",
    ".resources",
    ".mdb",
    ".vjsproj",
    ".java",
    ".jsl",
    ".ldb",
    ".ad",
    ".dd",
    ".ldd",
    ".sd",
    ".cd",
    ".adprototype",
    ".lddprototype",
    ".mdf",
    ".ldf",
];

/// Checks a decoded path and the path as it was sent.
pub(crate) fn check(path: &str, raw_path: &str) -> Result<(), Refused> {
    for segment in path.split('/') {
        if HIDDEN_SEGMENTS
            .iter()
            .any(|hidden| segment.eq_ignore_ascii_case(hidden))
        {
            return Err(Refused::HiddenSegment {
                segment: segment.to_owned(),
            });
        }
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    if let Some(dot) = name.rfind('.')
        && let Some(extension) = name.get(dot..)
        && DENIED_EXTENSIONS
            .iter()
            .any(|denied| extension.eq_ignore_ascii_case(denied))
    {
        return Err(Refused::FileExtension {
            extension: extension.to_owned(),
        });
    }
    let still_encoded = path.as_bytes().windows(3).any(|three| {
        matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    });
    if still_encoded || raw_path.contains('+') {
        return Err(Refused::DoubleEscaping);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_installation_refuses_these() {
        let table = [
            ("/", "", true),
            ("/bin", "404.8", false),
            ("/x/BIN/y", "404.8", false),
            ("/binary", "", true),
            ("/web.config", "404.8", false),
            ("/x/applicationHost.config", "404.7", false),
            ("/app_data/db.sqlite", "404.8", false),
            ("/a.cs", "404.7", false),
            ("/a.cs/b", "", true),
            ("/a.py", "", true),
            ("/%41", "404.11", false),
            ("/100%", "", true),
            ("/a+b", "404.11", false),
        ];
        for (path, status, allowed) in table {
            let result = check(path, path);
            assert_eq!(result.is_ok(), allowed, "{path}");
            if let Err(refused) = result {
                assert!(refused.to_string().contains(status), "{path}: {refused}");
                assert!(!refused.remedy().is_empty());
            }
        }
    }
}
