//! Whether worker processes may read the folders of their applications, and start the programs: file permissions, where the
//! machine tells them.

use spanned_xml::{Element, Problem};

use super::files::Files;
use super::pools::{Pool, pools};
use super::report::{Found, Subject, Wants};
use crate::access::may_execute;
use crate::section::sections;
use crate::win_path;

const SITES: &str = "system.applicationHost/sites";

/// The pool of applications that name none, where nothing else is said.
const DEFAULT_POOL: &str = "DefaultAppPool";

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    // IIS Express runs everything as the user who started it.
    if host.source.text().contains("%IIS_BIN%") {
        return;
    }
    let root = host.document.root();
    let pools = pools(root);
    folders(root, &pools, found);
    for application in files.applications() {
        let full_path = application.full_path.trim_matches('"');
        let Some(path) = found.machine.expand(full_path) else {
            continue;
        };
        let Some(descriptor) = descriptor(&path, found) else {
            continue;
        };
        // Whose requests it answers is not said where it is registered: nobody's, where nobody may start it.
        let denied = |pool: &Pool| {
            let identity = pool.identity();
            identity.is_some_and(|identity| may_execute(&descriptor, &identity) == Some(false))
        };
        if pools.iter().all(denied) {
            found.push(
                Subject::ApplicationHost,
                Problem::error(
                    "iis-program-unreadable",
                    format!("no application pool's identity may start `{path}`"),
                )
                .at(application.attribute_span("fullPath"))
                .help(format!("allow it: `{}`", granting(&path, "IIS_IUSRS", ""))),
            );
        }
    }
}

fn folders(root: &Element, pools: &[Pool], found: &mut Found<'_>) {
    let default_pool = |element: &Element| {
        sections(element, "applicationDefaults")
            .iter()
            .find_map(|defaults| defaults.value("applicationPool").map(str::to_owned))
    };
    let of_all = sections(root, SITES).into_iter().find_map(default_pool);
    for site in sections(root, &format!("{SITES}/site")) {
        let of_site = default_pool(site);
        for application in sections(site, "application") {
            let name = application
                .value("applicationPool")
                .or(of_site.as_deref())
                .or(of_all.as_deref())
                .unwrap_or(DEFAULT_POOL);
            let pool = pools.iter().find(|pool| {
                let known = pool.name.as_deref();
                known.is_some_and(|known| win_path::eq_ignore_case(known, name))
            });
            if let Some(pool) = pool {
                for directory in sections(application, "virtualDirectory") {
                    folder(directory, pool, found);
                }
            }
        }
    }
}

/// A virtual directory and who has to read it.
fn folder(directory: &Element, pool: &Pool, found: &mut Found<'_>) {
    let Some(physical_path) = directory.attribute("physicalPath") else {
        return;
    };
    let (Some(path), Some(identity)) =
        (found.machine.expand(&physical_path.value), pool.identity())
    else {
        return;
    };
    let Some(descriptor) = descriptor(&path, found) else {
        return;
    };
    if may_execute(&descriptor, &identity) == Some(false) {
        found.push(
            Subject::ApplicationHost,
            Problem::error(
                "iis-folder-unreadable",
                format!("{} may not read `{path}`", pool.describe()),
            )
            .at(physical_path.value_span)
            .help(format!(
                "allow it: `{}`",
                granting(&path, &pool.account(), "(OI)(CI)")
            )),
        );
    }
}

fn descriptor(path: &str, found: &mut Found<'_>) -> Option<String> {
    found.ask(path, Wants::Access)?.access.clone()
}

/// The command line that allows it.
fn granting(path: &str, account: &str, inheritance: &str) -> String {
    format!("icacls \"{path}\" /grant \"{account}:{inheritance}(RX)\"")
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use crate::doctor::{Inputs, Machine, PathFact, PathKind, doctor};

    const HOST: &str = r#"<configuration>
  <system.applicationHost>
    <applicationPools>
      <add name="Blog" />
      <add name="Own"><processModel identityType="OWN" userName="x\ann" /></add>
    </applicationPools>
    <sites>
      <site name="Blog" id="1">
        <application path="/" applicationPool="blog"><virtualDirectory path="/" physicalPath="C:\Blog" /></application>
        <application path="/own" applicationPool="Own"><virtualDirectory path="/" physicalPath="C:\Blog" /></application>
      </site>
    </sites>
  </system.applicationHost>
  <system.webServer>
    <globalModules><add name="FastCgiModule" image="iisfcgi.dll" /></globalModules>
    <fastCgi><application fullPath="C:\Python\python.exe" arguments="-u" /></fastCgi>
  </system.webServer>
</configuration>"#;

    fn codes(text: &str, descriptor: Option<&str>) -> Vec<&'static str> {
        let host = Source::from_text("applicationHost.config", text);
        let mut machine = Machine::default();
        loop {
            let mut inputs = Inputs::new(&machine);
            inputs.application_host = Some(&host);
            let report = doctor(&inputs);
            if report.questions.is_empty() {
                let codes = report.findings.iter().map(|finding| finding.problem.code);
                return codes.filter(|code| code.ends_with("unreadable")).collect();
            }
            for question in report.questions {
                let mut fact = PathFact::new(PathKind::Folder);
                fact.access = descriptor.map(str::to_owned);
                machine.paths.insert(question.path, fact);
            }
        }
    }

    #[test]
    fn what_a_pool_may_not_read_is_told() {
        let (folder, program) = ("iis-folder-unreadable", "iis-program-unreadable");
        let specific = HOST.replace("OWN", "SpecificUser");
        let service = HOST.replace("OWN", "NetworkService");
        let express = service.replace("C:\\Blog", "%IIS_BIN%");
        let administrators = Some("D:(A;;FA;;;BA)");
        for (text, descriptor, expected) in [
            (&specific, None, &[][..]),
            (&specific, administrators, &[folder]),
            (&specific, Some("D:(A;;FA;;;BU)"), &[]),
            (&specific, Some("no descriptor"), &[]),
            (&service, administrators, &[folder, folder, program]),
            (&service, Some("D:(A;;FA;;;NS)"), &[folder]),
            (&express, administrators, &[]),
        ] {
            assert_eq!(codes(text, descriptor), expected, "{descriptor:?} {text}");
        }
    }
}
