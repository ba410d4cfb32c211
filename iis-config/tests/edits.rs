//! Every edit on a file as odd as XML allows: what is not edited keeps its bytes.

use iis_config::edit::{self, ApplicationPlace, Edit};
use iis_config::{FastCgiApplication, Handler, HttpPlatform};
use spanned_xml::{Problems, Source};

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

/// Each edit, and what takes it back where something does.
fn edits() -> Vec<(&'static str, Change, Option<Change>)> {
    let application = FastCgiApplication::new(r"C:\Python & co\python.exe", "-m \"x\" 'y' <z>");
    let (full_path, arguments) = (application.full_path.clone(), application.arguments.clone());
    let mut present = FastCgiApplication::new(r"C:\p.exe", "say \"hi\"");
    present.max_instances = 4;
    let handler = Handler::fast_cgi("new & 'odd'", r"C:\p.exe|say");
    let name = handler.name.clone();
    let platform = HttpPlatform::new(r"C:\p.exe", "--port %HTTP_PLATFORM_PORT%");
    let place = ApplicationPlace::new("Café", "/b", r"C:\b");
    vec![
        (
            "FastCGI application",
            Box::new(move |source| edit::set_fast_cgi_application(source, &application)),
            Some(Box::new(move |source| {
                edit::remove_fast_cgi_application(source, &full_path, &arguments)
            })),
        ),
        (
            "FastCGI attribute",
            Box::new(move |source| edit::set_fast_cgi_application(source, &present)),
            None,
        ),
        (
            "handler",
            Box::new(move |source| edit::set_handler(source, &handler)),
            Some(Box::new(move |source| edit::remove_handler(source, &name))),
        ),
        (
            "httpPlatform",
            Box::new(move |source| edit::set_http_platform(source, &platform)),
            Some(Box::new(edit::remove_http_platform)),
        ),
        (
            "application",
            Box::new(move |source| edit::set_application(source, &place)),
            Some(Box::new(|source| {
                edit::remove_application(source, "Café", "/b")
            })),
        ),
    ]
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
        for (what, set, remove) in edits() {
            let edit = set(&source).unwrap();
            assert!(edit.changed, "{what}");
            let old = source.text();
            let start = old
                .bytes()
                .zip(edit.text.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let end = old[start..]
                .bytes()
                .rev()
                .zip(edit.text[start..].bytes().rev())
                .take_while(|(a, b)| a == b)
                .count();
            // Nothing of the old text is gone: the edit is an insertion.
            assert_eq!(start + end, old.len(), "{what}: {}", edit.text);
            let new = Source::decode("odd.config", &source.encode(&edit.text).unwrap()).unwrap();
            assert_eq!(new.text(), edit.text, "{what}");
            let again = set(&new).unwrap();
            assert!(!again.changed && again.text == edit.text, "{what}");
            if let Some(remove) = remove {
                assert_eq!(remove(&new).unwrap().text, old, "{what}: {:?}", edit.text);
            }
        }
    }
}
