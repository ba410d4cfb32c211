//! Archives that are made to harm: each is written by hand, octet by octet, and refused under its code before anything
//! of it is handed out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use msdeploy_pkg::{PackageLimits, PackageReader};

/// An entry with every field of its two headers.
#[derive(Clone)]
struct Entry {
    name: Vec<u8>,
    /// The name of the local header, where it is another one.
    local_name: Option<Vec<u8>>,
    flags: u16,
    local_flags: Option<u16>,
    method: u16,
    local_method: Option<u16>,
    crc32: u32,
    /// Packed and unpacked length in the directory, then in the local header.
    lengths: (u32, u32),
    local_lengths: Option<(u32, u32)>,
    data: Vec<u8>,
    extra: Vec<u8>,
    made_by: u16,
    attributes: u32,
    disk: u16,
    /// Where the directory says that the entry is, if not where it is.
    offset: Option<u32>,
}

impl Entry {
    fn stored(name: impl Into<Vec<u8>>, data: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        let len = u32::try_from(data.len()).unwrap();
        Self {
            name: name.into(),
            local_name: None,
            flags: 0,
            local_flags: None,
            method: 0,
            local_method: None,
            crc32: crc.sum(),
            lengths: (len, len),
            local_lengths: None,
            data: data.to_vec(),
            extra: Vec::new(),
            made_by: 20,
            attributes: 0x20,
            disk: 0,
            offset: None,
        }
    }

    fn deflated(name: &str, data: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(9));
        encoder.write_all(data).unwrap();
        let packed = encoder.finish().unwrap();
        let mut entry = Self::stored(name, data);
        entry.method = 8;
        entry.lengths.0 = u32::try_from(packed.len()).unwrap();
        entry.data = packed;
        entry
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn fields(&self, flags: u16, method: u16, lengths: (u32, u32)) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [20, flags, method, 0, 0x21] {
            out.extend(number.to_le_bytes());
        }
        for number in [self.crc32, lengths.0, lengths.1] {
            out.extend(number.to_le_bytes());
        }
        out
    }
}

fn short(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap().to_le_bytes()
}

fn long(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap().to_le_bytes()
}

/// What the end record says, and what lies before it.
struct End {
    entries: Option<u16>,
    directory_len: Option<u32>,
    directory_offset: Option<u32>,
    disk: u16,
    /// Octets between directory and end record.
    between: Vec<u8>,
    comment: Vec<u8>,
}

const END: End = End {
    entries: None,
    directory_len: None,
    directory_offset: None,
    disk: 0,
    between: Vec::new(),
    comment: Vec::new(),
};

fn archive_with(entries: &[Entry], end: &End) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.map_or(out.len(), |offset| offset as usize);
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        out.extend(b"PK\x03\x04");
        out.extend(entry.fields(
            entry.local_flags.unwrap_or(entry.flags),
            entry.local_method.unwrap_or(entry.method),
            entry.local_lengths.unwrap_or(entry.lengths),
        ));
        out.extend(short(local_name.len()));
        out.extend(short(0));
        out.extend(local_name);
        out.extend(&entry.data);

        directory.extend(b"PK\x01\x02");
        directory.extend(entry.made_by.to_le_bytes());
        directory.extend(entry.fields(entry.flags, entry.method, entry.lengths));
        directory.extend(short(entry.name.len()));
        directory.extend(short(entry.extra.len()));
        directory.extend(short(0));
        directory.extend(entry.disk.to_le_bytes());
        directory.extend(short(0));
        directory.extend(entry.attributes.to_le_bytes());
        directory.extend(long(offset));
        directory.extend(&entry.name);
        directory.extend(&entry.extra);
    }
    let start = out.len();
    let count = end
        .entries
        .unwrap_or_else(|| u16::try_from(entries.len()).unwrap());
    out.extend(&directory);
    out.extend(&end.between);
    out.extend(b"PK\x05\x06");
    out.extend(end.disk.to_le_bytes());
    out.extend(end.disk.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(
        end.directory_len
            .map_or_else(|| long(directory.len()), u32::to_le_bytes),
    );
    out.extend(
        end.directory_offset
            .map_or_else(|| long(start), u32::to_le_bytes),
    );
    out.extend(short(end.comment.len()));
    out.extend(&end.comment);
    out
}

/// A package with these entries behind its manifest.
fn package(entries: &[Entry]) -> Vec<u8> {
    let manifest = Entry::stored("Manifest.xml", b"<m><iisApp path='App'/></m>");
    archive_with(&[&[manifest], entries].concat(), &END)
}

fn open(octets: &[u8]) -> Result<PackageReader<Cursor<&[u8]>>, msdeploy_pkg::Error> {
    PackageReader::open(Cursor::new(octets), PackageLimits::default())
}

/// Refused before any entry can be asked for.
#[track_caller]
fn refused(octets: &[u8], code: &str) {
    let problems = open(octets).map(drop).unwrap_err().problems();
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [code], "{problems:?}");
    assert!(problems[0].help.is_some(), "{problems:?}");
}

/// Opened, since only the data shows the fault, and then refused.
#[track_caller]
fn refused_when_read(octets: &[u8], code: &str) {
    let mut package = open(octets).unwrap();
    let problems: Vec<_> = package
        .verify()
        .unwrap()
        .iter()
        .flat_map(msdeploy_pkg::Error::problems)
        .collect();
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [code], "{problems:?}");
}

#[test]
fn the_builder_makes_good_archives() {
    let octets = package(&[
        Entry::stored("App/", b"").with(|entry| entry.attributes = 0x10),
        Entry::stored("App/a", b"abc"),
        Entry::deflated("App/b", &b"abc".repeat(1000)),
        Entry::stored("App/with-descriptor", b"abc").with(|entry| {
            entry.flags = 8;
            entry.data.extend(b"PK\x07\x08");
            entry.data.extend(entry.crc32.to_le_bytes());
            entry.data.extend([3, 0, 0, 0, 3, 0, 0, 0]);
        }),
    ]);
    let mut package = open(&octets).unwrap();
    assert!(package.verify().unwrap().is_empty());
    assert!(package.entry("App").unwrap().is_directory);
    let entry = package.entry("app/B").unwrap().clone();
    let mut data = Vec::new();
    assert_eq!(package.read(&entry, &mut data).unwrap(), 3000);
    assert_eq!(data, b"abc".repeat(1000));
}

#[test]
fn names_that_leave_the_folder() {
    for name in [
        "../evil",
        "App/../../evil",
        "..\\evil",
        "App\\..\\..\\evil",
        "App/..\\../evil",
        "/etc/evil",
        "\\evil",
        "C:\\evil",
        "C:/evil",
        "C:evil",
        "\\\\server\\share\\evil",
        "//server/share/evil",
        "\\\\?\\C:\\evil",
        "App/.. /evil",
        "App/./evil",
        "App/a:stream",
        "..",
    ] {
        refused(
            &package(&[Entry::stored(name, b"x")]),
            "archive-name-escapes",
        );
    }
}

#[test]
fn names_that_are_none() {
    for name in ["App/nul\0.txt", "App//a", "App/\n", "App/\u{7f}", ""] {
        refused(&package(&[Entry::stored(name, b"x")]), "archive-name");
    }
    // `../` in UTF-8 with more octets than needed, which careless decoders accept.
    let overlong = Entry::stored(*b"\xc0\xae\xc0\xae/evil", b"x").with(|entry| entry.flags = 0x800);
    refused(&package(&[overlong]), "archive-name");
    // Info-ZIP's field gives the entry a second name.
    let two_names = Entry::stored("App/good", b"x").with(|entry| {
        entry.extra = b"\x75\x70\x0b\x00\x01\0\0\0\0../../".to_vec();
    });
    refused(&package(&[two_names]), "archive-name");
    // All of them are told at once, in the archive's order.
    let names = ["../a", "App/ok", "App//b", "C:c"];
    let entries = names.map(|name| Entry::stored(name, b"x"));
    let problems = open(&package(&entries)).unwrap_err().problems();
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(
        codes,
        [
            "archive-name-escapes",
            "archive-name",
            "archive-name-escapes"
        ]
    );
}

#[test]
fn names_in_other_encodings() {
    let name = |entry: Entry| {
        let octets = package(&[entry]);
        let package = open(&octets).unwrap();
        package.entries()[1].path.clone()
    };
    let utf8 = Entry::stored("App/grün", b"x").with(|entry| entry.flags = 0x800);
    assert_eq!(name(utf8), "App/grün");
    // Without the flag it is code page 437.
    assert_eq!(name(Entry::stored(*b"App/gr\x81n", b"x")), "App/grün");
    let info_zip = Entry::stored(*b"App/gr?n\x81", b"x").with(|entry| {
        entry.extra = b"\x75\x70\x0e\x00\x01\0\0\0\0App/gr\xc3\xbcn".to_vec();
    });
    assert_eq!(name(info_zip), "App/grün");
}

#[test]
fn windows_devices_are_noticed() {
    for name in ["App/aux.py", "App/con", "App/COM1.txt", "App/a. ", "App/a?"] {
        let octets = package(&[Entry::stored(name, b"x")]);
        let package = open(&octets).unwrap();
        let codes: Vec<&str> = package
            .warnings()
            .iter()
            .map(|warning| warning.code)
            .collect();
        assert_eq!(codes, ["package-name-windows"], "{name}");
    }
}

#[test]
fn two_entries_with_one_name() {
    for names in [
        ["App/a", "App/a"],
        ["App/Web.config", "app/WEB.CONFIG"],
        ["App/grün", "App/GRÜN"],
        ["App/a", "App/a."],
        ["App/b", "app /B "],
        ["App/c/", "App/c"],
    ] {
        let entries = names.map(|name| Entry::stored(name, b"").with(|entry| entry.flags = 0x800));
        refused(&package(&entries), "archive-name-duplicate");
    }
    refused(
        &package(&[Entry::stored("manifest.XML", b"<m/>")]),
        "archive-name-duplicate",
    );
    for names in [["App/a", "App/a/b"], ["x/Y/z", "X/y"]] {
        let entries = names.map(|name| Entry::stored(name, b"x"));
        refused(&package(&entries), "archive-name-inside-file");
    }
}

#[test]
fn links_and_devices() {
    let unix = |mode: u32| {
        Entry::stored("App/x", b"/etc/passwd").with(|entry| {
            entry.made_by = 0x031e;
            entry.attributes = mode << 16;
        })
    };
    refused(&package(&[unix(0o120_777)]), "archive-symbolic-link");
    refused(&package(&[unix(0o010_644)]), "archive-special-file");
    refused(&package(&[unix(0o060_644)]), "archive-special-file");
    assert!(open(&package(&[unix(0o100_644)])).is_ok());
    // The system that the entry names does not matter.
    let dressed_up = unix(0o120_777).with(|entry| entry.made_by = 20);
    refused(&package(&[dressed_up]), "archive-symbolic-link");
}

#[test]
fn bombs() {
    // Much in little: the ratio, as the directory states it.
    let zeros = vec![0; 1 << 20];
    let large = Entry::deflated("App/zeros", &zeros).with(|entry| entry.lengths.1 = 80 << 20);
    refused(&package(&[large]), "archive-limit");
    // A length that only the data refutes: 3,000 octets that unpack to a megabyte.
    let lying = Entry::deflated("App/zeros", &zeros).with(|entry| entry.lengths.1 = 3000);
    let octets = package(&[lying]);
    refused_when_read(&octets, "archive-entry-length");
    // Nothing beyond what was declared is written.
    let mut package_ = open(&octets).unwrap();
    let entry = package_.entries()[1].clone();
    let mut written = Vec::new();
    assert!(package_.read(&entry, &mut written).is_err());
    assert!(written.len() <= 3000);
    // Each of the limits.
    let octets = package(&[Entry::deflated("App/a", &[0; 1000])]);
    type Change = fn(&mut PackageLimits);
    let changes: [Change; 5] = [
        |limits| limits.entries = 1,
        |limits| limits.entry_len = 999,
        |limits| limits.total_len = 999,
        |limits| limits.directory_len = 80,
        |limits| limits.xml_len = 10,
    ];
    for change in changes {
        let mut limits = PackageLimits::default();
        change(&mut limits);
        let error = PackageReader::open(Cursor::new(&octets), limits)
            .and_then(|mut package| package.manifest_source())
            .unwrap_err();
        assert_eq!(error.problems()[0].code, "archive-limit", "{error}");
    }
    // An end record that promises much makes nothing be allocated.
    let end = End {
        entries: Some(u16::MAX),
        ..END
    };
    refused(
        &archive_with(&[Entry::stored("Manifest.xml", b"<m/>")], &end),
        "archive-directory-damaged",
    );
}

#[test]
fn entries_that_share_octets() {
    // The second entry is said to be where the first is.
    let inside = Entry::stored("App/b", b"x").with(|entry| entry.offset = Some(0));
    refused(&package(&[inside]), "archive-overlap");
    // Data that reaches over the next entry, and over the directory.
    let long = |name: &str| Entry::stored(name, b"xy").with(|entry| entry.lengths = (60, 60));
    refused(
        &package(&[long("App/a"), Entry::stored("App/b", b"x")]),
        "archive-overlap",
    );
    refused(
        &package(&[Entry::stored("App/a", b"x"), long("App/b")]),
        "archive-overlap",
    );
    // The quoted overlap of *A better zip bomb*: one kernel, its local headers inside a stored block of each other.
    let kernel = Entry::deflated("App/kernel", &[b'a'; 50_000]);
    let offset = 12 + 30 + 27;
    let quoting = Entry::stored("App/quote", b"").with(|entry| {
        entry.offset = Some(offset);
        entry.lengths = (200, 200);
    });
    refused(&package(&[kernel, quoting]), "archive-overlap");
}

#[test]
fn headers_that_do_not_agree() {
    let check = |change: fn(&mut Entry), code: &str| {
        let entry = Entry::deflated("App/a", &b"0123456789".repeat(100)).with(change);
        refused_when_read(&package(&[entry]), code);
    };
    check(
        |entry| entry.local_name = Some(b"App/b".to_vec()),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_name = Some(b"../ab".to_vec()),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_method = Some(0),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_flags = Some(1),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_flags = Some(8),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_lengths = Some((1, 1000)),
        "archive-headers-differ",
    );
    check(
        |entry| entry.local_lengths = Some((0, 0)),
        "archive-headers-differ",
    );
}

/// Found by the fuzz target: it was an I/O error, and no finding.
#[test]
fn a_local_name_that_ends_behind_the_archive() {
    let mut octets = package(&[Entry::stored("App/a", b"x")]);
    octets[26..28].copy_from_slice(&[0xff, 0xff]);
    refused_when_read(&octets, "archive-headers-differ");
}

#[test]
fn lying_lengths_and_check_sums() {
    let check = |change: fn(&mut Entry), code: &str| {
        let entry = Entry::deflated("App/a", &b"0123456789".repeat(100)).with(change);
        refused_when_read(&package(&[entry]), code);
    };
    check(|entry| entry.crc32 ^= 1, "archive-entry-damaged");
    check(|entry| entry.lengths.1 = 999, "archive-entry-length");
    check(|entry| entry.lengths.1 = 1001, "archive-entry-length");
    check(|entry| entry.data[5] ^= 0xff, "archive-entry-damaged");
    // Packed data that ends early, and octets behind its end.
    check(|entry| entry.lengths.0 -= 1, "archive-entry-damaged");
    check(
        |entry| {
            entry.data.extend(b"more");
            entry.lengths.0 += 4;
        },
        "archive-entry-length",
    );
    // A stored entry has one length.
    let two = Entry::stored("App/a", b"abc").with(|entry| entry.lengths = (3, 2));
    refused(&package(&[two]), "archive-entry-length");
    let folder = Entry::stored("App/folder/", b"data");
    refused(&package(&[folder]), "archive-folder-data");
}

#[test]
fn what_web_deploy_does_not_know() {
    let with = |change: fn(&mut Entry)| package(&[Entry::stored("App/a", b"x").with(change)]);
    refused(&with(|entry| entry.flags = 1), "archive-encrypted");
    for method in [1_u16, 6, 9, 12, 14, 93, 99] {
        let entry = Entry::stored("App/a", b"x").with(|entry| entry.method = method);
        refused(&package(&[entry]), "archive-method");
    }
    refused(
        &with(|entry| entry.lengths = (u32::MAX, u32::MAX)),
        "archive-entry-zip64",
    );
    refused(
        &with(|entry| entry.offset = Some(u32::MAX)),
        "archive-entry-zip64",
    );
    refused(
        &with(|entry| entry.extra = b"\x01\x00\x08\x00\0\0\0\0\0\0\0\0".to_vec()),
        "archive-entry-zip64",
    );
    refused(&with(|entry| entry.disk = 1), "archive-not-zip");
}

#[test]
fn end_records_that_lie() {
    let entries = [
        Entry::stored("Manifest.xml", b"<m/>"),
        Entry::stored("App/a", b"x"),
    ];
    let check = |end: End, code: &str| refused(&archive_with(&entries, &end), code);
    let damaged = "archive-directory-damaged";
    check(
        End {
            entries: Some(1),
            ..END
        },
        damaged,
    );
    check(
        End {
            entries: Some(3),
            ..END
        },
        damaged,
    );
    check(
        End {
            directory_len: Some(3),
            ..END
        },
        damaged,
    );
    check(
        End {
            directory_len: Some(u32::MAX - 1),
            ..END
        },
        damaged,
    );
    check(
        End {
            directory_offset: Some(0),
            ..END
        },
        damaged,
    );
    check(
        End {
            between: b"between".to_vec(),
            ..END
        },
        damaged,
    );
    check(End { disk: 1, ..END }, "archive-not-zip");
    check(
        End {
            directory_offset: Some(u32::MAX),
            ..END
        },
        "archive-zip64",
    );
    check(
        End {
            directory_len: Some(u32::MAX),
            ..END
        },
        "archive-zip64",
    );
    let locator = [b"PK\x06\x07".as_slice(), &[0; 16]].concat();
    check(
        End {
            between: locator,
            ..END
        },
        "archive-zip64",
    );
    // Octets in front of the archive: to another program the archive begins there.
    let mut shifted = b"front".to_vec();
    shifted.extend(archive_with(&entries, &END));
    refused(&shifted, damaged);
    // A comment is allowed, and no end record can hide in it.
    assert!(
        open(&archive_with(
            &entries,
            &End {
                comment: b"made by hand".to_vec(),
                ..END
            }
        ))
        .is_ok()
    );
    let inner = archive_with(&[Entry::stored("Manifest.xml", b"<other/>")], &END);
    refused(
        &archive_with(
            &entries,
            &End {
                comment: inner,
                ..END
            },
        ),
        damaged,
    );
}

#[test]
fn archives_that_are_cut_off_anywhere() {
    let whole = package(&[
        Entry::stored("App/a", b"abc"),
        Entry::deflated("App/b", &b"abc".repeat(100)),
    ]);
    assert!(open(&whole).is_ok());
    for len in 0..whole.len() {
        let problems = open(&whole[..len]).map(drop).unwrap_err().problems();
        assert_eq!(problems[0].code, "archive-not-zip", "{len}");
    }
}
