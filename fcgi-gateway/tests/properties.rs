//! Properties of what has no protocol to it: environ and response heads, whatever a peer or an application gives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use fcgi_gateway::wsgi::{AppSpec, Environ, latin1};
use fcgi_gateway::{Application, Error, Request, Response};
use fcgi_gateway::{Head, SimulatedRequest, simulate};
use fcgi_proto::Params;
use proptest::prelude::*;

fn environ(pairs: &[(String, Vec<u8>)], mount: Option<&str>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let params =
        Params::from_pairs(pairs.iter().map(|(name, value)| (name.as_bytes(), value))).unwrap();
    let mut found = BTreeMap::new();
    let given: Result<(), Infallible> = Environ::new(&params, mount).each(|name, value| {
        found.insert(name.to_owned(), value.to_owned());
        Ok(())
    });
    given.unwrap();
    found
}

/// What a client encodes in a path.
const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b'%');

const KNOWN: &[&str] = &[
    "SCRIPT_NAME",
    "PATH_INFO",
    "REQUEST_URI",
    "APPL_MD_PATH",
    "UNENCODED_URL",
    "IIS_WasUrlRewritten",
    "HTTP_X_ORIGINAL_URL",
    "SERVER_SOFTWARE",
    "SCRIPT_FILENAME",
    "SERVER_PORT",
    "SERVER_NAME",
    "REMOTE_USER",
    "HTTP_HOST",
    "QUERY_STRING",
];

/// The names that matter, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[A-Z_]{1,8}"]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "(/[a-c%?.é]{0,3}){0,4}".prop_map(String::into_bytes),
        "(/(%[0-9A-F]{2}|a|//){0,3}){0,3}([?]x)?".prop_map(String::into_bytes),
        "/LM/W3SVC/1/ROOT(/[a-c]){0,2}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

struct Fixed(Vec<Vec<u8>>);

impl Application for Fixed {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        let mut body = Vec::new();
        // An odd number, to cut records in the middle.
        loop {
            let before = body.len();
            request.body().read_up_to(977, &mut body)?;
            if body.len() - before < 977 {
                break;
            }
        }
        response.start(Head::new("200 OK"))?;
        self.0.iter().try_for_each(|block| response.write(block))?;
        response.write(&body)
    }
}

proptest! {
    #[test]
    fn every_environ_is_one_that_pep_3333_allows(
        pairs in proptest::collection::vec((name(), value()), 0..10),
        mount in proptest::option::of("(/[a-c]{1,2}){0,2}/?"),
    ) {
        let environ = environ(&pairs, mount.as_deref());
        for name in ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "QUERY_STRING"] {
            prop_assert!(environ.contains_key(name.as_bytes()), "{} is missing", name);
        }
        prop_assert!(!environ[&b"SERVER_PORT"[..]].is_empty() && !environ[&b"SERVER_NAME"[..]].is_empty());
        prop_assert!(!environ[&b"SCRIPT_NAME"[..]].is_empty() || !environ[&b"PATH_INFO"[..]].is_empty());
        prop_assert_ne!(&environ[&b"SCRIPT_NAME"[..]], b"/");
    }

    #[test]
    fn the_mount_and_the_rest_are_the_path_that_the_client_asked_for(
        mount in "(/[a-c]{1,2}){0,2}",
        rest in "(/[a-cé日]{1,3}){1,3}/?",
    ) {
        let path = format!("{mount}{rest}");
        let uri = percent_encoding::utf8_percent_encode(&path, PATH).to_string();
        // As IIS loses octets: each of Windows' units that the code page does not have.
        let lost: Vec<u8> = path.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        for said in [path.into_bytes(), lost] {
            let pairs = [
                ("APPL_MD_PATH".to_owned(), format!("/LM/W3SVC/1/ROOT{mount}").into_bytes()),
                ("SCRIPT_NAME".to_owned(), said.clone()),
                ("PATH_INFO".to_owned(), said),
                ("REQUEST_URI".to_owned(), uri.clone().into_bytes()),
            ];
            let environ = environ(&pairs, None);
            prop_assert_eq!(&environ[&b"SCRIPT_NAME"[..]], mount.as_bytes());
            prop_assert_eq!(&environ[&b"PATH_INFO"[..]], rest.as_bytes());
        }
    }

    #[test]
    fn no_header_that_is_accepted_holds_a_line_end(status in ".{0,12}", name in ".{0,6}", value in ".{0,12}") {
        let head = Head::new(status).header(name, value);
        if head.check().is_ok() {
            let texts = [&head.status, &head.headers[0].0, &head.headers[0].1];
            prop_assert!(texts.iter().all(|text| text.chars().all(|c| !c.is_ascii_control() && u32::from(c) < 256)));
        }
    }

    #[test]
    fn latin_1_is_reversible(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        let back: Vec<u8> = latin1(&octets).chars().map(|c| u8::try_from(c).unwrap()).collect();
        prop_assert_eq!(back, octets);
    }

    #[test]
    fn every_name_of_an_application_is_something(spec in ".{0,20}") {
        match AppSpec::parse(&spec) {
            AppSpec::PasteDeploy { uri, .. } => prop_assert!(uri.starts_with("config:") || uri.starts_with("egg:")),
            AppSpec::Module { module, .. } => prop_assert!(spec.contains(&module)),
            AppSpec::Handler { parts } => {
                let names = parts.iter().map(|part| part.name.clone() + if part.called { "()" } else { "" });
                prop_assert_eq!(names.collect::<Vec<_>>().join("."), spec.trim());
                prop_assert!(parts.len() > 1);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_sent_arrives(
        body in proptest::collection::vec(any::<u8>(), 0..200_000),
        blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40_000), 0..4),
    ) {
        let expected: Vec<u8> = blocks.concat().into_iter().chain(body.iter().copied()).collect();
        let response = simulate(&Fixed(blocks), &SimulatedRequest::new("POST", "/").body(body)).unwrap();
        prop_assert_eq!(response.body, expected);
    }
}
