//! This machine, where it is Windows: its version, and what the hints of a feed ask for.

use camino::Utf8Path;
use fcgi_gateway::registry;
use webpi_feed::{Architecture, Feed, Inventory, Machine, OsVersion};

use crate::context::Context;
use crate::deploy::process::Process;

/// Where Windows Installer lists its products, by product code.
const UNINSTALL: [&str; 2] = [
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
];

fn is_windows(context: &Context) -> bool {
    context.environment.get("OS") == Some("Windows_NT")
}

/// What is known of this machine; nothing where it is not Windows.
pub(crate) fn machine(context: &Context) -> Machine {
    let mut machine = Machine::any();
    if !is_windows(context) {
        return machine;
    }
    // A 32-bit process on 64-bit Windows is told of its own architecture first.
    let architecture = ["PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE"]
        .into_iter()
        .find_map(|name| context.environment.non_empty(name));
    machine.architecture = match architecture {
        Some("AMD64" | "ARM64") => Some(Architecture::X64),
        Some("x86") => Some(Architecture::X86),
        _ => None,
    };
    let answer = Process::new("cmd.exe")
        .args(["/d", "/c", "ver"])
        .run(context);
    machine.os_version = answer.ok().and_then(|answer| version_of(&answer));
    machine
}

/// What the hints of a feed ask for, as far as it is there; none where this is not Windows.
///
/// Versions of files are asked of PowerShell. Patches of Windows Installer are not looked for.
pub(crate) fn inventory(feed: &Feed, context: &Context) -> Option<Inventory> {
    if !is_windows(context) {
        return None;
    }
    let mut inventory = Inventory::default();
    for name in [
        "ProgramFiles",
        "ProgramFiles(x86)",
        "ProgramW6432",
        "SystemDrive",
        "SystemRoot",
        "windir",
        "ProgramData",
    ] {
        if let Some(value) = context.environment.get(name) {
            inventory.set_variable(name, value);
        }
    }
    let questions = feed.discovery_questions();
    for key in &questions.registry_keys {
        if let Some(values) = registry::values(key) {
            inventory.add_key(key);
            for (name, data) in values {
                inventory.add_value(key, &name, data);
            }
        }
    }
    for path in &questions.files {
        let path = inventory.expand(path);
        if Utf8Path::new(&path).exists() {
            let version = file_version(&path, context);
            inventory.add_file(&path, version.as_deref());
        }
    }
    for code in &questions.msi_products {
        let is_below = |folder: &&str| registry::values(&format!(r"{folder}\{code}")).is_some();
        if UNINSTALL.iter().any(is_below) {
            inventory.add_msi_product(code);
        }
    }
    Some(inventory)
}

/// The version in a file's version resource. The path is not part of the command, so that none can change it.
fn file_version(path: &str, context: &Context) -> Option<String> {
    let script = "(Get-Item -LiteralPath $env:IISWSGI_FILE).VersionInfo.FileVersionRaw.ToString()";
    let answer = Process::new("powershell.exe")
        .args(["-NoProfile", "-NonInteractive", "-Command", script])
        .variables([("IISWSGI_FILE", path)])
        .run(context);
    answer
        .ok()
        .map(|answer| answer.trim().to_owned())
        .filter(|version| !version.is_empty())
}

/// The version in the answer of `ver`: `Microsoft Windows [Version 10.0.17763.1]`, in whatever language.
fn version_of(answer: &str) -> Option<OsVersion> {
    let (_, rest) = answer.split_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    let mut numbers = inside.rsplit(' ').next()?.split('.').map(str::parse);
    Some(OsVersion::new(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_ver_is_read_in_any_language() {
        for (answer, expected) in [
            (
                "\r\nMicrosoft Windows [Version 10.0.17763.1]\r\n",
                Some([10, 0]),
            ),
            ("Microsoft Windows [версия 6.3.9600]", Some([6, 3])),
            ("Windows 98", None),
            ("[x.y]", None),
        ] {
            let found = version_of(answer)
                .map(|version| [version.os_major.unwrap(), version.os_minor.unwrap()]);
            assert_eq!(found, expected, "{answer}");
        }
    }
}
