//! `installer`: how a product is fetched and installed, one for each combination of language and architecture.
//!
//! *Web Platform Installer Feed Reference*, "installer Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424355(v=ws.10)>, and the pages on `installCommands` and the
//! commands. The contents of `msDeploy/parameters` and `supportedFrameworks` are documented nowhere: they are kept as they
//! are.

use spanned_xml::TreeElement;

use crate::element::{Item, Model, element};
use crate::extension::Sink;
use crate::{Architecture, List, OsList, Rest, Text};

/// `installer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installer {
    /// `id`: unique among the installers of an entry.
    pub id: String,
    /// `languageId`: the language of what is installed.
    pub language_id: Option<String>,
    /// `architectures` it can be installed on; none means any.
    pub architectures: List<Architecture>,
    /// `osList`: versions of Windows it can be installed on; none means any.
    pub os_list: Option<OsList>,
    /// `eulaURL`: the licence.
    pub eula_url: Option<String>,
    /// `relativeEulaURL`.
    pub relative_eula_url: Option<String>,
    /// `installerFile`: what is fetched.
    pub installer_file: Option<InstallerFile>,
    /// `iisComponent`: a feature of Windows to switch on.
    pub iis_component: Option<Box<IisComponent>>,
    /// `installCommands`: what is run.
    pub install_commands: Option<List<InstallCommand>>,
    /// `msDeploy`: the file is a Web Deploy package.
    pub ms_deploy: Option<MsDeploy>,
    /// `logFiles`: `location`s of the logs that the installation writes.
    pub log_files: List<String>,
    /// `helpLink`: where users find help.
    pub help_link: Option<String>,
    /// `showsUI`: the installation opens a window.
    pub shows_ui: Option<String>,
    /// `postFinish`: what is offered to be started afterwards.
    pub post_finish: List<PostFinishCommand>,
    /// `installPage`: a page shown during the installation.
    pub install_page: Option<Box<InstallPage>>,
    /// `invalidPasswordChars`.
    pub invalid_password_chars: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Installer, "installer" {} [
    "id" => id,
    "languageId" => language_id,
    "architectures" => architectures,
    "osList" => os_list,
    "eulaURL" => eula_url,
    "relativeEulaURL" => relative_eula_url,
    "installerFile" => installer_file,
    "iisComponent" => iis_component,
    "installCommands" => install_commands,
    "msDeploy" => ms_deploy,
    "logFiles/location" => log_files,
    "helpLink" => help_link,
    "showsUI" => shows_ui,
    "postFinish" => post_finish,
    "installPage" => install_page,
    "invalidPasswordChars" => invalid_password_chars,
]);

/// `installerFile`: what is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstallerFile {
    /// `fileSize` in KB, rounded up; 0 means unknown.
    pub file_size: Option<u64>,
    /// `installerURL`: where the file is; `http:`, `https:` or `file:`, or a path.
    pub installer_url: String,
    /// `relativeInstallerURL`: where the file is relative to the feed, in an offline copy.
    pub relative_installer_url: Option<String>,
    /// `trackingURL`: requested after the installation, for statistics.
    pub tracking_url: Option<String>,
    /// `displayURL`: what people are shown instead of the URL.
    pub display_url: Option<String>,
    /// `sha1` of the file's octets, 40 hexadecimal digits in either case.
    pub sha1: Option<String>,
    /// `downloadedLocation`: the file's name in an offline copy.
    pub downloaded_location: Option<String>,
    /// `trustVerified`: the file's signature has been checked.
    pub trust_verified: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(InstallerFile, "installerFile" {} [
    "fileSize" => file_size,
    "installerURL" => installer_url,
    "relativeInstallerURL" => relative_installer_url,
    "trackingURL" => tracking_url,
    "displayURL" => display_url,
    "sha1" => sha1,
    "downloadedLocation" => downloaded_location,
    "trustVerified" => trust_verified,
]);

impl InstallerFile {
    /// Whether a file of `octets` is in agreement with `fileSize`, which counts KB: rounded down, to the nearest or up.
    ///
    /// Feeds written by hand often hold the size in octets, and 0 for unknown; both agree too.
    #[must_use]
    pub fn size_agrees(&self, octets: u64) -> bool {
        match self.file_size {
            None | Some(0) => true,
            Some(size) => {
                size == octets / 1024
                    || size == octets.div_ceil(1024)
                    || size == octets
                    || (size == 1 && octets < 1024)
            }
        }
    }

    /// Whether `digest`, in hexadecimal, is the file's `sha1`; true where the feed has none.
    #[must_use]
    pub fn sha1_agrees(&self, digest: &str) -> bool {
        self.sha1
            .as_deref()
            .is_none_or(|sha1| sha1.trim().eq_ignore_ascii_case(digest))
    }
}

/// `iisComponent`: a feature of Windows, by the name it has for each version of IIS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IisComponent {
    /// `iis70ComponentName`: IIS 7.0 and later, `IIS-CGI` for example.
    pub iis70_component_name: Option<String>,
    /// `iis60ComponentName`.
    pub iis60_component_name: Option<String>,
    /// `iis51ComponentName`.
    pub iis51_component_name: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(IisComponent, "iisComponent" {} [
    "iis70ComponentName" => iis70_component_name,
    "iis60ComponentName" => iis60_component_name,
    "iis51ComponentName" => iis51_component_name,
]);

/// `msDeploy`: the file is a Web Deploy package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsDeploy {
    /// `startPage`: the path, under the application, that the browser is opened with.
    pub start_page: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(MsDeploy, "msDeploy" {} [ "startPage" => start_page ]);

/// A command inside `installCommands`. Other commands are kept in the list's [`Rest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallCommand {
    /// `cmdline`; WebPI also took `cmdLine`.
    Cmdline(Cmdline),
    /// `msiInstall`.
    MsiInstall(MsiInstall),
    /// `msuInstall`: the path of a Windows update package, in `msu`.
    MsuInstall(MsuInstall),
    /// `unzip`.
    Unzip(Unzip),
}

impl Item for InstallCommand {
    fn read_item(element: TreeElement<'_, '_>) -> Option<Self> {
        if element.is(Cmdline::NAME) {
            Some(Self::Cmdline(Cmdline::read(element)))
        } else if element.is(MsiInstall::NAME) {
            Some(Self::MsiInstall(MsiInstall::read(element)))
        } else if element.is(MsuInstall::NAME) {
            Some(Self::MsuInstall(MsuInstall::read(element)))
        } else if element.is(Unzip::NAME) {
            Some(Self::Unzip(Unzip::read(element)))
        } else {
            None
        }
    }

    fn write_item(&self, out: &mut dyn Sink) {
        match self {
            Self::Cmdline(command) => command.write_item(out),
            Self::MsiInstall(command) => command.write_item(out),
            Self::MsuInstall(command) => command.write_item(out),
            Self::Unzip(command) => command.write_item(out),
        }
    }
}

/// `cmdline`: a program. `%InstallerFile%`, `%InstallerDir%` and environment variables are expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cmdline {
    /// `exe`: the program.
    pub exe: String,
    /// `commandLineArguments`, one string.
    pub command_line_arguments: Option<String>,
    /// `offlineArguments`: those of an installation from an offline copy.
    pub offline_arguments: Option<String>,
    /// `ignoreExitCode`: `true` or `false`.
    pub ignore_exit_code: Option<String>,
    /// `returnCodeMappings`: what the program's exit codes mean.
    pub return_code_mappings: List<ReturnCodeMapping>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Cmdline, "cmdline" {} [
    "exe" => exe,
    "commandLineArguments" => command_line_arguments,
    "offlineArguments" => offline_arguments,
    "ignoreExitCode" => ignore_exit_code,
    "returnCodeMappings" => return_code_mappings,
]);

/// `msiInstall`: a Windows Installer package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsiInstall {
    /// `msi`: the package.
    pub msi: String,
    /// `properties`: `NAME=VALUE` pairs.
    pub properties: Option<String>,
    /// `commandLineArguments`, one string.
    pub command_line_arguments: Option<String>,
    /// `returnCodeMappings`: what the exit codes mean.
    pub return_code_mappings: List<ReturnCodeMapping>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(MsiInstall, "msiInstall" {} [
    "msi" => msi,
    "properties" => properties,
    "commandLineArguments" => command_line_arguments,
    "returnCodeMappings" => return_code_mappings,
]);

/// `msuInstall`: a Windows update package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsuInstall {
    /// `msu`: the package.
    pub msu: String,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(MsuInstall, "msuInstall" {} [ "msu" => msu ]);

/// `unzip`: an archive to unpack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unzip {
    /// `zipFile`: the archive.
    pub zip_file: String,
    /// `targetDirectory`.
    pub target_directory: String,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Unzip, "unzip" {} [ "zipFile" => zip_file, "targetDirectory" => target_directory ]);

/// `mapping`: what an exit code means; exactly one of the four outcomes is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReturnCodeMapping {
    /// `returnCode`; may be negative.
    pub return_code: Option<i64>,
    /// `success`.
    pub success: Option<Outcome>,
    /// `failure`.
    pub failure: Option<Outcome>,
    /// `successRebootRequired`.
    pub success_reboot_required: Option<Outcome>,
    /// `failureRebootRequired`.
    pub failure_reboot_required: Option<Outcome>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(ReturnCodeMapping, "mapping" {} [
    "returnCode" => return_code,
    "success" => success,
    "failure" => failure,
    "successRebootRequired" => success_reboot_required,
    "failureRebootRequired" => failure_reboot_required,
]);

/// What people are told about an exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// `detailedInformation`.
    pub detailed_information: Option<Text>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Outcome, "success" {} [ "detailedInformation" => detailed_information ]);

/// `command` inside `postFinish`: a program that is offered to be started afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostFinishCommand {
    /// `description`.
    pub description: Option<Text>,
    /// `path` of the program.
    pub path: Option<String>,
    /// `x86path`: its path on 32-bit Windows.
    pub x86_path: Option<String>,
    /// `x64path`: its path on 64-bit Windows.
    pub x64_path: Option<String>,
    /// `arguments`.
    pub arguments: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(PostFinishCommand, "command" {} [
    "description" => description,
    "path" => path,
    "x86path" => x86_path,
    "x64path" => x64_path,
    "arguments" => arguments,
]);

/// `installPage`: a page shown during the installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstallPage {
    /// `Title`.
    pub title: Option<Text>,
    /// `Text`.
    pub text: Option<Text>,
    /// `Image`: its URL.
    pub image: Option<String>,
    /// `LinkText`.
    pub link_text: Option<Text>,
    /// `LinkUri`.
    pub link_uri: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(InstallPage, "installPage" {} [
    "Title" => title,
    "Text" => text,
    "Image" => image,
    "LinkText" => link_text,
    "LinkUri" => link_uri,
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_agree_in_kb_however_rounded() {
        let file = |size| InstallerFile {
            file_size: size,
            ..InstallerFile::default()
        };
        for (size, octets, agrees) in [
            (None, 5, true),
            (Some(0), 5, true),
            (Some(1), 1, true),
            (Some(1), 0, true),
            (Some(1), 1025, true),
            (Some(2), 1025, true),
            (Some(3), 1025, false),
            (Some(1), 2048, false),
            (Some(2), 2048, true),
            (Some(6_844_416), 6_844_416, true),
            (Some(u64::MAX), 5, false),
        ] {
            assert_eq!(file(size).size_agrees(octets), agrees, "{size:?} {octets}");
        }
    }

    #[test]
    fn digests_agree_in_either_case() {
        let mut file = InstallerFile::default();
        assert!(file.sha1_agrees("ab"));
        file.sha1 = Some("C1EA".to_owned());
        assert!(file.sha1_agrees("c1ea"));
        assert!(!file.sha1_agrees("c1eb"));
    }
}
