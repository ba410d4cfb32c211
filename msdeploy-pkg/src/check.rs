//! The rules by which the Web Application Gallery accepted packages, as far as the package itself decides them.
//!
//! *Reference for the Web Application Package*
//! <https://learn.microsoft.com/iis/develop/windows-web-application-gallery/reference-for-the-web-application-package>.
//! A package that breaks them can still be one that Web Deploy installs, so most findings are warnings.
//!
//! Left out: the test installation, and the parameters that ought to be tagged `NoStore`.

use std::collections::HashSet;

use spanned_xml::Problem;

use crate::apply::{finds, in_scope};
use crate::archive::Layout;
use crate::manifest::{Manifest, Provider, ProviderKind};
use crate::parameters::{EntryKind, Parameter, ParameterEntry, Parameters, folded};

/// What a check found, by the file it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// About the manifest; places are in its source.
    pub manifest: Vec<Problem>,
    /// About the `Parameters.xml`; places are in its source.
    pub parameters: Vec<Problem>,
    /// About the package as a whole; no places.
    pub package: Vec<Problem>,
}

impl CheckReport {
    /// All findings.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> + '_ {
        self.manifest
            .iter()
            .chain(&self.parameters)
            .chain(&self.package)
    }
}

/// The longest path that a Windows program can open without further ado, in characters.
const MAX_PATH: usize = 260;
/// Where IIS puts sites unless told otherwise.
const DEFAULT_SITE_ROOT: &str = r"C:\inetpub\wwwroot\";

/// The six tags by which an installer finds out how to make a database.
const DATABASE_TAGS: [&str; 6] = [
    "DBServer",
    "DBName",
    "DBUserName",
    "DBUserPassword",
    "DBAdminUserName",
    "DBAdminPassword",
];

/// Checks a package against the gallery's rules.
///
/// `files` are the paths of all files in it, with forward slashes; `contents` gives a file's octets, or `None` where
/// it cannot, and is called for files that an entry's scope names only. `parameters` is `None` for a package without
/// a `Parameters.xml`.
pub fn check_package(
    layout: Layout,
    manifest: &Manifest,
    parameters: Option<&Parameters>,
    files: &[&str],
    contents: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
) -> CheckReport {
    let none = Parameters::none();
    let known = parameters.unwrap_or(&none);
    let mut report = CheckReport::default();
    providers(manifest, known, &mut report);
    if layout == Layout::Gallery {
        provider_files(manifest, files, &mut report);
    }
    if parameters.is_none() {
        report.package.push(
            Problem::warning("check-no-parameters", "the package has no `Parameters.xml`")
                .help("without one an installer cannot ask where to put the application"),
        );
    } else {
        application_parameter(manifest, known, &mut report);
        database_tags(manifest, known, &mut report);
    }
    let named = named_in_defaults(known);
    for parameter in &known.parameters {
        unused(parameter, &named, &mut report);
        for entry in &parameter.entries {
            entry_rules(entry, manifest, files, contents, &mut report);
        }
    }
    long_paths(layout, files, &mut report);
    report
}

fn providers(manifest: &Manifest, parameters: &Parameters, report: &mut CheckReport) {
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

/// Folders and scripts that the manifest names and the package does not have.
fn provider_files(manifest: &Manifest, files: &[&str], report: &mut CheckReport) {
    for provider in &manifest.providers {
        let wanted = match provider.kind {
            ProviderKind::IisApp | ProviderKind::ContentPath => {
                format!("{}/", provider.path.to_uppercase())
            }
            ProviderKind::DbFullSql | ProviderKind::DbMySql => provider.path.to_uppercase(),
            _ => continue,
        }
        .replace('\\', "/");
        let found = files.iter().any(|file| {
            let file = file.to_uppercase();
            file == wanted || (wanted.ends_with('/') && file.starts_with(&wanted))
        });
        if !found {
            report.manifest.push(
                Problem::error(
                    "check-path-not-in-package",
                    format!("the package has no `{}`", provider.path),
                )
                .at(provider.path_span)
                .help("name a folder or script of the package as it is spelt there"),
            );
        }
    }
}

fn entries(parameters: &Parameters) -> impl Iterator<Item = &ParameterEntry> + '_ {
    parameters
        .parameters
        .iter()
        .flat_map(|parameter| &parameter.entries)
}

fn names_provider(entry: &ParameterEntry, provider: &Provider) -> bool {
    matches!(&entry.kind, EntryKind::ProviderPath(pattern)
        if entry.scope.is_match(provider.kind.name()) == Ok(true)
            && pattern.is_match(&provider.path) == Ok(true))
}

fn application_parameter(manifest: &Manifest, parameters: &Parameters, report: &mut CheckReport) {
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

fn database_tags(manifest: &Manifest, parameters: &Parameters, report: &mut CheckReport) {
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

/// The names in braces in the defaults, as names are compared.
fn named_in_defaults(parameters: &Parameters) -> HashSet<String> {
    parameters
        .parameters
        .iter()
        .flat_map(|parameter| parameter.value.iter().chain(&parameter.default_value))
        .flat_map(|template| template.split('{').skip(1))
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| folded(name))
        .collect()
}

fn unused(parameter: &Parameter, named: &HashSet<String>, report: &mut CheckReport) {
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

fn entry_rules(
    entry: &ParameterEntry,
    manifest: &Manifest,
    files: &[&str],
    contents: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
    report: &mut CheckReport,
) {
    let kind = entry.kind.name();
    if entry.scope.text().is_empty() || entry.match_text.is_empty() {
        report.parameters.push(
            Problem::warning(
                "check-entry-empty",
                format!("a `{kind}` entry without scope or match"),
            )
            .at(entry.span)
            .help("say which provider or files (`scope`) and what in them (`match`)"),
        );
        return;
    }
    match &entry.kind {
        EntryKind::ProviderPath(_) => {
            let matched = manifest
                .providers
                .iter()
                .any(|provider| names_provider(entry, provider));
            report.parameters.extend((!matched).then(|| {
                Problem::warning(
                    "check-provider-path-unmatched",
                    format!(
                        "no provider of the manifest matches scope `{}` and match `{}`",
                        entry.scope.text(),
                        entry.match_text
                    ),
                )
                .at(entry.match_span)
                .help(
                    "scope is a regular expression for the provider's name, match one for its path",
                )
            }));
        }
        EntryKind::TextFile(_) | EntryKind::TextFilePosition(_) | EntryKind::XmlFile(_) => {
            if matches!(entry.kind, EntryKind::TextFilePosition(_)) {
                report.parameters.push(
                    Problem::warning(
                        "check-text-file-position",
                        "the gallery did not allow `TextFilePosition`",
                    )
                    .at(entry.span)
                    .help("use a `TextFile` entry with a placeholder"),
                );
            }
            // A scope may also name the providers whose scripts to edit.
            let scripts = manifest
                .providers
                .iter()
                .filter(|provider| {
                    matches!(
                        provider.kind,
                        ProviderKind::DbFullSql | ProviderKind::DbMySql
                    ) && entry.scope.is_match(provider.kind.name()) == Ok(true)
                })
                .map(|provider| provider.path.as_str());
            let scoped: Vec<&str> = files
                .iter()
                .copied()
                .filter(|file| in_scope(entry, file).unwrap_or(false))
                .chain(scripts)
                .collect();
            if scoped.is_empty() {
                if entry.scope.fault().is_none() {
                    report.parameters.push(
                        Problem::warning(
                            "check-scope-unmatched",
                            format!("no file of the package is in the scope `{}`", entry.scope.text()),
                        )
                        .at(entry.span)
                        .help("a scope is a regular expression for the file's path, which has backslashes: `\\\\web\\.config$`"),
                    );
                }
                return;
            }
            let found: Vec<Option<bool>> = scoped
                .into_iter()
                .map(|file| contents(file).and_then(|octets| finds(entry, file, &octets)))
                .collect();
            // A file that could not be looked at may be the one.
            if found.iter().all(|found| *found == Some(false)) {
                report.parameters.push(
                    Problem::warning(
                        "check-match-unmatched",
                        format!(
                            "`{}` matches nothing in the files of its scope",
                            entry.match_text
                        ),
                    )
                    .at(entry.match_span)
                    .help("the value would go nowhere: correct the match, or the files"),
                );
            }
        }
        _ => {}
    }
}

fn long_paths(layout: Layout, files: &[&str], report: &mut CheckReport) {
    if layout != Layout::Gallery {
        return;
    }
    let len = |file: &&str| DEFAULT_SITE_ROOT.len() + file.encode_utf16().count();
    let mut long: Vec<&str> = files
        .iter()
        .copied()
        .filter(|file| len(file) >= MAX_PATH)
        .collect();
    long.sort_by_key(|file| core::cmp::Reverse(len(file)));
    if let Some(longest) = long.first() {
        report.package.push(
            Problem::warning(
                "check-long-path",
                format!(
                    "{} files have paths that Windows cannot open under `{DEFAULT_SITE_ROOT}`; the longest is `{longest}`",
                    long.len()
                ),
            )
            .help(format!("a path has at most {} characters there; shorten names or nest less", MAX_PATH - 1)),
        );
    }
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn codes(
        manifest: &str,
        parameters: Option<&str>,
        files: &[(&str, &str)],
    ) -> Vec<&'static str> {
        let (manifest, _) = Manifest::parse(&Source::from_text(
            "Manifest.xml",
            format!("<m>{manifest}</m>"),
        ))
        .unwrap();
        let parameters = parameters.map(|xml| {
            Parameters::parse(&Source::from_text(
                "Parameters.xml",
                format!("<parameters>{xml}</parameters>"),
            ))
            .unwrap()
            .0
        });
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let mut contents = |name: &str| {
            files
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| text.as_bytes().to_vec())
        };
        check_package(
            Layout::Gallery,
            &manifest,
            parameters.as_ref(),
            &names,
            &mut contents,
        )
        .iter()
        .map(|problem| problem.code)
        .collect()
    }

    const APP: &str = "<iisApp path='App'/><setAcl path='App/data'/>";
    const PATHS: &str = "<parameter name='Path' tags='iisApp'><parameterEntry kind='ProviderPath' scope='iisApp' match='^App$'/></parameter>\
        <parameter name='Data' defaultValue='{Path}/data' tags='Hidden'><parameterEntry kind='ProviderPath' scope='setAcl' match='data'/></parameter>";

    fn with(parameters: &str, files: &[(&str, &str)]) -> Vec<&'static str> {
        let mut all = vec![("App/a.ini", "@NAME@")];
        all.extend(files);
        codes(APP, Some(&format!("{PATHS}{parameters}")), &all)
    }

    #[test]
    fn a_good_package_has_no_findings() {
        assert_eq!(
            with(
                "<parameter name='N'><parameterEntry kind='TextFile' scope='\\\\a\\.ini$' match='@NAME@'/></parameter>\
                 <parameter name='X'><parameterEntry kind='XmlFile' scope='config' match='//@b'/></parameter>",
                &[("App/web.config", "<a b='1'/>")]
            ),
            [""; 0]
        );
    }

    #[test]
    fn manifest_rules() {
        assert_eq!(
            codes(
                "<contentPath path='App'/><runCommand path='x'/>",
                None,
                &[("App/a", "")]
            ),
            [
                "check-no-iis-app",
                "check-no-set-acl",
                "check-provider-not-in-gallery",
                "check-provider-not-in-gallery",
                "check-no-parameters",
            ]
        );
        assert_eq!(
            codes(
                "<iisApp path='App'/><setAcl path='x'/>",
                Some(""),
                &[("Other/a", "")]
            ),
            [
                "check-provider-without-entry",
                "check-provider-without-entry",
                "check-path-not-in-package",
                "check-no-application-parameter",
            ]
        );
    }

    #[test]
    fn parameter_rules() {
        let check = |parameters: &str, code: &str| {
            assert_eq!(with(parameters, &[]), [code], "{parameters}");
        };
        check(
            "<parameter name='U' defaultValue='{nothing}'/>",
            "check-parameter-unused",
        );
        check(
            "<parameter name='H' tags='hidden,AppURL'/>",
            "check-hidden-without-default",
        );
        let entry =
            |entry: &str| format!("<parameter name='E'><parameterEntry {entry}/></parameter>");
        check(
            &entry("kind='ProviderPath' scope='setAcl' match='nowhere'"),
            "check-provider-path-unmatched",
        );
        check(
            &entry("kind='ProviderPath' scope='setAcl' match=''"),
            "check-entry-empty",
        );
        check(
            &entry("kind='TextFile' scope='b\\.ini' match='x'"),
            "check-scope-unmatched",
        );
        check(
            &entry("kind='TextFile' scope='a\\.ini' match='@TITLE@'"),
            "check-match-unmatched",
        );
        check(
            &entry("kind='TextFilePosition' scope='a\\.ini' match='1;1;1'"),
            "check-text-file-position",
        );
        check(
            "<parameter name='Second' tags='iisapp'><parameterEntry kind='ProviderPath' scope='iisApp' match='App'/></parameter>",
            "check-two-application-parameters",
        );
    }

    #[test]
    fn databases_and_long_paths() {
        let found = codes(
            &format!("{APP}<dbFullSql path='a.sql'/>"),
            Some(&format!(
                "{PATHS}<parameter name='S' tags='SQL, dbServer'/><parameter name='C' tags='Hidden' defaultValue=''><parameterEntry kind='ProviderPath' scope='dbfullsql' match='.'/></parameter>\
                 <parameter name='T'><parameterEntry kind='TextFile' scope='dbFullSql' match='PlaceHolder'/></parameter>"
            )),
            &[("App/a", ""), ("a.sql", "x PlaceHolder")],
        );
        assert_eq!(found, ["check-database-tags"]);
        let long = format!("App/{}", "x".repeat(240));
        assert_eq!(with("", &[(&long, "")]), ["check-long-path"]);
    }
}
