//! What `cargo xtask bench iis` runs: an applicationHost.config of 5 MB, and one edit of it in several ways.
//!
//! `iis make FILE` writes the file; `iis edit FILE RUNS` and `iis roxmltree FILE RUNS` print the nanoseconds of each run.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use iis_config::{FastCgiApplication, edit};
use spanned_xml::{Source, escape_attribute};

const LEN: usize = 5_000_000;
const FULL_PATH: &str = r"C:\Python\python.exe";
const ARGUMENTS: &str = r"-m iiswsgi serve C:\inetpub\app.ini";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", path] => std::fs::write(path, file())?,
        [what @ ("edit" | "roxmltree"), path, runs] => {
            let octets = std::fs::read(path)?;
            for _ in 0..runs.parse::<usize>()? {
                let start = Instant::now();
                let edited = match what {
                    "edit" => ours(&octets)?,
                    _ => with_roxmltree(&octets)?,
                };
                println!("{}", start.elapsed().as_nanos());
                assert!(black_box(edited).len() > octets.len());
            }
        }
        _ => return Err("make FILE, edit FILE RUNS or roxmltree FILE RUNS".into()),
    }
    Ok(())
}

/// Sites, applications, pools and locations as a machine with many of them has, and a few hundred FastCGI applications.
fn file() -> String {
    let mut pools = String::new();
    let mut sites = String::new();
    let mut fast_cgi = String::new();
    let mut locations = String::new();
    let mut number = 0;
    while pools.len() + sites.len() + fast_cgi.len() + locations.len() < LEN {
        number += 1;
        let _ = writeln!(
            pools,
            "      <add name=\"Pool {number}\" managedRuntimeVersion=\"\">\n        <processModel identityType=\"ApplicationPoolIdentity\" idleTimeout=\"00:00:00\" />\n      </add>"
        );
        let _ = writeln!(
            sites,
            "      <site name=\"Site {number}\" id=\"{number}\">\n        <application path=\"/\" applicationPool=\"Pool {number}\">\n          <virtualDirectory path=\"/\" physicalPath=\"C:\\inetpub\\sites\\{number}\" />\n        </application>\n        <bindings>\n          <binding protocol=\"http\" bindingInformation=\"*:80:site{number}.example\" />\n        </bindings>\n      </site>"
        );
        let _ = writeln!(
            locations,
            "  <location path=\"Site {number}\" overrideMode=\"Allow\">\n    <system.webServer>\n      <security>\n        <authentication>\n          <anonymousAuthentication enabled=\"true\" />\n        </authentication>\n      </security>\n    </system.webServer>\n  </location>"
        );
        if number % 20 == 0 {
            let _ = writeln!(
                fast_cgi,
                "      <application fullPath=\"C:\\Python\\python.exe\" arguments=\"C:\\inetpub\\sites\\{number}\\wfastcgi.py\" maxInstances=\"4\">\n        <environmentVariables>\n          <environmentVariable name=\"WSGI_HANDLER\" value=\"site{number}.application\" />\n        </environmentVariables>\n      </application>"
            );
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n  <system.applicationHost>\n    <applicationPools>\n{pools}    </applicationPools>\n    <sites>\n{sites}    </sites>\n  </system.applicationHost>\n  <system.webServer>\n    <fastCgi>\n{fast_cgi}    </fastCgi>\n  </system.webServer>\n{locations}</configuration>\n"
    )
}

/// From octets to octets, with the result read back.
fn ours(octets: &[u8]) -> Result<Vec<u8>> {
    let source = Source::decode("applicationHost.config", octets)?;
    let application = FastCgiApplication::new(FULL_PATH, ARGUMENTS);
    let edit = edit::set_fast_cgi_application(&source, &application)?;
    Ok(source.encode(&edit.text)?)
}

/// The least that does the same with a tree that has positions: no check, and nothing read back.
fn with_roxmltree(octets: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(octets)?;
    let document = roxmltree::Document::parse(text)?;
    let section = document
        .descendants()
        .find(|node| node.has_tag_name("fastCgi"));
    let last = section.and_then(|section| section.last_element_child());
    let end = last.ok_or("no fastCgi")?.range().end;
    let new = format!(
        "\n      <application fullPath=\"{}\" arguments=\"{}\" />",
        escape_attribute(FULL_PATH),
        escape_attribute(ARGUMENTS)
    );
    let mut out = octets.to_vec();
    out.splice(end..end, new.into_bytes());
    Ok(out)
}
