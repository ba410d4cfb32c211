//! [`ObjectTree`] and [`SystemInfo`]: what is read is written and read again.

use msdeploy_pkg::{
    DeploymentObject, Layout, Manifest, ObjectTree, PackageDiff, PackageDump, PackageSide,
    SystemInfo,
};
use spanned_xml::{Document, Source};

/// The input is an `archive.xml`, and a `systemInfo.xml` as well.
pub fn check(octets: &[u8]) {
    let Ok(source) = Source::decode("archive.xml", octets) else {
        return;
    };
    if let Ok(info) = SystemInfo::parse(&source) {
        let again = Source::decode("systemInfo.xml", &info.encode()).expect("UTF-8");
        assert_eq!(SystemInfo::parse(&again).as_ref().ok(), Some(&info));
    }
    let Ok(tree) = ObjectTree::parse(&source) else {
        return;
    };
    let written = tree.encode();
    let again = Source::decode("archive.xml", &written).expect("UTF-8");
    let read = ObjectTree::parse(&again).expect("what is written reads");
    assert_eq!(read.encode(), written);
    check_object(&tree.root, &read.root);
    let Ok((manifest, _)) = Manifest::parse(&source) else {
        return;
    };
    let dump = PackageDump::new(Layout::Package, &tree, &manifest, &[]);
    let xml = Source::from_text("dump.xml", dump.to_xml());
    Document::parse(&xml).expect("a dump is XML");
    let _ = dump.to_string();
    let side = PackageSide::package(Layout::Package, &manifest, None, &[]);
    let diff = PackageDiff::between(&side, &side);
    assert!(diff.is_empty(), "{diff}");
}

/// The same objects.
fn check_object(before: &DeploymentObject, after: &DeploymentObject) {
    assert_eq!(before.name, after.name);
    assert_eq!(before.attributes, after.attributes);
    assert_eq!(before.text, after.text);
    assert_eq!(before.key(), after.key());
    assert_eq!(before.children.len(), after.children.len());
    for name in ["path", "isDest", "size", "lastWriteTime"] {
        assert_eq!(before.typed(name), after.typed(name));
        assert_eq!(before.date_time(name), after.date_time(name));
    }
    let _ = before.provider_options();
    for (before, after) in before.children.iter().zip(&after.children) {
        check_object(before, after);
    }
}
