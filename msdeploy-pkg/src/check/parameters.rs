//! Rules about a package's parameters.

use std::collections::HashSet;

use spanned_xml::Problem;

use super::CheckReport;
use super::providers::names_provider;
use crate::content_map::ContentRoot;
use crate::manifest::{Manifest, ProviderKind};
use crate::parameters::{EntryKind, Parameter, Parameters, folded};

/// The six tags by which an installer finds out how to make a database.
const DATABASE_TAGS: [&str; 6] = [
    "DBServer",
    "DBName",
    "DBUserName",
    "DBUserPassword",
    "DBAdminUserName",
    "DBAdminPassword",
];

/// Files by which IIS answers for an application's root: the default documents of a new server, and the file that can
/// name others or a handler. *Default Document* <https://learn.microsoft.com/iis/configuration/system.webserver/defaultdocument/>.
const ANSWERING_ROOT: [&str; 7] = [
    "web.config",
    "default.htm",
    "default.asp",
    "index.htm",
    "index.html",
    "iisstart.htm",
    "default.aspx",
];

pub(crate) fn application_parameter(
    manifest: &Manifest,
    parameters: &Parameters,
    report: &mut CheckReport,
) {
    let Some(application) = manifest
        .providers
        .iter()
        .find(|provider| provider.kind == ProviderKind::IisApp)
    else {
        return;
    };
    let mut tagged = parameters.parameters.iter().filter(|parameter| {
        parameter.has_tag("iisApp")
            && parameter
                .entries
                .iter()
                .any(|entry| names_provider(entry, application))
    });
    match (tagged.next(), tagged.next()) {
        (None, _) => report.parameters.push(
            Problem::warning(
                "check-no-application-parameter",
                "no parameter tagged `iisApp` says where the application goes",
            )
            .help("tag the one with the `ProviderPath` entry for `iisApp`: `tags=\"iisApp\"`"),
        ),
        (Some(first), Some(second)) => report.parameters.push(
            Problem::warning(
                "check-two-application-parameters",
                "two parameters tagged `iisApp` say where the application goes",
            )
            .at(second.name_span)
            .related(first.name_span, "the first one")
            .help("remove the tag or the entry from one of them"),
        ),
        (Some(_), None) => {}
    }
}

pub(crate) fn database_tags(
    manifest: &Manifest,
    parameters: &Parameters,
    report: &mut CheckReport,
) {
    let database = manifest.providers.iter().find(|provider| {
        matches!(
            provider.kind,
            ProviderKind::DbFullSql | ProviderKind::DbMySql
        )
    });
    let Some(database) = database else { return };
    let missing: Vec<String> = DATABASE_TAGS
        .into_iter()
        .filter(|tag| {
            !parameters
                .parameters
                .iter()
                .any(|parameter| parameter.has_tag(tag))
        })
        .map(|tag| format!("`{tag}`"))
        .collect();
    if !missing.is_empty() {
        report.parameters.push(
            Problem::warning(
                "check-database-tags",
                format!(
                    "the package has a database (`{}`), and no parameter is tagged {}",
                    database.kind.name(),
                    missing.join(", ")
                ),
            )
            .help("an installer needs all six tags to make the database"),
        );
    }
}

/// An installer asks for one administrator of each kind of database.
pub(crate) fn repeated_administrators(parameters: &Parameters, report: &mut CheckReport) {
    for database in ["SQL", "MySQL"] {
        for tag in ["DBAdminUserName", "DBAdminPassword"] {
            let mut tagged = parameters
                .parameters
                .iter()
                .filter(|parameter| parameter.has_tag(database) && parameter.has_tag(tag));
            if let (Some(first), Some(second)) = (tagged.next(), tagged.next()) {
                report.parameters.push(
                    Problem::warning(
                        "check-two-administrators",
                        format!("two parameters are tagged `{database}` and `{tag}`"),
                    )
                    .at(second.name_span)
                    .related(first.name_span, "the first one")
                    .help("remove the tag from one of them"),
                );
            }
        }
    }
}

/// The page that an installer opens in the end: that of the parameter tagged `AppURL`, else the application's root.
pub(crate) fn start_page(
    application: Option<&ContentRoot>,
    parameters: &Parameters,
    files: &[&str],
    report: &mut CheckReport,
) {
    let mut tagged = parameters
        .parameters
        .iter()
        .filter(|parameter| parameter.has_tag("AppURL"));
    match (tagged.next(), tagged.next()) {
        (Some(first), Some(second)) => report.parameters.push(
            Problem::warning(
                "check-two-start-pages",
                "two parameters are tagged `AppURL`, and an installer opens one page",
            )
            .at(second.name_span)
            .related(first.name_span, "the first one")
            .help("remove the tag from one of them"),
        ),
        (Some(_), None) => {}
        (None, _) => {
            let answers = |name: &str| {
                ANSWERING_ROOT
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
            };
            let names = application.map(|root| files.iter().filter_map(|file| root.relative(file)));
            if names.is_some_and(|mut names| !names.any(answers)) {
                report.parameters.push(
                    Problem::note(
                        "check-no-start-page",
                        "the application has no default document and no `web.config`, and no parameter tagged `AppURL` names its start page",
                    )
                    .help("an installer opens the application's root, which answers nothing: add a parameter tagged `AppURL`, or a `web.config`"),
                );
            }
        }
    }
}

/// The names in braces in the defaults, as names are compared.
pub(crate) fn named_in_defaults(parameters: &Parameters) -> HashSet<String> {
    parameters
        .parameters
        .iter()
        .flat_map(|parameter| parameter.value.iter().chain(&parameter.default_value))
        .flat_map(|template| template.split('{').skip(1))
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| folded(name))
        .collect()
}

pub(crate) fn unused(parameter: &Parameter, named: &HashSet<String>, report: &mut CheckReport) {
    if parameter.is_hidden() && parameter.default_value.is_none() && parameter.value.is_none() {
        report.parameters.push(
            Problem::error(
                "check-hidden-without-default",
                format!("`{}` is hidden and has no default value", parameter.name),
            )
            .at(parameter.name_span)
            .help(
                "nobody can be asked for it: add `defaultValue=\"…\"` or remove the tag `Hidden`",
            ),
        );
    }
    // Installers act upon tags such as `DBServer` and `AppURL` themselves.
    let acted_upon = DATABASE_TAGS
        .into_iter()
        .chain(["AppURL", "Validate"])
        .any(|tag| parameter.has_tag(tag));
    if parameter.entries.is_empty() && !acted_upon && !named.contains(&folded(&parameter.name)) {
        report.parameters.push(
            Problem::warning(
                "check-parameter-unused",
                format!("the value of `{}` goes nowhere", parameter.name),
            )
            .at(parameter.name_span)
            .help("add a `<parameterEntry>`, or name it in another default as `{…}`"),
        );
    }
}

/// A parameter that is asked for once and kept nowhere is not worth storing for the next time, and may be a secret.
pub(crate) fn one_time(parameter: &Parameter, named: &HashSet<String>, report: &mut CheckReport) {
    let goes_to_provider = parameter
        .entries
        .iter()
        .any(|entry| matches!(entry.kind, EntryKind::ProviderPath(_)));
    if parameter.is_secret()
        && !parameter.is_hidden()
        && !goes_to_provider
        && !named.contains(&folded(&parameter.name))
        && !DATABASE_TAGS.into_iter().any(|tag| parameter.has_tag(tag))
        && !parameter.has_tag("NoStore")
    {
        report.parameters.push(
            Problem::note(
                "check-secret-stored",
                format!(
                    "`{}` is asked for once, and an installer may store it",
                    parameter.name
                ),
            )
            .at(parameter.name_span)
            .help("tag it `NoStore`"),
        );
    }
}
