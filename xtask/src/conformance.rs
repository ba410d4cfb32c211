//! `cargo xtask conformance`: the vectors against `fcgi-proto`, the live checks against our gateway, and with `--peers`
//! against other implementations, from which it writes the tables of `docs/conformance.md`.

use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, install_debian_packages, root, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also install and ask libfcgi, php-fpm, flup, tokio-fastcgi and uWSGI, and write docs/conformance.md
    #[arg(long)]
    peers: bool,
}

/// Where the generated part of `docs/conformance.md` begins.
const MARK: &str = "<!-- What follows is written by `cargo xtask conformance --peers`. -->";

pub(crate) fn run(args: &Args) -> Result<()> {
    Step::new("cargo", &root())
        .args(["test", "-p", "iiswsgi-tests", "--test", "conformance"])
        .run()?;
    Step::new("cargo", &root())
        .args(["build", "-p", "iiswsgi-tests", "--bins"])
        .run()?;
    let ours = program("iiswsgi-echo-responder");
    Step::new(program("iiswsgi-conformance"), &root())
        .args(["--stdin-of", ours.as_str()])
        .run()?;
    if !args.peers {
        return Ok(());
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut columns = vec![Column {
        name: "fcgi-gateway",
        outcome: ask(&["--stdin-of", ours.as_str()]).map(|report| (version, report)),
    }];
    let scratch = target().join("conformance");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let peers: [(&str, Peer); 5] = [
        ("libfcgi", libfcgi),
        ("php-fpm", php_fpm),
        ("flup", flup),
        ("tokio-fastcgi", tokio_fastcgi),
        ("uWSGI", uwsgi),
    ];
    for (name, peer) in peers {
        println!("\n# {name}");
        let outcome = peer(&scratch);
        if let Err(error) = &outcome {
            println!("{name} could not be asked: {error}");
        }
        columns.push(Column { name, outcome });
    }
    write_page(&columns)
}

/// Installs an implementation, starts it and asks it: its version, and what was found.
type Peer = fn(&Utf8Path) -> Result<(String, Value)>;

/// An implementation in the table: its version and its report, or why there is none.
struct Column {
    name: &'static str,
    outcome: Result<(String, Value)>,
}

/// A program of this workspace.
fn program(name: &str) -> Utf8PathBuf {
    let path = target().join("debug").join(name);
    if cfg!(windows) {
        path.with_extension("exe")
    } else {
        path
    }
}

fn peers() -> Utf8PathBuf {
    root().join("tests/peers")
}

/// Runs the live checks. That some do not hold is what they are for.
fn ask(arguments: &[&str]) -> Result<Value> {
    let step = Step::new(program("iiswsgi-conformance"), &root())
        .args(["--format", "json"])
        .args(arguments.iter().copied());
    println!("$ {}", step.command_line());
    let output = step
        .command()
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| step.cannot_start(&error))?;
    match output.status.code() {
        Some(0 | 1) => serde_json::from_slice(&output.stdout).map_err(|error| error.to_string()),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

fn debian_version(package: &str) -> Result<String> {
    Step::new("dpkg-query", &root())
        .args(["--show", "--showformat=${Version}", package])
        .quiet_output()
}

fn libfcgi(scratch: &Utf8Path) -> Result<(String, Value)> {
    install_debian_packages(&["gcc", "libc6-dev", "libfcgi-dev"])?;
    let program = scratch.join("libfcgi-echo");
    let source = peers().join("libfcgi_echo.c");
    Step::new("cc", &root())
        .args(["-O1", "-o", program.as_str(), source.as_str(), "-lfcgi"])
        .run()?;
    let report = ask(&["--stdin-of", program.as_str()])?;
    Ok((format!("Debian {}", debian_version("libfcgi-dev")?), report))
}

fn php_fpm(scratch: &Utf8Path) -> Result<(String, Value)> {
    install_debian_packages(&["php-fpm"])?;
    let programs = Utf8Path::new("/usr/sbin")
        .read_dir_utf8()
        .map_err(|error| error.to_string())?;
    let php = programs
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.starts_with("php-fpm"))
        })
        .ok_or("Debian's php-fpm has no program in /usr/sbin")?;
    let socket = scratch.join("php-fpm.socket");
    let configuration = scratch.join("php-fpm.conf");
    let text = format!(
        "[global]\nerror_log = {scratch}/php-fpm.log\ndaemonize = no\n\n[echo]\nuser = nobody\ngroup = nogroup\n\
         listen = {socket}\nlisten.mode = 0666\npm = static\npm.max_children = 4\n"
    );
    fs::write(&configuration, text).map_err(|error| error.to_string())?;
    let server = Server::start(
        php.as_str(),
        &["--nodaemonize", "--fpm-config", configuration.as_str()],
        &socket,
    )?;
    let script = format!("SCRIPT_FILENAME={}", peers().join("echo.php"));
    let report = ask(&["--unix", socket.as_str(), "--param", &script])?;
    drop(server);
    let version = Step::new(php.as_str(), &root())
        .args(["-v"])
        .quiet_output()?;
    let version = version.split_whitespace().nth(1).unwrap_or_default();
    Ok((version.to_owned(), report))
}

fn flup(scratch: &Utf8Path) -> Result<(String, Value)> {
    const VERSION: &str = "1.0.3";
    let environment = PythonEnvironment::make(&scratch.join("env"))?;
    environment.install(&[&format!("flup=={VERSION}")])?;
    let command = format!(
        "{} {}",
        environment.program("python"),
        peers().join("wsgi_echo.py")
    );
    let report = ask(&["--stdin-of", &command])?;
    Ok((VERSION.to_owned(), report))
}

fn tokio_fastcgi(scratch: &Utf8Path) -> Result<(String, Value)> {
    let folder = peers().join("tokio-fastcgi");
    let built = scratch.join("tokio-fastcgi");
    Step::new("cargo", &folder)
        .args(["build", "--locked", "--target-dir", built.as_str()])
        .run()?;
    let lock = fs::read_to_string(folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let version = lock
        .lines()
        .skip_while(|line| *line != "name = \"tokio-fastcgi\"")
        .nth(1)
        .and_then(|line| line.split('"').nth(1))
        .unwrap_or_default();
    let report = ask(&[
        "--stdin-of",
        built.join("debug/tokio-fastcgi-echo").as_str(),
    ])?;
    Ok((version.to_owned(), report))
}

fn uwsgi(scratch: &Utf8Path) -> Result<(String, Value)> {
    install_debian_packages(&["uwsgi-core", "uwsgi-plugin-python3"])?;
    let socket = scratch.join("uwsgi.socket");
    let application = peers().join("wsgi_echo.py");
    let arguments = [
        "--plugin",
        "python3",
        "--fastcgi-socket",
        socket.as_str(),
        "--wsgi-file",
        application.as_str(),
        "--processes",
        "4",
        "--master",
        "--die-on-term",
        "--disable-logging",
    ];
    let server = Server::start("uwsgi", &arguments, &socket)?;
    let report = ask(&["--unix", socket.as_str()])?;
    drop(server);
    Ok((format!("Debian {}", debian_version("uwsgi-core")?), report))
}

/// A server with a socket of its own, stopped whatever happens.
struct Server(Child);

impl Server {
    fn start(program: &str, arguments: &[&str], socket: &Utf8Path) -> Result<Self> {
        if socket.exists() {
            fs::remove_file(socket).map_err(|error| error.to_string())?;
        }
        let step = Step::new(program, &root()).args(arguments.iter().copied());
        println!("$ {}", step.command_line());
        let child = step
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| step.cannot_start(&error))?;
        let mut server = Self(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            #[cfg(unix)]
            if std::os::unix::net::UnixStream::connect(socket).is_ok() {
                return Ok(server);
            }
            if let Ok(Some(status)) = server.0.try_wait() {
                return Err(format!("`{program}` ended with {status}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("`{program}` does not listen on `{socket}`"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first: a master process that is killed leaves its workers.
        let asked = Step::new("kill", &root())
            .args([self.0.id().to_string()])
            .succeeds();
        let deadline = Instant::now() + Duration::from_secs(5);
        while asked && Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Replaces the generated part of `docs/conformance.md`.
fn write_page(columns: &[Column]) -> Result<()> {
    let path = root().join("docs/conformance.md");
    let page = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (head, _) = page
        .split_once(MARK)
        .ok_or_else(|| format!("`{path}` has no line `{MARK}`"))?;
    let date = Step::new("date", &root())
        .args(["-u", "+%Y-%m-%d"])
        .quiet_output()?;
    let tables = tables(columns, date.trim());
    fs::write(&path, format!("{head}{MARK}\n\n{tables}")).map_err(|error| error.to_string())?;
    println!("\nwritten: docs/conformance.md");
    Ok(())
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_default()
}

fn rows(report: &Value) -> &[Value] {
    report["rows"].as_array().map_or(&[], Vec::as_slice)
}

fn tables(columns: &[Column], date: &str) -> String {
    let mut out = format!("## Outcome of {date}\n\n");
    let asked: Vec<(&str, &str, &Value)> = columns
        .iter()
        .filter_map(|column| {
            let (version, report) = column.outcome.as_ref().ok()?;
            Some((column.name, version.as_str(), report))
        })
        .collect();
    for column in columns {
        if let Err(error) = &column.outcome {
            let _ = writeln!(out, "{} could not be asked: {error}\n", column.name);
        }
    }
    out.push_str("| item | § | check |");
    for (name, version, _) in &asked {
        let _ = write!(out, " {name} {version} |");
    }
    let _ = write!(out, "\n|---|---|---|{}", ":-:|".repeat(asked.len()));
    let Some((_, _, first)) = asked.first() else {
        return out;
    };
    for (number, row) in rows(first).iter().enumerate() {
        let item = row["item"]
            .as_u64()
            .map_or_else(|| "bug".to_owned(), |item| item.to_string());
        let recommended = row["recommended"].as_bool().unwrap_or_default();
        let note = if recommended { " *" } else { "" };
        let _ = write!(
            out,
            "\n| {item} | {} | {}{note} |",
            text(row, "section"),
            text(row, "title")
        );
        for (_, _, report) in &asked {
            let mark = match rows(report).get(number).map(|row| text(row, "verdict")) {
                Some("holds") => "yes",
                Some("does_not_hold") => "**no**",
                _ => "–",
            };
            let _ = write!(out, " {mark} |");
        }
    }
    out.push_str("\n| | | **holds / does not hold / not applicable** |");
    for (_, _, report) in &asked {
        let count = |verdict: &str| {
            let rows = rows(report).iter();
            rows.filter(|row| text(row, "verdict") == verdict).count()
        };
        let _ = write!(
            out,
            " {} / {} / {} |",
            count("holds"),
            count("does_not_hold"),
            count("not_applicable")
        );
    }
    out.push_str(
        "\n\n`*`: the specification is silent or only recommends it. `–`: it cannot be told, for want of what the check \
         needs.\n",
    );
    for (name, version, report) in &asked {
        let failed: Vec<&Value> = rows(report)
            .iter()
            .filter(|row| text(row, "verdict") == "does_not_hold")
            .collect();
        if failed.is_empty() {
            continue;
        }
        let _ = write!(out, "\n### {name} {version}\n\n");
        for row in failed {
            let _ = writeln!(out, "- `{}`: {}.", text(row, "id"), text(row, "reason"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_column_for_each_that_was_asked() {
        let row = |verdict: &str| {
            serde_json::json!({"rows": [{
                "id": "close", "item": 15, "section": "5.1", "title": "closes", "recommended": true,
                "verdict": verdict, "reason": "it stays open",
            }]})
        };
        let columns = [
            Column {
                name: "a",
                outcome: Ok(("1".to_owned(), row("holds"))),
            },
            Column {
                name: "b",
                outcome: Err("no compiler".to_owned()),
            },
            Column {
                name: "c",
                outcome: Ok(("2".to_owned(), row("does_not_hold"))),
            },
        ];
        let page = tables(&columns, "2000-01-02");
        assert!(
            page.starts_with("## Outcome of 2000-01-02\n\nb could not be asked: no compiler\n"),
            "{page}"
        );
        assert!(
            page.contains("| item | § | check | a 1 | c 2 |\n"),
            "{page}"
        );
        assert!(
            page.contains("| 15 | 5.1 | closes * | yes | **no** |\n"),
            "{page}"
        );
        assert!(
            page.contains("not applicable** | 1 / 0 / 0 | 0 / 1 / 0 |\n"),
            "{page}"
        );
        assert!(
            page.ends_with("### c 2\n\n- `close`: it stays open.\n"),
            "{page}"
        );
    }
}
