//! One request without a socket.

use iis_dev_server::{Error, OnceRequest, Options, once};

use crate::site::{Folder, echo_application};

fn run(request: OnceRequest) -> Result<iis_dev_server::OnceReport, Error> {
    let mut folder = Folder::new();
    let application = echo_application();
    folder.register(&application);
    folder.web_config("app", &application);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(once(folder.load(), Options::default(), request))
}

#[test]
fn the_report_has_the_answer_and_the_log() {
    let mut request = OnceRequest::get("/echo");
    request.method = "POST".to_owned();
    request.body = b"hello".to_vec();
    let report = run(request).unwrap();
    assert_eq!(
        (report.status, report.body.as_slice()),
        (200, b"hello".as_slice())
    );
    assert!(report.complete);
    let (path, text) = &report.logs[0];
    assert!(
        path.as_str().ends_with("fastcgi-1-DefaultAppPool.log"),
        "{path}"
    );
    assert!(
        text.contains("started: ") && text.contains("was killed"),
        "{text}"
    );
}

#[test]
fn a_fault_is_reported_as_its_page_and_in_words() {
    let report = run(OnceRequest::get("/exit?3")).unwrap();
    assert_eq!(report.status, 502);
    assert!(String::from_utf8_lossy(&report.body).contains("exited with status 3"));
    assert!(report.logs[0].1.contains("about to exit with 3"));
    let why = report.explanation.unwrap();
    assert_eq!(
        why.title,
        "The FastCGI process exited with status 3 before it answered"
    );
    let (heading, output) = why.output.unwrap();
    assert_eq!(heading, "The last lines it wrote");
    assert!(output.contains("about to exit with 3"), "{output}");
    assert!(
        why.facts.iter().any(|(name, _)| name == "Command line"),
        "{:?}",
        why.facts
    );
}

/// It was asked again and again for the rest.
#[test]
fn a_response_that_breaks_off_ends() {
    let report = run(OnceRequest::get("/half")).unwrap();
    assert_eq!(
        (report.status, report.complete, report.body.as_slice()),
        (200, false, b"half of it".as_slice())
    );
    assert_eq!(report.explanation, None);
}

#[test]
fn a_request_that_is_none_is_refused() {
    let mut request = OnceRequest::get("/");
    request.method = "NOT A METHOD".to_owned();
    let error = run(request).unwrap_err().to_string();
    assert!(error.contains("`NOT A METHOD`"), "{error}");
}
