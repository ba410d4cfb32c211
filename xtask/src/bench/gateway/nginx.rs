//! Behind nginx: FastCGI servers, and servers that nginx speaks HTTP to.

use std::fmt::Write as _;
use std::process::Stdio;

use fs_err as fs;

use super::Args;
use super::servers::{Bench, PEERS, Report, Server, start};
use crate::bench::{Outcome, decimals, grouped};
use crate::run::{Result, Step};

/// What serves, and how nginx speaks to it.
const BEHIND: [(&str, &str); 4] = [
    (PEERS[0], "FastCGI"),
    (PEERS[1], "FastCGI"),
    ("gunicorn", "HTTP"),
    ("granian", "HTTP"),
];

/// What they are measured with.
const WORKLOADS: [(&str, &str); 3] = [
    ("small", "13 octets"),
    ("megabyte", "1 MiB answer"),
    ("echo", "64 KiB echo"),
];

pub(super) fn measure(bench: &Bench, args: &Args, outcome: &mut Outcome) -> Result<()> {
    let mut table =
        "\n| Behind nginx: processor time a request without nginx's, \u{b5}s; median / 99 % |"
            .to_owned();
    for (_, name) in WORKLOADS {
        let _ = write!(table, " {name} |");
    }
    let _ = writeln!(table, "\n|---|{}", "---:|".repeat(WORKLOADS.len()));
    for (peer, protocol) in BEHIND {
        println!("# behind nginx: {peer}");
        let server = start_behind(bench, peer)?;
        let nginx = start_nginx(bench, &server, protocol)?;
        let url = format!("http://{ADDRESS}");
        let _ = write!(table, "| {peer} by {protocol} |");
        for (workload, _) in WORKLOADS {
            let mut reports = Vec::new();
            for _ in 0..args.rounds {
                let seconds = args.seconds.to_string();
                let mut with = vec!["--http", &url, "--seconds", &seconds];
                // Some of uWSGI's answers fail: it closes a connection that has something unread.
                with.extend((peer != PEERS[0]).then_some("--tolerate"));
                reports.push(bench.load_with(&with, &server, workload)?);
            }
            reports.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
            let failed: f64 = reports.iter().map(|report| report.failed).sum();
            let Report { cpu, p50, p99, .. } = reports[reports.len() / 2];
            let (cpu, p50, p99) = (decimals(cpu), grouped(p50), grouped(p99));
            let _ = write!(table, " {cpu}; {p50} / {p99}");
            if failed > 0.0 {
                let _ = write!(table, "; {} failed", grouped(failed));
            }
            table.push_str(" |");
        }
        table.push('\n');
        drop(nginx);
    }
    outcome.tables.push_str(&table);
    Ok(())
}

/// Where nginx listens: a port below those that the system gives to anybody.
const ADDRESS: &str = "127.0.0.1:18459";

fn start_behind(bench: &Bench, peer: &str) -> Result<Server> {
    let socket = bench.folder.join("socket");
    let app = bench.application.as_str();
    let step = match peer {
        "gunicorn" => Step::new(bench.python.program("gunicorn"), &bench.folder)
            .args(["--chdir", app, "--workers", "1", "--log-level", "warning"])
            .args(["--bind".to_owned(), format!("unix:{socket}")])
            .args(["application:application"]),
        "granian" => Step::new(bench.python.program("granian"), &bench.folder)
            .args([
                "--interface",
                "wsgi",
                "--workers",
                "1",
                "--working-dir",
                app,
            ])
            .args([
                "--blocking-threads",
                "1",
                "--no-access-log",
                "--log-level",
                "warning",
            ])
            .args(["--uds", socket.as_str(), "application:application"]),
        _ => return bench.start(peer, &[]),
    };
    let _ = fs::remove_file(&socket);
    start(&step, Stdio::null(), socket)
}

fn start_nginx(bench: &Bench, server: &Server, protocol: &str) -> Result<Server> {
    let (folder, socket) = (&bench.folder, &server.socket);
    let pass = if protocol == "FastCGI" {
        "fastcgi_pass server; fastcgi_keep_conn on; include /etc/nginx/fastcgi_params;\n\
         fastcgi_param PATH_INFO $uri; fastcgi_param SCRIPT_NAME '';\n\
         fastcgi_buffers 64 64k; fastcgi_buffer_size 64k;"
    } else {
        "proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection '';\n\
         proxy_set_header Host $host; proxy_buffers 64 64k; proxy_buffer_size 64k;"
    };
    // The second socket only shows when nginx is there.
    let ready = folder.join("nginx.socket");
    let _ = fs::remove_file(&ready);
    let configuration = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{\n\
         access_log off; client_body_temp_path {folder}/body; client_body_buffer_size 128k;\n\
         proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
         uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
         upstream server {{ server unix:{socket}; keepalive 16; }}\n\
         server {{ listen {ADDRESS}; listen unix:{ready}; location / {{ {pass} }} }}\n\
         }}\n"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration).map_err(|error| error.to_string())?;
    let step =
        Step::new("/usr/sbin/nginx", folder).args(["-p", folder.as_str(), "-c", path.as_str()]);
    start(&step, Stdio::null(), ready)
}
