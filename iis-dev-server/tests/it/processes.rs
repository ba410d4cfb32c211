//! Processes: how many, for how long, and how they end.

use std::time::Duration;

use iis_config::{EnvironmentVariable, FastCgiApplication, Protocol};

use crate::client::{Client, get};
use crate::site::{Folder, Gate, SITE, Served};

/// Whether a process is there and has not ended.
fn is_running(pid: &str) -> bool {
    let Ok(status) = fs_err::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // A zombie has ended.
    !status
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .trim_start()
        .starts_with('Z')
}

fn wait_request(site: &Served, gate: &Gate) -> Client {
    let mut client = Client::connect(site.address);
    client.send(format!(
        "GET /wait?{} HTTP/1.1\r\nHost: h\r\n\r\n",
        gate.address()
    ));
    client
}

#[test]
fn as_many_requests_are_at_work_as_there_may_be_processes() {
    let site = Served::with(|application| application.max_instances = 3);
    let gate = Gate::new();
    let mut clients: Vec<Client> = (0..3).map(|_| wait_request(&site, &gate)).collect();
    let waiting: Vec<_> = (0..3).map(|_| gate.arrival()).collect();
    let mut pids: Vec<String> = waiting.iter().map(|one| one.report.clone()).collect();
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 3, "each in a process of its own");
    // A fourth request waits until one of them is free, and gets its process.
    let mut fourth = wait_request(&site, &gate);
    let mut waiting = waiting.into_iter();
    let first = waiting.next().unwrap();
    let first_pid = first.report.clone();
    first.open("one");
    let arrived = gate.arrival();
    assert_eq!(arrived.report, first_pid);
    arrived.open("four");
    assert_eq!(fourth.response(false).text(), "four");
    for (number, one) in waiting.enumerate() {
        one.open(&format!("{number}"));
    }
    for client in &mut clients {
        assert_eq!(client.response(false).status, 200);
    }
}

#[test]
fn a_crowd_is_served_by_the_processes_there_may_be() {
    let site = Served::with(|application| {
        application.max_instances = 3;
        application.instance_max_requests = 7;
    });
    let address = site.address;
    let threads: Vec<_> = (0..10)
        .map(|_| {
            std::thread::spawn(move || {
                (0..10)
                    .map(|_| get(address, "/bytes?100000"))
                    .all(|one| one.status == 200 && one.body.len() == 100_000)
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap());
    }
    let started = site.folder.logs().matches(" started: ").count();
    assert!(
        (100 / 7..=100 / 7 + 4).contains(&started),
        "{started} processes for 100 requests"
    );
}

#[test]
fn a_full_queue_is_503() {
    let site = Served::with(|application| {
        application.max_instances = 1;
        application.queue_length = 1;
    });
    let gate = Gate::new();
    let mut first = wait_request(&site, &gate);
    let at_work = gate.arrival();
    // Two more: one finds a place in the queue and the other does not.
    let clients: Vec<Client> = (0..2).map(|_| wait_request(&site, &gate)).collect();
    let (sender, answers) = std::sync::mpsc::channel();
    for mut client in clients {
        let sender = sender.clone();
        std::thread::spawn(move || sender.send(client.response(false)));
    }
    let refused = answers.recv().unwrap();
    assert_eq!(refused.status, 503);
    assert!(
        refused.text().contains("the queue is full"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    at_work.open("first");
    assert_eq!(first.response(false).text(), "first");
    gate.arrival().open("second");
    assert_eq!(answers.recv().unwrap().text(), "second");
}

#[test]
fn a_process_that_exits_is_explained_and_replaced() {
    let site = Served::echo();
    let response = get(site.address, "/exit?7");
    let text = response.text();
    assert_eq!(response.status, 502);
    assert!(
        text.contains("exited with status 7 before it answered"),
        "{text}"
    );
    assert!(text.contains("<pre>about to exit with 7</pre>"), "{text}");
    let log = format!(
        "{}/Logs/{SITE}/fastcgi-1-DefaultAppPool.log",
        site.folder.root
    );
    assert!(text.contains(&log), "{text}");
    let logged = fs_err::read_to_string(log).unwrap();
    assert!(
        logged.contains("about to exit with 7") && logged.contains("exited with status 7"),
        "{logged}"
    );
    assert_eq!(get(site.address, "/pid").status, 200);
}

#[test]
fn a_process_that_is_killed_between_requests_is_replaced() {
    let site = Served::with(|application| application.max_instances = 1);
    let pid = get(site.address, "/pid").text();
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &pid])
        .status()
        .unwrap();
    assert!(killed.success());
    // Whether the server has noticed by now is open: it says 502 if not.
    let status = get(site.address, "/pid").status;
    assert!(matches!(status, 200 | 502), "{status}");
    let after = get(site.address, "/pid");
    assert_eq!(after.status, 200);
    assert_ne!(after.text(), pid);
}

#[test]
fn a_program_that_is_missing_is_named() {
    let site = Served::with(|application| application.arguments = "x".to_owned());
    assert_eq!(
        get(site.address, "/").status,
        500,
        "the key no longer fits the handler"
    );
    let mut folder = Folder::new();
    let application = FastCgiApplication::new("/nowhere/bin/python", "-m app");
    folder.register(&application);
    folder.web_config("app", &application);
    let site = Served::folder(folder);
    let response = get(site.address, "/");
    assert_eq!(response.status, 502);
    let text = response.text();
    assert!(
        text.contains("cannot be started") && text.contains("/nowhere/bin/python -m app"),
        "{text}"
    );
}

#[test]
fn too_many_failures_take_the_application_offline() {
    let site = Served::with(|application| application.rapid_fails_per_minute = 2);
    for _ in 0..3 {
        assert_eq!(get(site.address, "/exit?1").status, 502);
    }
    let response = get(site.address, "/pid");
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("rapidFailsPerMinute"),
        "{}",
        response.text()
    );
    let after: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
}

#[test]
fn a_process_is_replaced_after_instance_max_requests() {
    let site = Served::with(|application| {
        application.max_instances = 1;
        application.instance_max_requests = 2;
    });
    let pids: Vec<String> = (0..4).map(|_| get(site.address, "/pid").text()).collect();
    assert_eq!(pids[0], pids[1]);
    assert_ne!(pids[1], pids[2]);
    assert_eq!(pids[2], pids[3]);
    assert!(
        !is_running(&pids[0]),
        "its place is free only when it has ended"
    );
}

#[test]
fn a_request_that_takes_too_long_ends_with_its_process() {
    for attribute in ["requestTimeout", "activityTimeout"] {
        let site = Served::with(|application| {
            let timeout = Duration::from_millis(200);
            match attribute {
                "requestTimeout" => application.request_timeout = timeout,
                _ => application.activity_timeout = timeout,
            }
        });
        let gate = Gate::new();
        let mut client = wait_request(&site, &gate);
        let waiting = gate.arrival();
        let response = client.response(false);
        assert_eq!(response.status, 500);
        assert!(response.text().contains(attribute), "{}", response.text());
        let next = get(site.address, "/pid");
        assert_eq!(next.status, 200);
        assert_ne!(next.text(), waiting.report);
    }
}

#[test]
fn an_idle_process_is_ended() {
    let site = Served::with(|application| {
        application.max_instances = 1;
        application.idle_timeout = Duration::from_millis(100);
    });
    let first = get(site.address, "/pid").text();
    // Nothing but the process's end closes its end of the log, and the end is noted there.
    let note = format!("process {first} was killed by signal 9");
    let start = std::time::Instant::now();
    while !site.folder.logs().contains(&note) {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{}",
            site.folder.logs()
        );
        std::thread::yield_now();
    }
    assert_ne!(get(site.address, "/pid").text(), first);
}

#[test]
fn a_change_of_the_monitored_file_replaces_the_processes() {
    let folder = Folder::new();
    let monitored = folder.write("app/reload.txt", "1");
    drop(folder);
    let site = Served::with(|application| application.monitor_changes_to = monitored.to_string());
    let response = get(site.address, "/pid");
    assert_eq!(response.status, 500, "the file went with its folder");
    assert!(
        response.text().contains("monitorChangesTo"),
        "{}",
        response.text()
    );

    let mut folder = Folder::new();
    let monitored = folder.write("reload.txt", "1");
    let mut application = crate::site::echo_application();
    application.monitor_changes_to = monitored.to_string();
    folder.register(&application);
    folder.web_config("app", &application);
    let site = Served::folder(folder);
    let first = get(site.address, "/pid").text();
    assert_eq!(get(site.address, "/pid").text(), first);
    let file = fs_err::File::options()
        .write(true)
        .open(&monitored)
        .unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    assert_ne!(get(site.address, "/pid").text(), first);
}

#[test]
fn the_server_leaves_no_process() {
    let mut site = Served::with(|application| application.max_instances = 2);
    let gate = Gate::new();
    let mut clients: Vec<Client> = (0..2).map(|_| wait_request(&site, &gate)).collect();
    let waiting: Vec<_> = (0..2).map(|_| gate.arrival()).collect();
    let pids: Vec<String> = waiting.iter().map(|one| one.report.clone()).collect();
    let mut waiting = waiting.into_iter();
    waiting.next().unwrap().open("done");
    assert!(pids.iter().all(|pid| is_running(pid)));
    drop(clients.pop());
    site.stop();
    for pid in &pids {
        assert!(!is_running(pid), "{pid} is still there");
    }
}

#[test]
fn a_process_may_heed_a_signal_before_it_is_killed() {
    for (seconds, expected) in [
        (30, "was killed by signal 15"),
        (0, "was killed by signal 9"),
    ] {
        let mut site = Served::with(|application| {
            application.signal_before_terminate = Duration::from_secs(seconds);
        });
        get(site.address, "/pid");
        site.stop();
        assert!(
            site.folder.logs().contains(expected),
            "{}",
            site.folder.logs()
        );
    }
}

#[test]
fn tcp_gives_each_request_a_connection() {
    let site = Served::with(|application| {
        application.protocol = Protocol::Tcp;
        application.max_instances = 1;
    });
    let pids: Vec<String> = (0..3).map(|_| get(site.address, "/pid").text()).collect();
    assert!(
        pids.iter().all(|pid| *pid == pids[0] && !pid.is_empty()),
        "{pids:?}"
    );
    assert_eq!(get(site.address, "/bytes?3000000").body.len(), 3_000_000);
    assert_eq!(get(site.address, "/exit?3").status, 502);
    assert_eq!(get(site.address, "/pid").status, 200);
}

#[test]
fn the_environment_is_that_of_iis() {
    let site = Served::with(|application| {
        application.environment_variables = vec![
            EnvironmentVariable::new("WSGI_LOG", r"%IIS_USER_HOME%\x"),
            EnvironmentVariable::new("app_pool_id", "mine"),
        ];
    });
    let text = get(site.address, "/environment").text();
    let line = |expected: &str| {
        assert!(
            text.lines().any(|line| line == expected),
            "no `{expected}` in:\n{text}"
        );
    };
    line(&format!("IIS_USER_HOME={}", site.folder.root));
    line(&format!("IISEXPRESS_SITENAME={SITE}"));
    line(&format!(
        "APP_POOL_CONFIG={}/applicationHost.config",
        site.folder.root
    ));
    line("APP_POOL_ID=mine");
    // IIS does not expand the values of environmentVariables.
    line(r"WSGI_LOG=%IIS_USER_HOME%\x");
    assert!(text.contains(r"_FCGI_X_PIPE_=\\.\pipe\IISFCGI-"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn processes_end_with_a_server_that_is_killed() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let mut folder = Folder::new();
    let application = crate::site::echo_application();
    folder.register(&application);
    folder.web_config("app", &application);
    let mut server = Command::new(crate::site::example("serve"))
        .arg(&folder.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim_start_matches("http://")
        .trim_end_matches("/\n")
        .parse()
        .unwrap();
    let pid = get(address, "/pid").text();
    assert!(is_running(&pid));
    server.kill().unwrap();
    server.wait().unwrap();
    let start = std::time::Instant::now();
    while is_running(&pid) {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{pid} outlives its server"
        );
        std::thread::yield_now();
    }
}
