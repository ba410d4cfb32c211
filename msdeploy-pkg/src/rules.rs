//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that this crate reports, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "archive-directory-damaged",
        "The archive's directory is not where its end record says, or does not hold what it says: two programs could read two archives.",
        "APPNOTE, .ZIP File Format Specification §4.3.12, §4.3.16",
    ),
    Rule::new(
        "archive-encrypted",
        "An entry is encrypted, which Web Deploy does not know.",
        "APPNOTE, .ZIP File Format Specification §4.4.4",
    ),
    Rule::new(
        "archive-entry-damaged",
        "An entry's data cannot be unpacked, or has another check sum than the directory states.",
        "APPNOTE, .ZIP File Format Specification §4.4.7",
    ),
    Rule::new(
        "archive-entry-length",
        "An entry's data has another length than the directory states.",
        "APPNOTE, .ZIP File Format Specification §4.4.8, §4.4.9",
    ),
    Rule::new(
        "archive-entry-not-text",
        "A manifest or `Parameters.xml` that is not text in its encoding.",
        "XML 1.0 §4.3.3",
    ),
    Rule::new(
        "archive-entry-zip64",
        "An entry has zip64 fields, which Web Deploy does not read.",
        "APPNOTE, .ZIP File Format Specification §4.5.3",
    ),
    Rule::new(
        "archive-folder-data",
        "A folder that has data.",
        "APPNOTE, .ZIP File Format Specification §4.3.8",
    ),
    Rule::new(
        "archive-headers-differ",
        "An entry's local header says something else than the directory: two programs could read two files.",
        "APPNOTE, .ZIP File Format Specification §4.3.7",
    ),
    Rule::new(
        "archive-limit",
        "The archive has more entries, larger entries or more data than a reader takes: a bomb, or not a package.",
        "our limits; Web Deploy package Provider for entries and their length",
    ),
    Rule::new(
        "archive-method",
        "An entry is compressed in another way than by deflate.",
        "APPNOTE, .ZIP File Format Specification §4.4.5",
    ),
    Rule::new(
        "archive-name",
        "An entry's name is empty, too long, not text, has control characters, or is given twice and differently.",
        "APPNOTE, .ZIP File Format Specification §4.4.17",
    ),
    Rule::new(
        "archive-name-duplicate",
        "Two entries have names that are one name to Windows.",
        "Naming Files, Paths, and Namespaces (Windows)",
    ),
    Rule::new(
        "archive-name-escapes",
        "An entry's name leads out of the folder that it is unpacked into: `..`, an absolute path, a drive, a backslash, a stream.",
        "APPNOTE, .ZIP File Format Specification §4.4.17.1",
    ),
    Rule::new(
        "archive-name-inside-file",
        "An entry lies in a folder that is itself a file of the archive.",
        "APPNOTE, .ZIP File Format Specification §4.4.17",
    ),
    Rule::new(
        "archive-no-manifest",
        "Neither `Manifest.xml` nor `archive.xml` lies at the root of the archive.",
        "Reference for the Web Application Package",
    ),
    Rule::new(
        "archive-not-zip",
        "The file is no zip archive, is cut off, or is one of several disks.",
        "APPNOTE, .ZIP File Format Specification §4.3.16",
    ),
    Rule::new(
        "archive-overlap",
        "Entries share octets, which is how a small archive unpacks to anything.",
        "A better zip bomb (D. Fifield, WOOT 2019)",
    ),
    Rule::new(
        "archive-special-file",
        "An entry is a device, a socket or a pipe.",
        "APPNOTE, .ZIP File Format Specification §4.4.15",
    ),
    Rule::new(
        "archive-symbolic-link",
        "An entry is a symbolic link, which leads out of the folder that it is unpacked into.",
        "APPNOTE, .ZIP File Format Specification §4.4.15",
    ),
    Rule::new(
        "archive-zip64",
        "The archive has zip64 records, which Web Deploy does not read.",
        "APPNOTE, .ZIP File Format Specification §4.3.14",
    ),
    Rule::new(
        "check-acl-anonymous",
        "`setAclUser` gives the anonymous visitor access, which only applications in PHP need.",
        "Tips and Tricks to build a Package for Web Application Gallery",
    ),
    Rule::new(
        "check-acl-application",
        "The application may write into its own folder, and so can change its own code.",
        "Packaging Applications for the Windows Web App Gallery",
    ),
    Rule::new(
        "check-acl-user",
        "`setAclUser` names an account that another computer need not have.",
        "Tips and Tricks to build a Package for Web Application Gallery",
    ),
    Rule::new(
        "check-database-tags",
        "A database provider without parameters for each of the six database tags: the installer cannot ask for server, names and passwords.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-entry-empty",
        "A `parameterEntry` with an empty scope or match, which applies everywhere or nowhere.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-file-too-large",
        "A file has more than 2,147,483,647 octets, which Web Deploy cannot read in a package.",
        "Web Deploy package Provider",
    ),
    Rule::new(
        "check-hidden-without-default",
        "A parameter that is never asked for and has no default value: an installation stops at it.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-long-folder",
        "Folders whose paths would pass 248 characters at the destination.",
        "Naming Files, Paths, and Namespaces (Windows), Maximum Path Length Limitation",
    ),
    Rule::new(
        "check-long-path",
        "Files whose paths would pass 260 characters at the destination.",
        "Naming Files, Paths, and Namespaces (Windows), Maximum Path Length Limitation",
    ),
    Rule::new(
        "check-match-unmatched",
        "The match of an entry is found in no file of its scope: the value goes nowhere.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-no-application-parameter",
        "No parameter tagged `iisApp` says where the application goes.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-no-iis-app",
        "The manifest deploys no application.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-no-parameters",
        "The package has no `Parameters.xml`: nothing of it can be set at installation.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-no-set-acl",
        "The manifest sets no permissions. The gallery once required it of every package.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-no-stamp",
        "A runCommand of `iiswsgi_install` without the `iis_install.stamp` by which it finds the application.",
        "iiswsgi",
    ),
    Rule::new(
        "check-no-start-page",
        "Neither a default document nor a `web.config`, and no parameter tagged `AppURL`: the page that an installer opens answers nothing.",
        "Tips and Tricks to build a Package for Web Application Gallery",
    ),
    Rule::new(
        "check-parameter-unused",
        "A parameter that no entry and no other parameter uses: its value goes nowhere.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-path-not-in-package",
        "A provider names a folder or script that the package does not hold.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-provider-not-in-gallery",
        "A provider that the gallery did not allow. The package installs all the same where the user may run it.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-provider-path-unmatched",
        "A `ProviderPath` entry that matches no provider of the manifest.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-provider-without-entry",
        "A provider whose path no parameter sets: it goes where the package says, or nowhere.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-scope-open",
        "A scope for files that does not end with `$`, so that it also matches in the middle of a path.",
        "Packaging Applications for the Windows Web App Gallery",
    ),
    Rule::new(
        "check-scope-unmatched",
        "No file of the package is in the scope of an entry.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-secret-stored",
        "A secret that is asked for once is not tagged `NoStore`.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-sha1",
        "The package has another SHA-1 than is expected.",
        "WebPI feed, `sha1`",
    ),
    Rule::new(
        "check-text-file-position",
        "An entry of the kind `TextFilePosition`, which breaks when the file changes; the gallery refused it.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-too-many-files",
        "More files and folders than an archive without zip64 can list.",
        "Web Deploy package Provider; APPNOTE, .ZIP File Format Specification §4.4.22",
    ),
    Rule::new(
        "check-two-administrators",
        "Two parameters for the administrator of one kind of database.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-two-application-parameters",
        "Two parameters tagged `iisApp` say where the application goes.",
        "Sniffer.Installer.Reporter, the Web Application Gallery's validator",
    ),
    Rule::new(
        "check-two-start-pages",
        "Two parameters tagged `AppURL`: an installer opens one page.",
        "Tips and Tricks to build a Package for Web Application Gallery",
    ),
    Rule::new(
        "manifest-empty",
        "The manifest's root element holds no provider.",
        "Web Deploy Manifest Provider",
    ),
    Rule::new(
        "manifest-options-of-another-provider",
        "The provider options were made for another provider than the element they stand at.",
        "[MS-NRBF]; Web Deploy's own packages",
    ),
    Rule::new(
        "manifest-provider-options",
        "The provider options are not what Web Deploy writes, and it would fail on them or do something else.",
        "[MS-NRBF]; Web Deploy's own packages",
    ),
    Rule::new(
        "manifest-provider-without-path",
        "A provider without the attribute that says what it deploys.",
        "Web Deploy Manifest Provider",
    ),
    Rule::new(
        "manifest-setting-unknown",
        "A provider has no setting of this name. Web Deploy fails on it.",
        "Web Deploy Provider Settings",
    ),
    Rule::new(
        "manifest-setting-value",
        "The value of a setting is not of the setting's type, or out of its range.",
        "Web Deploy Provider Settings",
    ),
    Rule::new(
        "object-tree-attribute-twice",
        "An object would have two attributes of one name, letter case aside.",
        "Web Deploy's own packages",
    ),
    Rule::new(
        "package-layout-path",
        "A provider's path cannot be a folder inside of a package.",
        "Web Deploy package Provider",
    ),
    Rule::new(
        "package-layout-provider",
        "A provider whose content no known package holds, so that it is not known how Web Deploy would read it.",
        "Web Deploy package Provider",
    ),
    Rule::new(
        "package-name-windows",
        "The name of an entry cannot be a file on Windows.",
        "Naming Files, Paths, and Namespaces (Windows)",
    ),
    Rule::new(
        "package-unreadable",
        "The package, or a value that belongs to it, cannot be read.",
        "this program",
    ),
    Rule::new(
        "parameter-cycle",
        "The defaults of parameters need each other.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-default-from-file",
        "A default value would be read from a file of the destination, which is not supported.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-duplicate-name",
        "Two parameters of one name, letter case aside.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-entry-without-match",
        "An entry of a kind that needs a `match` has none.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-enumeration-blanks",
        "Blanks around a value of an enumeration, which are part of the value.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-environment-ambiguous",
        "An environment variable that more than one parameter goes by: their names differ only in what is neither letter nor digit.",
        "our names for environment variables",
    ),
    Rule::new(
        "parameter-environment-unknown",
        "An environment variable with the prefix of parameters that no parameter of the package goes by.",
        "our names for environment variables",
    ),
    Rule::new(
        "parameter-given-twice",
        "Two values for one parameter from one place.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-interpolation-limit",
        "The default of a parameter goes through too many others, or grows too long.",
        "our limit",
    ),
    Rule::new(
        "parameter-missing",
        "A parameter without a default that was given no value.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-text-position",
        "The match of a `TextFilePosition` is not line;column;count.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-unknown",
        "A value for a parameter that the package does not have.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-unknown-entry-kind",
        "The kind of an entry is none that Web Deploy has.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-unknown-validation",
        "The kind of a validation is none that Web Deploy has.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-validation-string",
        "A validation that needs a `validationString` has none.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-value",
        "A value that the parameter's validations refuse.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-without-kind",
        "An entry or validation without its kind.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameter-without-name",
        "A parameter without a name.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameters-root",
        "The root element of a parameters file is not `parameters`.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "parameters-unknown-attribute",
        "An attribute that means nothing where it stands: it is passed over.",
        "Web Deploy Parameterization; Parameters.xsd",
    ),
    Rule::new(
        "parameters-unknown-element",
        "An element that means nothing where it stands in a parameters file.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "regex-malformed",
        "A regular expression that .NET would refuse.",
        ".NET regular expressions",
    ),
    Rule::new(
        "regex-too-expensive",
        "A rule's regular expression takes millions of steps with a path, so that it cannot be told whether the rule applies.",
        "our limit; Backtracking in regular expressions (.NET)",
    ),
    Rule::new(
        "regex-unsupported",
        "A regular expression that is not supported here (`[:name:]` in a class), or that takes millions of steps with a file. It is refused rather than matched in another way.",
        ".NET regular expressions",
    ),
    Rule::new(
        "replace-rule-name",
        "A `-replace` rule makes something of a file's name that is no name: empty, or a path.",
        "our limit",
    ),
    Rule::new(
        "rule-setting-malformed",
        "A part of a `-skip` or `-replace` rule that is not `name=value`, or whose quotes are not closed.",
        "Web Deploy Operation Settings",
    ),
    Rule::new(
        "rule-setting-missing",
        "A rule without settings, or a `-replace` rule without `replace`.",
        "Web Deploy Operation Settings",
    ),
    Rule::new(
        "rule-setting-twice",
        "A setting that a rule has twice.",
        "msdeploy: the same setting cannot be specified more than once",
    ),
    Rule::new(
        "rule-setting-unknown",
        "A setting that rules of this kind do not have.",
        "msdeploy: Unrecognized skip directive",
    ),
    Rule::new(
        "run-command-plain-setting",
        "A setting of `runCommand` written as an attribute, where Web Deploy does not look for it. Building the manifest moves it.",
        "Web Deploy runCommand Provider",
    ),
    Rule::new(
        "run-command-setting-value",
        "The value of a setting of `runCommand` is not of its type, or out of its range.",
        "Web Deploy runCommand Provider",
    ),
    Rule::new(
        "run-command-unknown-setting",
        "`runCommand` has no setting of this name.",
        "Web Deploy runCommand Provider",
    ),
    Rule::new(
        "run-command-without-key-attribute",
        "A `runCommand` with provider options and without the attribute that goes with them: Web Deploy takes the command for a \
         file when it installs the package again. Building the manifest adds it.",
        "iiswsgi 0.3's history",
    ),
    Rule::new(
        "set-parameter-incomplete",
        "A `setParameter` without a name or a value.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "set-parameter-twice",
        "A parameter is set twice in one file. The first value holds.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "set-parameters-root",
        "The root element of a file of values is not `parameters`.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "set-parameters-unknown-element",
        "An element that means nothing where it stands in a file of values.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "skip-action-unknown",
        "A `skipAction` other than `AddChild`, `Update` and `Delete`.",
        "Web Deploy Operation Settings, skip",
    ),
    Rule::new(
        "skip-action-with-attribute",
        "A skip rule with `skipAction` that chooses objects by `keyAttribute` or `attributes.NAME`, which only skip directives can.",
        "msdeploy: Unrecognized skip directive 'skipaction'",
    ),
    Rule::new(
        "sync-kind-conflict",
        "A file of the package would go where a folder is that a rule keeps, or the other way round.",
        "Windows: one name, one object",
    ),
    Rule::new(
        "sync-name-collision",
        "Two files of the package would have one name at the destination, by `-replace` rules or by letter case.",
        "Windows: names differ in more than case",
    ),
    Rule::new(
        "sync-rule-unknown",
        "A name that none of Web Deploy's built-in rules has.",
        "Web Deploy Rules",
    ),
    Rule::new(
        "sync-rule-without-effect",
        "A built-in rule that says nothing where a package goes into a folder: switching it changes nothing.",
        "Web Deploy Rules",
    ),
    Rule::new(
        "sync-would-empty-destination",
        "The package has no files for a folder that has some: the sync would delete all of them.",
        "Web Deploy Rules, BlockHarmfulDeleteOperations",
    ),
    Rule::new(
        "system-info-malformed",
        "A `systemInfo.xml` that is not what Web Deploy writes.",
        "Web Deploy's own packages",
    ),
    Rule::new(
        "text-file-encoding",
        "A file that is neither UTF-8 nor marked, edited with a value that ISO 8859-1 has no octets for. Nothing is written.",
        "our limit",
    ),
    Rule::new(
        "text-position-outside",
        "A `TextFilePosition` names a place that the file does not have.",
        "Web Deploy Parameterization",
    ),
    Rule::new(
        "xml-delete-root",
        "The empty value of an `XmlFile` entry selects the root element, which an XML file cannot be without.",
        "XML 1.0 §2.1",
    ),
    Rule::new(
        "xpath-too-expensive",
        "An XPath expression takes more steps on a file than are allowed.",
        "our limit",
    ),
    Rule::new(
        "xpath-unsupported",
        "An XPath expression uses what is not supported here. It is refused rather than evaluated in another way.",
        "XML Path Language 1.0",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_unique() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
        }
    }
}
