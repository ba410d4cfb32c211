//! The machine that products are for: what the command line says, else this one.

use camino::Utf8PathBuf;
use webpi_feed::{Architecture, Feed, Inventory, Machine, OsType, OsVersion};

use crate::commands::webpi::live_machine;
use crate::commands::webpi::machine_file::MachineFile;
use crate::context::Context;
use crate::error::{Error, Result};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// A file that describes the machine: its version of Windows, and what is on it [default: this machine on Windows, else
    /// nothing is known]
    #[arg(long, value_name = "FILE")]
    machine: Option<Utf8PathBuf>,
    /// The version of Windows, with a service pack and editions where they matter: `10.0`, `6.1.1`, `10.0,Server`
    #[arg(long, value_name = "VERSION[,EDITION…]")]
    os: Option<String>,
    /// The processor architecture, x86 or x64
    #[arg(long, value_name = "ARCH", value_parser = parse_architecture)]
    arch: Option<Architecture>,
    /// The language, `en` or `pt-br` for example [default: the feed's]
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// A product that is installed already; can be repeated
    #[arg(long, value_name = "PRODUCT")]
    installed: Vec<String>,
}

/// The machine that is meant.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) machine: Machine,
    file: Option<MachineFile>,
    installed: Vec<String>,
}

impl MachineArgs {
    /// A machine that only this is said of.
    pub(crate) fn new(language: Option<String>, machine: Option<Utf8PathBuf>) -> Self {
        Self {
            language,
            machine,
            ..Self::default()
        }
    }

    /// What the command line says goes before what the file says, and that before what this machine is.
    pub(crate) fn target(&self, context: &Context) -> Result<Target> {
        let file = self.machine.as_deref().map(MachineFile::read).transpose()?;
        let mut machine = match &file {
            Some(_) => Machine::any(),
            None => live_machine::machine(context),
        };
        let described = file.as_ref();
        if let Some(os) = self
            .os
            .as_ref()
            .or_else(|| described.and_then(|file| file.os.as_ref()))
        {
            let (version, types) = parse_os(os)?;
            machine.os_version = Some(version);
            machine.os_types = types;
        }
        if let Some(architecture) = described.and_then(|file| file.architecture.as_deref()) {
            let architecture = parse_architecture(architecture).map_err(|why| {
                Error::new(format!(
                    "the architecture of the machine is `{architecture}`: {why}"
                ))
            })?;
            machine.architecture = Some(architecture);
        }
        machine.architecture = self.arch.or(machine.architecture);
        machine.language = self
            .language
            .clone()
            .or_else(|| described.and_then(|file| file.language.clone()));
        Ok(Target {
            machine,
            file,
            installed: self.installed.clone(),
        })
    }
}

impl Target {
    /// What is on the machine; none where nothing is known of it.
    pub(crate) fn inventory(&self, feed: &Feed, context: &Context) -> Option<Inventory> {
        let inventory = match &self.file {
            Some(file) => Some(file.inventory()),
            None => live_machine::inventory(feed, context),
        };
        if inventory.is_none() && self.installed.is_empty() {
            return None;
        }
        let mut inventory = inventory.unwrap_or_default();
        for product in &self.installed {
            inventory.add_product(product);
        }
        Some(inventory)
    }
}

fn parse_architecture(text: &str) -> std::result::Result<Architecture, String> {
    match text.to_ascii_lowercase().as_str() {
        "x86" | "i386" | "i686" => Ok(Architecture::X86),
        "x64" | "amd64" | "x86_64" => Ok(Architecture::X64),
        _ => Err("it is x86 or x64".to_owned()),
    }
}

/// `MAJOR.MINOR[.SERVICE-PACK][,EDITION…]`.
fn parse_os(text: &str) -> Result<(OsVersion, Vec<OsType>)> {
    let refuse = |why: String| {
        Error::new(format!("`--os {text}`: {why}"))
            .help("write the version as Windows counts it: 10.0 is Windows 10, 11 and Server 2016 to 2025, 6.1.1 is Windows 7 with service pack 1; editions after a comma: 10.0,Server")
    };
    let mut parts = text.split(',').map(str::trim);
    let version = parts.next().unwrap_or_default();
    let numbers: Vec<u32> = version
        .split('.')
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| refuse(format!("`{version}` is not a version")))?;
    let version = match *numbers.as_slice() {
        [major] => OsVersion::new(major, 0),
        [major, minor] => OsVersion::new(major, minor),
        [major, minor, service_pack] => {
            let mut version = OsVersion::new(major, minor);
            version.sp_major = Some(service_pack);
            version
        }
        _ => return Err(refuse(format!("`{version}` has more than three numbers"))),
    };
    let types = parts
        .map(|name| {
            OsType::ALL
                .into_iter()
                .find(|kind| kind.name().eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    let names = OsType::ALL.map(OsType::name).join(", ");
                    refuse(format!("`{name}` is not an edition; they are {names}"))
                })
        })
        .collect::<Result<_>>()?;
    Ok((version, types))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, parts, types) in [
            ("10", [Some(10), Some(0), None, None], &[][..]),
            ("6.1.1", [Some(6), Some(1), Some(1), None], &[]),
            (
                "10.0, server,Enterprise",
                [Some(10), Some(0), None, None],
                &[OsType::Server, OsType::Enterprise],
            ),
        ] {
            let (version, found) = parse_os(text).unwrap();
            assert_eq!(
                (version.parts(), found.as_slice()),
                (parts, types),
                "{text}"
            );
        }
        for text in ["", "ten", "1.2.3.4", "10.0,Home", "10.0,"] {
            assert!(parse_os(text).is_err(), "{text}");
        }
    }
}
