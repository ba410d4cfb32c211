//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that reading, checking and editing report, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "iis-activity-timeout-short",
        "`activityTimeout` is shorter than the application needs, or than a `requestTimeout` that somebody raised. A \
         process that writes nothing for so long is ended, with 500.0 and 0x80070102.",
        "IIS configuration reference, FastCGI `<application>`",
    ),
    Rule::new(
        "iis-application-duplicate",
        "A site has two applications of one path. IIS does not start the site.",
        "IIS_schema.xml, `system.applicationHost/sites`",
    ),
    Rule::new(
        "iis-application-missing",
        "An edit names an application that no site of the file has. Nothing is written.",
        "IIS_schema.xml, `system.applicationHost/sites`",
    ),
    Rule::new(
        "iis-application-path",
        "The path of an application or a virtual directory does not begin with `/`, ends with one, or holds a character that IIS refuses.",
        "IIS_schema.xml, `validationType=\"applicationPath\"`",
    ),
    Rule::new(
        "iis-argument-path-missing",
        "An argument of a FastCGI application is an absolute path at which nothing is.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-attribute-empty",
        "An attribute that has to have a value is empty. IIS refuses the section.",
        "IIS_schema.xml, `validationType=\"nonEmptyString\"`",
    ),
    Rule::new(
        "iis-attribute-missing",
        "An attribute that IIS requires is not there. IIS refuses the section.",
        "IIS_schema.xml, `required`",
    ),
    Rule::new(
        "iis-attribute-not-a-number",
        "An attribute that counts something is not a whole number.",
        "IIS_schema.xml, `type=\"uint\"`",
    ),
    Rule::new(
        "iis-attribute-not-a-time-span",
        "An attribute that is a time is not written as hours, minutes and seconds.",
        "IIS_schema.xml, `type=\"timeSpan\"`",
    ),
    Rule::new(
        "iis-attribute-not-in-enumeration",
        "An attribute has none of the names that the schema lists for it.",
        "IIS_schema.xml, `type=\"enum\"`",
    ),
    Rule::new(
        "iis-attribute-not-xml",
        "A value holds a character that XML cannot hold. Nothing is written.",
        "XML 1.0 §2.2",
    ),
    Rule::new(
        "iis-attribute-out-of-range",
        "A number is outside the range that IIS takes. IIS refuses the section.",
        "IIS_schema.xml, `validationType=\"integerRange\"`",
    ),
    Rule::new(
        "iis-attribute-unknown",
        "An attribute is not in IIS 10's schema, or in other letters. IIS refuses the section.",
        "IIS_schema.xml",
    ),
    Rule::new(
        "iis-base-interpreter-missing",
        "The interpreter that a virtual environment was made from is gone, and its python.exe does not start without \
         it.",
        "PEP 405, `home` in pyvenv.cfg",
    ),
    Rule::new(
        "iis-base-interpreter-unreadable",
        "The interpreter is in a user's profile, and the application pool runs as somebody else, who may not read \
         there. The process exits at once.",
        "PEP 405; IIS configuration reference, `<processModel>`",
    ),
    Rule::new(
        "iis-config-attribute-locked",
        "A `web.config` or `location` sets an attribute that `lockAttributes` or `lockItem` forbids above. IIS answers 500.19 with 0x80070021.",
        "IIS configuration reference, Using locking in IIS configuration",
    ),
    Rule::new(
        "iis-config-element-locked",
        "A `web.config` or `location` writes, clears or removes an element that `lockElements` or `lockItem` forbids above. IIS answers 500.19 with 0x80070021.",
        "IIS configuration reference, Using locking in IIS configuration",
    ),
    Rule::new(
        "iis-config-entry-duplicate",
        "A collection gets an entry whose key is inherited or stands above. IIS answers 500.19 with 0x800700b7.",
        "IIS_schema.xml, `isUniqueKey` and `isCombinedKey`",
    ),
    Rule::new(
        "iis-config-no-location",
        "A section that is declared with `allowLocation=\"false\"` stands in a `location`. IIS refuses it.",
        "IIS configuration reference, `<section>`",
    ),
    Rule::new(
        "iis-config-section-locked",
        "A `web.config` has a section that `overrideModeDefault`, `allowDefinition` or a `location` above forbids. IIS answers 500.19 with 0x80070021.",
        "IIS configuration reference, `<section>` and `<location>`",
    ),
    Rule::new(
        "iis-config-source",
        "A section is kept in another file, which is not read.",
        "IIS configuration reference, `configSource`",
    ),
    Rule::new(
        "iis-config-source-root",
        "A file that `configSource` names does not have that section as its root element. IIS refuses the section.",
        "IIS configuration reference, `configSource`",
    ),
    Rule::new(
        "iis-double-escaping-refused",
        "Request filtering answers paths with `+` and those that change when they are decoded twice with 404.11.",
        "IIS configuration reference, `<requestFiltering>`, `allowDoubleEscaping`",
    ),
    Rule::new(
        "iis-edit-failed",
        "An edit did not read back as it was asked for, and was given up.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-environment-variable-duplicate",
        "A FastCGI application sets an environment variable twice. IIS refuses the section.",
        "IIS_schema.xml, `isUniqueKey`",
    ),
    Rule::new(
        "iis-fast-cgi-attribute-unknown",
        "A FastCGI application has no attribute of the name that is to be set.",
        "IIS_schema.xml, `system.webServer/fastCgi`",
    ),
    Rule::new(
        "iis-fast-cgi-duplicate",
        "Two FastCGI applications have the same `fullPath` and `arguments`. IIS refuses the section.",
        "IIS_schema.xml, `isCombinedKey`",
    ),
    Rule::new(
        "iis-fast-cgi-in-web-config",
        "A web.config has a `<fastCgi>` section, which IIS reads from applicationHost.config only.",
        "IIS_schema.xml and `<section name=\"fastCgi\" allowDefinition=\"AppHostOnly\">`",
    ),
    Rule::new(
        "iis-fast-cgi-missing",
        "An edit names a FastCGI application that the file does not have. Nothing is written.",
        "IIS_schema.xml, `system.webServer/fastCgi`",
    ),
    Rule::new(
        "iis-fast-cgi-without-handler",
        "A web.config lists a FastCGI application that none of its handlers names.",
        "IIS configuration reference, `<handlers>`, `scriptProcessor`",
    ),
    Rule::new(
        "iis-folder-missing",
        "The `physicalPath` of a virtual directory is not there.",
        "IIS configuration reference, `<virtualDirectory>`",
    ),
    Rule::new(
        "iis-folder-unreadable",
        "The identity of the application pool may not read the folder of its application. IIS answers 500.19 or 401.3.",
        "Application Pool Identities; Security Descriptor String Format",
    ),
    Rule::new(
        "iis-full-path-quoted",
        "`fullPath` has quotes inside, as wfastcgi-enable writes it for a path with spaces. No handler that is \
         written by hand matches.",
        "IIS configuration reference, FastCGI `<application>`; wfastcgi",
    ),
    Rule::new(
        "iis-full-path-with-bar",
        "`fullPath` holds `|`, which separates it from the arguments in a handler.",
        "IIS configuration reference, `<handlers>`, `scriptProcessor`",
    ),
    Rule::new(
        "iis-handler-duplicate",
        "A handler of this name is there already, here or at a higher level. IIS refuses the section.",
        "IIS_schema.xml, `isUniqueKey`",
    ),
    Rule::new(
        "iis-handlers-locked",
        "A web.config has `<handlers>`, and the section is locked above it: by its declaration, a `<location>`, \
         `lockItem` or `lockElements`. IIS answers 500.19 with 0x80070021.",
        "IIS configuration reference, `<location>`, `overrideMode`",
    ),
    Rule::new(
        "iis-http-platform-port-not-passed",
        "Nothing in `<httpPlatform>` passes on `%HTTP_PLATFORM_PORT%`, the port that the program has to listen on.",
        "HttpPlatformHandler Configuration Reference",
    ),
    Rule::new(
        "iis-module-missing",
        "A handler needs a module that globalModules does not list: the Windows feature CGI, or HttpPlatformHandler, \
         is not installed.",
        "IIS configuration reference, `<globalModules>`",
    ),
    Rule::new(
        "iis-monitor-changes-to-variable",
        "`monitorChangesTo` holds an environment variable, which IIS does not expand there. It answers every request \
         with 500.",
        "IIS_schema.xml, `expanded`",
    ),
    Rule::new(
        "iis-monitored-file-missing",
        "`monitorChangesTo` names a file that is not there.",
        "IIS configuration reference, FastCGI `<application>`",
    ),
    Rule::new(
        "iis-not-a-configuration",
        "The root element is not `configuration`.",
        "IIS configuration reference",
    ),
    Rule::new(
        "iis-path-not-checked",
        "Paths are not among the files at hand, so that it is not known whether they are there.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-program-missing",
        "A program that IIS is to start is not there.",
        "IIS configuration reference, FastCGI `<application>`",
    ),
    Rule::new(
        "iis-program-unreadable",
        "The identity of no application pool may start the program of a FastCGI application: IIS answers 500.0 and 0x80070005.",
        "Application Pool Identities; Security Descriptor String Format",
    ),
    Rule::new(
        "iis-registration-not-checked",
        "There is no applicationHost.config among the files, so that registrations and locks are not checked.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-response-buffered",
        "IIS holds back the first octets of each response, 4 MiB by default, so that streams do not arrive while they \
         are made.",
        "IIS configuration reference, `<handlers>`, `responseBufferLimit`",
    ),
    Rule::new(
        "iis-root-application",
        "The root application of a site cannot be removed: no site is without it.",
        "IIS configuration reference, `<site>`",
    ),
    Rule::new(
        "iis-root-virtual-directory",
        "The virtual directory `/` of an application was to be removed. It is the application's own folder. Nothing is written.",
        "IIS configuration reference, `<virtualDirectory>`",
    ),
    Rule::new(
        "iis-schema-attribute-missing",
        "An attribute that the schema requires is not there. IIS refuses the section.",
        "IIS_schema.xml, `required`",
    ),
    Rule::new(
        "iis-schema-attribute-unknown",
        "The schema does not have the attribute for this element. IIS refuses the section.",
        "IIS_schema.xml, `attribute`",
    ),
    Rule::new(
        "iis-schema-element-duplicate",
        "An element that can be there once is there twice. IIS refuses the section.",
        "IIS_schema.xml, `element`",
    ),
    Rule::new(
        "iis-schema-element-odd",
        "A schema file holds an element that the schema language does not have at this place.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-element-unknown",
        "The schema does not have the element here. IIS refuses the section.",
        "IIS_schema.xml, `element` and `collection`",
    ),
    Rule::new(
        "iis-schema-key-duplicate",
        "Two entries of a collection have the same key. IIS refuses the section with 0x800700b7.",
        "IIS_schema.xml, `isUniqueKey` and `isCombinedKey`",
    ),
    Rule::new(
        "iis-schema-name-missing",
        "Something in a schema file has no name.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-not-a-schema",
        "The root of a schema file is not `configSchema`.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-number",
        "The value of an `enum` or `flag` in a schema file is not a number.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-range",
        "A value is refused by the attribute's validator: out of range, empty, or with characters that are forbidden.",
        "IIS_schema.xml, `validationType`",
    ),
    Rule::new(
        "iis-schema-section-unknown",
        "The schema files that were given have no such section in a group that they know. IIS refuses a section without a schema.",
        "IIS_schema.xml, `sectionSchema`",
    ),
    Rule::new(
        "iis-schema-type",
        "A schema file gives an attribute a type that the schema language does not have.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-validation",
        "A schema file names a validator that does not exist, or gives it a parameter that it does not take.",
        "IIS_schema.xml, its head",
    ),
    Rule::new(
        "iis-schema-value-name",
        "A value is not one of the names of the attribute's `enum` or `flags`.",
        "IIS_schema.xml, `enum` and `flag`",
    ),
    Rule::new(
        "iis-schema-value-type",
        "A value is not of the attribute's type.",
        "IIS_schema.xml, `type`",
    ),
    Rule::new(
        "iis-script-processor-differs",
        "A handler of a web.config almost names a FastCGI application of the same file. IIS would find none.",
        "IIS configuration reference, `<handlers>`, `scriptProcessor`",
    ),
    Rule::new(
        "iis-script-processor-near-miss",
        "A handler almost names a FastCGI application that is registered. IIS finds none, and answers 500.0 with \
         0x80070585.",
        "IIS configuration reference, `<handlers>`, `scriptProcessor`",
    ),
    Rule::new(
        "iis-script-processor-unregistered",
        "A handler names a FastCGI application that is not registered. IIS answers 500.0 with 0x80070585.",
        "IIS configuration reference, `<handlers>`, `scriptProcessor`",
    ),
    Rule::new(
        "iis-section-duplicate",
        "A section is there twice in one file. IIS refuses the file.",
        "IIS configuration reference",
    ),
    Rule::new(
        "iis-signal-before-terminate-missing",
        "`signalBeforeTerminateSeconds` is 0: a process is ended without a signal, in the middle of its request.",
        "IIS configuration reference, FastCGI `<application>`",
    ),
    Rule::new(
        "iis-site-duplicate-id",
        "Two sites have the same id. IIS starts neither.",
        "IIS_schema.xml, `isUniqueKey`",
    ),
    Rule::new(
        "iis-site-duplicate-name",
        "Two sites have the same name. IIS starts neither.",
        "IIS_schema.xml, `isUniqueKey`",
    ),
    Rule::new(
        "iis-site-id",
        "No id is left for another site.",
        "IIS_schema.xml, `system.applicationHost/sites`",
    ),
    Rule::new(
        "iis-site-missing",
        "The site that an application is to be put into is not there, and no folder for a new one was named.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-site-name-character",
        "A site's name holds a character that IIS refuses.",
        "IIS_schema.xml, `validationType=\"siteName\"`",
    ),
    Rule::new(
        "iis-stderr-shown",
        "`stderrMode` is ReturnStdErrIn500: visitors see what the process writes to its standard error, tracebacks \
         among it.",
        "IIS configuration reference, FastCGI `<application>`",
    ),
    Rule::new(
        "iis-utf8-variables-missing",
        "The registry value FastCGIUtf8ServerVariables is missing or does not name REQUEST_URI and PATH_INFO. Letters \
         outside the system's code page arrive as `?`.",
        "KB2277918",
    ),
    Rule::new(
        "iis-utf8-variables-not-checked",
        "The registry is not at hand, so that FastCGIUtf8ServerVariables is not checked.",
        "iiswsgi",
    ),
    Rule::new(
        "iis-value-escaped-twice",
        "A value holds `&quot;`, `%u0022` or the like as text: it was escaped twice.",
        "XML 1.0 §4.6; Getting Started with AppCmd.exe",
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
