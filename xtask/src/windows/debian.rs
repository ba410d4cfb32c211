//! Packages of any release of Debian, unpacked without being installed.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::folder;
use crate::run::{Result, Step};
use crate::workspace::root;

/// The keys of all releases, which apt holds the archive to.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Unpacks packages of a suite, each a name that may have `=version` behind it, into a folder that is made.
///
/// apt downloads them, from the archive that it is configured for, with its proxies and its signatures.
pub(super) fn unpack(suite: &str, packages: &[&str], to: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let folder = folder().join("debian").join(suite);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    for private in ["archives/partial", "lists/partial", "packages"] {
        fs::create_dir_all(folder.join(private)).map_err(failed)?;
    }
    let sources = folder.join("sources.list");
    fs::write(
        &sources,
        format!("deb [signed-by={KEYS}] {} {suite} main\n", archive()?),
    )
    .map_err(failed)?;
    let downloads = folder.join("packages");
    let apt = |arguments: &[&str]| {
        let options = [
            format!("Dir::Etc::SourceList={sources}"),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State::Lists={}", folder.join("lists")),
            format!("Dir::Cache={folder}"),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Retries=3".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        Step::new("apt-get", &downloads)
            .args(["-q"])
            .args(options.map(|option| format!("--option={option}")))
            .args(arguments.iter().copied())
            .run()
    };
    // Without it apt takes an archive that it cannot reach for one that has not changed.
    apt(&["--option=APT::Update::Error-Mode=any", "update"])?;
    apt(&[&["download"], packages].concat())?;
    for entry in downloads.read_dir_utf8().map_err(failed)? {
        let package: Utf8PathBuf = entry.map_err(failed)?.into_path();
        Step::new("dpkg", &root())
            .args(["-x", package.as_str(), to.as_str()])
            .run()?;
    }
    fs::remove_dir_all(&folder).map_err(failed)
}

/// The address of Debian's archive that apt is configured for.
fn archive() -> Result<String> {
    let addresses = Step::new("apt-get", &root())
        .args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
        ])
        .quiet_output()?;
    addresses
        .lines()
        .map(|address| address.trim().trim_end_matches('/'))
        .find(|address| address.ends_with("/debian"))
        .map(str::to_owned)
        .ok_or_else(|| {
            "apt is not configured for Debian's archive: run `apt-get update` first".to_owned()
        })
}
