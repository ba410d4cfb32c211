//! appcmd's answers: XML with `/xml`, messages, errors.

use spanned_xml::{Document, Element, Source};

use crate::{Error, FastCgiApplication, Site, fast_cgi, sites};

/// What appcmd answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The objects of an answer in XML.
    Objects(Vec<Object>),
    /// The lines of any other answer, such as `SITE object "a" added`; none for an empty one.
    Messages(Vec<String>),
}

/// An object in an XML answer: `SITE`, `APP`, `VDIR`, `CONFIG`, …
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// The element's name.
    pub object_type: String,
    /// Its attributes, in order, such as `SITE.NAME`.
    pub attributes: Vec<(String, String)>,
    /// The configuration inside it, with `/config`.
    pub config: Vec<Element>,
}

impl Object {
    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map(|(_, value)| value.as_str())
    }

    /// The FastCGI applications of a `CONFIG` object of that section; duplicates and values out of range are passed on
    /// as they are, since IIS already took them.
    #[must_use]
    pub fn fast_cgi_applications(&self) -> Vec<FastCgiApplication> {
        // appcmd writes the section's name with `-` for `/`.
        self.config
            .iter()
            .filter(|element| element.is("system.webServer-fastCgi"))
            .flat_map(|section| fast_cgi::read_section(section, &mut Vec::new()))
            .map(|application| application.value)
            .collect()
    }

    /// The site of a `SITE` object listed with `/config`.
    #[must_use]
    pub fn site(&self) -> Option<Site> {
        self.config
            .iter()
            .find(|element| element.name == "site")
            .map(|element| sites::read_site(element, None, &mut Vec::new()))
    }
}

/// Reads what appcmd printed, standard output and standard error joined: public transcripts disagree on which of them
/// carries errors.
///
/// # Errors
///
/// [`Error::AppcmdFailed`] for `ERROR ( … )`, with the `hresult` where there is one; [`Error::AppcmdAnswer`] where an
/// answer begins as XML and is none.
///
/// ```
/// use iis_config::appcmd::parse_answer;
///
/// let error = parse_answer("ERROR ( hresult:c00cee2b, message:Failed to commit configuration changes.  \r\n )").unwrap_err();
/// assert_eq!(error.to_string(), "appcmd failed with 0xc00cee2b: Failed to commit configuration changes.");
/// ```
pub fn parse_answer(text: &str) -> Result<Answer, Error> {
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if let Some(error) = error(text) {
        return Err(error);
    }
    if !text.starts_with('<') {
        return Ok(Answer::Messages(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        ));
    }
    let source = Source::from_text("appcmd", text);
    let document = Document::parse(&source).map_err(|problem| Error::AppcmdAnswer {
        detail: problem.in_source(&source).to_string(),
    })?;
    let root = document.root();
    if root.name != "appcmd" {
        return Err(Error::AppcmdAnswer {
            detail: format!("the root element is `{}`, not `appcmd`", root.name),
        });
    }
    let objects = root.elements().map(|element| Object {
        object_type: element.name.clone(),
        attributes: element
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
            .collect(),
        config: element.elements().cloned().collect(),
    });
    Ok(Answer::Objects(objects.collect()))
}

/// `ERROR ( message:… )` or `ERROR ( hresult:XXXXXXXX, message:… )`, at the start of a line.
fn error(text: &str) -> Option<Error> {
    let start = if text.starts_with("ERROR (") {
        0
    } else {
        text.find("\nERROR (")? + 1
    };
    let body = text.get(start..)?.strip_prefix("ERROR (")?;
    // The message may hold parentheses of its own: the last one closes, on the last line of the message.
    let body = body.rfind(')').map_or(body, |end| &body[..end]).trim();
    let (hresult, message) = match body.strip_prefix("hresult:") {
        Some(rest) => {
            let (code, rest) = rest.split_once(',').unwrap_or((rest, ""));
            (u32::from_str_radix(code.trim(), 16).ok(), rest.trim())
        }
        None => (None, body),
    };
    let message = message.strip_prefix("message:").unwrap_or(message);
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    Some(Error::AppcmdFailed {
        hresult,
        message: lines.join(" ").trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> Vec<Object> {
        match parse_answer(text).unwrap() {
            Answer::Objects(objects) => objects,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_fast_cgi_applications() {
        let found = objects(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<appcmd>\r\n<CONFIG CONFIG.SECTION=\"system.webServer/fastCgi\" path=\"MACHINE/WEBROOT/APPHOST\" overrideMode=\"Inherit\" locked=\"false\">
             <system.webServer-fastCgi><application fullPath=\"p\" arguments=\"-u\" maxInstances=\"4\"><environmentVariables/></application></system.webServer-fastCgi>
             </CONFIG></appcmd>",
        );
        assert_eq!(found[0].attribute("locked"), Some("false"));
        let mut expected = FastCgiApplication::new("p", "-u");
        expected.max_instances = 4;
        assert_eq!(found[0].fast_cgi_applications(), [expected]);
        assert_eq!(found[0].site(), None);
        assert_eq!(objects("<appcmd />"), []);
    }

    #[test]
    fn errors_and_messages() {
        let failed = |hresult, message: &str| {
            Err(Error::AppcmdFailed {
                hresult,
                message: message.to_owned(),
            })
        };
        let messages = |lines: &[&str]| {
            Ok(Answer::Messages(
                lines.iter().map(|&line| line.to_owned()).collect(),
            ))
        };
        for (text, expected) in [
            ("", messages(&[])),
            (
                "SITE object \"a\" added\r\nAPP object \"a/\" added\r\n",
                messages(&["SITE object \"a\" added", "APP object \"a/\" added"]),
            ),
            (
                "ERROR ( message:Cannot find requested collection element. )\r\n",
                failed(None, "Cannot find requested collection element."),
            ),
            (
                "ERROR ( hresult:8007000d, message:Command execution failed.\r\nThe data is invalid.\r\n )",
                failed(
                    Some(0x8007_000d),
                    "Command execution failed. The data is invalid.",
                ),
            ),
            (
                "<appcmd/>\nERROR ( message:a (b) c )",
                failed(None, "a (b) c"),
            ),
            ("ERROR ( hresult:zz, message:x )", failed(None, "x")),
            ("ERROR ( hresult:80070005 )", failed(Some(0x8007_0005), "")),
            ("ERROR (", failed(None, "")),
        ] {
            assert_eq!(parse_answer(text), expected, "{text}");
        }
        for (text, detail) in [
            ("<appcmd>", "appcmd:1:"),
            ("<other/>", "`other`, not `appcmd`"),
        ] {
            let error = parse_answer(text).unwrap_err().to_string();
            assert!(error.contains(detail), "{error}");
        }
    }
}
