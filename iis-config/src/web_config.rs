//! `web.config`: a content folder's handlers and application settings.
//!
//! *IIS configuration reference*. The section `fastCgi` has no effect in a web.config, since its `allowDefinition` is
//! `AppHostOnly`; iiswsgi's installer reads it there to know what to register in `applicationHost.config`.

use spanned_xml::{Document, Problem, Problems, Source, Span};

use crate::application_host::{apply_locations, read_handlers};
use crate::attribute::Reader;
use crate::handler_match::first_difference;
use crate::section::{self, sections};
use crate::{
    Declared, Error, FastCgiApplication, Handlers, HandlersSection, HttpPlatform, Location,
    fast_cgi, find_fast_cgi_application,
};

/// What a `web.config` says about serving FastCGI applications.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebConfig {
    /// `system.webServer/handlers` outside any `location`.
    pub handlers: HandlersSection,
    /// `system.webServer/fastCgi`: without effect here, read for an installer.
    pub fast_cgi: Vec<Declared<FastCgiApplication>>,
    /// `system.webServer/httpPlatform`.
    pub http_platform: Option<Declared<HttpPlatform>>,
    /// `appSettings`, in order.
    pub app_settings: Vec<Declared<AppSetting>>,
    /// The `location` elements, in order.
    pub locations: Vec<Location>,
    /// What is odd but not refused.
    pub warnings: Vec<Problem>,
}

/// `appSettings/add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSetting {
    /// `key`.
    pub key: String,
    /// `value`.
    pub value: String,
}

impl WebConfig {
    /// Reads a file.
    ///
    /// ```
    /// use iis_config::WebConfig;
    /// use spanned_xml::Source;
    ///
    /// let source = Source::from_text("web.config", r#"<configuration>
    ///   <appSettings><add key="WSGI_HANDLER" value="app.application" /></appSettings>
    /// </configuration>"#);
    /// assert_eq!(WebConfig::parse(&source)?.app_setting("WSGI_HANDLER"), Some("app.application"));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All that IIS would refuse in the sections read: XML faults, missing attributes, numbers out of range,
    /// duplicates.
    pub fn parse(source: &Source) -> Result<Self, Problems> {
        let document = section::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut problems = Vec::new();
        let web_config = Self::read(&document, &mut problems);
        let (mut web_config, warnings) = Problems::or_value(source, problems, web_config)?;
        web_config.warnings = warnings;
        Ok(web_config)
    }

    pub(crate) fn read(document: &Document, problems: &mut Vec<Problem>) -> Self {
        let root = document.root();
        let fast_cgi = section::single(root, "system.webServer/fastCgi", problems);
        let app_settings = sections(root, "appSettings/add")
            .into_iter()
            .map(|setting| {
                let mut reader = Reader::new(setting, problems);
                let value = AppSetting {
                    key: reader.required("key", false),
                    value: reader.string("value", ""),
                };
                Declared::new(value, setting)
            })
            .collect();
        Self {
            handlers: read_handlers(root, problems).unwrap_or_default(),
            fast_cgi: fast_cgi
                .map(|section| fast_cgi::read_section(section, problems))
                .unwrap_or_default(),
            http_platform: section::single(root, "system.webServer/httpPlatform", problems)
                .map(|section| Declared::new(HttpPlatform::read(section, problems), section)),
            app_settings,
            locations: Location::read_all(root, problems),
            warnings: Vec::new(),
        }
    }

    /// The value of an application setting; of the last, where there are several.
    #[must_use]
    pub fn app_setting(&self, key: &str) -> Option<&str> {
        self.app_settings
            .iter()
            .rfind(|setting| setting.key == key)
            .map(|setting| setting.value.value.as_str())
    }

    /// Applies this file's handlers to those inherited, at `place` below the file's own folder (empty for the folder
    /// itself). Returns what IIS would refuse, with spans in this file.
    pub fn apply_handlers(&self, inherited: &mut Handlers, place: &str) -> Vec<Problem> {
        let mut problems = inherited.apply(&self.handlers);
        problems.extend(apply_locations(inherited, &self.locations, place));
        problems
    }

    /// The FastCGI applications that an installer has to register in `applicationHost.config` for this file: those of
    /// its `fastCgi` section, each of which a handler of the file must name byte for byte.
    /// [`edit::remove_fast_cgi_section`](crate::edit::remove_fast_cgi_section) then takes the section out; warnings are
    /// those of [`WebConfig::parse`] and [`WebConfig::fast_cgi_problems`].
    ///
    /// # Errors
    ///
    /// Those of [`WebConfig::parse`], and a FastCGI handler that almost names one of the applications: its span is the
    /// first character that differs, and the application's is related.
    ///
    /// ```
    /// # use iis_config::WebConfig;
    /// # use spanned_xml::Source;
    /// let source = Source::from_text("web.config", r#"<configuration><system.webServer>
    ///   <fastCgi><application fullPath="C:\Python\python.exe" arguments="-u app.py"/></fastCgi>
    ///   <handlers><add name="app" path="*" verb="*" modules="FastCgiModule"
    ///     scriptProcessor="C:\Python\python.exe|-u  app.py"/></handlers>
    /// </system.webServer></configuration>"#);
    /// let problems = WebConfig::move_fast_cgi(&source).unwrap_err();
    /// assert_eq!(problems.problems[0].code, "iis-script-processor-differs");
    /// assert_eq!(source.slice(problems.problems[0].span.unwrap()), " ");
    /// ```
    pub fn move_fast_cgi(source: &Source) -> Result<Vec<FastCgiApplication>, Problems> {
        let web_config = Self::parse(source)?;
        let problems = web_config.fast_cgi_problems(source);
        let applications = web_config
            .fast_cgi
            .into_iter()
            .map(|application| application.value)
            .collect();
        Problems::or_value(source, problems, applications).map(|(applications, _)| applications)
    }

    /// What does not fit between the file's FastCGI handlers and its `fastCgi` section.
    ///
    /// A handler for an application that the file does not list at all is no fault: it may be registered elsewhere.
    #[must_use]
    pub fn fast_cgi_problems(&self, source: &Source) -> Vec<Problem> {
        if self.fast_cgi.is_empty() {
            return Vec::new();
        }
        let handlers = || {
            let locations = self.locations.iter().filter_map(|l| l.handlers.as_ref());
            core::iter::once(&self.handlers)
                .chain(locations)
                .flat_map(HandlersSection::added)
                .filter(|handler| handler.is_fast_cgi())
        };
        let applications = || self.fast_cgi.iter().map(|application| &application.value);
        let mut problems = Vec::new();
        let mut near: Vec<String> = Vec::new();
        for handler in handlers() {
            let Err(Error::ScriptProcessorNotFound { near_misses, .. }) =
                find_fast_cgi_application(&handler.script_processor, applications())
            else {
                continue;
            };
            let Some(miss) = near_misses.first() else {
                continue;
            };
            let Some(application) = self
                .fast_cgi
                .iter()
                .find(|application| application.script_processor() == miss.expected)
            else {
                continue;
            };
            near.push(miss.expected.clone());
            let span = caret(
                source,
                handler.attribute_span("scriptProcessor"),
                first_difference(&handler.script_processor, &miss.expected),
            );
            problems.push(
                Problem::error(
                    "iis-script-processor-differs",
                    format!(
                        "the handler `{}` names no FastCGI application: the nearest {}",
                        handler.name, miss.difference
                    ),
                )
                .at(span)
                .related(application.span, format!("this is `{}`", miss.expected))
                .help("write scriptProcessor as fullPath, `|`, arguments, byte for byte the same"),
            );
        }
        for application in &self.fast_cgi {
            let key = application.script_processor();
            let named = handlers().any(|handler| {
                find_fast_cgi_application(&handler.script_processor, [&application.value]).is_ok()
            });
            if !named && !near.contains(&key) {
                problems.push(
                    Problem::warning(
                        "iis-fast-cgi-without-handler",
                        format!("no handler of this file names the FastCGI application `{key}`"),
                    )
                    .at(application.span)
                    .help("add a handler with modules=\"FastCgiModule\" and that scriptProcessor"),
                );
            }
        }
        problems
    }
}

/// The character of an attribute's raw value that stands for byte `offset` of its parsed value.
pub(crate) fn caret(source: &Source, raw: Span, offset: usize) -> Span {
    let text = source.slice(raw);
    let mut parsed = 0;
    let mut at = 0;
    while parsed < offset {
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let (raw_len, parsed_len) = unit(rest);
        at += raw_len;
        parsed += parsed_len;
    }
    let len = text.get(at..).map_or(0, |rest| unit(rest).0);
    Span::new(raw.start + at, raw.start + at + len)
}

/// Raw and parsed length of the character or reference that `text` begins with.
fn unit(text: &str) -> (usize, usize) {
    let Some(first) = text.chars().next() else {
        return (0, 0);
    };
    if first == '&'
        && let Some(end) = text.find(';')
    {
        let name = &text[1..end];
        let number = name
            .strip_prefix("#x")
            .map(|digits| u32::from_str_radix(digits, 16).ok())
            .or_else(|| name.strip_prefix('#').map(|digits| digits.parse().ok()));
        let parsed_len = match number {
            Some(code) => code.and_then(char::from_u32).map_or(1, char::len_utf8),
            None => 1,
        };
        return (end + 1, parsed_len);
    }
    if text.starts_with("\r\n") {
        return (2, 1);
    }
    (first.len_utf8(), first.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_config(full_path: &str, arguments: &str, script_processor: &str) -> Source {
        Source::from_text(
            "web.config",
            format!(
                "<configuration><system.webServer><handlers><add name='h' path='*' verb='*' modules='FastCgiModule' \
                 scriptProcessor='{script_processor}'/></handlers><fastCgi><application fullPath='{full_path}' \
                 arguments='{arguments}'/></fastCgi></system.webServer></configuration>"
            ),
        )
    }

    /// The raw text under the caret, and what comes before it in the attribute.
    fn check(
        full_path: &str,
        arguments: &str,
        script_processor: &str,
        expected: Option<(&str, &str)>,
    ) {
        let source = web_config(full_path, arguments, script_processor);
        let found = WebConfig::move_fast_cgi(&source);
        let Some((before, caret)) = expected else {
            assert_eq!(found.unwrap().len(), 1);
            return;
        };
        let problem = &found.unwrap_err().problems[0];
        assert_eq!(problem.code, "iis-script-processor-differs");
        let span = problem.span.unwrap();
        assert_eq!(source.slice(span), caret);
        assert!(
            source.text()[..span.start].ends_with(&format!("scriptProcessor='{before}")),
            "{span:?}"
        );
        assert!(
            source
                .slice(problem.related[0].0)
                .starts_with("<application")
        );
    }

    #[test]
    fn the_caret_stands_at_the_first_difference() {
        check("p", "a", "p|a", None);
        check("p", "", "p", None);
        check("p", "&quot;a&quot;", "p|&#34;a&#x22;", None);
        check("p", "a b", "p|a  b", Some(("p|a ", " ")));
        check(
            "p",
            "&quot;a&quot; b",
            "p|&quot;a&quot; c",
            Some(("p|&quot;a&quot; ", "c")),
        );
        check("p", "a&quot;", "p|a&amp;", Some(("p|a", "&amp;")));
        check("é", "&#233;x", "é|é&#xE9;", Some(("é|é", "&#xE9;")));
        check("p", "a", "p|", Some(("p|", "")));
        check("p", "a", "p|ab", Some(("p|a", "b")));
    }

    #[test]
    fn an_application_registered_elsewhere_is_no_fault() {
        let source = web_config("C:\\python.exe", "", "D:\\php.exe");
        assert_eq!(WebConfig::move_fast_cgi(&source).unwrap().len(), 1);
        let web_config = WebConfig::parse(&source).unwrap();
        let problems = web_config.fast_cgi_problems(&source);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, "iis-fast-cgi-without-handler");
        assert!(!problems[0].is_error());
    }

    #[test]
    fn handlers_in_locations_count() {
        let source = Source::from_text(
            "web.config",
            "<configuration><system.webServer><fastCgi><application fullPath='p'/></fastCgi></system.webServer>
             <location path='x'><system.webServer><handlers><add name='h' path='*' verb='*' modules='FastCgiModule'
             scriptProcessor='P'/></handlers></system.webServer></location></configuration>",
        );
        let problems = WebConfig::move_fast_cgi(&source).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "web.config:3:31: error[iis-script-processor-differs]: the handler `h` names no FastCGI application: the nearest differs only in the case of letters\n  \
               1:43: this is `p`\n  \
               help: write scriptProcessor as fullPath, `|`, arguments, byte for byte the same"
        );
    }

    #[test]
    fn reads_application_settings() {
        let source = Source::from_text(
            "web.config",
            "<configuration><appSettings><add key='A' value='1'/><add key='B'/><add key='A' value='2'/></appSettings></configuration>",
        );
        let web_config = WebConfig::parse(&source).unwrap();
        assert_eq!(web_config.app_setting("A"), Some("2"));
        assert_eq!(web_config.app_setting("B"), Some(""));
        assert_eq!(web_config.app_setting("C"), None);
        assert_eq!(web_config.app_settings.len(), 3);
    }
}
