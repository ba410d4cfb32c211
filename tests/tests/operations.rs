//! What an operator does with a gateway behind nginx: looks at it, replaces its workers, and loses one of them.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fs_err as fs;
use iiswsgi_tests::site::Site;
use iiswsgi_tests::web_server::WebServer;
use iiswsgi_tests::{iiswsgi, root, succeed, wait_for};

/// nginx in front of `iiswsgi serve` with the probe and further options.
fn site(options: &[&str]) -> Site {
    let mut gateway = iiswsgi();
    let folder = root().join("tests/applications");
    gateway
        .args(["serve", "probe:application", "--threads", "2"])
        .args(["--chdir", folder.as_str()])
        .args(options)
        .env("PROBE_HOST", "here");
    Site::start(WebServer::Nginx, gateway)
}

fn signal(name: &str, pid: u32) {
    succeed(Command::new("kill").args([name, &pid.to_string()]));
}

/// The processes that a gateway's supervisor has started.
fn workers(site: &Site) -> Vec<u32> {
    let supervisor = site.gateway().expect("the gateway is ours");
    let path = format!("/proc/{supervisor}/task/{supervisor}/children");
    let children = fs::read_to_string(path).expect("the supervisor runs");
    let pids = children.split_whitespace();
    pids.map(|pid| pid.parse().expect("a number")).collect()
}

#[test]
fn ping_status_and_access_log() {
    let scratch = tempfile::tempdir().expect("a folder");
    let access_log = scratch.path().join("access.log");
    let access_log = access_log.to_str().expect("text");
    let site = site(&[
        "--ping-path",
        "/-/ping",
        "--status-path",
        "/-/status",
        "--access-log",
        access_log,
        "--access-log-format",
        "json",
    ]);
    assert_eq!(site.get("/-/ping").text().trim(), "pong");
    let page = site.get("/caf%C3%A9?q=1");
    assert_eq!(page.status, 200);
    assert_eq!(site.get("/fail").status, 500);

    let html = site.get("/-/status");
    assert_eq!(html.status, 200);
    assert!(html.text().contains("<html"), "{}", html.text());
    let json = site.get("/-/status?format=json");
    let json: serde_json::Value = serde_json::from_slice(&json.body).expect("JSON");
    assert!(json.is_object(), "{json}");
    let metrics = site.get("/-/status?format=prometheus").text();
    assert!(
        metrics.lines().any(|line| line.starts_with("# TYPE ")),
        "{metrics}"
    );

    let lines = wait_for("the access log's lines", || {
        let text = fs::read_to_string(access_log).ok()?;
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        (lines.iter().any(|line| line.to_string().contains("/fail"))).then_some(lines)
    });
    let of = |path: &str| {
        let line = lines.iter().find(|line| line.to_string().contains(path));
        line.unwrap_or_else(|| panic!("no {path} in {lines:?}"))
    };
    assert_eq!(of("/fail")["status"], 500);
    assert_eq!(of("caf")["status"], 200);
    site.stop();
}

#[test]
fn a_killed_worker_loses_its_own_request_only_and_a_reload_loses_none() {
    let site = site(&["--processes", "2"]);
    let (stop, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let serving = |count: usize| {
        let before = served.load(Ordering::Relaxed);
        wait_for("requests to be served", || {
            (served.load(Ordering::Relaxed) >= before + count).then_some(())
        });
    };
    let story = || {
        serving(50);
        // Every worker is replaced, twice.
        for _ in 0..2 {
            let before = workers(&site);
            signal("-HUP", site.gateway().expect("the gateway is ours"));
            wait_for("other workers", || {
                let now = workers(&site);
                (now.len() == 2 && now.iter().all(|pid| !before.contains(pid))).then_some(())
            });
            serving(50);
        }
    };
    let lost = std::thread::scope(|scope| {
        let client = |client: usize| {
            let mut lost = Vec::new();
            for number in 0_usize.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let answer = site.get(&format!("/host?{client}-{number}"));
                if answer.text() == format!("here {client}-{number}") {
                    served.fetch_add(1, Ordering::Relaxed);
                } else {
                    lost.push(format!("{} {}", answer.status, answer.text()));
                }
            }
            lost
        };
        let clients = [0, 1, 2].map(|number| scope.spawn(move || client(number)));
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(story));
        stop.store(true, Ordering::Relaxed);
        let lost = clients
            .map(|client| client.join().expect("a client"))
            .concat();
        told.expect("the story");
        lost
    });
    assert!(
        lost.is_empty(),
        "lost at a reload: {lost:?}\n{}",
        site.logs()
    );

    // A worker is killed while it has a request, which nginx must not repeat: that one is lost, and no other.
    std::thread::scope(|scope| {
        let held = scope.spawn(|| site.post(&format!("/hold?{}", site.folder), b"body"));
        let holder: u32 = wait_for("the request to be held", || {
            let pid = fs::read_to_string(site.folder.join("held-by-here")).ok()?;
            pid.parse().ok()
        });
        assert!(workers(&site).contains(&holder));
        signal("-KILL", holder);
        let answer = held.join().expect("the client");
        assert_eq!(answer.status, 502, "{}", answer.text());
        for number in 0..20 {
            let answer = site.get(&format!("/host?{number}"));
            assert_eq!(answer.text(), format!("here {number}"));
        }
        wait_for("another worker", || {
            let now = workers(&site);
            (now.len() == 2 && !now.contains(&holder)).then_some(())
        });
    });
    site.stop();
}
