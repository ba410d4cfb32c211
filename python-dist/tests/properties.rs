//! Properties: what holds for every input.

use proptest::prelude::*;
use python_dist::manifest_in::{Dialect, FileList, Selection, Template, select};
use python_dist::{
    BuildSystem, Escaping, Metadata, Modules, Pyproject, SetupCfg, SetupPy, expandvars,
    expandvars_reporting, normalize_name, render_handlebars, split_command_line,
};
use spanned_xml::{Problem, Source};

/// Text in which the signs that matter are frequent.
fn text(signs: &'static str) -> impl Strategy<Value = String> {
    let sign = prop::sample::select(signs.chars().collect::<Vec<_>>()).prop_map(String::from);
    prop::collection::vec(
        prop_oneof![4 => sign, 2 => "[a-c]{1,3}", 1 => any::<char>().prop_map(String::from)],
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab.]{1,2}|x|[a-c]\\.py|\\.hg|build", 1..4).prop_map(|parts| {
        let parts: Vec<String> = parts
            .into_iter()
            .map(|part| {
                if part == "." || part == ".." {
                    "dot".to_owned()
                } else {
                    part
                }
            })
            .collect();
        parts.join("/")
    })
}

/// A project's files: no file is a folder of another.
fn files() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(path(), 0..25).prop_map(|paths| {
        let is_folder = |path: &String| {
            paths
                .iter()
                .any(|other| other.starts_with(&format!("{path}/")))
        };
        paths
            .iter()
            .filter(|path| !is_folder(path))
            .cloned()
            .collect()
    })
}

fn command() -> impl Strategy<Value = String> {
    let action = prop::sample::select(vec![
        "include",
        "exclude",
        "global-include",
        "global-exclude",
        "recursive-include",
        "recursive-exclude",
        "graft",
        "prune",
        "bogus",
    ]);
    (action, prop::collection::vec(text("*?[]!-/.\\#"), 0..4))
        .prop_map(|(action, words)| format!("{action} {}", words.join(" ")))
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::Distutils, Dialect::Setuptools])
}

fn inside(text: &str, problem: &Problem) -> bool {
    problem
        .span
        .is_none_or(|span| text.get(span.range()).is_some())
}

proptest! {
    #[test]
    fn selecting_never_panics_and_selects_only_files_of_the_project(
        files in files(),
        commands in prop::collection::vec(command(), 0..8),
        dialect in dialect(),
    ) {
        let template = commands.join("\n");
        let source = Source::from_text("MANIFEST.in", template.as_str());
        let selection = Selection {
            dialect,
            files: &files,
            template: Some(&source),
            recorded: Some(&source),
            metadata: None,
            modules: &Modules::default(),
            own_folders: &["x"],
        };
        let (list, problems) = select(&selection);
        let selected = list.files();
        for file in &selected {
            prop_assert!(files.contains(file), "{}", file);
            prop_assert!(!file.starts_with("build/") && !file.starts_with("x/") && !file.contains(".hg/"), "{}", file);
        }
        let mut unique = selected.clone();
        unique.sort();
        unique.dedup();
        prop_assert_eq!(unique.len(), selected.len());
        for file in &files {
            let explanation = list.explain(file);
            prop_assert!(explanation.exists);
            prop_assert_eq!(explanation.taken, selected.contains(file), "{}", explanation);
            // The last change of a name is the state that it is in.
            prop_assert!(explanation.taken || explanation.steps.last().is_none_or(|step| !step.taken), "{}", explanation);
        }
        prop_assert!(problems.iter().all(|problem| inside(&template, problem)));
        prop_assert_eq!(select(&selection).0.files(), selected);
    }

    #[test]
    fn taking_everything_out_leaves_nothing(files in files(), dialect in dialect(), commands in prop::collection::vec(command(), 0..4)) {
        // A backslash at the end, or before a comment, would join the next line to the command.
        let joins = |command: &str| [command, command.split('#').next().unwrap_or_default().trim_end()].iter().any(|end| end.ends_with('\\'));
        let commands: Vec<String> = commands.into_iter().filter(|command| !joins(command)).collect();
        let (template, _) = Template::parse(&Source::from_text("MANIFEST.in", format!("{}\nglobal-exclude *\nrecursive-exclude * *", commands.join("\n"))));
        let mut list = FileList::new(dialect, files.iter().map(String::as_str));
        list.apply(&template);
        prop_assert_eq!(list.files(), Vec::<String>::new());
    }

    #[test]
    fn both_dialects_agree_on_plain_names(files in files(), index in any::<prop::sample::Index>()) {
        prop_assume!(!files.is_empty());
        let name = &files[index.index(files.len())];
        let (template, _) = Template::parse(&Source::from_text("MANIFEST.in", format!("include {name}")));
        for dialect in [Dialect::Distutils, Dialect::Setuptools] {
            let mut list = FileList::new(dialect, files.iter().map(String::as_str));
            prop_assert!(list.apply(&template).is_empty());
            prop_assert_eq!(list.files(), std::slice::from_ref(name));
        }
    }

    #[test]
    fn any_text_is_a_template(template in text("*?[]!-/.\\# \n\r\t")) {
        let source = Source::from_text("MANIFEST.in", template.as_str());
        let (parsed, problems) = Template::parse(&source);
        prop_assert!(problems.iter().all(|problem| inside(&template, problem)));
        prop_assert!(parsed.commands().iter().all(|command| template.get(command.span.range()).is_some()));
    }

    #[test]
    fn any_text_can_be_expanded(input in text("%$'{}ab")) {
        let (expanded, undefined) = expandvars_reporting(&input, |name| (name == "a").then(|| "$b%b%'".to_owned()));
        for variable in &undefined {
            let written = &input[variable.span.range()];
            prop_assert!(written.contains(&variable.name) && written.starts_with(['%', '$']), "{}", written);
            prop_assert!(expanded.contains(written));
        }
        // Without definitions only the doubled signs change, and each loses one octet.
        let plain = expandvars(&input, |_| None);
        prop_assert!(plain.len() <= input.len());
        if !input.contains("%%") && !input.contains("$$") {
            prop_assert_eq!(plain, input);
        }
    }

    #[test]
    fn any_text_is_a_handlebars_template_or_is_refused(
        input in text("{{}}#/~&>!\"()=. \n"),
        tags in prop::collection::vec("\\{\\{[#/&~>!]?[ab]( [ab.]{1,3})?\\}\\}", 0..6),
    ) {
        let text = format!("{input}{}", tags.concat());
        let source = Source::from_text("x.hbs", text.as_str());
        let context = serde_json::json!({ "a": "<\"&", "b": ["1"] });
        for escaping in [Escaping::Xml, Escaping::None] {
            if let Err(problems) = render_handlebars(&source, &context, escaping) {
                prop_assert!(!problems.problems.is_empty());
                prop_assert!(problems.problems.iter().all(|problem| problem.is_error() && inside(&text, problem)));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(input in text("[]={}\"'.,:#;\n \t-")) {
        let source = Source::from_text("x", input.as_str());
        for problems in [Pyproject::parse(&source).err(), SetupCfg::parse(&source, None).err()].into_iter().flatten() {
            prop_assert!(problems.problems.iter().any(Problem::is_error));
            prop_assert!(problems.problems.iter().all(|problem| inside(&input, problem)));
        }
        let _ = Metadata::from_core_metadata(&input);
        let _ = SetupPy::parse(&format!("setup(packages={input})"));
        let _ = Dialect::of_project(false, Some(&input));
    }

    #[test]
    fn names_normalise_once(name in "[A-Za-z0-9._-]{0,20}") {
        let once = normalize_name(&name);
        prop_assert_eq!(normalize_name(&once), once);
    }

    #[test]
    fn core_metadata_round_trips_what_it_must(name in "[A-Za-z][A-Za-z0-9._-]{0,9}", version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}", summary in "[ -~]{0,40}") {
        let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n");
        let metadata = Metadata::from_core_metadata(&text).unwrap();
        prop_assert_eq!(metadata.name.as_deref(), Some(name.as_str()));
        prop_assert_eq!(metadata.version.as_deref(), Some(version.as_str()));
        let summary = summary.trim();
        prop_assert_eq!(metadata.summary.unwrap_or_default(), if summary == "UNKNOWN" { "" } else { summary });
    }

    #[test]
    fn command_lines_of_quoted_words_come_back(words in prop::collection::vec("[^\"]{0,8}", 0..5)) {
        let line = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(split_command_line(&line), Some(words));
    }

    #[test]
    fn program_arguments_are_passed_as_they_are(folder in any::<String>()) {
        let arguments = BuildSystem::default().program_arguments(&folder);
        prop_assert_eq!(&arguments[0], &folder);
    }
}
