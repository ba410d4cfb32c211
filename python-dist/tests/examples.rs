//! The example projects: what this crate says of them, and whether their files agree with each
//! other.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the test reads the examples as the command does"
)]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::path::Path;

use python_dist::manifest_in::{Dialect, Selection, select};
use python_dist::{Field, Pyproject, expandvars_reporting};
use spanned_xml::{Document, Element, Source};

const EXAMPLES: [&str; 3] = ["sample", "pyramid", "django"];

struct Example {
    name: &'static str,
    pyproject: Pyproject,
    files: Vec<String>,
}

impl Example {
    fn read(name: &'static str) -> Self {
        let mut files = Vec::new();
        collect(&folder(name), "", &mut files);
        files.sort();
        let source = Source::from_text("pyproject.toml", text(name, "pyproject.toml"));
        let (pyproject, warnings) = Pyproject::parse(&source).unwrap();
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        Self {
            name,
            pyproject,
            files,
        }
    }

    /// The files that the package's application folder has.
    fn selected(&self) -> Vec<String> {
        // `iiswsgi msdeploy build` makes these two.
        let mut files = self.files.clone();
        files.extend(["iis_install.stamp", "Manifest.xml"].map(String::from));
        let source = Source::from_text("MANIFEST.in", text(self.name, "MANIFEST.in"));
        let (list, problems) = select(&Selection {
            dialect: Dialect::of_project(true, None),
            files: &files,
            template: Some(&source),
            recorded: None,
            metadata: Some(&self.pyproject.metadata),
            modules: &self.pyproject.modules,
            own_folders: &["dist", "env"],
        });
        // Nothing compiled is there to be left out in a fresh clone.
        let left: Vec<_> = problems
            .iter()
            .filter(|problem| !problem.message.contains("*.py[co]"))
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", self.name);
        list.files()
    }

    fn document(&self, file: &str) -> (Source, Document) {
        let source = Source::from_text(file, text(self.name, file));
        let document = Document::parse(&source).unwrap();
        (source, document)
    }

    fn variable(&self, name: &str) -> Option<String> {
        let metadata = &self.pyproject.metadata;
        match name {
            "NAME" | "APP_FOLDER" => metadata.name.clone(),
            "VERSION" => metadata.version.clone(),
            "PYTHON_EXE" | "APPL_PHYSICAL_PATH" | "NUMBER_OF_PROCESSORS" => {
                Some(name.to_lowercase())
            }
            _ => None,
        }
    }

    fn expand(&self, value: &str) -> String {
        let (expanded, undefined) = expandvars_reporting(value, |name| self.variable(name));
        assert!(undefined.is_empty(), "{}: {undefined:?}", self.name);
        expanded
    }
}

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(format!("{name}.msdeploy"))
}

fn text(name: &str, file: &str) -> String {
    std::fs::read_to_string(folder(name).join(file)).unwrap()
}

/// The files as they are in a fresh clone: without what building, installing and running leave.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            if !["__pycache__", "build", "dist", "env"].contains(&name.as_str())
                && !name.ends_with(".egg-info")
            {
                collect(&entry.path(), &format!("{prefix}{name}/"), files);
            }
        } else if ![
            "iis_install.stamp",
            "Manifest.xml",
            "db.sqlite3",
            "secret_key.txt",
        ]
        .contains(&name.as_str())
        {
            files.push(format!("{prefix}{name}"));
        }
    }
}

fn find<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    element
        .descendants()
        .filter(|element| element.is(name))
        .collect()
}

#[test]
fn every_example_is_complete() {
    for example in EXAMPLES.map(Example::read) {
        for file in [
            "Manifest.xml.in",
            "web.config.in",
            "iis_install.stamp.in",
            "MANIFEST.in",
            "README.md",
        ] {
            assert!(
                example.files.iter().any(|found| found == file),
                "{}: {file}",
                example.name
            );
        }
        let needed = [
            Field::Name,
            Field::Version,
            Field::Summary,
            Field::Authors,
            Field::Dependencies,
        ];
        assert!(
            example
                .pyproject
                .metadata
                .missing()
                .among(&needed)
                .is_empty()
        );
        let settings = &example.pyproject.settings;
        assert!(
            settings.title.is_some()
                && settings.application.is_some()
                && settings.published.is_some()
        );
        let selected = example.selected();
        assert!(
            selected.contains(settings.discovery_file.as_ref().unwrap()),
            "{}",
            example.name
        );
        for file in ["web.config.in", "iis_install.stamp", "pyproject.toml"] {
            assert!(
                selected.iter().any(|found| found == file),
                "{}: {file}",
                example.name
            );
        }
        assert!(
            !selected.iter().any(|file| file == "Manifest.xml"),
            "{}: the manifest is beside the folder",
            example.name
        );
    }
}

#[test]
fn the_packages_hold_these_files() {
    let common = [
        "MANIFEST.in",
        "README.md",
        "iis_install.stamp",
        "pyproject.toml",
        "web.config.in",
    ];
    let own: [&[&str]; 3] = [
        &["iiswsgi_sample.py", "settings.xml"],
        &[
            "parameters/project_name.txt",
            "parameters/scaffold.txt",
            "scaffolds/api/__project__/__init__.py",
            "scaffolds/api/__project__/views.py",
            "scaffolds/api/development.ini",
            "scaffolds/api/production.ini",
            "scaffolds/starter/__project__/__init__.py",
            "scaffolds/starter/__project__/static/style.css",
            "scaffolds/starter/__project__/views.py",
            "scaffolds/starter/development.ini",
            "scaffolds/starter/production.ini",
            "setup_project.py",
        ],
        &[
            "data/README.txt",
            "make_secret_key.py",
            "manage.py",
            "mysite/__init__.py",
            "mysite/settings.py",
            "mysite/urls.py",
            "mysite/wsgi.py",
            "site.xml",
            "visits/__init__.py",
            "visits/migrations/0001_initial.py",
            "visits/migrations/__init__.py",
            "visits/models.py",
            "visits/templates/visits/about.html",
            "visits/templates/visits/index.html",
            "visits/views.py",
        ],
    ];
    for (name, own) in EXAMPLES.into_iter().zip(own) {
        let mut expected: Vec<&str> = common.iter().chain(own).copied().collect();
        expected.sort_unstable();
        let mut selected = Example::read(name).selected();
        selected.sort_unstable();
        assert_eq!(selected, expected, "{name}");
    }
}

#[test]
fn handler_and_fast_cgi_application_agree() {
    for example in EXAMPLES.map(Example::read) {
        let (_, document) = example.document("web.config.in");
        let value = |element: &Element, name| example.expand(element.value(name).unwrap());
        let applications = find(document.root(), "application");
        let handlers: Vec<&Element> = find(document.root(), "handlers")
            .iter()
            .flat_map(|handlers| handlers.elements())
            .collect();
        let ([application], [handler]) = (applications.as_slice(), handlers.as_slice()) else {
            panic!("{}", example.name)
        };
        let processor = format!(
            "{}|{}",
            value(application, "fullPath"),
            value(application, "arguments")
        );
        assert_eq!(
            value(handler, "scriptProcessor"),
            processor,
            "{}",
            example.name
        );
        // What is served is what the settings say, as a module or as a file of the application.
        let served = example.pyproject.settings.application.clone().unwrap();
        assert!(
            processor.contains(&format!(" {served} "))
                || processor.contains(&format!("\\{served}\"")),
            "{processor}"
        );
    }
}

#[test]
fn every_provider_has_its_parameter() {
    for example in EXAMPLES.map(Example::read) {
        let (_, manifest) = example.document("Manifest.xml.in");
        let (_, parameters) = example.document("Parameters.xml");
        let entries = find(parameters.root(), "parameterEntry");
        let mut used = Vec::new();
        for provider in manifest
            .root()
            .elements()
            .filter(|provider| !provider.is("runCommand"))
        {
            let path = example.expand(provider.value("path").unwrap());
            let of = |entry: &&Element| {
                entry.value("scope") == Some(&provider.name)
                    && entry.value("match") == Some(&format!("^{path}$"))
            };
            used.push(
                entries
                    .iter()
                    .position(of)
                    .unwrap_or_else(|| panic!("{}: {path}", example.name)),
            );
        }
        let provider_paths = entries
            .iter()
            .filter(|entry| entry.value("kind") == Some("ProviderPath"))
            .count();
        used.dedup();
        assert_eq!(
            used.len(),
            provider_paths,
            "{}: an entry is for no provider",
            example.name
        );
        let application_path = find(parameters.root(), "parameter")[0];
        assert_eq!(application_path.value("tags"), Some("iisApp"));
    }
}

#[test]
fn the_stamp_names_the_application() {
    for example in EXAMPLES.map(Example::read) {
        let stamp = example.expand(&text(example.name, "iis_install.stamp.in"));
        let name = format!("iiswsgi-{}-app", example.name);
        assert_eq!(stamp, format!("{name} 0.4.0 {name}\n"));
    }
}
