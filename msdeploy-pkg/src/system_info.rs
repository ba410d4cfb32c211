//! `systemInfo.xml`: the computer on which a package was made.
//!
//! *Web Deploy getSystemInfo Operation*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569031(v=ws.10)>. Web
//! Deploy compares it with the destination by its rules of dependencies. The file's form was read from packages that
//! msdeploy wrote.

use spanned_xml::{Document, Element, Problem, Problems, Source, XmlWriter};

use crate::object_tree::with_mark;

/// A `systemInfo.xml`. Every value is text, as written; one that the file does not have is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SystemInfo {
    /// `osVersion`, for example `6.1` for Windows Server 2008 R2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// `winDir`, for example `C:\Windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_dir: Option<String>,
    /// `machineName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_name: Option<String>,
    /// `processorArchitecture`: `x86` or `x64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_architecture: Option<String>,
    /// `msdeployVersion`: `1.0` in all packages that are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msdeploy_version: Option<String>,
    /// `buildVersion`: Web Deploy's, for example `7.1.1973.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_version: Option<String>,
    /// `iisSystemInfo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iis: Option<IisSystemInfo>,
}

/// IIS on that computer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IisSystemInfo {
    /// `iisMajorVersion`; 0 where there is no IIS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub major_version: Option<String>,
    /// `iisMinorVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minor_version: Option<String>,
    /// `aspNetVersionInfo`: the releases of ASP.NET; `None` where the element is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asp_net_versions: Option<Vec<String>>,
    /// `installedComponentInfo`: IIS's features; `None` where the element is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<InstalledComponent>>,
}

/// A feature of IIS.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct InstalledComponent {
    /// Its name, for example `CGI`.
    pub name: String,
    /// Whether it is installed.
    pub installed: bool,
}

/// The release of Web Deploy whose form packages get here: 3.6.
const BUILD_VERSION: &str = "7.1.1973.0";

impl SystemInfo {
    /// What a package says that was made on no Windows computer: Web Deploy's release whose form it has, and a computer
    /// without IIS.
    #[must_use]
    pub fn without_windows() -> Self {
        Self {
            os_version: Some("0.0".to_owned()),
            win_dir: Some(String::new()),
            machine_name: Some(String::new()),
            processor_architecture: Some("x64".to_owned()),
            msdeploy_version: Some("1.0".to_owned()),
            build_version: Some(BUILD_VERSION.to_owned()),
            iis: Some(IisSystemInfo {
                major_version: Some("0".to_owned()),
                minor_version: Some("0".to_owned()),
                asp_net_versions: None,
                components: None,
            }),
        }
    }

    /// Reads a `systemInfo.xml`.
    ///
    /// ```
    /// use msdeploy_pkg::SystemInfo;
    /// use spanned_xml::Source;
    ///
    /// let text = r#"<systemInfo osVersion="6.3" buildVersion="7.1.1973.0" />"#;
    /// let info = SystemInfo::parse(&Source::from_text("systemInfo.xml", text))?;
    /// assert_eq!(info.build_version.as_deref(), Some("7.1.1973.0"));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// XML faults; elements and attributes that no `systemInfo.xml` has, all of them, so that nothing is lost silently.
    pub fn parse(source: &Source) -> Result<Self, Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut reader = Reader::default();
        let info = reader.system(document.root());
        Problems::or_value(source, reader.problems, info).map(|(info, _)| info)
    }

    /// The octets of a `systemInfo.xml` as msdeploy writes them: UTF-8 with a byte order mark, no XML declaration, two
    /// spaces a level, CR LF, and none at the end.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut xml = XmlWriter::new("  ", "\r\n");
        xml.start("systemInfo");
        let attribute = |xml: &mut XmlWriter, name: &str, value: &Option<String>| {
            if let Some(value) = value {
                xml.attribute(name, value);
            }
        };
        attribute(&mut xml, "osVersion", &self.os_version);
        attribute(&mut xml, "winDir", &self.win_dir);
        attribute(&mut xml, "machineName", &self.machine_name);
        attribute(
            &mut xml,
            "processorArchitecture",
            &self.processor_architecture,
        );
        attribute(&mut xml, "msdeployVersion", &self.msdeploy_version);
        attribute(&mut xml, "buildVersion", &self.build_version);
        if let Some(iis) = &self.iis {
            xml.start("iisSystemInfo");
            attribute(&mut xml, "iisMajorVersion", &iis.major_version);
            attribute(&mut xml, "iisMinorVersion", &iis.minor_version);
            if let Some(versions) = &iis.asp_net_versions {
                xml.start("aspNetVersionInfo");
                for version in versions {
                    xml.empty("aspNetVersion", &[("version", version)]);
                }
                xml.end();
            }
            if let Some(components) = &iis.components {
                xml.start("installedComponentInfo");
                for InstalledComponent { name, installed } in components {
                    let installed = if *installed { "True" } else { "False" };
                    xml.empty(
                        "installedComponent",
                        &[("name", name), ("installed", installed)],
                    );
                }
                xml.end();
            }
            xml.end();
        }
        xml.end();
        with_mark(&xml.finish())
    }
}

impl core::fmt::Display for SystemInfo {
    /// One `name: value` a line, then the releases of ASP.NET, and the features that are installed.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let lines = [
            ("osVersion", &self.os_version),
            ("winDir", &self.win_dir),
            ("machineName", &self.machine_name),
            ("processorArchitecture", &self.processor_architecture),
            ("msdeployVersion", &self.msdeploy_version),
            ("buildVersion", &self.build_version),
        ];
        for (name, value) in lines {
            if let Some(value) = value {
                writeln!(f, "{name}: {value}")?;
            }
        }
        let Some(iis) = &self.iis else { return Ok(()) };
        let version = |version: &Option<String>| version.clone().unwrap_or_default();
        writeln!(
            f,
            "iisVersion: {}.{}",
            version(&iis.major_version),
            version(&iis.minor_version)
        )?;
        for version in iis.asp_net_versions.iter().flatten() {
            writeln!(f, "aspNetVersion: {version}")?;
        }
        for component in iis.components.iter().flatten().filter(|c| c.installed) {
            writeln!(f, "installedComponent: {}", component.name)?;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    /// Checks an element's name and takes the values of its attributes, which must be among `names`.
    fn attributes<const N: usize>(
        &mut self,
        element: &Element,
        name: &str,
        names: [&str; N],
    ) -> [Option<String>; N] {
        if !element.is(name) {
            self.unknown(
                format!("`<{}>` where `<{name}>` is expected", element.name),
                element,
            );
        }
        for attribute in &element.attributes {
            if !names
                .iter()
                .any(|known| attribute.name.eq_ignore_ascii_case(known))
            {
                self.unknown(format!("`<{name}>` has no `{}`", attribute.name), element);
            }
        }
        names.map(|name| {
            element
                .attribute_ignore_case(name)
                .map(|attribute| attribute.value.clone())
        })
    }

    fn unknown(&mut self, message: String, element: &Element) {
        self.problems.push(
            Problem::error("system-info-malformed", message)
                .at(element.start_tag)
                .help("take the file as msdeploy wrote it"),
        );
    }

    fn system(&mut self, root: &Element) -> SystemInfo {
        let [
            os_version,
            win_dir,
            machine_name,
            processor_architecture,
            msdeploy_version,
            build_version,
        ] = self.attributes(
            root,
            "systemInfo",
            [
                "osVersion",
                "winDir",
                "machineName",
                "processorArchitecture",
                "msdeployVersion",
                "buildVersion",
            ],
        );
        let mut iis = None;
        for element in root.elements() {
            if iis.is_some() {
                self.unknown("a second `<iisSystemInfo>`".to_owned(), element);
            }
            iis = Some(self.iis(element));
        }
        SystemInfo {
            os_version,
            win_dir,
            machine_name,
            processor_architecture,
            msdeploy_version,
            build_version,
            iis,
        }
    }

    fn iis(&mut self, element: &Element) -> IisSystemInfo {
        let [major_version, minor_version] = self.attributes(
            element,
            "iisSystemInfo",
            ["iisMajorVersion", "iisMinorVersion"],
        );
        let mut info = IisSystemInfo {
            major_version,
            minor_version,
            ..IisSystemInfo::default()
        };
        for child in element.elements() {
            if child.is("aspNetVersionInfo") && info.asp_net_versions.is_none() {
                let versions = child.elements().filter_map(|version| {
                    let [version] = self.attributes(version, "aspNetVersion", ["version"]);
                    version
                });
                info.asp_net_versions = Some(versions.collect());
            } else if child.is("installedComponentInfo") && info.components.is_none() {
                let components = child.elements().map(|component| self.component(component));
                info.components = Some(components.collect());
            } else {
                self.unknown(
                    format!("`<{}>` inside of `<iisSystemInfo>`", child.name),
                    child,
                );
            }
        }
        info
    }

    fn component(&mut self, element: &Element) -> InstalledComponent {
        let [name, installed] =
            self.attributes(element, "installedComponent", ["name", "installed"]);
        let installed = installed.unwrap_or_default();
        let value = crate::provider::boolean(&installed);
        if value.is_none() {
            self.unknown(
                format!("`installed` is `{installed}`, not `True` or `False`"),
                element,
            );
        }
        InstalledComponent {
            name: name.unwrap_or_default(),
            installed: value.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(octets: &[u8]) -> Result<SystemInfo, Problems> {
        SystemInfo::parse(&Source::decode("systemInfo.xml", octets).unwrap())
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut info = SystemInfo::without_windows();
        info.machine_name = Some("A & \"B\"".to_owned());
        assert_eq!(parse(&info.encode()).unwrap(), info);
        let iis = info.iis.as_mut().unwrap();
        iis.asp_net_versions = Some(vec!["4.0.30319.0".to_owned()]);
        iis.components = Some(vec![
            InstalledComponent {
                name: "CGI".to_owned(),
                installed: true,
            },
            InstalledComponent {
                name: "ASP".to_owned(),
                installed: false,
            },
        ]);
        assert_eq!(parse(&info.encode()).unwrap(), info);
        let text = info.to_string();
        assert!(
            text.contains("iisVersion: 0.0\naspNetVersion: 4.0.30319.0\ninstalledComponent: CGI\n"),
            "{text}"
        );
        assert!(!text.contains("ASP\n"), "{text}");
        let none = SystemInfo::default();
        assert_eq!(none.encode(), b"\xEF\xBB\xBF<systemInfo />");
        assert_eq!(parse(&none.encode()).unwrap(), none);
    }

    #[test]
    fn what_would_be_lost_is_a_fault() {
        let problems = parse(
            b"<systemInfo a='1'>\n<iisSystemInfo><x/><installedComponentInfo>\n<installedComponent name='a' installed='1'/></installedComponentInfo></iisSystemInfo>\
              \n<iisSystemInfo/></systemInfo>",
        )
        .unwrap_err()
        .to_string();
        for expected in [
            "`<systemInfo>` has no `a`",
            "`<x>` inside of `<iisSystemInfo>`",
            "systemInfo.xml:3:1: error[system-info-malformed]: `installed` is `1`",
            "a second `<iisSystemInfo>`",
        ] {
            assert!(problems.contains(expected), "{problems}");
        }
        assert!(parse(b"<sitemanifest/>").is_err());
    }
}
