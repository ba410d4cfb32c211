//! Properties of reading, editing, and of Windows' paths and command lines.

use core::time::Duration;

use iis_config::edit::{self, ApplicationPlace};
use iis_config::effective::Configuration;
use iis_config::schema::Schema;
use iis_config::{
    ApplicationHost, EnvironmentVariable, FastCgiApplication, Handler, Handlers, Protocol, Request,
    Resource, StderrMode, WebConfig, appcmd, command_line, find_fast_cgi_application, win_path,
};
use proptest::prelude::*;
use spanned_xml::Source;

/// Text that an attribute can hold, rich in what needs escaping.
fn value() -> impl Strategy<Value = String> {
    "[a-c<>&'\"%|\\\\/ \t\n\ré日😀;:.-]{0,12}"
}

fn full_path() -> impl Strategy<Value = String> {
    "[a-c<>&'\"%\\\\/ é:.-]{1,8}"
}

fn application() -> impl Strategy<Value = FastCgiApplication> {
    let numbers = (
        0_u32..=10_000,
        10_u64..=2_592_000,
        10_u64..400,
        0_u64..=60,
        1_u32..300,
    );
    let choices = (any::<bool>(), any::<bool>(), any::<bool>());
    let variables = proptest::collection::btree_map("[A-D]{1,2}", value(), 0..4);
    (full_path(), value(), value(), numbers, choices, variables).prop_map(
        |(full_path, arguments, monitor, numbers, choices, variables)| {
            let mut application = FastCgiApplication::new(full_path, arguments);
            application.monitor_changes_to = monitor;
            application.max_instances = numbers.0;
            application.request_timeout = Duration::from_secs(numbers.1);
            application.idle_timeout = Duration::from_secs(numbers.2);
            application.signal_before_terminate = Duration::from_secs(numbers.3);
            application.instance_max_requests = numbers.4;
            application.flush_named_pipe = choices.0;
            if choices.1 {
                application.protocol = Protocol::Tcp;
            }
            if choices.2 {
                application.stderr_mode = StderrMode::IgnoreAndReturn200;
            }
            application.environment_variables = variables
                .into_iter()
                .map(|(name, value)| EnvironmentVariable::new(name, value))
                .collect();
            application
        },
    )
}

/// A file with the section in every state in which people leave it.
fn file() -> impl Strategy<Value = String> {
    let entry = "<application fullPath='C:\\\\old\\.exe' arguments=''( maxInstances = \"4\")?(/>| ></application>|>\n   <environmentVariables/></application>)";
    let section = prop_oneof![
        Just(String::new()),
        Just("<fastCgi/>".to_owned()),
        Just("<fastCgi lockItem = 'true'  />".to_owned()),
        Just("<fastCgi></fastCgi>".to_owned()),
        Just("<fastCgi>\n    </fastCgi>".to_owned()),
        Just("<fastCgi><!-- none --></fastCgi>".to_owned()),
        Just("<fastCgi>\n\t<!-- none -->\n  </fastCgi>".to_owned()),
        entry.prop_map(|entry| format!("<fastCgi>\n      {entry} <!-- old -->\n    </fastCgi>")),
        entry.prop_map(|entry| format!("<fastCgi>{entry}</fastCgi>")),
    ];
    let group = prop_oneof![
        2 => section.prop_map(|section| format!("<system.webServer>\n    <caching />\n    {section}\n  </system.webServer>")),
        1 => Just("<system.webServer />".to_owned()),
        1 => Just(String::new()),
    ];
    let location = prop_oneof![
        Just(""),
        Just("<location path='a'>\n</location>"),
        Just("<![CDATA[ & ]]>")
    ];
    (group, location, any::<bool>(), "( |\n|\n  |\t){0,2}").prop_map(|(group, location, crlf, space)| {
        let text = format!(
            "<?xml version='1.0'?>{space}<configuration>\n  <configSections a = \"&#65;&quot;\"/>{space}{group}{space}{location}\n</configuration >\n<!-- end -->"
        );
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

fn source(text: &str) -> Source {
    Source::from_text("x.config", text)
}

/// The common start and end of two texts, in bytes, together.
fn common(a: &str, b: &str) -> usize {
    let prefix = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - prefix;
    let suffix = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    prefix + suffix
}

/// Names in any order, each once.
fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(vec!["a", "b", "c", "D", "é", "f g"], 0..=6)
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn adds(names: &[String]) -> String {
    let entries = names.iter().map(|name| format!("<add name='{name}'/>"));
    format!("<list>{}</list>", entries.collect::<String>())
}

/// The names in a list at `Site` after the machine's file and the sections of one `web.config`, and how many of those
/// were refused.
#[expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read is a failure"
)]
fn merged(append: bool, host: &str, web: &str) -> (Vec<String>, usize) {
    let schema_text = format!(
        "<configSchema><sectionSchema name='list'><collection addElement='add' removeElement='remove' clearElement='clear' \
         mergeAppend='{append}'><attribute name='name' type='string' isUniqueKey='true'/></collection></sectionSchema></configSchema>"
    );
    let mut schema = Schema::new();
    schema.read(&source(&schema_text)).unwrap();
    let file = |content: &str| source(&format!("<configuration>{content}</configuration>"));
    let mut configuration = Configuration::new(&schema, file(host)).unwrap();
    configuration.web_config("Site", file(web)).unwrap();
    let section = configuration.section("Site", "list").unwrap();
    let entries = section.element.entries.iter();
    let names = entries.filter_map(|entry| entry.value("name").map(str::to_owned));
    let refused = section.problems.iter().map(|of| of.problems.len()).sum();
    (names.collect(), refused)
}

proptest! {
    #[test]
    fn an_empty_child_changes_nothing(inherited in names(), append in any::<bool>()) {
        for web in ["", "<list/>", "<list></list>"] {
            prop_assert_eq!(merged(append, &adds(&inherited), web), (inherited.clone(), 0));
        }
    }

    #[test]
    fn clear_and_adds_are_the_adds(inherited in names(), own in names(), append in any::<bool>()) {
        let web = adds(&own).replace("<list>", "<list><clear/>");
        prop_assert_eq!(merged(append, &adds(&inherited), &web), (own, 0));
    }

    #[test]
    fn what_is_added_and_removed_is_as_never_there(inherited in names(), name in "[x-z]", append in any::<bool>()) {
        let host = adds(&inherited);
        for web in [
            format!("<list><add name='{name}'/><remove name='{}'/></list>", name.to_uppercase()),
            format!("<list><remove name='{name}'/></list>"),
        ] {
            prop_assert_eq!(merged(append, &host, &web), (inherited.clone(), 0));
        }
    }

    #[test]
    fn an_inherited_entry_that_is_removed_is_gone_alone(inherited in names(), which in any::<proptest::sample::Index>(), append in any::<bool>()) {
        prop_assume!(!inherited.is_empty());
        let gone = &inherited[which.index(inherited.len())];
        let rest: Vec<String> = inherited.iter().filter(|name| *name != gone).cloned().collect();
        let web = format!("<list><remove name='{gone}'/></list>");
        prop_assert_eq!(merged(append, &adds(&inherited), &web), (rest, 0));
    }

    #[test]
    fn own_entries_go_to_their_end_and_duplicates_are_refused(inherited in names(), own in names(), append in any::<bool>()) {
        let new: Vec<String> = own.iter().filter(|name| !inherited.contains(name)).cloned().collect();
        let refused = own.len() - new.len();
        let expected = if append { [inherited.clone(), new].concat() } else { [new, inherited.clone()].concat() };
        prop_assert_eq!(merged(append, &adds(&inherited), &adds(&own)), (expected, refused));
    }

    #[test]
    fn an_edit_made_twice_is_as_once(file in file(), application in application()) {
        let once = edit::set_fast_cgi_application(&source(&file), &application).unwrap();
        prop_assert!(once.changed);
        let twice = edit::set_fast_cgi_application(&source(&once.text), &application).unwrap();
        prop_assert!(!twice.changed && twice.summary.is_empty());
        prop_assert_eq!(&twice.text, &once.text);
        let host = ApplicationHost::parse(&source(&once.text)).unwrap();
        let found = find_fast_cgi_application(&application.script_processor(), host.fast_cgi.iter().map(|a| &a.value));
        // A path with `|` apart, which is refused, the first bar separates.
        prop_assert_eq!(found, Ok(&application));
    }

    #[test]
    fn an_addition_keeps_every_byte(file in file(), application in application()) {
        let edit = edit::set_fast_cgi_application(&source(&file), &application).unwrap();
        // An empty-element tag gives its `/>` up; nothing else goes.
        let lost = file.len() - common(&file, &edit.text);
        prop_assert!(lost <= "  />".len(), "{lost} bytes lost:\n{file}\n{}", edit.text);
        if file.contains("\r\n") {
            prop_assert_eq!(edit.text.matches('\n').count(), edit.text.matches("\r\n").count());
        } else {
            prop_assert!(!edit.text.contains('\r'));
        }
        let removed = edit::remove_fast_cgi_application(&source(&edit.text), &application.full_path, &application.arguments).unwrap();
        if file.contains("fullPath") {
            prop_assert_eq!(removed.text, file);
        }
    }

    #[test]
    fn a_change_reads_back(file in file(), first in application(), second in application()) {
        let mut second = second;
        second.full_path.clone_from(&first.full_path);
        second.arguments.clone_from(&first.arguments);
        let edit = edit::set_fast_cgi_application(&source(&file), &first).unwrap();
        let edit = edit::set_fast_cgi_application(&source(&edit.text), &second).unwrap();
        prop_assert_eq!(edit.changed, !edit.summary.is_empty());
        let again = edit::set_fast_cgi_application(&source(&edit.text), &second).unwrap();
        prop_assert!(!again.changed);
    }

    #[test]
    fn sites_are_set_once(site in "[a-c ]{0,3}[a-c]", path in "/([a-c]{1,3}(/[a-c])?)?", folder in value().prop_filter("a folder", |f| !f.is_empty()), file in file()) {
        let mut place = ApplicationPlace::new(site, path, folder);
        place.root_physical_path = Some("/srv/root".to_owned());
        let once = edit::set_application(&source(&file), &place).unwrap();
        let twice = edit::set_application(&source(&once.text), &place).unwrap();
        prop_assert!(once.changed && !twice.changed);
        let host = ApplicationHost::parse(&source(&once.text)).unwrap();
        let site = host.site(&place.site).unwrap();
        prop_assert_eq!(site.id, 1);
        prop_assert_eq!(site.application(&place.path).unwrap().physical_path(), Some(place.physical_path.as_str()));
        prop_assert_eq!(site.resolve(&place.path).unwrap().application, site.application(&place.path).unwrap());
    }

    #[test]
    fn handlers_are_set_once(name in value().prop_filter("a name", |n| !n.is_empty()), script_processor in value(), limit in any::<u32>(), file in file()) {
        let mut handler = Handler::fast_cgi(name, script_processor);
        handler.response_buffer_limit = limit;
        let once = edit::set_handler(&source(&file), &handler).unwrap();
        let twice = edit::set_handler(&source(&once.text), &handler).unwrap();
        prop_assert!(once.changed && !twice.changed);
        let web_config = WebConfig::parse(&source(&once.text)).unwrap();
        prop_assert_eq!(&web_config.handlers.added().next().unwrap().value, &handler);
    }

    #[test]
    fn reading_never_panics(
        text in "(<(configuration|system\\.webServer|fastCgi|application|handlers|add|sites|site|location)( (fullPath|name|id|path|maxInstances|configSource)=\"[a-c0-9%|&;/]{0,4}\")?/?>|</[a-z]*>|[ \n<&]){0,12}",
    ) {
        let source = source(&format!("<configuration>{text}</configuration>"));
        let application = FastCgiApplication::new("p", "a");
        for problems in [
            ApplicationHost::parse(&source).err(),
            WebConfig::move_fast_cgi(&source).err(),
            edit::set_fast_cgi_application(&source, &application).err(),
            edit::set_application(&source, &ApplicationPlace::new("a", "/", "b")).err(),
            edit::set_handler(&source, &Handler::new("a", "*", "*")).err(),
        ].into_iter().flatten() {
            for problem in &problems.problems {
                prop_assert_ne!(problem.code, "iis-edit-failed", "{}\n{}", source.text(), problems);
                if let Some(span) = problem.span {
                    prop_assert!(source.text().get(span.range()).is_some());
                }
            }
        }
        let _ = appcmd::parse_answer(&text);
    }

    #[test]
    fn arguments_come_back_from_the_command_line(arguments in proptest::collection::vec("[a\\\\\" \tb]{0,8}", 0..6)) {
        prop_assert_eq!(command_line::split(&command_line::join(&arguments)), arguments);
    }

    #[test]
    fn a_command_comes_apart(line in "[a\\\\\" \tb]{0,20}") {
        let _ = command_line::split(&line);
        let _ = command_line::split_command(&line);
    }

    #[test]
    fn appcmd_escapes_come_back(value in "[a%u0-2'\"é😀]{0,20}") {
        let escaped = appcmd::escape(&value);
        prop_assert!(!escaped.contains(['\'', '"']));
        prop_assert_eq!(appcmd::unescape(&escaped), value);
    }

    #[test]
    fn translation_is_idempotent_and_keeps_its_length(value in "[a\\\\/ :;|\"=-]{0,8}(/srv/a|\\\\srv\\\\a)?[a\\\\/ :;|\"=-]{0,12}") {
        let roots = ["/srv/a"];
        let once = win_path::to_unix(&value, &roots).into_owned();
        prop_assert_eq!(once.len(), value.len());
        prop_assert_eq!(win_path::to_unix(&once, &roots), once.as_str());
    }

    #[test]
    fn nothing_expands_without_variables(value in "[a%é]{0,20}") {
        prop_assert_eq!(win_path::expand(&value, |_| None), value.as_str());
    }

    #[test]
    fn matching_never_panics_and_keeps_the_path(pattern in "[*?./a,é]{0,8}", path in "/[./aé]{0,12}") {
        let handlers: Handlers = [Handler::new("h", pattern, "*")].into_iter().collect();
        if let Some(found) = handlers.find(&Request::new("GET", &path), |_| Resource::File) {
            prop_assert_eq!(format!("{}{}", found.script_path, found.path_info), path.as_str());
            prop_assert!(found.path_info.is_empty() || found.path_info.starts_with('/'));
        }
    }
}
