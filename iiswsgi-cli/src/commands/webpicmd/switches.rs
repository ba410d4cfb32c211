//! The switches of WebpiCmd.exe: `/Name`, `/Name:VALUE`, `-Name`, `--Name`, in any case of letters.
//!
//! *Using WebPICMD*, IIS documentation, "Web Platform Installer v4 Command Line (WebPICMD.exe)". Switches that only concern
//! Windows are accepted, so that scripts go on working, and do nothing.

use camino::Utf8PathBuf;
use spanned_xml::nearest;

use crate::error::{Error, Result};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Install,
    Offline,
    Help,
}

/// What `/List` lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListOption {
    #[default]
    All,
    Available,
    Feeds,
    Installed,
    Languages,
}

/// A command line of WebpiCmd.exe.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    verbs: Vec<Verb>,
    pub(crate) list_option: ListOption,
    /// `/Products`: identifiers; `All` is one.
    pub(crate) products: Vec<String>,
    /// `/Application`: identifier or title.
    pub(crate) application: Option<String>,
    /// `@FILE`: values for the application's parameters.
    pub(crate) parameter_file: Option<Utf8PathBuf>,
    /// `/XML`: the main feed.
    pub(crate) xml: Option<String>,
    /// `/Feeds`: further ones.
    pub(crate) feeds: Vec<String>,
    pub(crate) language: Option<String>,
    /// `/Log`: a file that gets what is said, too.
    pub(crate) log: Option<Utf8PathBuf>,
    /// `/Path`: where the offline copy goes.
    pub(crate) path: Option<Utf8PathBuf>,
    /// `/Url`: where the offline copy will be served.
    pub(crate) url: Option<String>,
    pub(crate) accept_eula: bool,
    /// `/SiteRoot`, which WebpiCmd.exe does not have: the folder that stands for an IIS.
    pub(crate) site_root: Option<Utf8PathBuf>,
    /// `/Machine`, which WebpiCmd.exe does not have: a file that describes the machine.
    pub(crate) machine: Option<Utf8PathBuf>,
    /// Switches that do nothing here, as written.
    pub(crate) without_effect: Vec<String>,
}

/// Every switch, with whether it has a value.
const SWITCHES: [(&str, bool); 24] = [
    ("List", false),
    ("ListOption", true),
    ("Install", false),
    ("Offline", false),
    ("Products", true),
    ("Application", true),
    ("XML", true),
    ("Feeds", true),
    ("Language", true),
    ("Log", true),
    ("Path", true),
    ("Url", true),
    ("AcceptEULA", false),
    ("SiteRoot", true),
    ("Machine", true),
    ("SuppressReboot", false),
    ("ForceReboot", false),
    ("SuppressPostFinish", false),
    ("OptInMU", false),
    ("IISExpress", false),
    ("SQLPassword", true),
    ("MySQLPassword", true),
    ("Help", false),
    ("?", false),
];

impl Switches {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with it, all at once.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut switches = Self::default();
        let mut faults = Vec::new();
        for argument in arguments {
            if let Some(path) = argument.strip_prefix('@').filter(|path| !path.is_empty()) {
                switches.parameter_file = Some(path.into());
            } else if let Err(fault) = switches.read(argument) {
                faults.push(fault);
            }
        }
        switches.verbs.dedup();
        if switches.verbs.len() > 1 && !switches.verbs.contains(&Verb::Help) {
            faults.push("only one of /List, /Install and /Offline can be given".to_owned());
        }
        if faults.is_empty() {
            return Ok(switches);
        }
        Err(Error::new(faults.join("; ")).help("`iiswsgi webpicmd /Help` shows the switches"))
    }

    /// What is to be done; help where nothing is asked for.
    pub(crate) fn verb(&self) -> Verb {
        if self.verbs.contains(&Verb::Help) {
            return Verb::Help;
        }
        self.verbs.first().copied().unwrap_or(Verb::Help)
    }

    fn read(&mut self, argument: &str) -> std::result::Result<(), String> {
        let text = argument
            .strip_prefix('/')
            .or_else(|| argument.strip_prefix("--"))
            .or_else(|| argument.strip_prefix('-'))
            .ok_or_else(|| format!("`{argument}` is not a switch: it begins with / or -"))?;
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value.trim().trim_matches('"'))),
            None => (text, None),
        };
        let Some(&(name, has_value)) = SWITCHES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        else {
            let similar = nearest(name, SWITCHES.iter().map(|(known, _)| *known), 1);
            let similar = similar
                .first()
                .map(|name| format!("; did you mean `/{name}`?"));
            return Err(format!(
                "`{argument}` is not a switch{}",
                similar.unwrap_or_default()
            ));
        };
        let value = match (value, has_value) {
            (Some(value), true) if !value.is_empty() => value,
            (None, false) => "",
            (Some(_), false) => return Err(format!("`/{name}` has no value")),
            (_, true) => return Err(format!("`/{name}` needs a value: `/{name}:VALUE`")),
        };
        match name {
            "List" => self.verbs.push(Verb::List),
            "Install" => self.verbs.push(Verb::Install),
            "Offline" => self.verbs.push(Verb::Offline),
            "Help" | "?" => self.verbs.push(Verb::Help),
            "ListOption" => self.list_option = list_option(value)?,
            "Products" => self.products.extend(list(value)),
            "Application" => self.read_application(value),
            "XML" => self.xml = Some(value.to_owned()),
            "Feeds" => self.feeds.extend(list(value)),
            "Language" => self.language = Some(value.to_owned()),
            "Log" => self.log = Some(value.into()),
            "Path" => self.path = Some(value.into()),
            "Url" => self.url = Some(value.to_owned()),
            "AcceptEULA" => self.accept_eula = true,
            "Machine" => self.machine = Some(value.into()),
            "SiteRoot" => self.site_root = Some(value.into()),
            // A password is not repeated.
            other => self.without_effect.push(format!("/{other}")),
        }
        Ok(())
    }

    /// `/Application:NAME@FILE` is `/Application:NAME @FILE`.
    fn read_application(&mut self, value: &str) {
        match value.split_once('@') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                self.application = Some(name.trim().to_owned());
                self.parameter_file = Some(file.into());
            }
            _ => self.application = Some(value.to_owned()),
        }
    }
}

fn list(value: &str) -> impl Iterator<Item = String> + '_ {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
}

fn list_option(value: &str) -> std::result::Result<ListOption, String> {
    let options = [
        ("All", ListOption::All),
        ("Available", ListOption::Available),
        ("Feeds", ListOption::Feeds),
        ("Installed", ListOption::Installed),
        ("Languages", ListOption::Languages),
    ];
    options
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(value))
        .map(|(_, option)| option)
        .ok_or_else(|| {
            format!("`/ListOption:{value}`: it is All, Available, Feeds, Installed or Languages")
        })
}

/// A file of parameters: a line each, `NAME[@]VALUE`. Gives them as `NAME=VALUE`.
///
/// # Errors
///
/// The numbers of the lines that are not like that.
pub(crate) fn parameters(text: &str) -> std::result::Result<Vec<String>, Vec<usize>> {
    let mut values = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match line.split_once("[@]") {
            Some((name, value)) if !name.trim().is_empty() && !name.contains('=') => {
                values.push(format!("{}={}", name.trim(), value.trim()));
            }
            _ => faults.push(index + 1),
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Switches> {
        let arguments: Vec<String> = line.iter().map(|&argument| argument.to_owned()).collect();
        Switches::parse(&arguments)
    }

    #[test]
    fn switches_are_read_in_every_spelling() {
        for line in [
            &["/Install", "/Products:A,B", "/AcceptEula", "/XML:f.xml"][..],
            &[
                "-install",
                "-products:\"A, B\"",
                "-accepteula",
                "-xml:f.xml",
            ],
            &[
                "--INSTALL",
                "--Products:A",
                "/products:B",
                "/ACCEPTEULA",
                "/Xml:\"f.xml\"",
            ],
        ] {
            let switches = parse(line).unwrap();
            assert_eq!(switches.verb(), Verb::Install);
            assert_eq!(switches.products, ["A", "B"]);
            assert!(switches.accept_eula);
            assert_eq!(switches.xml.as_deref(), Some("f.xml"));
        }
        let switches = parse(&[
            "/Install",
            "/Application:WordPress@C:\\wp.app",
            "/SQLPassword:geheim",
            "/SuppressReboot",
        ])
        .unwrap();
        assert_eq!(switches.application.as_deref(), Some("WordPress"));
        assert_eq!(
            switches.parameter_file.as_deref().map(|path| path.as_str()),
            Some("C:\\wp.app")
        );
        assert_eq!(switches.without_effect, ["/SQLPassword", "/SuppressReboot"]);
        let switches = parse(&[
            "/List",
            "/ListOption:languages",
            "/XML:http://127.0.0.1:80/f.xml",
        ])
        .unwrap();
        assert_eq!(switches.list_option, ListOption::Languages);
        assert_eq!(switches.xml.as_deref(), Some("http://127.0.0.1:80/f.xml"));
        assert_eq!(parse(&[]).unwrap().verb(), Verb::Help);
        assert_eq!(parse(&["/List", "/?"]).unwrap().verb(), Verb::Help);
    }

    #[test]
    fn every_fault_is_said_at_once() {
        let error = parse(&[
            "/Instal",
            "Products:A",
            "/List:x",
            "/Path:",
            "/ListOption:Some",
            "/List",
            "/Offline",
        ])
        .unwrap_err();
        let text = error.to_string();
        for part in [
            "`/Instal` is not a switch; did you mean `/Install`?",
            "`Products:A` is not a switch",
            "`/List` has no value",
            "`/Path` needs a value",
            "`/ListOption:Some`: it is All",
            "only one of /List",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_file_of_parameters_is_read() {
        let text = "AppPath[@]Default Web Site/blog\r\n\r\nDb Password[@]a=b[@]c\n";
        assert_eq!(
            parameters(text).unwrap(),
            ["AppPath=Default Web Site/blog", "Db Password=a=b[@]c"]
        );
        assert_eq!(parameters("x\nA[@]b\n[@]c\na=b[@]c"), Err(vec![1, 3, 4]));
    }
}
