//! What `cargo xtask bench package` starts: makes data, packages and reads it. Each command is a process of its own, so
//! that time and memory are those of one thing.

use std::error::Error;
use std::path::Path;

mod count;
mod data;
mod read;
mod write;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["empty"] => {}
        ["small", folder, library, interpreter, files] => {
            let [folder, library, interpreter] = [folder, library, interpreter].map(Path::new);
            data::small(folder, library, interpreter, files.parse()?)?;
        }
        ["mixed", folder, library, interpreter, octets] => {
            let [folder, library, interpreter] = [folder, library, interpreter].map(Path::new);
            data::mixed(folder, library, interpreter, octets.parse()?)?;
        }
        ["write", folder, package] => write::folder(Path::new(folder), Path::new(package))?,
        ["large", file_len, files, package] => {
            write::large(file_len.parse()?, files.parse()?, Path::new(package))?;
        }
        ["entries", layout, count, package] => {
            write::entries(layout, count.parse()?, Path::new(package))?;
        }
        ["describe", package] => read::describe(Path::new(package))?,
        ["apply", package] => read::apply(Path::new(package))?,
        _ => return Err(format!("unknown command: {arguments:?}").into()),
    }
    println!("peak {}", peak_memory()?);
    Ok(())
}

/// The most memory that the process has had, in KiB.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
        .ok_or("no VmHWM in /proc/self/status")?;
    Ok(peak.trim().parse()?)
}
