//! A location path, its steps and what it selects.

use spanned_xml::{Attribute, Document, Element, Span};

use super::evaluate::{Context, Evaluation, TooMany};
use super::parse::Parser;

/// A location path.
#[derive(Clone, Debug, PartialEq)]
pub struct XPath {
    text: String,
    path: Path,
}

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct XPathFault {
    /// What is wrong.
    pub message: String,
    /// Where in the expression, in octets.
    pub place: Span,
}

/// What a path selects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Selected<'d> {
    /// The document itself, above its root element.
    Document,
    Element(&'d Element),
    Attribute(&'d Attribute),
    /// Text or a CDATA section: value, and place with its markup.
    Text(&'d str, Span),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    /// It begins at the document: `/…` and `//…`.
    pub(crate) absolute: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// `//` stands before it.
    pub(crate) anywhere: bool,
    pub(crate) test: Test,
    pub(crate) predicates: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// `.`
    Current,
    /// A name, or `*`.
    Element(Option<String>),
    /// `@name`, or `@*`.
    Attribute(Option<String>),
    /// `text()`
    Text,
    /// `node()`
    Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Equal(Box<Self>, Box<Self>),
    NotEqual(Box<Self>, Box<Self>),
    Path(Path),
    Literal(String),
    Number(f64),
    Not(Box<Self>),
    Contains(Box<Self>, Box<Self>),
    StartsWith(Box<Self>, Box<Self>),
    LocalName,
    Name,
    Position,
    Last,
}

impl XPath {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// The first fault, or the first construct that is left out.
    pub fn parse(text: &str) -> Result<Self, XPathFault> {
        Ok(Self {
            text: text.to_owned(),
            path: Parser::new(text).whole()?,
        })
    }

    /// The expression as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the path selects, in document order.
    pub(crate) fn select<'d>(
        &self,
        document: &'d Document,
    ) -> Result<Vec<Selected<'d>>, XPathFault> {
        let selected = Evaluation::new(document)
            .path(&self.path, Context::document())
            .map_err(|TooMany| XPathFault {
                message: "the expression visits too many nodes".to_owned(),
                place: Span::new(0, self.text.len()),
            })?;
        Ok(selected.into_iter().map(|context| context.node).collect())
    }
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    const CONFIG: &str = "<configuration><connectionStrings xmlns='urn:x'><add name='A' connectionString='a'/><add name='B' connectionString='b'/></connectionStrings>\
        <appSettings><add key='one' value='1'/><add key='two' value='2'/><note>text<![CDATA[ more]]><b>deep</b></note></appSettings>\
        <appSettings><add key='three' value='3'/></appSettings></configuration>";

    fn check(expression: &str, expected: &[&str]) {
        let document = Document::parse(&Source::from_text("web.config", CONFIG)).unwrap();
        let path = XPath::parse(expression).unwrap_or_else(|fault| panic!("{expression}: {fault}"));
        let found: Vec<String> = path
            .select(&document)
            .unwrap_or_else(|fault| panic!("{expression}: {fault}"))
            .into_iter()
            .map(|selected| match selected {
                Selected::Document => "/".to_owned(),
                Selected::Element(element) => format!(
                    "{}{}",
                    element.name,
                    element
                        .attributes
                        .first()
                        .map(|a| format!(":{}", a.value))
                        .unwrap_or_default()
                ),
                Selected::Attribute(attribute) => attribute.value.clone(),
                Selected::Text(text, _) => text.to_owned(),
            })
            .collect();
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn paths_and_predicates() {
        check("/", &["/"]);
        check("/configuration/appSettings/add/@value", &["1", "2", "3"]);
        check("configuration/appSettings/add[@key='two']/@value", &["2"]);
        check("//add[@key=\"two\"]", &["add:two"]);
        check("//add", &["add:one", "add:two", "add:three"]);
        check("//add[1]", &["add:one", "add:three"]);
        check("//add[last()]/@key", &["two", "three"]);
        check("//appSettings[2]/add/@key", &["three"]);
        check("//add[position()!=1]/@key", &["two"]);
        check("//add[@key='one' or @key='three']/@value", &["1", "3"]);
        check("//add[@key and @value=2]/@key", &["two"]);
        check("//add[not(@key='one')]/@key", &["two", "three"]);
        check("//*[@name='A']/@connectionString", &["a"]);
        check("//connectionStrings", &[]);
        check(
            "//*[local-name()='connectionStrings']/*[local-name()='add'][@name='B']/@connectionString",
            &["b"],
        );
        check("//note/text()", &["text", " more"]);
        check(
            "//note[contains(., 'deep') and starts-with(b, 'de')]/b",
            &["b"],
        );
        check("//appSettings[add/@key='three']/add/@*", &["three", "3"]);
        check("//configuration//b/text()", &["deep"]);
        check("/configuration/nothing", &[]);
        check("//appSettings[.//b]//add[(@key = 'one')]/@key", &["one"]);
        check("//note/node()", &["text", " more", "b"]);
        check("//@key", &["one", "two", "three"]);
    }

    fn refused(expression: &str, start: usize, expected: &str) {
        let fault = XPath::parse(expression).unwrap_err();
        assert!(fault.message.contains(expected), "{expression}: {fault}");
        assert_eq!(fault.place.start, start, "{expression}: {fault}");
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        refused("", 0, "name of an element");
        refused("/a/../b", 3, "`..`");
        refused("//x:add", 2, "bound to no namespace");
        refused("/a/parent::b", 3, "axis");
        refused("/a | /b", 3, "end of the expression");
        refused("/a[@b='c'", 9, "expected `]`");
        refused("/a[@b='c]", 6, "without its closing");
        refused("/a[string-length(@b)=1]", 3, "string-length");
        refused("/a[@b > 1]", 6, "expected `]`");
        refused("//a/", 4, "name of an element");
        refused(&"a[".repeat(100), 66, "nested too deeply");
    }

    #[test]
    fn an_expression_that_explodes_ends() {
        let mut text = "<a>".repeat(200);
        text.push_str(&"<b/>".repeat(2000));
        text.push_str(&"</a>".repeat(200));
        let document = Document::parse(&Source::from_text("x", text)).unwrap();
        let path = XPath::parse("//*[.//*[.//*[.//*[.//c]]]]").unwrap();
        assert!(path.select(&document).is_err());
    }
}
