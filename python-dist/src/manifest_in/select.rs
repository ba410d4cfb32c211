//! The whole selection, as sdist makes it: defaults, template, what the metadata names, pruning.

use spanned_xml::{Problem, Source};

use super::command::Template;
use super::defaults;
use super::dialect::Dialect;
use super::file_list::FileList;
use super::recorded;
use crate::metadata::Metadata;
use crate::modules::Modules;

/// What a selection needs to know of a project.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Whose rules hold.
    pub dialect: Dialect,
    /// Every file of the project, relative to it, with forward slashes.
    pub files: &'a [String],
    /// MANIFEST.in, where there is one.
    pub template: Option<&'a Source>,
    /// A list that is kept from before. In distutils' dialect the file MANIFEST: where there is no
    /// template and distutils did not write it, it is the whole selection. In setuptools' dialect
    /// `NAME.egg-info/SOURCES.txt`: what an earlier build distributed is distributed again, and only
    /// the template takes it out.
    pub recorded: Option<&'a Source>,
    /// The project's metadata: licence files and the readme are taken from it.
    pub metadata: Option<&'a Metadata>,
    /// The project's Python modules, and what comes with them.
    pub modules: &'a Modules,
    /// Folders that are never distributed, for example `dist` and a virtual environment, relative
    /// to the project.
    pub own_folders: &'a [&'a str],
}

/// Selects a project's files. The problems are about the template, or about MANIFEST where that is
/// used instead; errors among them are lines that were skipped.
///
/// ```
/// use python_dist::Modules;
/// use python_dist::manifest_in::{Dialect, Selection, select};
/// use spanned_xml::Source;
///
/// let files = ["README", "app.py", "static/a.css", "static/a.map"].map(String::from);
/// let template = Source::from_text("MANIFEST.in", "graft static\nglobal-exclude *.map\n");
/// let (list, problems) = select(&Selection {
///     dialect: Dialect::Setuptools,
///     files: &files,
///     template: Some(&template),
///     recorded: None,
///     metadata: None,
///     modules: &Modules::default(),
///     own_folders: &["dist"],
/// });
/// assert_eq!(list.files(), ["README", "app.py", "static/a.css"]);
/// assert!(problems.is_empty());
/// assert_eq!(
///     list.explain("static/a.map").to_string(),
///     "`static/a.map` is not distributed\n  MANIFEST.in:1:1: `graft static` took it in\n  MANIFEST.in:2:1: `global-exclude *.map` took it out",
/// );
/// ```
#[must_use]
pub fn select(selection: &Selection<'_>) -> (FileList, Vec<Problem>) {
    let mut list = FileList::new(
        selection.dialect,
        selection.files.iter().map(String::as_str),
    );
    if let (Dialect::Distutils, None, Some(manifest)) =
        (selection.dialect, selection.template, selection.recorded)
        && recorded::is_kept_by_hand(manifest)
    {
        let problems = recorded::take_in(&mut list, selection.dialect, manifest);
        return (list, problems);
    }
    let mut problems = Vec::new();
    defaults::add_defaults(&mut list, selection);
    if let (Dialect::Setuptools, Some(sources)) = (selection.dialect, selection.recorded) {
        recorded::take_in(&mut list, selection.dialect, sources);
    }
    if let Some(source) = selection.template {
        let (template, faults) = Template::parse(source);
        problems = faults;
        problems.extend(list.apply(&template));
        problems.sort_by_key(|problem| problem.span.map_or(0, |span| span.start));
    }
    defaults::add_referenced(&mut list, selection);
    defaults::prune(&mut list, selection);
    (list, problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{License, Readme};

    const FILES: &[&str] = &[
        "README",
        "README.md",
        "README.rst",
        "setup.py",
        "setup.cfg",
        "pyproject.toml",
        "MANIFEST.in",
        "LICENSE",
        "COPYING.txt",
        "app.py",
        "test/test_a.py",
        "tests/test_b.py",
        "tests/data.py",
        "docs/index.md",
        "build/lib/app.py",
        "dist/a.zip",
        "a-1.0/app.py",
        ".git/config",
        "sub/.hg/x",
        "sub/CVS/y",
        "sub/ok",
        ".tox/x/y",
        "env/bin/python",
    ];

    fn check(
        dialect: Dialect,
        template: Option<&str>,
        metadata: &Metadata,
        expected: &[&str],
    ) -> FileList {
        let files: Vec<String> = FILES.iter().map(|file| (*file).to_owned()).collect();
        let template = template.map(|text| Source::from_text("MANIFEST.in", text));
        let (list, problems) = select(&Selection {
            dialect,
            files: &files,
            template: template.as_ref(),
            recorded: None,
            metadata: Some(metadata),
            modules: &Modules {
                py_modules: Some(vec!["app".to_owned()]),
                ..Modules::default()
            },
            own_folders: &["dist", "env/"],
        });
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(list.files(), expected);
        list
    }

    #[test]
    fn defaults_of_distutils() {
        check(
            Dialect::Distutils,
            None,
            &Metadata::default(),
            &[
                "README",
                "app.py",
                "setup.cfg",
                "setup.py",
                "test/test_a.py",
            ],
        );
    }

    #[test]
    fn defaults_of_setuptools() {
        let standard = [
            "COPYING.txt",
            "LICENSE",
            "MANIFEST.in",
            "README",
            "app.py",
            "pyproject.toml",
            "setup.cfg",
            "setup.py",
            "test/test_a.py",
            "tests/test_b.py",
        ];
        check(Dialect::Setuptools, None, &Metadata::default(), &standard);
        let metadata = Metadata {
            license: Some(License::File("docs/index.md".to_owned())),
            readme: Some(Readme::File {
                path: "./README.rst".to_owned(),
                content_type: None,
            }),
            license_files: vec!["COPY*".to_owned(), "**/nothing".to_owned()],
            ..Metadata::default()
        };
        let expected = [
            "COPYING.txt",
            "MANIFEST.in",
            "README",
            "README.rst",
            "app.py",
            "pyproject.toml",
            "setup.cfg",
            "setup.py",
            "docs/index.md",
            "test/test_a.py",
            "tests/test_b.py",
        ];
        check(Dialect::Setuptools, None, &metadata, &expected);
    }

    #[test]
    fn pruning() {
        let mut metadata = Metadata::default();
        metadata.set_name("a");
        metadata.set_version("1.0");
        let list = check(
            Dialect::Setuptools,
            Some(
                "graft .\nexclude README* LICENSE COPYING.txt app.py setup.* pyproject.toml MANIFEST.in\nprune test*\nprune docs\n",
            ),
            &metadata,
            &["COPYING.txt", "LICENSE", "sub/ok"],
        );
        for (path, rule) in [
            ("build/lib/app.py", "the build folder"),
            ("a-1.0/app.py", "the release tree"),
            (".git/config", "version control folders"),
            ("sub/.hg/x", "version control folders"),
            ("sub/CVS/y", "version control folders"),
            (".tox/x/y", "test environments"),
            ("dist/a.zip", "folders that iiswsgi writes"),
            ("env/bin/python", "folders that iiswsgi writes"),
        ] {
            let explanation = list.explain(path);
            assert!(!explanation.taken && explanation.exists, "{path}");
            let text = explanation.to_string();
            assert!(
                text.ends_with(&format!("the rule that leaves out {rule} took it out")),
                "{text}"
            );
        }
    }

    #[test]
    fn explanations() {
        let list = check(
            Dialect::Distutils,
            None,
            &Metadata::default(),
            &[
                "README",
                "app.py",
                "setup.cfg",
                "setup.py",
                "test/test_a.py",
            ],
        );
        assert_eq!(
            list.explain("setup.cfg").to_string(),
            "`setup.cfg` is distributed\n  the default rule for the project's configuration files took it in"
        );
        assert_eq!(
            list.explain("nothing").to_string(),
            "`nothing` is not a file of the project"
        );
        assert_eq!(
            list.explain("setup.cf").to_string(),
            "`setup.cf` is not a file of the project; there is `setup.cfg`"
        );
        let docs = "`docs/index.md` is not distributed: no line and no default rule takes it in\n  \
                    `include docs/index.md` in MANIFEST.in would";
        assert_eq!(list.explain("docs/index.md").to_string(), docs);
        assert!(list.explain("./app.py").taken);
    }

    #[test]
    fn one_file_through_several_lines() {
        let files = ["a/b.txt".to_owned()];
        let source = Source::from_text(
            "MANIFEST.in",
            "# first\n graft a\n\nprune a\nrecursive-include a \\\n  *.txt\ngraft a\n",
        );
        let (list, problems) = select(&Selection {
            dialect: Dialect::Setuptools,
            files: &files,
            template: Some(&source),
            recorded: None,
            metadata: None,
            modules: &Modules::none(),
            own_folders: &[],
        });
        assert!(problems.is_empty());
        let expected = "`a/b.txt` is distributed\n  MANIFEST.in:2:2: `graft a` took it in\n  \
                        MANIFEST.in:4:1: `prune a` took it out\n  \
                        MANIFEST.in:5:1: `recursive-include a *.txt` took it in";
        assert_eq!(list.explain("a/b.txt").to_string(), expected);
    }

    #[test]
    fn lists_kept_from_before() {
        let files: Vec<String> = ["README", "app.py", "extra.txt", "setup.py", "stale.txt"]
            .map(str::to_owned)
            .into();
        let run = |dialect, template: Option<&str>, recorded: &str| {
            let template = template.map(|text| Source::from_text("MANIFEST.in", text));
            let (list, problems) = select(&Selection {
                dialect,
                files: &files,
                template: template.as_ref(),
                recorded: Some(&Source::from_text("LIST", recorded)),
                metadata: None,
                modules: &Modules::none(),
                own_folders: &[],
            });
            let explained = list.explain("extra.txt").to_string();
            (list.files(), problems, explained)
        };
        let kept = "# mine\n\napp.py\n extra.txt\ngone.txt\n";
        let (found, problems, explained) = run(Dialect::Distutils, None, kept);
        assert_eq!(found, ["app.py", "extra.txt"]);
        assert_eq!(
            (problems[0].code, problems[0].span.unwrap().range()),
            ("manifest-missing-file", 26..34)
        );
        assert_eq!(
            explained,
            "`extra.txt` is distributed\n  LIST:4:1: its name took it in"
        );
        // distutils takes no module in that it was not told of; setuptools looks for them.
        for (dialect, taken) in [(Dialect::Distutils, false), (Dialect::Setuptools, true)] {
            let (list, _) = select(&Selection {
                dialect,
                files: &files,
                template: None,
                recorded: None,
                metadata: None,
                modules: &Modules::default(),
                own_folders: &[],
            });
            assert_eq!(list.explain("app.py").taken, taken, "{dialect}");
        }
        // A template wins, and so does the rule that distutils writes its own list anew.
        let (found, _, _) = run(Dialect::Distutils, Some("include stale.txt\n"), kept);
        assert_eq!(found, ["README", "setup.py", "stale.txt"]);
        let generated = "# file GENERATED by distutils, do NOT edit\nextra.txt\n";
        let (found, _, _) = run(Dialect::Distutils, None, generated);
        assert_eq!(found, ["README", "setup.py"]);
        // setuptools adds what SOURCES.txt names to the rest, before the template.
        let (found, problems, _) = run(
            Dialect::Setuptools,
            Some("exclude stale.txt\n"),
            "extra.txt\nstale.txt\ngone\n",
        );
        assert_eq!(found, ["README", "extra.txt", "setup.py"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn advice() {
        let files = ["static/a.css", "Readme.txt"].map(str::to_owned);
        for (dialect, line, help) in [
            (
                Dialect::Setuptools,
                r"include static\a.css",
                "patterns have forward slashes on every system",
            ),
            (
                Dialect::Distutils,
                "include ./static/a.css",
                "write `static/a.css`",
            ),
            (Dialect::Distutils, "graft static/", "write `static`"),
            (
                Dialect::Setuptools,
                "include static",
                "`static` is a folder: write `graft static`",
            ),
            (
                Dialect::Setuptools,
                "include README.txt",
                "letter case counts: there is `Readme.txt`",
            ),
        ] {
            let source = Source::from_text("MANIFEST.in", line);
            let (template, _) = Template::parse(&source);
            let mut list = FileList::new(dialect, files.iter().map(String::as_str));
            let problems = list.apply(&template);
            assert_eq!(problems[0].help.as_deref(), Some(help), "{line}");
            let place = problems[0].span.unwrap();
            assert_eq!(source.slice(place), line.split(' ').nth(1).unwrap());
        }
    }
}
