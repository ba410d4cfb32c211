//! Feeds, packages and folders for the tests, and the command itself.

use std::io::Cursor;
use std::process::{Command, Output};

use camino::Utf8PathBuf;
use fs_err as fs;
use msdeploy_pkg::{PackageWriter, Timestamp};
use serde_json::Value;

pub(crate) const SHA1_OF_PACKAGE: &str = "f572d396fae9206628714fb2ce00f72e94f2258f";

/// Its SHA-1 is above.
pub(crate) const PACKAGE: &[u8] = b"hello\n";

/// A folder of its own, removed at the end.
pub(crate) struct Scratch {
    _keep: tempfile::TempDir,
    pub(crate) folder: Utf8PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let keep = tempfile::tempdir().expect("a folder");
        let folder = Utf8PathBuf::from_path_buf(keep.path().to_owned()).expect("Unicode");
        Self {
            _keep: keep,
            folder,
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, content).expect("written");
        path
    }
}

pub(crate) fn iiswsgi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iiswsgi"));
    for name in [
        "LOCALAPPDATA",
        "IISWSGI_SITE_ROOT",
        "IISWSGI_WEBPI_FEED",
        "windir",
        "TEMP",
        "TMP",
        "TMPDIR",
    ] {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Runs a command; its standard output where it ends with `status`.
pub(crate) fn run(arguments: &[&str], status: i32) -> (String, String) {
    let output: Output = iiswsgi().args(arguments).output().expect("it starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(status),
        "{arguments:?}\n{out}\n{err}"
    );
    (out, err)
}

pub(crate) fn json(arguments: &[&str], status: i32) -> Value {
    let (out, err) = run(&[&["--format", "json"], arguments].concat(), status);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}\n{err}"))
}

/// An entry whose package is at `url`.
pub(crate) fn product(id: &str, url: &str, sha1: &str, more: &str) -> String {
    format!(
        "<entry type=\"application\"><productId>{id}</productId><title>The {id}</title><version>1.0</version>\n\
         <id>urn:{id}</id><updated>2026-01-01T00:00:00Z</updated><summary>About {id}.</summary>{more}\n\
         <installers><installer><id>1</id><languageId>en</languageId><installerFile><fileSize>1</fileSize>\
         <installerURL>{url}</installerURL><sha1>{sha1}</sha1></installerFile><msDeploy/></installer></installers></entry>\n"
    )
}

pub(crate) fn feed(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><webpiFile version=\"4.0.0.0\"/>\
         <title>Our products</title><id>urn:feed</id><updated>2026-01-01T00:00:00Z</updated>\
         <languages><language default=\"true\"><languageId>en</languageId><name>English</name></language></languages>\n{entries}</feed>\n"
    )
}

/// A package that is installed at `Site/NAME` where nobody says otherwise; its SHA-1.
pub(crate) fn package(scratch: &Scratch, name: &str) -> String {
    let manifest = format!("<MSDeploy.iisApp><iisApp path=\"{name}\" /></MSDeploy.iisApp>");
    let parameters = format!(
        "<parameters><parameter name=\"AppPath\" defaultValue=\"Site/{name}\" tags=\"iisApp\">\
         <parameterEntry kind=\"ProviderPath\" scope=\"iisApp\" match=\"^{name}$\" /></parameter></parameters>"
    );
    let content = format!("{name}/content.txt");
    let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    for (path, text) in [
        ("Manifest.xml", manifest.as_str()),
        ("Parameters.xml", parameters.as_str()),
        (content.as_str(), name),
    ] {
        writer.add(path, &mut text.as_bytes()).expect("added");
    }
    let zip = writer.finish().expect("finished").into_inner();
    let (digest, _) = msdeploy_pkg::sha1(zip.as_slice()).expect("a digest");
    scratch.write(&format!("{name}.zip"), zip);
    digest.to_string()
}
