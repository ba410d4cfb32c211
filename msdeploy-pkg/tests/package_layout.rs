//! A package in msdeploy's own layout: written to an archive, and read from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;

use msdeploy_pkg::{
    ContentMap, EntryOptions, Layout, LayoutContent, LayoutFile, Manifest, ObjectTree,
    PackageDescription, PackageLayout, PackageLimits, PackageReader, PackageWriter, SystemInfo,
    Timestamp,
};
use spanned_xml::Source;

const FILES: [(&str, &str); 3] = [
    ("App/empty", ""),
    (
        "App/static/style.css",
        "body { color: black; color: black; color: black }",
    ),
    (
        "App/web.config",
        "<configuration></configuration><!-- <configuration></configuration> -->",
    ),
];

/// The archive, as `PackageLayout` says.
fn archive() -> Vec<u8> {
    let source = Source::from_text(
        "Manifest.xml",
        "<m><iisApp path='App'/><setAcl path='App' setAclAccess='Modify'/></m>",
    );
    let (manifest, _) = Manifest::parse(&source).unwrap();
    let layout = PackageLayout::new(&source, &manifest)
        .unwrap()
        .with_parameters(&Source::from_text(
            "p",
            "<parameters><parameter name='A'/></parameters>",
        ))
        .unwrap();
    let files: Vec<LayoutFile> = FILES
        .iter()
        .map(|(path, _)| LayoutFile::new(*path))
        .collect();
    let (entries, _) = layout.entries(&files);
    let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    for entry in entries {
        let mut options = EntryOptions::default();
        options.attributes = Some(entry.attributes);
        let name = entry.name.trim_end_matches('/');
        match entry.content {
            LayoutContent::Octets(octets) => {
                writer
                    .add_with(name, &mut octets.as_slice(), &options)
                    .unwrap();
            }
            LayoutContent::File(index) => {
                writer
                    .add_with(name, &mut FILES[index].1.as_bytes(), &options)
                    .unwrap();
            }
            LayoutContent::Directory => writer.add_directory_with(name, &options).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A header of the archive's directory: name, version made by, flags, method, length of extra and comment, external
/// attributes.
#[derive(Debug, PartialEq)]
struct Header(String, u16, u16, u16, u16, u32);

fn headers(octets: &[u8]) -> Vec<Header> {
    let u16 = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
    let u32 = |at: usize| u32::from(u16(at)) | u32::from(u16(at + 2)) << 16;
    let end = octets
        .windows(4)
        .rposition(|four| four == b"PK\x05\x06")
        .unwrap();
    let mut at = usize::try_from(u32(end + 16)).unwrap();
    let mut headers = Vec::new();
    for _ in 0..u16(end + 10) {
        let (name_len, extra_len) = (usize::from(u16(at + 28)), u16(at + 30) + u16(at + 32));
        let name = &octets[at + 46..at + 46 + name_len];
        headers.push(Header(
            String::from_utf8(name.to_vec()).unwrap(),
            u16(at + 4),
            u16(at + 8),
            u16(at + 10),
            extra_len,
            u32(at + 38),
        ));
        at += 46 + name_len + usize::from(extra_len);
    }
    headers
}

#[test]
fn headers_are_those_that_msdeploy_writes() {
    let expected = [
        ("archive.xml", 8, 0),
        ("Content/App/", 0, 0x10),
        ("Content/App/empty", 0, 0x20),
        ("Content/App/static/", 0, 0x10),
        ("Content/App/static/style.css", 8, 0x20),
        ("Content/App/web.config", 8, 0x20),
        ("parameters.xml", 8, 0),
        ("systemInfo.xml", 8, 0),
    ];
    // Made by version 2.0 on FAT, no flags, no extra fields and comments.
    let expected: Vec<Header> = expected
        .into_iter()
        .map(|(name, method, attributes)| Header(name.to_owned(), 20, 0, method, 0, attributes))
        .collect();
    assert_eq!(headers(&archive()), expected);
}

#[test]
fn what_is_written_is_read() {
    let octets = archive();
    let limits = PackageLimits::default();
    let description = PackageDescription::read(Cursor::new(&octets), &limits).unwrap();
    assert_eq!(description.layout, Layout::Package);
    let info = SystemInfo::parse(&description.system_info.unwrap()).unwrap();
    assert_eq!(info, SystemInfo::without_windows());
    let (manifest, problems) = Manifest::parse(&description.manifest).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        manifest.providers[1].setting("setAclAccess"),
        Some("Modify")
    );
    let tree = ObjectTree::parse(&description.manifest).unwrap();
    assert_eq!(tree.root.children.len(), 2);
    let mut package = PackageReader::open(Cursor::new(octets), limits).unwrap();
    let map = ContentMap::new(package.layout(), &manifest);
    for (path, text) in FILES {
        let name = map
            .application()
            .unwrap()
            .entry_name(path.strip_prefix("App/").unwrap());
        let entry = package.entry(&name).unwrap().clone();
        let mut data = Vec::new();
        package.read(&entry, &mut data).unwrap();
        assert_eq!(data, text.as_bytes(), "{path}");
    }
}
