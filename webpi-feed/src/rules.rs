//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that a check of a feed reports, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "webpi-architecture",
        "An architecture is not known.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-cmdline-case",
        "`cmdline` is written in another case than the reference has.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-cmdline-exe-missing",
        "A command has no program.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-command-unknown",
        "An install command is not known.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-commands-empty",
        "A list of commands is empty.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-default-language-duplicate",
        "More than one language is the default.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-default-language-missing",
        "No language is the default.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-definition-duplicate",
        "Two definitions have the same id.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-definition-without-id",
        "A definition has no id, so that nothing can refer to it.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-dependency-children",
        "A dependency names more than one thing.",
        "Web Platform Installer Feed Reference, dependency Element",
    ),
    Rule::new(
        "webpi-dependency-cycle",
        "Products or definitions need each other in a circle.",
        "Web Platform Installer Feed Reference, dependency Element",
    ),
    Rule::new(
        "webpi-dependency-empty",
        "A dependency names nothing.",
        "Web Platform Installer Feed Reference, dependency Element",
    ),
    Rule::new(
        "webpi-dependency-too-few",
        "`and` or `or` in a dependency has fewer than two dependencies.",
        "Web Platform Installer Feed Reference, dependency Element",
    ),
    Rule::new(
        "webpi-dependency-unexpected",
        "An element cannot stand in a dependency.",
        "Web Platform Installer Feed Reference, dependency Element",
    ),
    Rule::new(
        "webpi-duplicate-element",
        "An element that may occur once occurs more than once; the first counts.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-enclosure-without-address",
        "A link to a feed that is loaded together with this one has no address.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-entry-id-duplicate",
        "Two products, or a product and the feed, have the same id.",
        "RFC 4287, The Atom Syndication Format",
    ),
    Rule::new(
        "webpi-external-incomplete",
        "A product that is only described has no link or no long summary.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-feed-id-missing",
        "The feed has no id, by which cached copies are recognised.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-feed-title-missing",
        "The feed has no title.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-file-size",
        "A file's size is not a number.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-file-size-unit",
        "A file's size is so large that it is probably in octets, not in KB.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-hint-children",
        "A discovery hint says more than one thing.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-empty",
        "A discovery hint says nothing.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-file-path-missing",
        "A hint on a file has no path.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-key-path-missing",
        "A hint on the registry has no key.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-key-path-root",
        "A registry key does not begin with the full name of a root.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-msi-code",
        "A code of Windows Installer is not a GUID in braces.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-too-few",
        "`and` or `or` in a discovery hint has fewer than two hints, or `not` has none.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-unexpected",
        "An element cannot stand in a discovery hint.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-value-name-missing",
        "A hint on the registry compares a value without naming one.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-hint-version",
        "A version cannot be read, and counts as 0.",
        "Web Platform Installer Feed Reference, discoveryHint Element",
    ),
    Rule::new(
        "webpi-idref-and-content",
        "An element refers to a definition and has content of its own.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-idref-unknown",
        "An element refers to a definition that the feed does not have.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-installer-id-duplicate",
        "Two installers of a product have the same id.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-installer-id-missing",
        "An installer has no id.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-installer-language-empty",
        "An installer's language is empty.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-installer-language-undeclared",
        "An installer's language is not one of the feed's.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-installer-two-methods",
        "An installer has both `msDeploy` and `installCommands`.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-installer-url-missing",
        "A file has no address.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-installer-without-method",
        "An installer does not say how to install.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-keyword-duplicate",
        "A keyword is declared twice.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-keyword-id-missing",
        "A keyword is declared without an id.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-keyword-undeclared",
        "A product has a keyword that the feed does not declare.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-language-id-missing",
        "A language has no `languageId`.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-language-name-missing",
        "A language has no name.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-mapping-outcome",
        "A mapping of an exit code has no outcome, or more than one.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-metadata-overrides",
        "A product has a value both in itself and in its `metadata`, which counts.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-msdeploy-without-file",
        "An installer has `msDeploy` and no file.",
        "Web Platform Installer Feed Reference, installer Element",
    ),
    Rule::new(
        "webpi-msi-missing",
        "`msiInstall` has no package.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-msu-missing",
        "`msuInstall` has no update.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-namespace",
        "The elements of the feed are not in Atom's namespace.",
        "RFC 4287, The Atom Syndication Format",
    ),
    Rule::new(
        "webpi-no-installers",
        "A product has no installer.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-no-products",
        "The feed lists no products.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-not-a-feed",
        "The document element is not `feed`.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-os-list-empty",
        "A list of operating systems is empty.",
        "Web Platform Installer Feed Reference, os Element",
    ),
    Rule::new(
        "webpi-os-major-version-missing",
        "A version of Windows has no major version.",
        "Web Platform Installer Feed Reference, os Element",
    ),
    Rule::new(
        "webpi-os-type",
        "An edition of Windows is not known.",
        "Web Platform Installer Feed Reference, os Element",
    ),
    Rule::new(
        "webpi-os-version-number",
        "A part of a version of Windows is not a number.",
        "Web Platform Installer Feed Reference, os Element",
    ),
    Rule::new(
        "webpi-product-duplicate",
        "Two products have the same identifier.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-product-id",
        "A product identifier has characters that command lines and folders cannot have.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-product-id-missing",
        "A product has no identifier.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-product-reference-empty",
        "A reference to a product is empty.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-product-unknown",
        "A reference to a product that neither the feed nor Microsoft's main feed has.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-resources-culture-missing",
        "A translation does not say which language it is.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-resources-url-missing",
        "More than one translation has no address.",
        "Web Platform Installer Feed Reference, feed Element",
    ),
    Rule::new(
        "webpi-return-code",
        "An exit code is not a number.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-sha1",
        "A SHA-1 is not 40 hexadecimal digits.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-sha1-missing",
        "A file has no SHA-1.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-terms-incomplete",
        "Terms of use lack their text, link or link text.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-time-format",
        "A time is not in the form `YYYY-MM-DDThh:mm:ssZ`.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-title-missing",
        "A product has no title.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-trust-verified",
        "`trustVerified` is neither `true` nor `false`.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-unzip-incomplete",
        "`unzip` lacks its archive or its folder.",
        "Web Platform Installer Feed Reference, installCommands Element",
    ),
    Rule::new(
        "webpi-update-without-dependency",
        "A product updates another one and does not depend on it.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-url",
        "An address is not an absolute URL.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-version-missing",
        "A product has no version.",
        "Web Platform Installer Feed Reference, entry Element",
    ),
];
