//! `Manifest.xml`, `SourceManifest.xml` and `archive.xml`: the providers of a package, in the order they run.
//!
//! *Web Deploy Manifest Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569062(v=ws.10)>.
//! The root element's name is free (`MSDeploy.iisApp`, `sitemanifest`, …). Published packages spell the names of
//! providers in any letter case, so they are compared without it.
//!
//! Left out: the objects inside a provider (`createApp` inside `iisApp` in an `archive.xml`), which the provider
//! makes again at the destination; [`ObjectTree`](crate::ObjectTree) has them.

use spanned_xml::{Attribute, Document, Element, Problem, Problems, Source, Span};

use crate::provider::{ProviderDescription, SettingType};
use crate::provider_options::{
    KEY_ATTRIBUTE, KEY_ATTRIBUTE_VALUE, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions,
};
use crate::run_command::{RunCommand, canonical_setting, did_you_mean};

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// Name of the root element, as written.
    pub root_name: String,
    /// The providers, in order.
    pub providers: Vec<Provider>,
}

/// One provider: an object to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provider {
    /// The element's name, as written.
    pub name: String,
    /// Which provider it is.
    pub kind: ProviderKind,
    /// `path`: what it deploys; empty for a provider that has none.
    pub path: String,
    /// The path's place, or the element's name where it has none.
    pub path_span: Span,
    /// All attributes but `path` and Web Deploy's own `MSDeploy.…`, in order.
    pub attributes: Vec<ProviderAttribute>,
    /// What `MSDeploy.MSDeployProviderOptions` carries, where it is given.
    pub options: Option<ProviderOptions>,
    /// The element's start tag.
    pub span: Span,
}

/// An attribute of a provider's element.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderAttribute {
    /// Its name, as written.
    pub name: String,
    /// Its value.
    pub value: String,
    /// From the name to the closing quote.
    pub span: Span,
}

impl Provider {
    /// What Web Deploy's documentation says of the provider; `None` for one that it does not have.
    #[must_use]
    pub fn description(&self) -> Option<&'static ProviderDescription> {
        ProviderDescription::of(&self.name)
    }

    /// The value of a setting: from the provider options, else from the attribute of that name. Case is ignored.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.options
            .as_ref()
            .and_then(|options| options.setting(name))
            .or_else(|| {
                self.attributes
                    .iter()
                    .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
                    .map(|attribute| attribute.value.as_str())
            })
    }

    /// The settings that are given, in Web Deploy's spelling where it knows them: those of the provider options, then
    /// those of attributes that the options do not have.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self
            .options
            .as_ref()
            .map(|options| options.settings.clone())
            .unwrap_or_default();
        for attribute in &self.attributes {
            let known = |name: &str| name.eq_ignore_ascii_case(&attribute.name);
            if !settings.iter().any(|(name, _)| known(name)) {
                let name = self
                    .description()
                    .and_then(|description| description.setting(&attribute.name))
                    .map_or(attribute.name.as_str(), |setting| setting.name);
                settings.push((name.to_owned(), attribute.value.clone()));
            }
        }
        settings
    }
}

/// The providers that packages use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderKind {
    /// `iisApp`: an application, its content and settings.
    IisApp,
    /// `setAcl`: permissions of a folder or file.
    SetAcl,
    /// `runCommand`: a command to run at the destination.
    RunCommand(RunCommand),
    /// `dbFullSql`: an SQL Server script or database.
    DbFullSql,
    /// `dbMySql`: a MySQL script or database.
    DbMySql,
    /// `contentPath`: the content of a folder, site or application.
    ContentPath,
    /// `createApp`: an IIS application without content.
    CreateApp,
    /// `recycleApp`: recycles an application pool.
    RecycleApp,
    /// `alias`: copies or renames a file inside the application.
    Alias,
    /// `dirPath`: a folder.
    DirPath,
    /// `filePath`: a file.
    FilePath,
    /// `appHostConfig`: a part of IIS's configuration.
    AppHostConfig,
    /// Any other provider: in Web Deploy's spelling where it has it, else as written.
    Other(String),
}

impl ProviderKind {
    /// The provider's name as Web Deploy spells it; what a `ProviderPath` scope is matched against.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::IisApp => "iisApp",
            Self::SetAcl => "setAcl",
            Self::RunCommand(_) => "runCommand",
            Self::DbFullSql => "dbFullSql",
            Self::DbMySql => "dbMySql",
            Self::ContentPath => "contentPath",
            Self::CreateApp => "createApp",
            Self::RecycleApp => "recycleApp",
            Self::Alias => "alias",
            Self::DirPath => "dirPath",
            Self::FilePath => "filePath",
            Self::AppHostConfig => "appHostConfig",
            Self::Other(name) => name,
        }
    }

    fn of(name: &str) -> Self {
        let known = [
            Self::IisApp,
            Self::SetAcl,
            Self::DbFullSql,
            Self::DbMySql,
            Self::ContentPath,
            Self::CreateApp,
            Self::RecycleApp,
            Self::Alias,
            Self::DirPath,
            Self::FilePath,
            Self::AppHostConfig,
        ];
        known
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| {
                let known = ProviderDescription::of(name).map(|provider| provider.name);
                Self::Other(known.unwrap_or(name).to_owned())
            })
    }
}

impl Manifest {
    /// Reads a manifest. Beside it come the warnings: settings that Web Deploy will not see, options that belong to
    /// another provider.
    ///
    /// # Errors
    ///
    /// Every fault that makes the manifest unusable: XML faults, a provider without its path, malformed provider
    /// options, settings of `runCommand` that are unknown or out of range.
    pub fn parse(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        Self::of_document(source, &document)
    }

    pub(crate) fn of_document(
        source: &Source,
        document: &Document,
    ) -> Result<(Self, Vec<Problem>), Problems> {
        let root = document.root();
        let mut problems = Vec::new();
        let providers: Vec<Provider> = root
            .elements()
            .map(|element| provider(element, &mut problems))
            .collect();
        if providers.is_empty() {
            problems.push(
                Problem::error(
                    "manifest-empty",
                    format!("`<{}>` names nothing to deploy", root.name),
                )
                .at(root.start_tag)
                .help("add a provider, for example `<iisApp path=\"MyApplication\" />`"),
            );
        }
        let manifest = Self {
            root_name: root.name.clone(),
            providers,
        };
        Problems::or_value(source, problems, manifest)
    }

    /// The application: the first `iisApp`, else the first `contentPath`.
    #[must_use]
    pub fn application(&self) -> Option<&Provider> {
        let first = |wanted: &ProviderKind| {
            self.providers
                .iter()
                .find(|provider| provider.kind == *wanted)
        };
        first(&ProviderKind::IisApp).or_else(|| first(&ProviderKind::ContentPath))
    }
}

/// Web Deploy's own attributes, `MSDeploy.path`, `MSDeploy.MSDeployLinkName` and the like.
pub(crate) fn is_msdeploy_attribute(attribute: &Attribute) -> bool {
    attribute
        .name
        .get(..9)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("msdeploy."))
}

fn provider(element: &Element, problems: &mut Vec<Problem>) -> Provider {
    let mut kind = ProviderKind::of(&element.name);
    let description = ProviderDescription::of(&element.name);
    let path = element.attribute_ignore_case("path");
    let key = description.map_or("path", |provider| provider.key_attribute);
    let is_optional = description.is_some_and(|provider| provider.key_is_optional);
    if element.attribute_ignore_case(key).is_none() && !is_optional {
        problems.push(
            Problem::error(
                "manifest-provider-without-path",
                format!("`<{}>` has no `{key}`", element.name),
            )
            .at(element.name_span)
            .help(format!("say what it deploys: `{key}=\"…\"`")),
        );
    }
    let options = element
        .attribute_ignore_case(PROVIDER_OPTIONS_ATTRIBUTE)
        .and_then(|attribute| provider_options(element, attribute, problems));
    let settings: Vec<&Attribute> = element
        .attributes
        .iter()
        .filter(|attribute| {
            !attribute.name.eq_ignore_ascii_case("path") && !is_msdeploy_attribute(attribute)
        })
        .collect();
    if element.is("runCommand") {
        if options.is_some() && element.attribute_ignore_case(KEY_ATTRIBUTE).is_none() {
            problems.push(
                Problem::warning(
                    "run-command-without-key-attribute",
                    format!("`<{}>` has provider options and no `{KEY_ATTRIBUTE}`", element.name),
                )
                .at(element.name_span)
                .help(format!(
                    "build the manifest: that adds `{KEY_ATTRIBUTE}=\"{KEY_ATTRIBUTE_VALUE}\"`, without which Web Deploy takes the \
                     command for a file when it installs the package again"
                )),
            );
        }
        let path = path.map_or("", |path| &path.value);
        kind = ProviderKind::RunCommand(run_command(
            path,
            &settings,
            options.as_ref(),
            element,
            problems,
        ));
    } else if let Some(description) = description {
        check_settings(description, &settings, options.as_ref(), element, problems);
    }
    Provider {
        name: element.name.clone(),
        kind,
        path: path.map(|path| path.value.clone()).unwrap_or_default(),
        path_span: path.map_or(element.name_span, |path| path.value_span),
        attributes: settings
            .into_iter()
            .map(|attribute| ProviderAttribute {
                name: attribute.name.clone(),
                value: attribute.value.clone(),
                span: attribute.span,
            })
            .collect(),
        options,
        span: element.start_tag,
    }
}

/// Names and types of the settings of any provider but `runCommand`, as attributes and in the options.
fn check_settings(
    provider: &ProviderDescription,
    attributes: &[&Attribute],
    options: Option<&ProviderOptions>,
    element: &Element,
    problems: &mut Vec<Problem>,
) {
    // In an `archive.xml` the attributes are those of the object, which the provider made, and not settings.
    let is_object = element
        .attribute_ignore_case("MSDeploy.MSDeployLinkName")
        .is_some();
    let plain = attributes
        .iter()
        .filter(|_| !is_object)
        .map(|attribute| (&attribute.name, &attribute.value, attribute.span));
    let hidden = options
        .iter()
        .flat_map(|options| &options.settings)
        .map(|(name, value)| (name, value, element.start_tag));
    for (name, value, span) in plain.chain(hidden) {
        let problem = match provider.setting(name) {
            Some(setting) if setting.value.accepts(value) => continue,
            Some(setting) => Problem::warning(
                "manifest-setting-value",
                format!(
                    "`{}` of `{}` is `{value}`, which is not {}",
                    setting.name, provider.name, setting.value
                ),
            )
            .help(match setting.value {
                SettingType::AnyOf(_) => "separate several by commas".to_owned(),
                _ => format!("write {}", setting.value),
            }),
            None if provider.takes_other_settings => continue,
            None => Problem::warning(
                "manifest-setting-unknown",
                format!("`{}` has no setting `{name}`", provider.name),
            )
            .help(format!(
                "{}Web Deploy fails on settings that a provider does not have",
                did_you_mean(name, provider.settings.iter().map(|known| known.name))
            )),
        };
        problems.push(problem.at(span));
    }
}

fn provider_options(
    element: &Element,
    attribute: &Attribute,
    problems: &mut Vec<Problem>,
) -> Option<ProviderOptions> {
    match ProviderOptions::decode(&attribute.value) {
        Ok(options) => {
            if !options.provider_name.eq_ignore_ascii_case(&element.name) {
                problems.push(
                    Problem::warning(
                        "manifest-options-of-another-provider",
                        format!(
                            "the options of `<{}>` were made for `{}`",
                            element.name, options.provider_name
                        ),
                    )
                    .at(attribute.value_span)
                    .help("build the manifest again from its template"),
                );
            }
            Some(options)
        }
        Err(error) => {
            problems.push(
                Problem::error("manifest-provider-options", error.to_string())
                    .at(attribute.value_span)
                    .help("remove the attribute, write the settings as plain attributes and build the manifest again"),
            );
            None
        }
    }
}

fn run_command(
    path: &str,
    plain: &[&Attribute],
    options: Option<&ProviderOptions>,
    element: &Element,
    problems: &mut Vec<Problem>,
) -> RunCommand {
    let mut command = RunCommand::new(path);
    for attribute in plain {
        match command.set(&attribute.name, &attribute.value, Some(attribute.span)) {
            Ok(()) => problems.push(
                Problem::warning(
                    "run-command-plain-setting",
                    format!(
                        "Web Deploy ignores `{}` as an attribute of `<{}>`",
                        attribute.name, element.name
                    ),
                )
                .at(attribute.span)
                .help(format!(
                    "build the manifest: that moves it into `{PROVIDER_OPTIONS_ATTRIBUTE}`"
                )),
            ),
            Err(problem) => problems.push(problem),
        }
    }
    for (name, value) in options.iter().flat_map(|options| &options.settings) {
        // Settings of every provider (userName, computerName, …) may stand beside runCommand's own.
        if canonical_setting(name).is_some()
            && let Err(problem) = command.set(name, value, Some(element.start_tag))
        {
            problems.push(problem);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn parse(text: &str) -> Result<(Manifest, Vec<Problem>), Problems> {
        Manifest::parse(&Source::from_text("Manifest.xml", text))
    }

    fn codes(problems: &[Problem]) -> Vec<&'static str> {
        problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn names_in_any_case() {
        let (manifest, problems) = parse(
            "<msdeploy.iisapp><iisapp path='App' managedRuntimeVersion='v4.0'/><SETACL path='App/data' setAclAccess='Modify'/>\
             <dbmysql path='a.sql'/><alias from='a' to='b'/><fcgiExtConfig path='x'/></msdeploy.iisapp>",
        )
        .unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(manifest.root_name, "msdeploy.iisapp");
        let kinds: Vec<&str> = manifest.providers.iter().map(|p| p.kind.name()).collect();
        assert_eq!(
            kinds,
            ["iisApp", "setAcl", "dbMySql", "alias", "fcgiExtConfig"]
        );
        assert_eq!(manifest.application().unwrap().path, "App");
        assert_eq!(
            manifest.providers[1].setting("SetAclAccess"),
            Some("Modify")
        );
    }

    #[test]
    fn run_command_reads_options_and_warns_of_plain_settings() {
        let mut options = ProviderOptions::new("runCommand", "cmd");
        options.settings = vec![("waitInterval".into(), "60000".into())];
        let (manifest, problems) = parse(&format!(
            "<m><iisApp path='A'/><runCommand path='cmd' waitAttempts='7' MSDeploy.MSDeployProviderOptions='{}'/></m>",
            options.encode()
        ))
        .unwrap();
        assert_eq!(
            codes(&problems),
            [
                "run-command-without-key-attribute",
                "run-command-plain-setting"
            ]
        );
        let ProviderKind::RunCommand(command) = &manifest.providers[1].kind else {
            panic!("not a runCommand");
        };
        assert_eq!(command.path, "cmd");
        assert_eq!(command.wait_interval, Duration::from_secs(60));
        assert_eq!(command.wait_attempts, 7);
    }

    #[test]
    fn all_faults_at_once_with_their_places() {
        let problems = parse(
            "<m>\n<iisApp/>\n<runCommand path='x' waitAttempts='many' colour='red'/>\n<contentPath path='y' MSDeploy.MSDeployProviderOptions='!'/>\n</m>",
        )
        .unwrap_err();
        assert_eq!(
            codes(&problems.problems),
            [
                "manifest-provider-without-path",
                "run-command-setting-value",
                "run-command-unknown-setting",
                "manifest-provider-options",
            ]
        );
        let text = problems.to_string();
        assert!(text.contains("Manifest.xml:2:2:"), "{text}");
        assert!(text.contains("Manifest.xml:3:22:"), "{text}");
        assert_eq!(
            codes(&parse("<m/>").unwrap_err().problems),
            ["manifest-empty"]
        );
    }

    #[test]
    fn settings_of_every_provider_are_checked() {
        let text = "<m>\n<iisApp path='A' skipAppCreation='no' managedRuntimeVersoin='v4.0' />\n<setAcl path='A' setAclAccess='Read,Wright'/>\n\
                    <dbFullSql path='a.sql' transacted='yes' ScriptSchema='True' userName='u'/>\n<webServer/>\n<ALIAS to='b'/>\n</m>";
        let problems = parse(text).unwrap_err();
        assert_eq!(
            codes(&problems.problems),
            [
                "manifest-setting-value",
                "manifest-setting-unknown",
                "manifest-setting-value",
                "manifest-setting-value",
                "manifest-provider-without-path",
            ]
        );
        let text = problems.to_string();
        for expected in [
            "Manifest.xml:2:18: warning[manifest-setting-value]: `skipAppCreation` of `iisApp` is `no`, which is not `true` or `false`",
            "did you mean `managedRuntimeVersion`? ",
            "Manifest.xml:6:2: error[manifest-provider-without-path]: `<ALIAS>` has no `from`",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn settings_in_the_options_are_checked_and_come_first() {
        let mut options = ProviderOptions::new("setAcl", "A");
        options.settings = vec![("setAclAccess".into(), "Writ".into())];
        let (manifest, problems) = parse(&format!(
            "<m><setAcl path='A' setaclaccess='Read' SETACLUSER='u' MSDeploy.MSDeployProviderOptions='{}'/></m>",
            options.encode()
        ))
        .unwrap();
        assert_eq!(codes(&problems), ["manifest-setting-value"]);
        let settings = manifest.providers[0].settings();
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(settings, [("setAclAccess", "Writ"), ("setAclUser", "u")]);
        assert_eq!(manifest.providers[0].description().unwrap().name, "setAcl");
    }

    #[test]
    fn options_of_another_provider_are_noticed() {
        let options = ProviderOptions::new("contentPath", "x").encode();
        let (_, problems) = parse(&format!(
            "<m><iisApp path='x' MSDeploy.MSDeployProviderOptions='{options}'/></m>"
        ))
        .unwrap();
        assert_eq!(codes(&problems), ["manifest-options-of-another-provider"]);
    }
}
