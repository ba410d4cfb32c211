//! The `zip` crate as the second opinion on archives: what this crate writes it reads, and what it writes this crate reads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use msdeploy_pkg::{
    EntryOptions, PackageLimits, PackageReader, PackageWriter, Timestamp, WriterOptions,
};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

const MANIFEST: &[u8] = b"<m><iisApp path='App'/></m>";

/// A file or, without data, a folder; its name and the seconds of its time since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    seconds: u64,
    data: Option<Vec<u8>>,
}

fn entry(name: &str, seconds: u64, data: Option<&[u8]>) -> Entry {
    Entry {
        name: name.to_owned(),
        seconds,
        data: data.map(<[u8]>::to_vec),
    }
}

/// 1980-01-01 to 2107-12-31, in the steps of two seconds that the format has.
fn seconds() -> impl Strategy<Value = u64> {
    (157_766_400_u64..2_177_452_800).prop_map(|half| half * 2)
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        (any::<u8>(), 0_usize..50_000).prop_map(|(octet, len)| vec![octet; len]),
        "[a-z é\\n]{0,2000}".prop_map(String::into_bytes),
    ]
}

/// Files and folders whose names are different to Windows too: each has its own number.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (
        "[a-zA-Z0-9éЖ日_-]{1,12}",
        seconds(),
        prop::option::weighted(0.9, data()),
    );
    prop::collection::vec(entry, 0..20).prop_map(|entries| {
        let numbered = entries.into_iter().enumerate();
        numbered
            .map(|(number, (name, seconds, data))| Entry {
                name: format!("App/{number}/{name}"),
                seconds,
                data,
            })
            .collect()
    })
}

/// The same archive by this crate's writer.
fn by_us(entries: &[Entry], threads: usize) -> Vec<u8> {
    let mut options = WriterOptions::default();
    options.threads = threads;
    let mut package = PackageWriter::with_options(Cursor::new(Vec::new()), options);
    package.add("Manifest.xml", &mut &MANIFEST[..]).unwrap();
    for entry in entries {
        let mut options = EntryOptions::default();
        options.modified = Some(Timestamp::from_unix(entry.seconds).unwrap());
        match &entry.data {
            Some(data) => {
                package
                    .add_with(&entry.name, &mut data.as_slice(), &options)
                    .unwrap();
            }
            None => package.add_directory_with(&entry.name, &options).unwrap(),
        }
    }
    package.finish().unwrap().into_inner()
}

/// The same archive by the zip crate's writer.
fn by_zip(entries: &[Entry], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    archive.start_file("Manifest.xml", options).unwrap();
    archive.write_all(MANIFEST).unwrap();
    for entry in entries {
        let options = options.last_modified_time(date_time(entry.seconds));
        match &entry.data {
            Some(data) => {
                archive.start_file(entry.name.as_str(), options).unwrap();
                archive.write_all(data).unwrap();
            }
            None => archive.add_directory(entry.name.as_str(), options).unwrap(),
        }
    }
    archive.finish().unwrap().into_inner()
}

/// The zip crate's date and time, by way of the text that [`Timestamp`] shows.
fn date_time(seconds: u64) -> DateTime {
    let text = Timestamp::from_unix(seconds).unwrap().to_string();
    let numbers: Vec<u16> = text
        .split(['-', ' ', ':'])
        .map(|number| number.parse().unwrap())
        .collect();
    let small = |at: usize| u8::try_from(numbers[at]).unwrap();
    DateTime::from_date_and_time(numbers[0], small(1), small(2), small(3), small(4), small(5))
        .unwrap()
}

/// What the zip crate reads, by name.
fn read_by_zip(octets: &[u8]) -> BTreeMap<String, (DateTime, Option<Vec<u8>>)> {
    let mut archive = ZipArchive::new(Cursor::new(octets)).unwrap();
    let mut found = BTreeMap::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).unwrap();
        let mut data = Vec::new();
        file.read_to_end(&mut data).unwrap();
        let name = file.name().unwrap().trim_end_matches('/').to_owned();
        let known = found.insert(
            name,
            (
                file.last_modified().unwrap(),
                (!file.is_dir()).then_some(data),
            ),
        );
        assert!(known.is_none());
    }
    found
}

/// What this crate reads.
fn read_by_us(octets: &[u8]) -> Vec<Entry> {
    let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default()).unwrap();
    assert!(package.verify().unwrap().is_empty());
    let entries = package.entries().to_vec();
    let found = entries.iter().map(|entry| {
        let mut data = Vec::new();
        if !entry.is_directory {
            package.read(entry, &mut data).unwrap();
        }
        Entry {
            name: entry.path.clone(),
            seconds: entry.modified.to_unix().try_into().unwrap(),
            data: (!entry.is_directory).then_some(data),
        }
    });
    found.collect()
}

/// Both crates read both archives alike.
fn agree(entries: &[Entry]) {
    let expected: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| {
            let value = (date_time(entry.seconds), entry.data.clone());
            (entry.name.clone(), value)
        })
        .collect();
    for threads in [1, 2] {
        let ours = by_us(entries, threads);
        let mut found = read_by_zip(&ours);
        let (_, manifest) = found.remove("Manifest.xml").unwrap();
        assert_eq!(manifest.as_deref(), Some(MANIFEST));
        assert!(
            found == expected,
            "zip reads another thing than was written"
        );
        assert!(read_by_us(&ours)[1..] == *entries);
    }
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let theirs = read_by_us(&by_zip(entries, method));
        assert_eq!(theirs[0].data.as_deref(), Some(MANIFEST));
        assert!(
            theirs[1..] == *entries,
            "another thing was read than zip wrote"
        );
    }
}

#[test]
fn both_crates_read_both_archives_alike() {
    const PART: usize = 1 << 20;
    let pattern: Vec<u8> = (0..PART + 5)
        .map(|at| (at / 7 % 251).to_le_bytes()[0])
        .collect();
    for entries in [
        vec![],
        vec![entry("App", 315_532_800, None)],
        vec![
            entry("App/empty", 315_532_802, Some(b"")),
            entry("App/é/日本.txt", 4_354_819_198, Some(b"one")),
            entry("App/folder", 1_700_000_000, None),
            // A folder does not need an entry of its own.
            entry("App/other/x", 1_709_164_800, Some(b"29 February")),
        ],
        // Of several parts, each deflated by itself.
        vec![entry("App/large", 1_000_000_000, Some(&pattern))],
    ] {
        agree(&entries);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_entries(entries in entries()) {
        agree(&entries);
    }
}
