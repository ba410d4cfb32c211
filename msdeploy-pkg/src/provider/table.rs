//! The table of providers and that of the settings of all.

use super::description::{Gallery, PackagedContent, ProviderDescription};
use super::setting::{SettingDescription, SettingType};

const PIPELINE_MODES: &[&str] = &["Integrated", "Classic"];

/// .NET's enumeration `FileSystemRights`.
const FILE_SYSTEM_RIGHTS: &[&str] = &[
    "AppendData",
    "ChangePermissions",
    "CreateDirectories",
    "CreateFiles",
    "Delete",
    "DeleteSubdirectoriesAndFiles",
    "ExecuteFile",
    "FullControl",
    "ListDirectory",
    "Modify",
    "Read",
    "ReadAndExecute",
    "ReadAttributes",
    "ReadData",
    "ReadExtendedAttributes",
    "ReadPermissions",
    "Synchronize",
    "TakeOwnership",
    "Traverse",
    "Write",
    "WriteAttributes",
    "WriteData",
    "WriteExtendedAttributes",
];

const fn flag(name: &'static str) -> SettingDescription {
    SettingDescription::new(name, SettingType::Boolean)
}

const fn text(name: &'static str) -> SettingDescription {
    SettingDescription::new(name, SettingType::Text)
}

/// .NET's `Int32`, not negative.
const fn number(name: &'static str) -> SettingDescription {
    SettingDescription::new(
        name,
        SettingType::Number {
            max: i32::MAX as i64,
        },
    )
}

/// Settings that every provider has; most say how to reach another computer.
pub const COMMON_SETTINGS: &[SettingDescription] = &[
    text("authType").or("NTLM"),
    text("computerName"),
    text("encryptPassword").secure(),
    text("getCredentials"),
    flag("includeAcls"),
    text("password").secure(),
    text("publishSettings"),
    text("storeCredentials"),
    flag("tempAgent"),
    text("userName"),
    text("wmsvc"),
];

/// Whether a setting of this name is a password, in any provider and letter case.
pub(crate) fn is_secure(name: &str) -> bool {
    COMMON_SETTINGS
        .iter()
        .any(|setting| setting.is_secure && setting.name.eq_ignore_ascii_case(name))
}

const fn provider(
    name: &'static str,
    gallery: Gallery,
    content: PackagedContent,
    settings: &'static [SettingDescription],
) -> ProviderDescription {
    ProviderDescription {
        name,
        key_attribute: "path",
        key_is_optional: false,
        gallery,
        content,
        settings,
        takes_other_settings: false,
    }
}

impl ProviderDescription {
    const fn key(mut self, attribute: &'static str) -> Self {
        self.key_attribute = attribute;
        self
    }

    const fn optional_key(mut self) -> Self {
        self.key_is_optional = true;
        self
    }

    const fn other_settings(mut self) -> Self {
        self.takes_other_settings = true;
        self
    }
}

/// The providers that Web Deploy 4 and the releases before it have, by name.
pub const PROVIDERS: &[ProviderDescription] = &[
    provider(
        "alias",
        Gallery::Allowed,
        PackagedContent::None,
        &[text("from"), text("to")],
    )
    .key("from"),
    provider(
        "appHostAuthOverride",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    ),
    provider(
        "appHostConfig",
        Gallery::Refused,
        PackagedContent::Objects,
        &[text("appOfflineTemplate"), text("webConfigEncryptProvider")],
    )
    .optional_key(),
    provider(
        "appHostSchema",
        Gallery::Refused,
        PackagedContent::Objects,
        &[],
    )
    .optional_key(),
    provider(
        "appPoolConfig",
        Gallery::Refused,
        PackagedContent::None,
        &[],
    )
    .optional_key(),
    provider(
        "appPoolEnable32Bit",
        Gallery::Refused,
        PackagedContent::None,
        &[flag("enable32Bit")],
    ),
    provider(
        "appPoolNetFx",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    ),
    provider(
        "appPoolPipeline",
        Gallery::Refused,
        PackagedContent::None,
        &[
            SettingDescription::new("pipelineMode", SettingType::OneOf(PIPELINE_MODES))
                .or("Integrated"),
        ],
    ),
    provider(
        "archiveDir",
        Gallery::Refused,
        PackagedContent::Objects,
        &[],
    ),
    provider("auto", Gallery::Refused, PackagedContent::None, &[]).optional_key(),
    provider(
        "backupManager",
        Gallery::Refused,
        PackagedContent::None,
        &[text("connectionString"), flag("useLatest")],
    )
    .optional_key(),
    provider(
        "backupSettings",
        Gallery::Refused,
        PackagedContent::None,
        &[
            flag("enabled"),
            number("numberOfBackups"),
            flag("continueSyncOnBackupFailure"),
            text("addExcludedProviders"),
        ],
    )
    .optional_key(),
    provider("cert", Gallery::Refused, PackagedContent::None, &[]),
    provider(
        "certStoreSettings",
        Gallery::Refused,
        PackagedContent::None,
        &[],
    )
    .optional_key(),
    provider(
        "comObject32",
        Gallery::Refused,
        PackagedContent::Objects,
        &[],
    ),
    provider(
        "comObject64",
        Gallery::Refused,
        PackagedContent::Objects,
        &[],
    ),
    provider(
        "contentPath",
        Gallery::Refused,
        PackagedContent::FolderOrFile,
        &[
            text("appOfflineTemplate"),
            text("webConfigEncryptProvider"),
            flag("syncPackageTimeStamps"),
        ],
    ),
    provider(
        "contentPathLib",
        Gallery::Refused,
        PackagedContent::Folder,
        &[flag("syncPackageTimeStamps")],
    ),
    provider(
        "createApp",
        Gallery::Refused,
        PackagedContent::None,
        &[
            text("managedRuntimeVersion"),
            flag("enable32BitAppOnWin64"),
            SettingDescription::new("managedPipelineMode", SettingType::OneOf(PIPELINE_MODES)),
        ],
    ),
    provider(
        "dbDacFx",
        Gallery::Refused,
        PackagedContent::File,
        &[
            number("commandTimeout"),
            SettingDescription::new(
                "dacpacAction",
                SettingType::OneOf(&["Deploy", "Script", "Report", "DriftReport"]),
            ),
            flag("dropDestinationDatabase"),
            flag("includeData"),
            flag("allowDropBlockingAssemblies"),
            flag("allowIncompatiblePlatform"),
            flag("backupDatabaseBeforeChanges"),
            flag("blockOnPossibleDataLoss"),
            flag("blockWhenDriftDetected"),
            flag("commentOutSetVarDeclarations"),
            flag("compareUsingTargetCollation"),
            flag("createNewDatabase"),
            flag("deployDatabaseInSingleUserMode"),
            flag("disableAndReenableDdlTriggers"),
            flag("doNotAlterChangeDataCaptureObjects"),
            flag("doNotAlterReplicatedObjects"),
            flag("dropConstraintsNotInSource"),
            flag("dropDmlTriggersNotInSource"),
            flag("dropExtendedPropertiesNotInSource"),
            flag("dropIndexesNotInSource"),
            flag("dropObjectsNotInSource"),
            flag("dropPermissionsNotInSource"),
            flag("dropRoleMembersNotInSource"),
            flag("dropStatisticsNotInSource"),
            flag("generateSmartDefaults"),
            flag("ignoreAnsiNulls"),
            flag("ignoreAuthorizer"),
            flag("ignoreColumnCollation"),
            flag("ignoreComments"),
            flag("ignoreCryptographicProviderFilePath"),
            flag("ignoreDdlTriggerOrder"),
            flag("ignoreDdlTriggerState"),
            flag("ignoreDefaultSchema"),
            flag("ignoreDmlTriggerOrder"),
            flag("ignoreDmlTriggerState"),
            flag("ignoreExtendedProperties"),
            flag("ignoreFileAndLogFilePath"),
            flag("ignoreFilegroupPlacement"),
            flag("ignoreFileSize"),
            flag("ignoreFillFactor"),
            flag("ignoreFullTextCatalogFilePath"),
            flag("ignoreIdentitySeed"),
            flag("ignoreIncrement"),
            flag("ignoreIndexOptions"),
            flag("ignoreIndexPadding"),
            flag("ignoreKeywordCasing"),
            flag("ignoreLockHintsOnIndexes"),
            flag("ignoreLoginSids"),
            flag("ignoreNotForReplication"),
            flag("ignoreObjectPlacementOnPartitionScheme"),
            flag("ignorePartitionSchemes"),
            flag("ignorePermissions"),
            flag("ignoreQuotedIdentifiers"),
            flag("ignoreRoleMembership"),
            flag("ignoreRouteLifetime"),
            flag("ignoreSemicolonBetweenStatements"),
            flag("ignoreTableOptions"),
            flag("ignoreUserSettingsObjects"),
            flag("ignoreWhitespace"),
            flag("ignoreWithNocheckOnCheckConstraints"),
            flag("ignoreWithNocheckOnForeignKeys"),
            flag("includeCompositeObjects"),
            flag("includeTransactionalScripts"),
            flag("noAlterStatementsToChangeClrTypes"),
            flag("populateFilesOnFileGroups"),
            flag("registerDataTierApplication"),
            flag("runDeploymentPlanExecutors"),
            flag("scriptDatabaseCollation"),
            flag("scriptDatabaseCompatibility"),
            flag("scriptDatabaseOptions"),
            flag("scriptDeployStateChecks"),
            flag("scriptFileSize"),
            flag("scriptNewConstraintValidation"),
            flag("scriptRefreshModule"),
            flag("treatVerificationErrorsAsWarnings"),
            flag("unmodifiableObjectWarnings"),
            flag("verifyCollationCompatibility"),
            flag("verifyDeployment"),
        ],
    )
    .other_settings(),
    provider(
        "dbFullSql",
        Gallery::Allowed,
        PackagedContent::File,
        &[
            text("commandDelimiter"),
            number("commandTimeout"),
            text("createDBConnectionString"),
            flag("dropDestinationDatabase"),
            flag("forceScriptDatabase"),
            text("objectList"),
            flag("removeCommandDelimiter"),
            flag("scriptDropsFirst"),
            flag("skipSqlCmdParsing"),
            flag("sqlCe"),
            flag("storeConnectionStringPassword"),
            flag("transacted").or("true"),
        ],
    )
    .other_settings(),
    provider(
        "dbMySql",
        Gallery::Allowed,
        PackagedContent::File,
        &[
            text("createDBConnectionString"),
            flag("includeData"),
            flag("includeSchema"),
            flag("transacted"),
            text("commandDelimiter"),
            flag("removeCommandDelimiter"),
            number("waitAttempts"),
            number("waitInterval"),
            number("commandTimeout"),
        ],
    )
    .other_settings(),
    provider(
        "dbSqlite",
        Gallery::Refused,
        PackagedContent::File,
        &[
            text("createDBConnectionString"),
            flag("includeData"),
            flag("transacted"),
            text("commandDelimiter"),
            flag("removeCommandDelimiter"),
            number("waitAttempts"),
            number("waitInterval"),
            number("commandTimeout"),
        ],
    )
    .other_settings(),
    provider("delete", Gallery::Refused, PackagedContent::None, &[]).optional_key(),
    provider(
        "dirPath",
        Gallery::Refused,
        PackagedContent::Folder,
        &[
            SettingDescription::new("firstChangeUSN", SettingType::Number { max: i64::MAX }),
            text("ignoreErrors"),
            flag("incremental"),
        ],
    ),
    provider(
        "fcgiExtConfig",
        Gallery::Refused,
        PackagedContent::None,
        &[],
    )
    .optional_key(),
    provider(
        "filePath",
        Gallery::Refused,
        PackagedContent::File,
        &[text("ignoreErrors")],
    ),
    provider("gacAssembly", Gallery::Refused, PackagedContent::File, &[]),
    provider("gacInstall", Gallery::Refused, PackagedContent::File, &[]),
    provider(
        "iisApp",
        Gallery::Required,
        PackagedContent::Folder,
        &[
            flag("skipAppCreation").or("false"),
            text("managedRuntimeVersion"),
            flag("enable32BitAppOnWin64"),
            SettingDescription::new("managedPipelineMode", SettingType::OneOf(PIPELINE_MODES)),
            text("appOfflineTemplate"),
            text("webConfigEncryptProvider"),
            flag("syncPackageTimeStamps"),
        ],
    ),
    provider(
        "machineConfig32",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    )
    .optional_key(),
    provider(
        "machineConfig64",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    )
    .optional_key(),
    provider(
        "manifest",
        Gallery::Refused,
        PackagedContent::Objects,
        &[flag("skipInvalid")],
    ),
    provider(
        "metaKey",
        Gallery::Refused,
        PackagedContent::None,
        &[flag("metadataGetInherited"), flag("useRealAbo")],
    ),
    provider("package", Gallery::Refused, PackagedContent::Objects, &[]),
    provider(
        "recycleApp",
        Gallery::Refused,
        PackagedContent::None,
        &[
            SettingDescription::new(
                "recycleMode",
                SettingType::OneOf(&[
                    "RecycleAppPool",
                    "StartAppPool",
                    "StopAppPool",
                    "UnloadAppDomain",
                ]),
            )
            .or("RecycleAppPool"),
            number("timeout"),
        ],
    ),
    provider("regKey", Gallery::Refused, PackagedContent::None, &[]),
    provider("regValue", Gallery::Refused, PackagedContent::None, &[]),
    provider(
        "rootWebConfig32",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    )
    .optional_key(),
    provider(
        "rootWebConfig64",
        Gallery::Refused,
        PackagedContent::None,
        &[text("netFxVersion")],
    )
    .optional_key(),
    provider(
        "runCommand",
        Gallery::Refused,
        PackagedContent::None,
        &[
            flag("dontUseCommandExe").or("false"),
            flag("dontUseJobObject").or("false"),
            SettingDescription::new("successReturnCodes", SettingType::ExitCodes),
            number("waitAttempts").or("5"),
            number("waitInterval").or("1000"),
        ],
    ),
    provider(
        "setAcl",
        Gallery::Required,
        PackagedContent::None,
        &[
            SettingDescription::new("setAclAccess", SettingType::AnyOf(FILE_SYSTEM_RIGHTS))
                .or("Read"),
            flag("setAclIsFile"),
            SettingDescription::new(
                "setAclResourceType",
                SettingType::OneOf(&["File", "Directory"]),
            )
            .or("Directory"),
            text("setAclUser"),
        ],
    ),
    provider(
        "urlScanConfig",
        Gallery::Refused,
        PackagedContent::None,
        &[],
    )
    .optional_key(),
    provider("webServer", Gallery::Refused, PackagedContent::Objects, &[]).optional_key(),
    provider(
        "webServer60",
        Gallery::Refused,
        PackagedContent::Objects,
        &[],
    )
    .optional_key(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_consistent() {
        for pair in PROVIDERS.windows(2) {
            let (a, b) = (pair[0].name.to_lowercase(), pair[1].name.to_lowercase());
            assert!(a < b, "{b}");
        }
        for provider in PROVIDERS {
            for setting in provider.settings.iter().chain(COMMON_SETTINGS) {
                let found = provider.setting(&setting.name.to_uppercase());
                assert_eq!(found, Some(setting), "{}", provider.name);
                let default = setting.default.unwrap_or_default();
                assert!(
                    setting.default.is_none() || setting.value.accepts(default),
                    "{} {}",
                    provider.name,
                    setting.name
                );
            }
        }
    }

    #[test]
    fn settings_are_checked_for_each_provider() {
        let check = |provider: &str, setting: &str, good: &str, bad: &str| {
            let provider = ProviderDescription::of(provider).unwrap();
            let value = provider.setting(setting).unwrap().value;
            assert!(value.accepts(good), "{setting}={good}");
            assert!(!value.accepts(bad), "{setting}={bad}");
        };
        check("iisapp", "enable32BitAppOnWin64", "True", "32");
        check("IISAPP", "managedPipelineMode", "classic", "modern");
        check("setAcl", "setAclResourceType", "file", "folder");
        check("recycleApp", "recycleMode", "UnloadAppDomain", "Restart");
        check("dirPath", "firstChangeUSN", "9223372036854775807", "-1");
        check("dbMySql", "waitInterval", "10", "soon");
        check("dbDacFx", "dacpacAction", "script", "drop");
        check("runCommand", "successReturnCodes", "0x0;1", "ok");
        check("filePath", "includeAcls", "false", "no");
    }
}
