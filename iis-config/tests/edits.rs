//! Every edit on every real file and on one as odd as XML allows: what is not edited keeps its bytes.

use iis_config::edit::{self, ApplicationPlace, Edit};
use iis_config::{EnvironmentVariable, FastCgiApplication, Handler, HttpPlatform};
use spanned_xml::{Document, Element, Problems, Source};

/// CDATA, references, blanks around `=`, both quotes, mixed line ends, tabs, comments in lists, `clear`, empty-element
/// tags, a processing instruction, a namespace.
const ODD: &str = "<?xml version='1.0'?>\r\n<!-- head --><?editor keep?>\n<configuration xmlns:x = \"urn:x\"\r\n\tx:y='&#x41;&amp;\"'>\r\n\
\t<system.applicationHost><sites>\n<!-- before --><site name='Caf&#233;' id = \"7\" >\t<application path=\"/\"><virtualDirectory path=\"/\" physicalPath='C:\\a &amp; b' /></application><!-- after -->\r\n\
<bindings/></site>\n</sites></system.applicationHost>\n\
\t<system.webServer >\r\n\t\t<fastCgi  lockItem = 'false'><!-- first -->\n\
\t\t\t<application\r\n\t\t\t\tfullPath = \"C:\\p.exe\"\r\n\t\t\t\targuments='say &quot;hi&quot;'   /> <!-- of it -->\r\n\
\t\t</fastCgi >\n\t\t<handlers><clear /><!-- none\nbut --><add name=\"a\" path='*' verb = \"*\"/><![CDATA[ <x> ]]></handlers>\t\n\t</system.webServer >\r\
<appSettings><add key=\"k\" value=\"&lt;&#10;&gt;\"/></appSettings></configuration>\n<!-- tail -->\r\n";

type Change = Box<dyn Fn(&Source) -> Result<Edit, Problems>>;

/// One edit in every direction.
struct Case {
    what: &'static str,
    /// Elements that are one below the other; with the last there, adding and removing leaves nothing behind.
    section: &'static str,
    /// What has to be in the file before.
    prepare: Option<Change>,
    add: Change,
    /// A change of what was added, inside of one tag.
    change: Change,
    remove: Change,
}

fn fast_cgi(max_instances: u32) -> FastCgiApplication {
    let mut application = FastCgiApplication::new(r"C:\Python & co\python.exe", "-m \"x\" 'y' <z>");
    application.max_instances = max_instances;
    application
}

fn with_variable() -> FastCgiApplication {
    let mut application = FastCgiApplication::new(r"C:\prepared.exe", "");
    application.environment_variables = vec![EnvironmentVariable::new("FIRST", "1")];
    application
}

fn place(path: &str, folder: &str) -> ApplicationPlace {
    let mut place = ApplicationPlace::new("Café", path, folder);
    place.root_physical_path = Some(r"C:\root".to_owned());
    place
}

fn handler(verb: &str) -> Handler {
    let mut handler = Handler::fast_cgi("new & 'odd'", r"C:\p.exe|say");
    handler.verb = verb.to_owned();
    handler
}

fn variable(source: &Source, value: &str) -> Result<Edit, Problems> {
    let variable = EnvironmentVariable::new("NEW", value);
    edit::set_environment_variable(source, r"C:\prepared.exe", "", &variable)
}

fn cases() -> [Case; 6] {
    [
        Case {
            what: "FastCGI application",
            section: "system.webServer/fastCgi",
            prepare: None,
            add: Box::new(|source| edit::set_fast_cgi_application(source, &fast_cgi(0))),
            change: Box::new(|source| edit::set_fast_cgi_application(source, &fast_cgi(4))),
            remove: Box::new(|source| {
                let application = fast_cgi(0);
                let (path, arguments) = (&application.full_path, &application.arguments);
                edit::remove_fast_cgi_application(source, path, arguments)
            }),
        },
        Case {
            what: "environment variable",
            section: "system.webServer/fastCgi",
            prepare: Some(Box::new(|source| {
                edit::set_fast_cgi_application(source, &with_variable())
            })),
            add: Box::new(|source| variable(source, "a & b")),
            change: Box::new(|source| variable(source, "c")),
            remove: Box::new(|source| {
                edit::remove_environment_variable(source, r"C:\prepared.exe", "", "new")
            }),
        },
        Case {
            what: "handler",
            section: "system.webServer/handlers",
            prepare: None,
            add: Box::new(|source| edit::set_handler(source, &handler("*"))),
            change: Box::new(|source| edit::set_handler(source, &handler("GET,POST"))),
            remove: Box::new(|source| edit::remove_handler(source, "new & 'odd'")),
        },
        Case {
            what: "httpPlatform",
            section: "system.webServer",
            // Files that have the section lose it: it is one, and not a list.
            prepare: Some(Box::new(edit::remove_http_platform)),
            add: Box::new(|source| edit::set_http_platform(source, &HttpPlatform::new("p", "a"))),
            change: Box::new(|source| {
                edit::set_http_platform(source, &HttpPlatform::new("p", "'b'"))
            }),
            remove: Box::new(edit::remove_http_platform),
        },
        Case {
            what: "application",
            section: "system.applicationHost/sites",
            prepare: Some(Box::new(|source| {
                edit::set_application(source, &place("/", r"C:\root"))
            })),
            add: Box::new(|source| edit::set_application(source, &place("/b", r"C:\b"))),
            change: Box::new(|source| edit::set_application(source, &place("/b", "D:\\b & c"))),
            remove: Box::new(|source| edit::remove_application(source, "Café", "/b")),
        },
        Case {
            what: "virtual directory",
            section: "system.applicationHost/sites",
            prepare: Some(Box::new(|source| {
                edit::set_application(source, &place("/", r"C:\root"))
            })),
            add: Box::new(|source| edit::set_virtual_directory(source, "Café", "/", "/v", r"C:\v")),
            change: Box::new(|source| {
                edit::set_virtual_directory(source, "Café", "/", "/v", "D:\\v & w")
            }),
            remove: Box::new(|source| edit::remove_virtual_directory(source, "Café", "/", "/v")),
        },
    ]
}

/// The old text between what both texts begin with and what both end with.
fn lost<'a>(old: &'a str, new: &str) -> &'a [u8] {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let backwards = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = backwards.take_while(|(a, b)| a == b).count();
    &old_rest[..old_rest.len() - end]
}

/// Whether the section is there and has room: elements, or a line of its own for its end tag.
fn has_room(source: &Source, section: &str) -> bool {
    let Ok(document) = Document::parse(source) else {
        return false;
    };
    let found = section
        .split('/')
        .fold(vec![document.root()], |parents: Vec<&Element>, name| {
            let children = parents.into_iter().flat_map(Element::elements);
            children.filter(|child| child.name == name).collect()
        });
    let open = found.iter().find(|element| element.end_tag.is_some());
    open.is_some_and(|element| {
        element.elements().next().is_some() || source.slice(element.content_span()).contains('\n')
    })
}

/// The text after an edit, as a file in the old one's encoding, read again.
#[expect(clippy::unwrap_used, reason = "an edit that is lost is a failure")]
fn written(source: &Source, text: &str) -> Source {
    let octets = source.encode(text).unwrap();
    let read = Source::decode(source.name(), &octets).unwrap();
    assert_eq!(read.text(), text, "{}", source.name());
    assert_eq!(read.encode(read.text()).unwrap(), octets);
    read
}

/// All that is promised of one edit of one file. Whether the removal gave every byte back.
#[expect(clippy::unwrap_used, reason = "an edit that is refused is a failure")]
fn check(source: &Source, case: &Case) -> bool {
    let of = format!("{} of {}", case.what, source.name());
    let prepared = case.prepare.as_ref().map_or_else(
        || source.clone(),
        |prepare| written(source, &prepare(source).unwrap().text),
    );
    let old = prepared.text();
    let nothing = (case.remove)(&prepared).unwrap();
    assert!(!nothing.changed && nothing.text == old, "{of}");

    let added = (case.add)(&prepared).unwrap();
    assert!(added.changed && !added.summary.is_empty(), "{of}");
    let gone = String::from_utf8_lossy(lost(old, &added.text));
    // An empty-element tag gives its slash up; nothing else goes.
    assert!(matches!(gone.trim(), "" | "/"), "{of}: {gone}");
    let new = written(&prepared, &added.text);
    let again = (case.add)(&new).unwrap();
    assert!(!again.changed && again.text == added.text, "{of}");

    let changed = (case.change)(&new).unwrap();
    let gone = String::from_utf8_lossy(lost(new.text(), &changed.text));
    assert!(
        changed.changed && !gone.contains(['<', '>', '\n']),
        "{of}: {gone}"
    );
    let back = (case.add)(&written(&new, &changed.text)).unwrap();
    assert!(back.changed, "{of}");

    let removed = (case.remove)(&new).unwrap();
    assert!(removed.changed, "{of}");
    let exact = removed.text == old;
    assert!(
        exact || !has_room(&prepared, case.section),
        "{of}:\n{}",
        removed.text
    );
    let changed_and_removed = (case.remove)(&written(&new, &changed.text)).unwrap();
    assert_eq!(changed_and_removed.text, removed.text, "{of}");
    exact
}

#[test]
fn an_odd_file_keeps_every_byte_outside_the_edit() {
    let utf16 = |to_octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = [0xFEFF].into_iter().chain(ODD.encode_utf16());
        units.flat_map(to_octets).collect()
    };
    let files = [
        ODD.as_bytes().to_vec(),
        [b"\xEF\xBB\xBF", ODD.as_bytes()].concat(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ];
    for octets in files {
        let source = Source::decode("odd.config", &octets).unwrap();
        assert_eq!(source.encode(source.text()).unwrap(), octets);
        for case in cases() {
            assert!(check(&source, &case), "{}", case.what);
        }
    }
}

#[test]
fn lists_that_end_on_their_last_entrys_line_come_back() {
    let text = "<configuration>\n<system.applicationHost>\n<sites>\n<site name='a' id='1'/></sites></system.applicationHost>\n\
        <system.webServer>\n<fastCgi>\n\t<application fullPath='a'/></fastCgi>\n\
        <handlers>\n\t<add name='a' path='*' verb='*'/><?keep?></handlers></system.webServer></configuration>";
    let source = Source::from_text("crowded.config", text);
    for case in cases() {
        assert!(check(&source, &case), "{}", case.what);
    }
}

/// Microsoft's and others' files, each as it is.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests read the samples where they are and say aloud when they cannot"
)]
fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples/iis");
    let mut files = Vec::new();
    for group in ["apphost", "webconfig", "xdt"] {
        let Ok(entries) = std::fs::read_dir(format!("{folder}/{group}")) else {
            eprintln!("skipped: the samples are not at {folder}/{group}");
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read(path).unwrap()));
        }
    }
    files
}

#[test]
fn real_files_keep_every_byte_outside_the_edit() {
    let files = samples();
    let (mut edited, mut exact) = (0, 0);
    for (name, octets) in &files {
        let source = Source::decode(name.as_str(), octets).unwrap();
        assert_eq!(source.encode(source.text()).unwrap(), *octets, "{name}");
        let readable = Document::parse(&source)
            .is_ok_and(|document| document.root().local_name() == "configuration");
        for case in cases() {
            if readable {
                edited += 1;
                exact += usize::from(check(&source, &case));
            } else {
                let refused = (case.remove)(&source).is_err();
                assert!(refused, "{name}: {}", case.what);
            }
        }
    }
    // Files without a section keep the section that the addition made.
    assert!(
        files.is_empty() || (edited >= 90 && exact * 2 > edited),
        "{exact} of {edited}"
    );
}

#[test]
fn text_before_an_element_on_its_line_is_no_indentation() {
    // One octet of blanks, and two of text behind them.
    let source = Source::from_text("x.config", "<configuration>\n é<x/></configuration>");
    let edit =
        edit::set_fast_cgi_application(&source, &FastCgiApplication::new("p.exe", "")).unwrap();
    assert!(edit.changed);
    assert!(edit.text.contains("\n é<x/>"), "{}", edit.text);
}
