//! The codes of this crate.

use spanned_xml::Rule;

/// Every code that reading a project's files reports, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "build-system-backend",
        "`build-system.build-backend` is not the name of a module, or of an object in one.",
        "PEP 517, Source trees",
    ),
    Rule::new(
        "build-system-backend-path",
        "A folder of `build-system.backend-path` is not inside of the project.",
        "PEP 517, In-tree build backends",
    ),
    Rule::new(
        "build-system-requires",
        "`[build-system]` has no `requires`. A build front end refuses the file.",
        "PEP 518, build-system table",
    ),
    Rule::new(
        "handlebars-render",
        "A handlebars template uses a helper, a partial or an operation that is not there.",
        "handlebars, Expressions",
    ),
    Rule::new(
        "handlebars-syntax",
        "A template is not handlebars: a tag that is not closed, or a block that ends under another name.",
        "handlebars, Introduction",
    ),
    Rule::new(
        "handlebars-undefined-variable",
        "A handlebars template uses a variable that the project does not define. Nothing is written.",
        "handlebars, strict mode",
    ),
    Rule::new(
        "handlebars-unescaped",
        "A handlebars template of an XML file asks for a value without escaping, which could break the file.",
        "our limit; handlebars, HTML escaping",
    ),
    Rule::new(
        "manifest-in-arguments",
        "A command of MANIFEST.in has too few or too many words. The line is skipped, as distutils and setuptools do.",
        "distutils and setuptools, `FileList._parse_template_line`",
    ),
    Rule::new(
        "manifest-in-continuation",
        "The last line of MANIFEST.in ends with a backslash.",
        "distutils, `TextFile.readline`",
    ),
    Rule::new(
        "manifest-in-empty",
        "A line of MANIFEST.in has no word.",
        "distutils, `FileList.process_template_line`",
    ),
    Rule::new(
        "manifest-in-no-match",
        "A pattern of MANIFEST.in finds no file: the package may lack what it was meant to bring.",
        "distutils and setuptools, `FileList.process_template_line`",
    ),
    Rule::new(
        "manifest-in-outside-project",
        "A pattern of MANIFEST.in names a file outside of the project, which a package cannot hold.",
        "our limit; distutils, `make_release_tree`",
    ),
    Rule::new(
        "manifest-in-unknown-action",
        "A line of MANIFEST.in begins with a word that is no command. The line is skipped.",
        "distutils and setuptools, `FileList.process_template_line`",
    ),
    Rule::new(
        "manifest-missing-file",
        "A MANIFEST that is kept by hand names a file that the project does not have.",
        "distutils, `sdist.read_manifest`",
    ),
    Rule::new(
        "project-dependency",
        "An entry of `dependencies` or `optional-dependencies` does not begin with the name of a distribution.",
        "PEP 621; PEP 508, Names",
    ),
    Rule::new(
        "project-description-lines",
        "`description` has more than one line.",
        "core metadata, Summary",
    ),
    Rule::new(
        "project-dynamic-given",
        "A field is listed in `dynamic` and also given.",
        "PEP 621, dynamic",
    ),
    Rule::new(
        "project-dynamic-name",
        "`dynamic` lists `name`, which has to be given.",
        "PEP 621, dynamic",
    ),
    Rule::new(
        "project-dynamic-unknown",
        "`dynamic` lists what is no field of `[project]`.",
        "PEP 621, dynamic",
    ),
    Rule::new(
        "project-license",
        "`license` is a table that does not have exactly one of `file` and `text`.",
        "PEP 621, license; PEP 639",
    ),
    Rule::new(
        "project-name-invalid",
        "`name` is not a name of a distribution.",
        "PEP 508, Names",
    ),
    Rule::new(
        "project-name-missing",
        "`[project]` has no `name`.",
        "PEP 621, name",
    ),
    Rule::new(
        "project-person-empty",
        "An author or maintainer has neither a name nor an e-mail address.",
        "PEP 621, authors/maintainers",
    ),
    Rule::new(
        "project-readme",
        "`readme` is a table that does not have exactly one of `file` and `text`, or lacks its content type.",
        "PEP 621, readme",
    ),
    Rule::new(
        "project-requires-python",
        "`requires-python` is not a version specifier.",
        "PEP 621, requires-python; PEP 440",
    ),
    Rule::new(
        "project-unknown-key",
        "`[project]` has a key that the standard does not know. Build back ends refuse it.",
        "PEP 621, Specification",
    ),
    Rule::new(
        "project-version-invalid",
        "`version` is not a version.",
        "PEP 440, Public version identifiers",
    ),
    Rule::new(
        "project-version-missing",
        "`[project]` has no `version`, and `dynamic` does not list it.",
        "PEP 621, version",
    ),
    Rule::new(
        "pyproject-unknown-key",
        "A table of pyproject.toml has a key that it does not know.",
        "PEP 518, build-system table; PEP 621",
    ),
    Rule::new(
        "pyproject-wrong-type",
        "A value in pyproject.toml has another type than its key takes.",
        "PEP 518; PEP 621",
    ),
    Rule::new(
        "settings-command-empty",
        "A command of `before-install` or `after-install` names no program.",
        "iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "settings-command-quote",
        "A command of `before-install` or `after-install` has a quote that is not closed.",
        "iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "settings-discovery-file",
        "`discovery-file` is not a path inside of the application.",
        "WebPI, `<discoveryHint>`; iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "settings-empty",
        "A setting of `[tool.iiswsgi]` is empty.",
        "iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "settings-published",
        "`published` is not a time, or does not say its time zone.",
        "RFC 3339; Atom, `<published>`",
    ),
    Rule::new(
        "settings-unknown-key",
        "`[tool.iiswsgi]` has a key that iiswsgi does not know.",
        "iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "settings-url",
        "An address in `[tool.iiswsgi]` is not absolute.",
        "RFC 3986 §4.3; iiswsgi, `[tool.iiswsgi]`",
    ),
    Rule::new(
        "setup-cfg-duplicate-key",
        "A section of setup.cfg has two keys of the same name.",
        "Python, `configparser.DuplicateOptionError`",
    ),
    Rule::new(
        "setup-cfg-duplicate-section",
        "setup.cfg has two sections of the same name.",
        "Python, `configparser.DuplicateSectionError`",
    ),
    Rule::new(
        "setup-cfg-no-section",
        "A line of setup.cfg comes before the first section.",
        "Python, `configparser.MissingSectionHeaderError`",
    ),
    Rule::new(
        "setup-cfg-no-value",
        "A line of setup.cfg has no `=` or `:`.",
        "Python, `configparser.ParsingError`",
    ),
    Rule::new(
        "setup-cfg-version-invalid",
        "`version` in setup.cfg is not a version.",
        "PEP 440, Public version identifiers",
    ),
    Rule::new("toml-syntax", "pyproject.toml is not TOML.", "TOML 1.0.0"),
];
