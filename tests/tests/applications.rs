//! Real applications, and the examples, behind every Web server: the same requests have the same answers behind all of them.
//!
//! The frameworks come from the package index into an environment that is made once; an index that cannot be reached is a
//! failure.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::site::{Answer, Site, agent, answer};
use iiswsgi_tests::web_server::WebServer;
use iiswsgi_tests::{Scratch, copy_folder, root, succeed};
use sha1::{Digest as _, Sha1};

/// What the applications need. Pyramid imports pkg_resources, which newer versions of setuptools no longer have.
const REQUIREMENTS: [&str; 5] = [
    "Django>=5.2,<5.3",
    "Flask>=3.1,<3.2",
    "pyramid>=2,<3",
    "PasteDeploy>=3,<4",
    "setuptools<81",
];

/// An application and what is asked of it.
struct Application {
    name: &'static str,
    /// Its folder in the checkout.
    source: &'static str,
    /// Makes it ready in a copy of that folder.
    prepare: fn(&Environment, &Utf8Path),
    /// As `iiswsgi serve` takes it.
    app: &'static str,
    check: fn(&Site),
}

const APPLICATIONS: [Application; 6] = [
    Application {
        name: "sample",
        source: "examples/sample.msdeploy",
        prepare: |_, _| {},
        app: "iiswsgi_sample:application",
        check: sample,
    },
    Application {
        name: "pyramid-starter",
        source: "examples/pyramid.msdeploy",
        prepare: |environment, folder| pyramid_project(environment, folder, "starter"),
        app: "production.ini",
        check: pyramid_pages,
    },
    Application {
        name: "pyramid-api",
        source: "examples/pyramid.msdeploy",
        prepare: |environment, folder| pyramid_project(environment, folder, "api"),
        app: "production.ini",
        check: pyramid_json,
    },
    Application {
        name: "django",
        source: "examples/django.msdeploy",
        prepare: |environment, folder| {
            run(environment, folder, &["make_secret_key.py"]);
            run(environment, folder, &["manage.py", "migrate", "--noinput"]);
        },
        app: "mysite.wsgi:application",
        check: django_counts,
    },
    Application {
        name: "django-admin",
        source: "tests/applications/django_admin",
        prepare: |environment, folder| {
            let django = |arguments: &[&str]| {
                let arguments = [&["-m", "django"], arguments, &SETTINGS].concat();
                run(environment, folder, &arguments);
            };
            django(&["migrate", "--run-syncdb", "--noinput"]);
            let user = ["--username", USER, "--email", "clerk@example.org"];
            django(&[&["createsuperuser", "--noinput"], user.as_slice()].concat());
        },
        app: "office.wsgi:application",
        check: django_admin,
    },
    Application {
        name: "flask",
        source: "tests/applications",
        prepare: |_, _| {},
        app: "flask_site",
        check: flask,
    },
];

const SETTINGS: [&str; 2] = ["--settings", "office.settings"];
const USER: &str = "clerk";
const PASSWORD: &str = "open sesame";

fn run(environment: &Environment, folder: &Utf8Path, arguments: &[&str]) {
    succeed(
        environment
            .python()
            .args(arguments)
            .current_dir(folder)
            .env("PYTHONPATH", folder)
            .env("DJANGO_SUPERUSER_PASSWORD", PASSWORD),
    );
}

fn pyramid_project(environment: &Environment, folder: &Utf8Path, scaffold: &str) {
    for (name, value) in [("project_name", "guestbook"), ("scaffold", scaffold)] {
        let path = folder.join("parameters").join(name).with_extension("txt");
        fs::write(path, value).expect("a parameter");
    }
    run(environment, folder, &["setup_project.py"]);
}

/// The environment of all, and the applications ready in a folder each.
fn ready() -> &'static (Environment, Scratch) {
    static READY: OnceLock<(Environment, Scratch)> = OnceLock::new();
    READY.get_or_init(|| {
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("applications");
        let environment = Environment::make(&folder, "python3", &REQUIREMENTS);
        let scratch = Scratch::new();
        for application in &APPLICATIONS {
            let folder = scratch.path().join(application.name);
            copy_folder(&root().join(application.source), &folder);
            (application.prepare)(&environment, &folder);
        }
        (environment, scratch)
    })
}

/// Runs each application behind a Web server.
fn behind(web_server: WebServer) {
    let (environment, prepared) = ready();
    let mut failed = Vec::new();
    for application in &APPLICATIONS {
        // A database of its own.
        let scratch = Scratch::new();
        let folder: Utf8PathBuf = scratch.path().join(application.name);
        copy_folder(&prepared.path().join(application.name), &folder);
        let site = Site::start(web_server, environment.serve(application.app, &folder));
        if catch_unwind(AssertUnwindSafe(|| (application.check)(&site))).is_err() {
            failed.push(format!("{}\n{}", application.name, site.logs()));
        }
        site.stop();
    }
    assert!(
        failed.is_empty(),
        "behind {web_server:?}: {}",
        failed.join("\n")
    );
}

/// A client that keeps cookies, as a browser does.
struct Browser<'s> {
    site: &'s Site,
    cookies: BTreeMap<String, String>,
}

impl<'s> Browser<'s> {
    const fn new(site: &'s Site) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
        }
    }

    fn get(&mut self, target: &str) -> Answer {
        let request = agent().get(self.site.url(target));
        let answer = answer(request.header("Cookie", self.cookie()).call());
        self.keep(answer)
    }

    fn post(&mut self, target: &str, (content_type, body): (String, Vec<u8>)) -> Answer {
        let request = agent().post(self.site.url(target));
        let request = request
            .header("Cookie", self.cookie())
            .content_type(content_type);
        let answer = answer(request.send(body));
        self.keep(answer)
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        for set in answer.values("Set-Cookie") {
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// A form, and a file in it (RFC 7578): its content type and body.
fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "a-line-that-is-in-no-field";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    if let Some((name, content)) = file {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// Octets that are no text and do not repeat soon.
fn octets(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let octets = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    octets.take(len).collect()
}

fn sha1(octets: &[u8]) -> String {
    let digest = Sha1::digest(octets);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[track_caller]
fn shows(answer: &Answer, status: u16, parts: &[&str]) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[track_caller]
fn leads_to(answer: &Answer, target: &str) {
    assert_eq!(answer.status, 302, "{}", answer.text());
    assert_eq!(answer.values("Location"), [target]);
}

fn sample(site: &Site) {
    let page = site.get("/caf%C3%A9/a%20b?name=J%C3%BCrgen&x=1&x=2");
    let cells = [
        "<td id=\"PATH_INFO\">/café/a b</td>",
        "<td id=\"SCRIPT_NAME\"></td>",
        "<td id=\"query.name\">Jürgen</td>",
        "<td id=\"query.x\">1, 2</td>",
    ];
    shows(&page, 200, &cells);
    let posted = site.post("/", &octets(300_000));
    shows(&posted, 200, &["<td id=\"body.length\">300000</td>"]);
}

fn pyramid_pages(site: &Site) {
    shows(&site.get("/"), 200, &["guestbook", "/hello/Pyramid\""]);
    shows(
        &site.get("/hello/J%C3%BCrgen%20%26%20Co"),
        200,
        &["Jürgen &amp; Co"],
    );
    let style = site.get("/static/style.css");
    shows(&style, 200, &["{"]);
    assert_eq!(style.values("Content-Type").len(), 1);
    shows(
        &site.get("/no/such/page"),
        404,
        &["There is no page /no/such/page."],
    );
}

fn pyramid_json(site: &Site) {
    let root: serde_json::Value = serde_json::from_slice(&site.get("/").body).expect("JSON");
    assert_eq!(root["project"], "guestbook");
    let echo = site.get("/echo/a%2Fb/%C3%A9?q=1&r=%26");
    let echo: serde_json::Value = serde_json::from_slice(&echo.body).expect("JSON");
    let expected = serde_json::json!({"text": "a/b/é", "query": {"q": "1", "r": "&"}});
    assert_eq!(echo, expected);
    shows(&site.post("/sum", b"[1, 2.5, 3]"), 200, &["{\"sum\": 6.5}"]);
    shows(
        &site.post("/sum", b"[1, \"two\"]"),
        400,
        &["must be a JSON array of numbers"],
    );
    shows(&site.get("/sum"), 404, &["there is nothing at GET /sum"]);
}

fn django_counts(site: &Site) {
    for visits in 1..=3 {
        let cell = format!("<td id=\"visits\">{visits}</td>");
        shows(&site.get("/"), 200, &[&cell]);
    }
    // Several at once are all counted, by however many processes.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(site.get("/").status, 200);
                }
            });
        }
    });
    shows(&site.get("/"), 200, &["<td id=\"visits\">24</td>"]);
    // Django adds the slash.
    let moved = site.get("/about");
    assert_eq!(
        (moved.status, moved.values("Location")),
        (301, vec!["/about/"])
    );
    shows(
        &site.get("/about/"),
        200,
        &["Django <span id=\"version\">5.2"],
    );
}

fn django_admin(site: &Site) {
    const ADD: &str = "/admin/archive/document/add/";
    let mut browser = Browser::new(site);
    leads_to(&browser.get("/admin/"), "/admin/login/?next=/admin/");
    shows(&site.get("/static/admin/css/base.css"), 200, &["DJANGO"]);

    // Without the form's token nothing is taken.
    let login = |token: &str, password: &str| {
        let fields = [
            ("csrfmiddlewaretoken", token),
            ("username", USER),
            ("password", password),
            ("next", "/admin/"),
        ];
        form(&fields, None)
    };
    let page = browser.get("/admin/login/");
    let forged = browser.post("/admin/login/", login("", PASSWORD));
    shows(&forged, 403, &["CSRF verification failed"]);
    let wrong = browser.post("/admin/login/", login(&token(&page), "guessed"));
    shows(
        &wrong,
        200,
        &["Please enter the correct username and password"],
    );
    let right = browser.post("/admin/login/", login(&token(&wrong), PASSWORD));
    leads_to(&right, "/admin/");
    shows(
        &browser.get("/admin/"),
        200,
        &["Site administration", "Documents"],
    );

    // Django keeps a file of this size in memory, and spools the larger one.
    for (number, len) in [(1, 100_000), (2, 5_000_000)] {
        let content = octets(len);
        let page = browser.get(ADD);
        shows(&page, 200, &["enctype=\"multipart/form-data\""]);
        let (title, name) = (format!("Räume {number}"), format!("rooms-{number}.bin"));
        let fields = [("csrfmiddlewaretoken", &*token(&page)), ("title", &title)];
        let added = browser.post(ADD, form(&fields, Some((&name, &content))));
        leads_to(&added, "/admin/archive/document/");
        let list = browser.get("/admin/archive/document/");
        shows(&list, 200, &[&title, "was added successfully"]);
        let sent_back = site.get(&format!("/media/documents/{name}"));
        assert_eq!(sent_back.status, 200);
        assert!(sent_back.body == content, "{name} came back changed");
        // Apache trusts no application behind mod_proxy_fcgi with the length of a body, since its version 2.4.59.
        if site.web_server != WebServer::ApacheProxy {
            assert_eq!(sent_back.values("Content-Length"), [len.to_string()]);
        }
    }
    let nothing = form(&[("csrfmiddlewaretoken", &token(&browser.get(ADD)))], None);
    shows(
        &browser.post(ADD, nothing),
        200,
        &["This field is required."],
    );
    // Another client has no part in this one's session.
    leads_to(&site.get(ADD), &format!("/admin/login/?next={ADD}"));
}

/// The token of a form of Django's.
fn token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text
        .split_once("name=\"csrfmiddlewaretoken\" value=\"")
        .unwrap_or_else(|| panic!("no token in\n{text}"));
    rest.split('"').next().expect("a value").to_owned()
}

fn flask(site: &Site) {
    shows(&site.get("/"), 200, &["Flask answers"]);
    let hello = site.get("/hello/J%C3%BCrgen?a=1&a=%C3%A9");
    let hello: serde_json::Value = serde_json::from_slice(&hello.body).expect("JSON");
    let expected = serde_json::json!({"name": "Jürgen", "query": {"a": ["1", "é"]}});
    assert_eq!(hello, expected);
    let (mut one, mut other) = (Browser::new(site), Browser::new(site));
    for (browser, visits) in [(&mut one, "1"), (&mut other, "1")] {
        assert_eq!(browser.get("/visit").text(), visits);
    }
    assert_eq!(one.get("/visit").text(), "2");
    leads_to(&site.get("/away"), "/hello/J%C3%BCrgen");
    let sum = one.post(
        "/sum",
        ("application/json".to_owned(), b"[1, 2, 3]".to_vec()),
    );
    shows(&sum, 200, &["{\"sum\":6}"]);
    shows(&site.post("/sum", b"[1]"), 415, &["Unsupported Media Type"]);
    let not_json = one.post("/sum", ("application/json".to_owned(), b"[1,".to_vec()));
    shows(&not_json, 400, &["Bad Request"]);
    let content = octets(2_000_000);
    let upload = form(&[("title", "Räume")], Some(("rooms.bin", &content)));
    let expected = format!("Räume: rooms.bin 2000000 {}", sha1(&content));
    shows(&one.post("/upload", upload), 200, &[&expected]);
    let lines: String = (0..100).map(|number| format!("line {number}\n")).collect();
    assert_eq!(site.get("/stream?word=line").text(), lines);
    let broken = site.get("/broken");
    shows(&broken, 500, &["Internal Server Error"]);
    assert!(!broken.text().contains("secret"));
    shows(&site.get("/nowhere"), 404, &["Not Found"]);
    let head = answer(agent().head(site.url("/")).call());
    assert_eq!((head.status, head.body), (200, Vec::new()));
}

#[test]
fn nginx() {
    behind(WebServer::Nginx);
}

#[test]
fn apache_with_mod_proxy_fcgi() {
    behind(WebServer::ApacheProxy);
}

#[test]
fn apache_with_mod_fcgid() {
    behind(WebServer::ApacheFcgid);
}

#[test]
fn lighttpd() {
    behind(WebServer::Lighttpd);
}

#[test]
fn lighttpd_that_starts_the_gateway() {
    behind(WebServer::LighttpdSpawn);
}

#[test]
fn haproxy() {
    behind(WebServer::Haproxy);
}

#[test]
fn caddy() {
    behind(WebServer::Caddy);
}
