//! Writes the seeds of the targets about manifests: `cargo run --example seeds` in the folder of the package.

use std::fs;
use std::path::Path;

use msdeploy_pkg::{Manifest, PackageLayout, ProviderOptions, SystemInfo};
use spanned_xml::Source;

const MANIFEST: &str = r#"<MSDeploy.iisApp>
  <!-- settings as attributes -->
  <iisApp path="App" managedRuntimeVersion="v4.0" />
  <setAcl path="App/data" setAclAccess="Read, Write" setAclUser="anonymousAuthenticationUser" />
  <runCommand path="setup.exe &amp;&amp; exit" waitAttempts="10" waitInterval="60000" successReturnCodes="0x0;1" />
</MSDeploy.iisApp>"#;

const SOURCE_MANIFEST: &str = r#"<?xml version="1.0"?>
<sitemanifest><contentPath path="C:\inetpub\x"/><filePath path='a.txt'/><webServer/><alias from="a" to="b"/></sitemanifest>"#;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let source = Source::from_text("Manifest.xml", MANIFEST);
    let (manifest, _) = Manifest::parse(&source)?;
    let layout = PackageLayout::new(&source, &manifest)?;
    let mut options = ProviderOptions::new("runCommand", "setup.exe");
    let plain = options.clone();
    for (name, value) in [("waitAttempts", "10"), ("successReturnCodes", "0x0")] {
        options.settings.push((name.to_owned(), value.to_owned()));
    }
    let built = format!(
        r#"<m><runCommand path="setup.exe" MSDeploy.MSDeployKeyAttributeName="path" MSDeploy.MSDeployProviderOptions="{}" /></m>"#,
        options.encode()
    );
    let amended = built.replacen(" MSDeploy.", " WAITATTEMPTS='3' MSDeploy.", 1);
    write(
        "msdeploy_manifest",
        &[
            MANIFEST.into(),
            SOURCE_MANIFEST.into(),
            built.into(),
            amended.into(),
        ],
    )?;
    write(
        "msdeploy_archive_xml",
        &[
            layout.archive.encode(),
            SystemInfo::without_windows().encode(),
            SOURCE_MANIFEST.into(),
        ],
    )?;
    write(
        "msdeploy_provider_options",
        &[
            plain.to_stream(),
            options.to_stream(),
            options.encode().into(),
        ],
    )?;
    Ok(())
}

fn write(target: &str, seeds: &[Vec<u8>]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    for (i, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("{i:02}")), seed)?;
    }
    Ok(())
}
