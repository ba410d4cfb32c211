//! [`parse_answer`]: what appcmd printed is objects, messages or an error; what it lists can be registered again.

use iis_config::appcmd::{Answer, Appcmd, Object, escape, parse_answer, unescape};
use iis_config::{Error, FastCgiApplication};

/// The input is what appcmd printed.
pub fn check(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    assert_eq!(unescape(&escape(&text)), text, "escaping loses nothing");
    match parse_answer(&text) {
        Ok(Answer::Messages(lines)) => {
            assert!(lines.iter().all(|line| !line.trim().is_empty()));
            assert!(lines.iter().map(String::len).sum::<usize>() <= text.len());
        }
        Ok(Answer::Objects(objects)) => objects.iter().for_each(check_object),
        Ok(other) => panic!("{other:?}"),
        Err(Error::AppcmdFailed { message, .. }) => {
            assert!(text.contains("ERROR (") && !message.contains('\n'));
        }
        Err(Error::AppcmdAnswer { .. }) => assert!(text.contains('<')),
        Err(other) => panic!("{other:?}"),
    }
}

fn check_object(object: &Object) {
    let _ = object.site();
    let commands = Appcmd::new();
    for application in object.fast_cgi_applications() {
        assert_eq!(
            commands.set_fast_cgi_application(&application, &application),
            None
        );
        let keys = format!(
            "[fullPath='{}',arguments='{}'",
            escape(&application.full_path),
            escape(&application.arguments)
        );
        let add = commands.add_fast_cgi_application(&application);
        let element = add.get(3).expect("what is added");
        assert!(element.starts_with(&format!("/+{keys}")), "{element}");
        assert_quotes_pair(element);
        let remove =
            commands.remove_fast_cgi_application(&application.full_path, &application.arguments);
        assert_eq!(remove.get(3), Some(&format!("/-{keys}]")));
        let current = FastCgiApplication::new(
            application.full_path.as_str(),
            application.arguments.as_str(),
        );
        for change in commands
            .set_fast_cgi_application(&current, &application)
            .unwrap_or_default()
            .iter()
            .filter(|change| change.starts_with("/+"))
        {
            assert_quotes_pair(change);
        }
    }
}

/// Each value stands between two apostrophes and has none inside.
fn assert_quotes_pair(text: &str) {
    assert_eq!(text.matches('\'').count() % 2, 0, "{text}");
    assert!(!text.contains('"'), "{text}");
}
