//! `iiswsgi msdeploy system-info`.

use std::fmt;

use msdeploy_pkg::SystemInfo;
use serde::Serialize;

use crate::context::Context;
use crate::deploy::description::Description;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package: a path, or a file:, http: or https: URL; without one, what a package made here says
    #[arg(value_name = "PACKAGE")]
    package: Option<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Report {
    info: SystemInfo,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        let rows = [
            ("computer", &info.machine_name),
            ("processor", &info.processor_architecture),
            ("Windows", &info.os_version),
            ("Windows folder", &info.win_dir),
            ("Web Deploy", &info.build_version),
        ];
        for (label, value) in rows {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                writeln!(f, "{label}: {value}")?;
            }
        }
        let Some(iis) = &info.iis else {
            return Ok(());
        };
        match iis.major_version.as_deref() {
            None | Some("0") => writeln!(f, "IIS: none")?,
            Some(major) => {
                let minor = iis.minor_version.as_deref().unwrap_or("0");
                writeln!(f, "IIS: {major}.{minor}")?;
            }
        }
        if let Some(versions) = iis.asp_net_versions.as_ref().filter(|all| !all.is_empty()) {
            writeln!(f, "ASP.NET: {}", versions.join(", "))?;
        }
        for component in iis.components.iter().flatten() {
            writeln!(f, "component: {} ({})", component.name, component.installed)?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let info = match &args.package {
        None => SystemInfo::without_windows(),
        Some(package) => {
            let source = Description::read(package, context)?
                .system_info
                .ok_or_else(|| {
                    Error::new(format!("`{package}` has no systemInfo.xml"))
                        .help("only packages of msdeploy's own layout have one: `iiswsgi msdeploy package --layout package`")
                })?;
            SystemInfo::parse(&source)?
        }
    };
    context.report(&Report { info })
}
