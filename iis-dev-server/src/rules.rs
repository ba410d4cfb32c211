//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that loading a site reports, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "iis-handler-unregistered",
        "A handler's scriptProcessor names a FastCGI application that `<fastCgi>` does not have. IIS answers its requests with \
         500.0 and 0x80070585.",
        "IIS, `<fastCgi>` and `<handlers>`",
    ),
    Rule::new(
        "iis-physical-path-missing",
        "The physicalPath of a site's virtual directory is not there.",
        "IIS, `<virtualDirectory>`",
    ),
];
