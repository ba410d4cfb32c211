//! [`iis_config::edit`]: whatever the file, an edit is one insertion, made twice it is made once, and removing gives the
//! old text back.

use iis_config::edit::{self, Edit};
use iis_config::{FastCgiApplication, Handler, HttpPlatform};
use spanned_xml::{Problems, Source};

/// The input is a configuration file.
pub fn check(octets: &[u8]) {
    let Ok(source) = Source::decode("x.config", octets) else {
        return;
    };
    let application = FastCgiApplication::new(r"C:\fuzz\python.exe", "-m \"fuzz\"");
    round(
        &source,
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
}

fn round(
    source: &Source,
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
    let rest = Source::from_text("x.config", removed.text);
    assert!(!remove(&rest).expect("a second time").changed);
}
