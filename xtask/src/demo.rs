//! `cargo xtask demo`: the main job, from a folder with a Python application to a site that answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;

use crate::run::{Result, Step};
use crate::workspace::{Profile, PythonEnvironment, build_wheel, root, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Request two pages, check the answers, and stop
    #[arg(long)]
    check: bool,
}

const DISTRIBUTION: &str = "iiswsgi-sample-app";

pub(crate) fn run(args: &Args) -> Result<()> {
    let scratch = target().join("demo");
    let site_root = scratch.join("site");
    let project = scratch.join("sample.msdeploy");
    for folder in [&site_root, &project] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
        }
    }

    heading("The iiswsgi wheel, built and installed");
    let environment = PythonEnvironment::make(&scratch.join("env"))?;
    environment.install(&["maturin>=1.9,<2"])?;
    let wheels = scratch.join("wheels");
    let wheel = build_wheel(&environment, &wheels, Profile::Dev)?;
    environment.install(&["--force-reinstall", "--no-deps", wheel.as_str()])?;
    let iiswsgi = |arguments: &[&str]| {
        Step::new(environment.program("iiswsgi"), &root()).args(arguments.iter().copied())
    };

    heading("A Python project");
    copy_folder(&root().join("examples/sample.msdeploy"), &project)?;

    heading("A Web Deploy package of it, and a WebPI feed");
    iiswsgi(&["msdeploy", "build", project.as_str()]).run()?;
    iiswsgi(&["msdeploy", "package", project.as_str()]).run()?;
    let feed = iiswsgi(&[
        "webpi",
        "feed",
        project.as_str(),
        "-u",
        "{msdeploy_package_url}",
    ])
    .output()?;
    let feed = feed
        .lines()
        .find(|line| line.starts_with("file:///"))
        .ok_or("`iiswsgi webpi feed` did not print the feed's file: URL")?;

    heading("Installed from the feed");
    // The gateway goes into the application's virtual environment: pip takes it from the folder that maturin filled.
    iiswsgi(&[
        "webpi",
        "install",
        feed,
        DISTRIBUTION,
        "--site-root",
        site_root.as_str(),
        "--set-param",
        "Application Path=Demo",
    ])
    .var("PIP_FIND_LINKS", wheels.as_str())
    .run()?;

    heading("Served");
    let dev = iiswsgi(&["dev", site_root.as_str(), "--port", "0"]);
    if !args.check {
        return dev.run();
    }
    println!("$ {}", dev.command_line());
    let mut server = Server(
        dev.command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| dev.cannot_start(&error))?,
    );
    let address = server.address()?;
    check(
        &address,
        "/",
        &[("PATH_INFO", "/"), ("REQUEST_METHOD", "GET")],
    )?;
    check(
        &address,
        "/caf%C3%A9/%E6%97%A5?name=J%C3%BCrgen&empty=",
        &[
            ("PATH_INFO", "/café/日"),
            ("QUERY_STRING", "name=J%C3%BCrgen&amp;empty="),
        ],
    )?;
    server.stop()?;
    println!("the demo passed");
    Ok(())
}

fn heading(text: &str) {
    println!("\n# {text}");
}

/// Requests a page and checks the cells of its table.
fn check(address: &str, path: &str, cells: &[(&str, &str)]) -> Result<()> {
    println!("GET http://{address}{path}");
    let answer = get(address, path)
        .map_err(|error| format!("no answer from http://{address}{path}: {error}"))?;
    if !answer.starts_with("HTTP/1.1 200 ") {
        return Err(format!("http://{address}{path} answered\n{answer}"));
    }
    for (id, value) in cells {
        let cell = format!("<td id=\"{id}\">{value}</td>");
        if !answer.contains(&cell) {
            return Err(format!(
                "http://{address}{path} does not show `{cell}`:\n{answer}"
            ));
        }
        println!("  {id} = {value}");
    }
    Ok(())
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The development server, stopped whatever happens.
struct Server(Child);

impl Server {
    /// The address of the first line that has one.
    fn address(&mut self) -> Result<String> {
        let output = self.0.stdout.take().ok_or("the server has no output")?;
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| error.to_string())?;
            println!("{line}");
            if let Some((_, rest)) = line.split_once("http://") {
                return Ok(rest.split(['/', ' ']).next().unwrap_or_default().to_owned());
            }
        }
        Err("`iiswsgi dev` ended before it printed an address".to_owned())
    }

    fn stop(&mut self) -> Result<()> {
        if cfg!(unix) {
            Step::new("kill", &root())
                .args([self.0.id().to_string()])
                .run()?;
        } else {
            self.0.kill().map_err(|error| error.to_string())?;
        }
        let status = self.0.wait().map_err(|error| error.to_string())?;
        if cfg!(unix) && !status.success() {
            Err(format!("`iiswsgi dev` ended with {status}"))
        } else {
            Ok(())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where all went well.
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn copy_folder(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    for entry in from
        .read_dir_utf8()
        .map_err(|error| format!("{from}: {error}"))?
    {
        let entry = entry.map_err(|error| error.to_string())?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
