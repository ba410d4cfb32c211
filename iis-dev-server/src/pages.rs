//! The server's own pages: what went wrong, what is known about it, and what to try.
//!
//! IIS answers these cases with a bare 500 or 503. The status codes here follow HTTP rather than IIS where IIS says 500
//! for everything; a page that stands for another status in IIS says so.

use std::fmt::Write as _;
use std::time::Duration;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use crate::response_body::ResponseBody;

/// Lines of a process's output that a page shows.
const OUTPUT_LINES: usize = 40;

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    /// What went wrong, as a headline.
    pub(crate) title: String,
    /// What went wrong, in a sentence or two.
    pub(crate) what: String,
    /// What is known: names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// The heading and the text of what a process wrote.
    pub(crate) output: Option<(&'static str, String)>,
    /// What to try, the likeliest first.
    pub(crate) remedies: Vec<String>,
    /// For 503: when to try again.
    pub(crate) retry_after: Option<Duration>,
    /// For 405.
    pub(crate) allow: Option<&'static str>,
}

impl Page {
    pub(crate) fn new(
        status: StatusCode,
        title: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            status,
            title: title.into(),
            what: what.into(),
            facts: Vec::new(),
            output: None,
            remedies: Vec::new(),
            retry_after: None,
            allow: None,
        }
    }

    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// The last lines of `text`; nothing if it is blank.
    pub(crate) fn output(mut self, heading: &'static str, text: &str) -> Self {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(OUTPUT_LINES)..)
            .unwrap_or_default();
        if !last.is_empty() {
            self.output = Some((heading, last.join("\n")));
        }
        self
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    /// As HTML, or as JSON if the client asks for that and not for HTML.
    pub(crate) fn into_response(self, request: &HeaderMap) -> Response<ResponseBody> {
        let json = wants_json(request);
        let (text, content_type) = if json {
            (self.json(), "application/json")
        } else {
            (self.html(), "text/html; charset=utf-8")
        };
        let mut response = Response::new(ResponseBody::whole(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(after.as_secs().max(1)),
            );
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        // For `once`, whose reader has no browser.
        response.extensions_mut().insert(self);
        response
    }

    fn json(&self) -> String {
        // A list, as a name may come twice: handlers, for example.
        let facts: Vec<serde_json::Value> = self
            .facts
            .iter()
            .map(|(name, value)| serde_json::json!({ "name": name, "value": value }))
            .collect();
        let value = serde_json::json!({
            "status": self.status.as_u16(),
            "title": self.title,
            "detail": self.what,
            "facts": facts,
            "output": self.output.as_ref().map(|(_, text)| text),
            "try": self.remedies,
        });
        format!("{value:#}\n")
    }

    fn html(&self) -> String {
        let mut html = String::with_capacity(4096);
        let status = self.status.as_u16();
        let reason = self.status.canonical_reason().unwrap_or_default();
        let (title, what) = (escape(&self.title), escape(&self.what));
        // Writing to a string does not fail.
        let _infallible = write!(
            html,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{status} {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p class=\"status\">{status} {reason}</p>\n<h1>{title}</h1>\n<p>{what}</p>\n"
        );
        if !self.remedies.is_empty() {
            html.push_str("<h2>What to try</h2>\n<ul>\n");
            for remedy in &self.remedies {
                let _infallible = writeln!(html, "<li>{}</li>", escape(remedy));
            }
            html.push_str("</ul>\n");
        }
        if let Some((heading, text)) = &self.output {
            let _infallible = writeln!(
                html,
                "<h2>{}</h2>\n<pre>{}</pre>",
                escape(heading),
                escape(text)
            );
        }
        if !self.facts.is_empty() {
            html.push_str("<h2>Where</h2>\n<dl>\n");
            for (name, value) in &self.facts {
                let _infallible = writeln!(
                    html,
                    "<dt>{}</dt>\n<dd>{}</dd>",
                    escape(name),
                    escape(value)
                );
            }
            html.push_str("</dl>\n");
        }
        let _infallible = write!(
            html,
            "<footer>{} answered this, not the application: a local stand-in for IIS.</footer>\n</main>\n</body>\n</html>\n",
            crate::variables::SERVER_SOFTWARE
        );
        html
    }
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.status { color: #b00020; font-weight: 600; margin: 0; }
@media (prefers-color-scheme: dark) { .status { color: #ff8a80; } }
pre, dd { font: 14px/1.45 ui-monospace, monospace; }
pre { padding: 1rem; overflow-x: auto; background: #8882; border-radius: .25rem; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
dt { font-size: .85rem; opacity: .75; }
footer { margin-top: 3rem; font-size: .85rem; opacity: .7; }
";

fn wants_json(request: &HeaderMap) -> bool {
    let accepts = |mime: &str| {
        request
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| {
                range
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .eq_ignore_ascii_case(mime)
            })
    };
    accepts("application/json") && !accepts("text/html")
}

/// Text for HTML's content and quoted attributes. Control characters that HTML forbids become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            other if other.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page::new(
            StatusCode::BAD_GATEWAY,
            "The <process> exited",
            "It & its \"friends\".",
        )
        .fact("Command line", "python -c '<x>'")
        .output("The last lines it wrote", "one\n<two>\x1b[0m\n")
        .remedy("Try \u{2019}this\u{2019}")
    }

    #[test]
    fn html_is_escaped() {
        let html = page().html();
        assert!(html.contains("<title>502 The &lt;process&gt; exited</title>"));
        assert!(html.contains("<pre>one\n&lt;two&gt;\u{fffd}[0m</pre>"));
        assert!(html.contains("<dd>python -c &#39;&lt;x&gt;&#39;</dd>"));
        for element in [
            "html", "head", "body", "main", "dl", "ul", "pre", "h1", "footer",
        ] {
            let open = html.matches(&format!("<{element}>")).count()
                + html.matches(&format!("<{element} ")).count();
            assert_eq!(
                open,
                html.matches(&format!("</{element}>")).count(),
                "{element}"
            );
        }
    }

    #[test]
    fn json_on_request() {
        let table = [
            ("application/json", true),
            ("application/json, text/plain;q=0.5", true),
            ("text/html,application/json", false),
            ("*/*", false),
            ("", false),
        ];
        for (accept, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            let response = page().into_response(&headers);
            let content_type = response.headers().get(header::CONTENT_TYPE).unwrap();
            assert_eq!(content_type == "application/json", expected, "{accept}");
        }
        let value: serde_json::Value = serde_json::from_str(&page().json()).unwrap();
        assert_eq!(value["status"], 502);
        assert_eq!(value["title"], "The <process> exited");
        let fact = serde_json::json!({ "name": "Command line", "value": "python -c '<x>'" });
        assert_eq!(value["facts"], serde_json::json!([fact]));
    }

    #[test]
    fn long_output_is_cut_at_its_start() {
        let text: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let page = page().output("x", &text);
        let (_, shown) = page.output.unwrap();
        assert!(shown.starts_with("line 60\n") && shown.ends_with("line 99"));
        let blank = Page::new(StatusCode::OK, "", "").output("x", " \n\n");
        assert!(blank.output.is_none());
    }
}
