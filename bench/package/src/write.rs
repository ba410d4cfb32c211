//! Writing packages.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};

use msdeploy_pkg::{PackageWriter, WriterOptions};

use crate::data::Random;

const MANIFEST: &str = "<MSDeploy.iisApp>\r\n  <iisApp path=\"App\" />\r\n</MSDeploy.iisApp>\r\n";
const PARAMETERS: &str = "<parameters>\r\n  <parameter name=\"Path\" tags=\"iisApp\">\r\n    <parameterEntry kind=\"ProviderPath\" scope=\"iisApp\" match=\"^App$\" />\r\n  </parameter>\r\n\
    <parameter name=\"Title\" defaultValue=\"Site\">\r\n    <parameterEntry kind=\"TextFile\" scope=\"module00077\\.py$\" match=\"@TITLE@\" />\r\n  </parameter>\r\n</parameters>\r\n";

type Package = PackageWriter<BufWriter<File>>;

fn package(path: &Path, options: WriterOptions) -> io::Result<Package> {
    let file = BufWriter::with_capacity(256 << 10, File::create(path)?);
    Ok(PackageWriter::with_options(file, options))
}

/// A gallery package of a folder, as `iiswsgi msdeploy package` writes it.
pub(crate) fn folder(folder: &Path, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let mut package = package(path, WriterOptions::default())?;
    package.add("Manifest.xml", &mut MANIFEST.as_bytes())?;
    package.add("Parameters.xml", &mut PARAMETERS.as_bytes())?;
    for file in files {
        let name = file.strip_prefix(folder)?.display();
        package.add(&format!("App/{name}"), &mut File::open(&file)?)?;
    }
    package.finish()?;
    Ok(())
}

/// All files of a folder and the folders in it.
pub(crate) fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Data that is made while it is read: half of each stretch is text, half is noise.
struct Made {
    left: u64,
    random: Random,
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..len];
        let (noise, text) = buffer.split_at_mut(len / 4);
        self.random.fill(noise);
        for (octet, letter) in text
            .iter_mut()
            .zip(b"response = request.session\n".iter().cycle())
        {
            *octet = *letter;
        }
        self.left -= len as u64;
        Ok(len)
    }
}

/// A package of large files, with the limit on their length lifted.
pub(crate) fn large(file_len: u64, files: u64, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut options = WriterOptions::default();
    options.entry_len = u64::MAX;
    let mut package = package(path, options)?;
    for number in 0..files {
        let mut made = Made {
            left: file_len,
            random: Random::new(number),
        };
        package.add(&format!("App/{number}"), &mut made)?;
    }
    package.finish()?;
    Ok(())
}

/// A package of so many short files, in one of the two layouts.
pub(crate) fn entries(layout: &str, count: usize, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut package = package(path, WriterOptions::default())?;
    let content = match layout {
        "gallery" => {
            package.add("Manifest.xml", &mut MANIFEST.as_bytes())?;
            package.add("Parameters.xml", &mut PARAMETERS.as_bytes())?;
            "App"
        }
        _ => {
            package.add("archive.xml", &mut MANIFEST.as_bytes())?;
            "Content/C_C/App"
        }
    };
    for number in 0..count {
        let name = format!("{content}/folder{:03}/module{number:05}.py", number / 100);
        package.add(&name, &mut b"import this\n".as_slice())?;
    }
    if layout != "gallery" {
        package.add("parameters.xml", &mut PARAMETERS.as_bytes())?;
        package.add("systemInfo.xml", &mut b"<systemInfo />".as_slice())?;
    }
    package.finish()?;
    Ok(())
}
