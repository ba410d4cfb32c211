//! Rules about the manifest's providers.

use spanned_xml::Problem;

use super::CheckReport;
use crate::archive::Layout;
use crate::content_map::ContentMap;
use crate::manifest::{Manifest, Provider, ProviderKind};
use crate::parameters::{EntryKind, ParameterEntry, Parameters};
use crate::provider::PackagedContent;

/// The file by which a command that is run at installation finds out which application it is for: Web Deploy runs it
/// in `C:\Windows\system32` and tells it nothing.
const STAMP: &str = "iis_install.stamp";
/// The command that looks for it.
const STAMP_COMMAND: &str = "iiswsgi_install";

/// The one account that `setAclUser` can name on every computer: that of visitors who did not log in.
const ANONYMOUS_USER: &str = "anonymousAuthenticationUser";

/// Accesses of `setAclAccess` by which files can be changed.
const WRITE_ACCESS: [&str; 4] = ["Write", "Modify", "FullControl", "Full"];

pub(crate) fn providers(manifest: &Manifest, parameters: &Parameters, report: &mut CheckReport) {
    let first = |kind: &ProviderKind| {
        manifest
            .providers
            .iter()
            .any(|provider| provider.kind == *kind)
    };
    if !first(&ProviderKind::IisApp) {
        report.manifest.push(
            Problem::warning("check-no-iis-app", "the manifest has no `iisApp` provider").help(
                "the gallery wants one: `<iisApp path=\"…\" />` with the application's folder",
            ),
        );
    }
    if !first(&ProviderKind::SetAcl) {
        report.manifest.push(
            Problem::note("check-no-set-acl", "the manifest has no `setAcl` provider").help(
                "without one the application cannot write anywhere; that may be what is wanted",
            ),
        );
    }
    for provider in &manifest.providers {
        let name = provider.kind.name();
        match &provider.kind {
            ProviderKind::IisApp
            | ProviderKind::SetAcl
            | ProviderKind::DbFullSql
            | ProviderKind::DbMySql => {
                let matched = entries(parameters).any(|entry| names_provider(entry, provider));
                if !matched {
                    report.manifest.push(
                        Problem::warning(
                            "check-provider-without-entry",
                            format!("no parameter says where `{name}` `{}` goes", provider.path),
                        )
                        .at(provider.path_span)
                        .help(format!(
                            "add to a parameter: `<parameterEntry kind=\"ProviderPath\" scope=\"{name}\" match=\"{}\" />`",
                            regex::escape(&provider.path)
                        )),
                    );
                }
            }
            _ => report.manifest.push(
                Problem::note(
                    "check-provider-not-in-gallery",
                    format!("the gallery did not allow the provider `{name}`"),
                )
                .at(provider.span)
                .help("Web Deploy and WebPI install it from a feed of your own"),
            ),
        }
    }
}

/// An application that can write into its own folder can be made to change its own code.
pub(crate) fn writable_application(manifest: &Manifest, report: &mut CheckReport) {
    let Some(application) = manifest.application() else {
        return;
    };
    for provider in &manifest.providers {
        let Some(access) = provider.setting("setAclAccess") else {
            continue;
        };
        let writes = access.split(',').any(|access| {
            let access = access.trim();
            WRITE_ACCESS
                .iter()
                .any(|write| access.eq_ignore_ascii_case(write))
        });
        let same = folder_key(&provider.path) == folder_key(&application.path);
        if provider.kind == ProviderKind::SetAcl && writes && same {
            report.manifest.push(
                Problem::warning(
                    "check-acl-application",
                    format!("`{access}` on the whole application lets it change its own code"),
                )
                .at(provider.span)
                .help("give the access to a folder below it that holds nothing else"),
            );
        }
    }
}

/// A command of iiswsgi without the file that it looks for.
pub(crate) fn stamp(manifest: &Manifest, files: &[&str], report: &mut CheckReport) {
    let needed = manifest.providers.iter().find(|provider| {
        provider.kind.name() == "runCommand"
            && provider.path.to_ascii_lowercase().contains(STAMP_COMMAND)
    });
    let is_stamp = |file: &&str| {
        file.rsplit('/')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(STAMP))
    };
    if let Some(command) = needed
        && !files.iter().any(is_stamp)
    {
        report.manifest.push(
            Problem::error(
                "check-no-stamp",
                format!(
                    "the package has no `{STAMP}`, by which this command finds the application"
                ),
            )
            .at(command.path_span)
            .help("add an `iis_install.stamp.in` to the project, and build the package again"),
        );
    }
}

fn folder_key(path: &str) -> String {
    path.replace('\\', "/").trim_end_matches('/').to_uppercase()
}

/// Folders and scripts that the manifest names and the package does not have.
pub(crate) fn provider_files(
    layout: Layout,
    manifest: &Manifest,
    content: &ContentMap,
    files: &[&str],
    report: &mut CheckReport,
) {
    for root in &content.roots {
        // What the path of any other provider names need not be in the package: a connection string, an assembly.
        let names_entry = match root.name {
            "iisApp" | "contentPath" | "dirPath" | "filePath" => true,
            "dbFullSql" | "dbMySql" => layout == Layout::Gallery,
            _ => false,
        };
        if !names_entry {
            continue;
        }
        let is_below = |file: &&str| match root.relative(file) {
            Some("") => root.content != PackagedContent::Folder,
            Some(_) => root.content != PackagedContent::File,
            None => false,
        };
        if !files.iter().any(is_below) {
            report.manifest.push(
                Problem::error(
                    "check-path-not-in-package",
                    format!("the package has no `{}`", root.entry),
                )
                .at(manifest.providers[root.provider].path_span)
                .help("name a folder or script of the package as it is spelt there"),
            );
        }
    }
}

/// Who may write where the package does not say it: *Tips and Tricks to build a Package for Web Application Gallery*.
pub(crate) fn acl_users(manifest: &Manifest, files: &[&str], report: &mut CheckReport) {
    let has_php = files.iter().any(|file| {
        file.rsplit_once('.')
            .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("php"))
    });
    for provider in &manifest.providers {
        if provider.kind != ProviderKind::SetAcl {
            continue;
        }
        match provider.setting("setAclUser") {
            None | Some("") => {}
            Some(user) if user.eq_ignore_ascii_case(ANONYMOUS_USER) => {
                if !has_php {
                    report.manifest.push(
                        Problem::note(
                            "check-acl-anonymous",
                            format!("`{user}` is for applications in PHP, and the package has none"),
                        )
                        .at(provider.span)
                        .help("leave out `setAclUser`: then the access is given to the worker process, by which the application runs"),
                    );
                }
            }
            Some(user) => report.manifest.push(
                Problem::warning(
                    "check-acl-user",
                    format!("another computer need not have the account `{user}`"),
                )
                .at(provider.span)
                .help(format!(
                    "leave out `setAclUser` for the account of the worker process, or write `{ANONYMOUS_USER}` for an application in PHP"
                )),
            ),
        }
    }
}

pub(crate) fn entries(parameters: &Parameters) -> impl Iterator<Item = &ParameterEntry> + '_ {
    parameters
        .parameters
        .iter()
        .flat_map(|parameter| &parameter.entries)
}

pub(crate) fn names_provider(entry: &ParameterEntry, provider: &Provider) -> bool {
    matches!(&entry.kind, EntryKind::ProviderPath(pattern)
        if entry.scope.is_match(provider.kind.name()) == Ok(true)
            && pattern.is_match(&provider.path) == Ok(true))
}
