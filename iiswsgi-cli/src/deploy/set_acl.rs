//! Web Deploy's setAcl provider: permissions of a folder or file of the application, given with Windows' own icacls.
//!
//! *Web Deploy setAcl Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569123(v=ws.10)>.

use camino::{Utf8Path, Utf8PathBuf};
use msdeploy_pkg::Provider;

use crate::context::Context;
use crate::deploy::process::Process;
use crate::error::{Error, Result};

/// Gives the permission, on Windows.
///
/// # Errors
///
/// An access right that is not known, a path outside of the application, or icacls fails.
pub(crate) fn apply(
    provider: &Provider,
    application: &str,
    folder: &Utf8Path,
    context: &Context,
) -> Result<()> {
    let path = path_of(&provider.path, application, folder)?;
    let setting = |name: &str| provider.setting(name).unwrap_or_default();
    let grant = grant(
        setting("setAclAccess"),
        setting("setAclUser"),
        !setting("setAclResourceType").eq_ignore_ascii_case("File"),
    )?;
    Process::new("icacls")
        .args([path.as_str(), "/grant", grant.as_str(), "/Q"])
        .run(context)
        .map(|_| ())
}

/// Where the provider's path, which is one of the package, is in the application's folder.
fn path_of(path: &str, application: &str, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let plain = |path: &str| path.replace('\\', "/").trim_matches('/').to_owned();
    let (path, application) = (plain(path), plain(application));
    let inside = path
        .get(..application.len())
        .filter(|start| start.eq_ignore_ascii_case(&application))
        .and_then(|_| path.get(application.len()..))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .filter(|rest| !rest.split('/').any(|part| part == ".."));
    inside
        .map(|rest| {
            rest.split('/')
                .filter(|part| !part.is_empty())
                .fold(folder.to_owned(), |path, part| path.join(part))
        })
        .ok_or_else(|| {
            Error::new(format!("setAcl: `{path}` is not in the application `{application}`"))
                .help("skip the provider with `--skip objectName=setAcl`, and set the permission yourself")
        })
}

/// What icacls takes for `USER:PERMISSIONS`: read access for IIS's worker processes unless the package says otherwise.
fn grant(access: &str, user: &str, inherited: bool) -> Result<String> {
    let rights = access
        .split([',', ';'])
        .map(str::trim)
        .filter(|right| !right.is_empty())
        .map(|right| {
            RIGHTS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(right))
                .map(|(_, letter)| *letter)
                .ok_or_else(|| {
                    let known: Vec<&str> = RIGHTS.iter().map(|(name, _)| *name).collect();
                    Error::new(format!("setAcl: `{right}` is no access right"))
                        .help(format!("the rights are {}", known.join(", ")))
                })
        })
        .collect::<Result<Vec<_>>>()?;
    let rights = if rights.is_empty() {
        "R".to_owned()
    } else {
        rights.join(",")
    };
    let user = match user {
        "" => "IIS_IUSRS",
        user if user.eq_ignore_ascii_case("anonymousAuthenticationUser") => "IUSR",
        user => user,
    };
    let inheritance = if inherited { "(OI)(CI)" } else { "" };
    Ok(format!("{user}:{inheritance}({rights})"))
}

/// .NET's `FileSystemRights` with the letters of icacls.
const RIGHTS: [(&str, &str); 9] = [
    ("Delete", "D"),
    ("FullControl", "F"),
    ("ListDirectory", "RD"),
    ("Modify", "M"),
    ("None", "N"),
    ("Read", "R"),
    ("ReadAndExecute", "RX"),
    ("ReadPermissions", "RC"),
    ("Write", "W"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_in_the_words_of_icacls() {
        for (access, user, inherited, expected) in [
            ("", "", true, Some("IIS_IUSRS:(OI)(CI)(R)")),
            (
                "Modify",
                "anonymousAuthenticationUser",
                true,
                Some("IUSR:(OI)(CI)(M)"),
            ),
            (
                "read, WRITE",
                r"DOMAIN\user",
                false,
                Some(r"DOMAIN\user:(R,W)"),
            ),
            ("Everything", "", true, None),
        ] {
            let found = grant(access, user, inherited);
            assert_eq!(found.ok().as_deref(), expected, "{access}");
        }
    }

    #[test]
    fn paths_stay_in_the_application() {
        for (path, expected) in [
            ("App", Some("site/app")),
            (r"app\data/db", Some("site/app/data/db")),
            ("Application", None),
            ("App/../..", None),
            ("Other", None),
        ] {
            let found = path_of(path, "App", Utf8Path::new("site/app")).ok();
            assert_eq!(
                found
                    .map(|path| path.as_str().replace('\\', "/"))
                    .as_deref(),
                expected,
                "{path}"
            );
        }
    }
}
