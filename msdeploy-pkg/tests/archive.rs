//! Writing and reading packages: the same octets on any number of threads, large files in parts, and a description that
//! costs the same whatever the package holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use msdeploy_pkg::{
    EntryOptions, Error, Layout, PackageDescription, PackageLimits, PackageReader, PackageWriter,
    Timestamp, WriterOptions,
};
use proptest::prelude::*;

const MANIFEST: &[u8] = b"<m><iisApp path='App'/></m>";

/// Octets without a pattern, always the same.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(len);
    out
}

fn text(len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 32);
    for number in noise(len / 8) {
        writeln!(out, "    self.value_{number} = {number:#x}").unwrap();
        if out.len() >= len {
            break;
        }
    }
    out.resize(len, b'#');
    out
}

fn options(threads: usize) -> WriterOptions {
    let mut options = WriterOptions::default();
    options.threads = threads;
    options
}

fn writer(options: WriterOptions) -> PackageWriter<Cursor<Vec<u8>>> {
    PackageWriter::with_options(Cursor::new(Vec::new()), options)
}

fn write(files: &[(String, Vec<u8>)], options: WriterOptions) -> Vec<u8> {
    let mut package = writer(options);
    package.add("Manifest.xml", &mut &MANIFEST[..]).unwrap();
    for (name, data) in files {
        let len = package.add(name, &mut data.as_slice()).unwrap();
        assert_eq!(len, data.len() as u64);
    }
    package.finish().unwrap().into_inner()
}

fn read(octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default()).unwrap();
    assert!(package.verify().unwrap().is_empty());
    let entries = package.entries().to_vec();
    let files = entries.iter().skip(1).map(|entry| {
        let mut data = Vec::new();
        package
            .entry_reader(entry)
            .unwrap()
            .read_to_end(&mut data)
            .unwrap();
        (entry.path.clone(), data)
    });
    files.collect()
}

/// Files of every size that matters: around the length of a part, and several parts.
fn files() -> Vec<(String, Vec<u8>)> {
    const PART: usize = 1 << 20;
    let mut files: Vec<(String, Vec<u8>)> = [
        vec![],
        b"a".to_vec(),
        text(4096),
        noise(4096),
        text(PART - 1),
        text(PART),
        text(PART + 1),
        noise(PART),
        noise(2 * PART + 7),
        [text(PART), noise(PART), text(PART / 2)].concat(),
        vec![0; 2 * PART],
    ]
    .into_iter()
    .enumerate()
    .map(|(number, data)| (format!("App/{number}"), data))
    .collect();
    files.extend((0..300).map(|number| (format!("App/small/{number}.py"), text(1000 + number))));
    files
}

#[test]
fn the_number_of_threads_does_not_show() {
    let files = files();
    let one = write(&files, options(1));
    assert!(read(&one) == files, "another thing was read than written");
    for threads in [2, 12] {
        assert!(write(&files, options(threads)) == one, "{threads}");
    }
    // What does not get smaller costs no more than being stored.
    let package = PackageReader::open(Cursor::new(&one), PackageLimits::default()).unwrap();
    for name in ["App/3", "App/7", "App/8"] {
        let entry = package.entry(name).unwrap();
        assert!(
            entry.compressed_size <= entry.size + entry.size / 8192 + 16,
            "{entry:?}"
        );
    }
}

#[test]
fn entries_keep_times_and_attributes() {
    let time = Timestamp::from_unix(1_351_468_800).unwrap();
    let own = Timestamp::from_unix(1_600_000_000).unwrap();
    let mut all = options(2);
    all.modified = time;
    let mut package = writer(all);
    package.add("archive.xml", &mut &MANIFEST[..]).unwrap();
    let mut hidden = EntryOptions::default();
    hidden.modified = Some(own);
    hidden.attributes = Some(0x822);
    package.add_directory_with("Content/C_C", &hidden).unwrap();
    package
        .add_with("Content/C_C/a", &mut &b"a"[..], &hidden)
        .unwrap();
    let octets = package.finish().unwrap();
    let package = PackageReader::open(octets, PackageLimits::default()).unwrap();
    let found: Vec<_> = package
        .entries()
        .iter()
        .map(|entry| (entry.path.as_str(), entry.modified, entry.attributes))
        .collect();
    assert_eq!(
        found,
        [
            ("archive.xml", time, 0x20),
            ("Content/C_C", own, 0x832),
            ("Content/C_C/a", own, 0x822)
        ]
    );
}

#[test]
fn what_web_deploy_could_not_read_is_not_written() {
    let mut small = options(2);
    small.entry_len = 1_500_000;
    let mut package = writer(small);
    let refused = |error: Error| {
        assert_eq!(error.problems()[0].code, "archive-limit", "{error}");
        error.to_string()
    };
    package.add("App/fits", &mut &text(1_500_000)[..]).unwrap();
    let message = refused(package.add("App/large", &mut io::repeat(0)).unwrap_err());
    assert!(
        message.contains("`App/large`") && message.ends_with("the limit is 1500000"),
        "{message}"
    );

    let mut short = options(2);
    short.archive_len = 3_000_000;
    let mut package = writer(short);
    let mut result = Ok(0);
    for number in 0..20 {
        result = package.add(&format!("App/{number}"), &mut &noise(1_000_000)[..]);
        if result.is_err() {
            break;
        }
    }
    let message = refused(
        result
            .and_then(|_| package.finish().map(|_| 0))
            .unwrap_err(),
    );
    assert!(
        message.starts_with("the length of the package"),
        "{message}"
    );

    let mut package = writer(options(1));
    for number in 0..65_535 {
        package.add(&number.to_string(), &mut io::empty()).unwrap();
    }
    let message = refused(package.add("one more", &mut io::empty()).unwrap_err());
    assert_eq!(
        message,
        "the number of entries is 65536, and the limit is 65535"
    );
    let octets = package.finish().unwrap();
    let mut limits = PackageLimits::default();
    limits.ratio = u64::MAX;
    // As many as there can be are read; that it is no package is another matter.
    let error = PackageReader::open(octets, limits).unwrap_err();
    assert!(matches!(error, Error::NoManifest), "{error}");
}

#[test]
fn a_failing_reader_or_writer_is_told() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let error = writer(options(2)).add("App/a", &mut Broken).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");

    let mut memory = [0; 100_000];
    let mut package = PackageWriter::with_options(Cursor::new(&mut memory[..]), options(2));
    let mut result = Ok(0);
    for number in 0..20 {
        result =
            result.and_then(|_| package.add(&format!("App/{number}"), &mut &noise(300_000)[..]));
    }
    let error = result
        .and_then(|_| package.finish().map(|_| 0))
        .unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[test]
fn progress_is_told_and_ends_at_everything() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&told);
    let mut package = writer(options(2)).on_progress(move |progress| {
        to.lock().unwrap().push((progress.entries, progress.octets));
    });
    package.add_directory("App").unwrap();
    for number in 0..10 {
        package
            .add(&format!("App/{number}"), &mut &text(1_200_000)[..])
            .unwrap();
    }
    package.finish().unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() > 5 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&(11, 12_000_000)));
}

#[test]
fn an_archive_may_begin_behind_other_octets() {
    let mut memory = Cursor::new(b"in front".to_vec());
    memory.seek(SeekFrom::End(0)).unwrap();
    let mut package = PackageWriter::with_options(memory, options(2));
    package.add("Manifest.xml", &mut &MANIFEST[..]).unwrap();
    package.add("App/a", &mut &text(2_000_000)[..]).unwrap();
    let octets = package.finish().unwrap().into_inner();
    let (front, octets) = octets.split_at(8);
    assert_eq!(front, b"in front");
    assert_eq!(read(octets), [("App/a".to_owned(), text(2_000_000))]);
}

/// Counts reads and octets.
struct Counted<R> {
    inner: R,
    reads: usize,
    octets: usize,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.reads += 1;
        self.octets += read;
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// A package with its XML files where msdeploy has them, or with those of a gallery package in front.
fn described(layout: Layout, files: usize) -> Vec<u8> {
    let mut package = writer(options(1));
    let (first, content): (&[&str], _) = match layout {
        Layout::Gallery => (&["Manifest.xml", "Parameters.xml"], "App"),
        _ => (&["archive.xml"], "Content/C_C/App"),
    };
    let xml = |name: &str| format!("<{} />", name.split('.').next().unwrap());
    for name in first {
        package.add(name, &mut xml(name).as_bytes()).unwrap();
    }
    for number in 0..files {
        let name = format!("{content}/folder/{number:05}.py");
        package.add(&name, &mut &b"x"[..]).unwrap();
    }
    if layout != Layout::Gallery {
        for name in ["parameters.xml", "systemInfo.xml"] {
            package.add(name, &mut xml(name).as_bytes()).unwrap();
        }
    }
    package.finish().unwrap().into_inner()
}

#[test]
fn a_description_costs_the_same_for_10_files_and_60_000() {
    for layout in [Layout::Gallery, Layout::Package] {
        let cost = |files: usize| {
            let octets = described(layout, files);
            let mut counted = Counted {
                inner: Cursor::new(&octets),
                reads: 0,
                octets: 0,
            };
            let found = PackageDescription::read(&mut counted, &PackageLimits::default()).unwrap();
            assert_eq!(found.layout, layout);
            assert!(found.manifest.text().starts_with('<'));
            let parameters = found.parameters.unwrap();
            assert!(parameters.text().eq_ignore_ascii_case("<parameters />"));
            assert_eq!(found.system_info.is_some(), layout == Layout::Package);
            (counted.reads, counted.octets)
        };
        // 300 files have a directory that is longer than what is looked at of it.
        let (few, middle, many) = (cost(10), cost(300), cost(60_000));
        assert_eq!(middle, many, "{layout:?}");
        assert!(
            many.0 <= few.0 + 8 && many.1 <= 40 << 10,
            "{few:?} {many:?}"
        );
    }
}

#[test]
fn a_description_is_found_wherever_its_files_are() {
    let at = |places: [usize; 2]| {
        let mut package = writer(options(1));
        for number in 0..2000 {
            for (name, place) in ["manifest.XML", "parameters.xml"].iter().zip(places) {
                if number == place {
                    package.add(name, &mut &b"<x />"[..]).unwrap();
                }
            }
            package
                .add(&format!("App/{number}"), &mut &b"x"[..])
                .unwrap();
        }
        let octets = package.finish().unwrap();
        PackageDescription::read(octets, &PackageLimits::default())
    };
    for place in [0, 1000, 1999] {
        for other in [0, 1000, 1999] {
            assert!(
                at([place, other]).unwrap().parameters.is_some(),
                "{place} {other}"
            );
        }
        assert!(at([place, 5000]).unwrap().parameters.is_none(), "{place}");
    }
    assert!(matches!(at([5000, 0]), Err(Error::NoManifest)));
}

#[test]
fn the_first_manifest_decides_on_the_layout() {
    for (names, layout) in [
        (["Manifest.xml", "archive.xml"], Layout::Gallery),
        (["archive.xml", "Manifest.xml"], Layout::Package),
    ] {
        let mut package = writer(options(1));
        for name in names {
            package.add(name, &mut name.as_bytes()).unwrap();
        }
        let octets = package.finish().unwrap().into_inner();
        let description = PackageDescription::read(Cursor::new(&octets), &PackageLimits::default());
        let description = description.unwrap();
        assert_eq!(
            (description.layout, description.manifest.text()),
            (layout, names[0])
        );
        let package = PackageReader::open(Cursor::new(&octets), PackageLimits::default()).unwrap();
        assert_eq!(package.layout(), layout);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        // No name of a device of old, such as `con`, which is refused.
        files in prop::collection::btree_map("x[a-z]{0,7}(/x[a-zé]{0,7}){0,2}\\.[a-z]{2}", prop::collection::vec(any::<u8>(), 0..5000), 0..20),
        threads in 1_usize..4,
    ) {
        let files: Vec<(String, Vec<u8>)> = files.into_iter().collect();
        let octets = write(&files, options(threads));
        prop_assert_eq!(read(&octets), files);
    }

    #[test]
    fn octets_never_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), change in any::<u8>()) {
        let _ = PackageReader::open(Cursor::new(&octets), PackageLimits::default());
        // One octet of a good archive changed: refused, or read without a panic.
        let mut good = write(&[("App/a".to_owned(), b"some text some text".to_vec())], options(1));
        let at = at.index(good.len());
        good[at] = change;
        let _ = PackageDescription::read(Cursor::new(&good), &PackageLimits::default());
        if let Ok(mut package) = PackageReader::open(Cursor::new(&good), PackageLimits::default()) {
            let _ = package.verify();
        }
    }
}
