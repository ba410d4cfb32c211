//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that a command reports itself, sorted; those of the formats are in the crates of the formats.
pub const RULES: &[Rule] = &[
    Rule::new(
        "machine-file",
        "A file given with `--machine` is not TOML, or does not describe a machine.",
        "iiswsgi, machine descriptions",
    ),
    Rule::new(
        "package-no-application",
        "The manifest of a package has no iisApp provider, so that there is nothing to install.",
        "Web Application Gallery, Manifest.xml",
    ),
    Rule::new(
        "package-single-file",
        "The contentPath of a package is a single file, which a sync into a folder has no place for.",
        "Web Deploy contentPath Provider",
    ),
    Rule::new(
        "template-undefined-variable",
        "A template uses a variable that neither iiswsgi nor the environment defines. In `web.config.in` nothing is written; in \
         `Manifest.xml.in` and `iis_install.stamp.in` it stays as written, for the machine that the package is installed on.",
        "iiswsgi, templates; Python, `ntpath.expandvars`",
    ),
    Rule::new(
        "webpi-address-unreachable",
        "A page or picture that a feed names cannot be fetched (`webpi check --fetch`).",
        "Web Platform Installer Feed Reference, entry Element",
    ),
    Rule::new(
        "webpi-package-sha1",
        "The package has another SHA-1 than the feed says (`webpi check --fetch`): WebPI would say that it failed signature \
         verification.",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-package-sha1-missing",
        "The feed gives no SHA-1 for a package; the help gives it (`webpi check --fetch`).",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-package-size",
        "The package has another size than the feed says (`webpi check --fetch`).",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
    Rule::new(
        "webpi-package-unreachable",
        "The package that a feed names cannot be fetched (`webpi check --fetch`).",
        "Web Platform Installer Feed Reference, installerFile Element",
    ),
];
