//! `-enableRule` and `-disableRule`: Web Deploy's built-in rules.
//!
//! *Web Deploy Rules*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd568992(v=ws.10)>. Three of
//! them mean something where a package goes into a folder; the others concern IIS, its metabase or Windows itself, and
//! switching them is reported.

use spanned_xml::{Problem, nearest};

/// Which of the built-in rules are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncRules {
    /// `DoNotDeleteRule`: what is at the destination only stays there.
    pub do_not_delete: bool,
    /// `SkipNewerFilesRule`: a file that is newer at the destination stays.
    pub skip_newer_files: bool,
    /// `BlockHarmfulDeleteOperations` switched off: an empty source may empty the destination.
    pub allow_harmful_deletes: bool,
}

/// The other rules, with what each is about.
const OTHERS: [(&str, &str); 29] = [
    ("AboFilter", "IIS 6"),
    ("AnonymousUser", "IIS 6"),
    ("AppOffline", "a running IIS"),
    ("AppPoolIdentity", "IIS 6"),
    ("AppRootNormalize", "IIS 6"),
    (
        "BlockUnsupportedDeleteOperations",
        "objects other than files",
    ),
    ("ClassicAppPoolProtectRule", "application pools"),
    ("CreateApplicationRule", "applications of IIS"),
    ("CrossPlatformRule", "IIS of different releases"),
    ("DependencyCheckAppPoolExists", "application pools"),
    ("DependencyCheckFailOnError", "dependencies of IIS"),
    ("DependencyCheckFailOnWarning", "dependencies of IIS"),
    ("DependencyCheckInUse", "dependencies of IIS"),
    ("EncryptWebConfig", "ASP.NET"),
    ("EnvironmentVariableNormalize", "paths of Windows"),
    ("IISConfigFrom64To32", "IIS configuration"),
    ("IISSchemaDifferenceRule", "IIS configuration"),
    ("IgnoreConfigInheritanceRule", "IIS configuration"),
    (
        "IgnoreFileLastWriteTime",
        "times of folders, which are never compared",
    ),
    ("MetakeyToIIS6", "IIS 6"),
    ("Parameterization", "parameters, which are always applied"),
    ("SchemaSection", "IIS configuration"),
    ("SkipInvalidSource", "sources other than packages"),
    ("SkipUNC", "network folders of Windows"),
    ("SyncGeneral", "IIS 6"),
    ("SyncXP", "Windows XP"),
    ("UrlScanSkipIncompat", "UrlScan"),
    ("WarnForEncryptedDataRule", "ASP.NET"),
    ("XpIsapis", "Windows XP"),
];

impl SyncRules {
    /// Switches a rule on (`-enableRule`) or off (`-disableRule`); a warning where that changes nothing here.
    ///
    /// # Errors
    ///
    /// `sync-rule-unknown` for a name that no built-in rule has.
    pub fn switch(&mut self, name: &str, on: bool) -> Result<Option<Problem>, Problem> {
        let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
        if is("DoNotDeleteRule") {
            self.do_not_delete = on;
        } else if is("SkipNewerFilesRule") {
            self.skip_newer_files = on;
        } else if is("BlockHarmfulDeleteOperations") {
            self.allow_harmful_deletes = !on;
        } else if let Some((known, about)) = OTHERS.iter().find(|(known, _)| is(known)) {
            return Ok(Some(
                Problem::warning(
                    "sync-rule-without-effect",
                    format!(
                        "the rule `{known}` is about {about}: switching it changes nothing here"
                    ),
                )
                .help("use msdeploy on Windows where it matters"),
            ));
        } else {
            let known = OTHERS.iter().map(|(known, _)| *known).chain([
                "DoNotDeleteRule",
                "SkipNewerFilesRule",
                "BlockHarmfulDeleteOperations",
            ]);
            let problem = Problem::error(
                "sync-rule-unknown",
                format!("Web Deploy has no rule `{}`", name.trim()),
            );
            return Err(match nearest(name.trim(), known, 1).first() {
                Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
                None => problem.help("those that matter here are `DoNotDeleteRule`, `SkipNewerFilesRule` and `BlockHarmfulDeleteOperations`"),
            });
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches() {
        let mut rules = SyncRules::default();
        assert_eq!(rules.switch("donotdeleterule", true), Ok(None));
        assert!(rules.do_not_delete);
        assert_eq!(rules.switch("DoNotDeleteRule", false), Ok(None));
        assert_eq!(rules.switch("SkipNewerFilesRule", true), Ok(None));
        assert_eq!(
            rules.switch("BlockHarmfulDeleteOperations", false),
            Ok(None)
        );
        assert!(!rules.do_not_delete && rules.skip_newer_files && rules.allow_harmful_deletes);
        let warning = rules.switch("AppOffline", true).unwrap().unwrap();
        assert_eq!(warning.code, "sync-rule-without-effect");
        let error = rules.switch("DoNotDelete", true).unwrap_err();
        assert_eq!(
            error.help.as_deref(),
            Some("did you mean `DoNotDeleteRule`?")
        );
    }
}
