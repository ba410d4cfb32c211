//! [`PackageReader`], [`PackageDescription`] and [`PackageWriter`]: what is read of an archive is safe, and what is
//! written is read.

use std::io::Cursor;

use msdeploy_pkg::{
    CheckOptions, PackageDescription, PackageLimits, PackageReader, PackageWriter, WriterOptions,
    check_archive, check_entry_name,
};

/// More than this is not unpacked for one input.
const MAX_LEN: u64 = 1 << 20;

/// The input is an archive.
pub fn check(octets: &[u8]) {
    let mut limits = PackageLimits::default();
    limits.total_len = MAX_LEN;
    limits.xml_len = MAX_LEN;
    let checked = check_archive(Cursor::new(octets), limits, &CheckOptions::default())
        .expect("memory is read without errors");
    let description = PackageDescription::read(Cursor::new(octets), &limits);
    let mut package = match PackageReader::open(Cursor::new(octets), limits) {
        Ok(package) => package,
        Err(error) => {
            // A refused archive has a finding with a help, and so has its check.
            let problems = error.problems();
            assert!(!problems.is_empty());
            assert!(checked.report.iter().any(|problem| problem.is_error()));
            return;
        }
    };
    if let (Ok(description), Ok(manifest)) = (&description, package.manifest_source()) {
        assert_eq!(description.layout, package.layout());
        assert_eq!(description.manifest.text(), manifest.text());
    }
    let entries = package.entries().to_vec();
    let mut copy = PackageWriter::with_options(Cursor::new(Vec::new()), one_thread());
    let mut copied = Vec::new();
    let mut total = 0;
    for entry in &entries {
        // Nothing that leaves the target folder, on any system, and nothing that is found under another name only.
        if let Err(fault) = check_entry_name(&entry.path) {
            assert!(fault.is_windows_only(), "{fault}");
        }
        assert_eq!(
            package.entry(&entry.path).map(|found| &found.path),
            Some(&entry.path)
        );
        total += entry.size;
        let mut data = Vec::new();
        if package.read(entry, &mut data).is_ok() {
            assert_eq!(data.len() as u64, entry.size);
            if !entry.is_directory && copy.add(&entry.path, &mut data.as_slice()).is_ok() {
                copied.push((entry.path.clone(), data));
            }
        } else {
            assert!(data.len() as u64 <= entry.size);
        }
    }
    assert!(total <= MAX_LEN);
    check_copy(copy, &copied);
}

fn one_thread() -> WriterOptions {
    let mut options = WriterOptions::default();
    options.threads = 1;
    options
}

/// What was written reads back.
fn check_copy(copy: PackageWriter<Cursor<Vec<u8>>>, files: &[(String, Vec<u8>)]) {
    let octets = copy.finish().expect("memory is written without errors");
    let mut limits = PackageLimits::default();
    limits.ratio = u64::MAX;
    let mut package = match PackageReader::open(octets, limits) {
        Ok(package) => package,
        // The manifest could not be copied.
        Err(error) => return assert!(matches!(error, msdeploy_pkg::Error::NoManifest), "{error}"),
    };
    assert_eq!(package.entries().len(), files.len());
    for (entry, (path, data)) in package.entries().to_vec().iter().zip(files) {
        assert_eq!(&entry.path, path);
        let mut again = Vec::new();
        package
            .read(entry, &mut again)
            .expect("what is written reads");
        assert_eq!(&again, data);
    }
}
