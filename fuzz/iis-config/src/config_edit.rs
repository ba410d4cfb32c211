//! [`iis_config::edit`]: whatever the file, an edit made twice is made once, and removing what was added to a list gives
//! the old text back, byte for byte.

use iis_config::edit::{self, Edit};
use iis_config::{ApplicationHost, EnvironmentVariable, FastCgiApplication, Handler, HttpPlatform};
use spanned_xml::{Document, Element, Problems, Source};

/// The input is a configuration file.
pub fn check(octets: &[u8]) {
    let Ok(source) = Source::decode("x.config", octets) else {
        return;
    };
    let application = FastCgiApplication::new(r"C:\fuzz\python.exe", "-m \"fuzz\"");
    round(
        &source,
        Some("system.webServer/fastCgi"),
        |source| edit::set_fast_cgi_application(source, &application),
        |source| {
            edit::remove_fast_cgi_application(
                source,
                &application.full_path,
                &application.arguments,
            )
        },
    );
    let handler = Handler::fast_cgi("fuzz & co", r"C:\fuzz\python.exe|-m");
    round(
        &source,
        Some("system.webServer/handlers"),
        |source| edit::set_handler(source, &handler),
        |source| edit::remove_handler(source, &handler.name),
    );
    let platform = HttpPlatform::new(r"C:\fuzz\python.exe", "%HTTP_PLATFORM_PORT%");
    if let Ok(edit) = edit::set_http_platform(&source, &platform) {
        let again = Source::from_text("x.config", edit.text);
        assert!(
            !edit::set_http_platform(&again, &platform)
                .expect("a second time")
                .changed
        );
    }
    if let Ok(host) = ApplicationHost::parse(&source) {
        check_children(&source, &host);
    }
}

/// One environment variable, one virtual directory of what the file has.
fn check_children(source: &Source, host: &ApplicationHost) {
    if let Some(application) = host.fast_cgi.first() {
        let (path, arguments) = (&application.full_path, &application.arguments);
        let variable = EnvironmentVariable::new("fuzz & co", "'1'");
        round(
            source,
            None,
            |source| edit::set_environment_variable(source, path, arguments, &variable),
            |source| edit::remove_environment_variable(source, path, arguments, &variable.name),
        );
    }
    let first = host.sites.first();
    if let Some((site, application)) =
        first.and_then(|site| Some((site, site.applications.first()?)))
    {
        let (site, path) = (&site.name, &application.path);
        round(
            source,
            None,
            |source| edit::set_virtual_directory(source, site, path, "/fuzz", "D:\\x & y"),
            |source| edit::remove_virtual_directory(source, site, path, "/fuzz"),
        );
    }
}

/// `list` is the section whose bytes come back where it had room for one more.
fn round(
    source: &Source,
    list: Option<&str>,
    set: impl Fn(&Source) -> Result<Edit, Problems>,
    remove: impl Fn(&Source) -> Result<Edit, Problems>,
) {
    let old = source.text();
    let Ok(edit) = set(source) else {
        return;
    };
    assert_eq!(edit.changed, edit.text != old);
    let new = Source::from_text("x.config", edit.text);
    let again = set(&new).expect("a second time");
    assert!(!again.changed && again.text == new.text(), "twice is once");
    let removed = remove(&new).expect("what was set is removed");
    assert!(removed.changed, "what was set is there");
    let was_there = remove(source).expect("it was read before").changed;
    if !was_there && list.is_some_and(|list| has_room(source, list)) {
        assert_eq!(removed.text, old, "every byte comes back");
    }
    let rest = Source::from_text("x.config", removed.text);
    assert!(!remove(&rest).expect("a second time").changed);
}

/// Whether the section is there with elements, or with a line of its own for its end tag.
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
        let content = source.slice(element.content_span());
        let last_line = &content[content.trim_end().len()..];
        element.elements().next().is_some() || last_line.contains('\n')
    })
}
