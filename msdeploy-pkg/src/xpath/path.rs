//! A location path, its steps and what it selects.

use spanned_xml::{Attribute, Document, Element, Span};

use super::evaluate::{Context, Evaluation, TooMany};
use super::parse::Parser;

/// A location path.
#[derive(Clone, Debug, PartialEq)]
pub struct XPath {
    text: String,
    expression: Expression,
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

/// A step; `//` is a step of its own, `/descendant-or-self::node()/`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) axis: Axis,
    pub(crate) test: Test,
    pub(crate) predicates: Vec<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Child,
    Descendant,
    DescendantOrSelf,
    Itself,
    Parent,
    Ancestor,
    AncestorOrSelf,
    FollowingSibling,
    PrecedingSibling,
    Attribute,
}

impl Axis {
    pub(crate) const ALL: [(&str, Self); 10] = [
        ("child", Self::Child),
        ("descendant", Self::Descendant),
        ("descendant-or-self", Self::DescendantOrSelf),
        ("self", Self::Itself),
        ("parent", Self::Parent),
        ("ancestor", Self::Ancestor),
        ("ancestor-or-self", Self::AncestorOrSelf),
        ("following-sibling", Self::FollowingSibling),
        ("preceding-sibling", Self::PrecedingSibling),
        ("attribute", Self::Attribute),
    ];
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// A name, or `*`.
    Name(Option<String>),
    /// `text()`
    Text,
    /// `node()`
    Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    Calculate(Operator, Box<Self>, Box<Self>),
    Negate(Box<Self>),
    Union(Box<Self>, Box<Self>),
    Path(Path),
    /// `(…)[…]/…`
    Filter {
        nodes: Box<Self>,
        predicates: Vec<Self>,
        rest: Vec<Step>,
    },
    Literal(String),
    Number(f64),
    Call(Function, Vec<Self>),
}

impl Expression {
    /// Whether its value is a set of nodes.
    pub(crate) fn selects(&self) -> bool {
        matches!(self, Self::Path(_) | Self::Union(..) | Self::Filter { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The functions of section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Boolean,
    Ceiling,
    Concat,
    Contains,
    Count,
    False,
    Floor,
    Last,
    LocalName,
    Name,
    NormalizeSpace,
    Not,
    Number,
    Position,
    Round,
    StartsWith,
    String,
    StringLength,
    Substring,
    SubstringAfter,
    SubstringBefore,
    Sum,
    Translate,
    True,
}

impl Function {
    /// Each with the least and the most number of arguments.
    pub(crate) const ALL: [(&str, Self, usize, usize); 24] = [
        ("boolean", Self::Boolean, 1, 1),
        ("ceiling", Self::Ceiling, 1, 1),
        ("concat", Self::Concat, 2, usize::MAX),
        ("contains", Self::Contains, 2, 2),
        ("count", Self::Count, 1, 1),
        ("false", Self::False, 0, 0),
        ("floor", Self::Floor, 1, 1),
        ("last", Self::Last, 0, 0),
        ("local-name", Self::LocalName, 0, 1),
        ("name", Self::Name, 0, 1),
        ("normalize-space", Self::NormalizeSpace, 0, 1),
        ("not", Self::Not, 1, 1),
        ("number", Self::Number, 0, 1),
        ("position", Self::Position, 0, 0),
        ("round", Self::Round, 1, 1),
        ("starts-with", Self::StartsWith, 2, 2),
        ("string", Self::String, 0, 1),
        ("string-length", Self::StringLength, 0, 1),
        ("substring", Self::Substring, 2, 3),
        ("substring-after", Self::SubstringAfter, 2, 2),
        ("substring-before", Self::SubstringBefore, 2, 2),
        ("sum", Self::Sum, 1, 1),
        ("translate", Self::Translate, 3, 3),
        ("true", Self::True, 0, 0),
    ];

    /// Whether its argument has to be a set of nodes.
    pub(crate) fn wants_nodes(self) -> bool {
        matches!(self, Self::Count | Self::Sum | Self::LocalName | Self::Name)
    }
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
            expression: Parser::new(text).whole()?,
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
            .nodes(&self.expression, Context::document())
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

    #[test]
    fn axes_unions_and_filters() {
        check("//b/../@*", &[]);
        check("//add[@key='one']/..", &["appSettings"]);
        check("//add[@key='two']/../add/@key", &["one", "two"]);
        check("//b/parent::note/text()", &["text", " more"]);
        check("//b/ancestor::*", &["configuration", "appSettings", "note"]);
        check("//b/ancestor::*[1]", &["note"]);
        check("//b/ancestor-or-self::*[1]", &["b"]);
        check("//@key/..", &["add:one", "add:two", "add:three"]);
        check("//text()/parent::b", &["b"]);
        check(
            "/child::configuration/descendant::add[2]/attribute::key",
            &["two"],
        );
        check(
            "/configuration/appSettings/self::appSettings[1]/add[1]/@key",
            &["one", "three"],
        );
        check(
            "//add[@key='one']/following-sibling::*",
            &["add:two", "note"],
        );
        check("//note/preceding-sibling::add[1]/@key", &["two"]);
        check(
            "//connectionStrings | //note | //add[@key='one']",
            &["add:one", "note"],
        );
        check("//@value | //@key", &["one", "1", "two", "2", "three", "3"]);
        check("(//add)[2]/@key", &["two"]);
        check("(//add | //note)[last()]", &["add:three"]);
        check("//*[name(..)='note']", &["b"]);
    }

    #[test]
    fn functions_and_numbers() {
        for (predicate, expected) in [
            ("@value > 1", &["two", "three"][..]),
            ("@value >= 2 and @value <= 2", &["two"]),
            ("@value < 2", &["one"]),
            ("@value + 1 = 3", &["two"]),
            ("@value * 2 - 1 = 5", &["three"]),
            ("@value mod 2 = 1", &["one", "three"]),
            ("@value div 2 = 1", &["two"]),
            ("-@value = -3", &["three"]),
            ("string-length(@key) = 5", &["three"]),
            (
                "string-length(@key) > count(//appSettings)",
                &["one", "two", "three"],
            ),
            ("substring(@key, 2, 2) = 'wo'", &["two"]),
            ("substring-before(@key, 'e') = 'on'", &["one"]),
            ("substring-after(@key, 't') = 'hree'", &["three"]),
            ("translate(@key, 'ow', 'OW') = 'tWO'", &["two"]),
            ("translate(@key, 'o', '') = 'ne'", &["one"]),
            ("concat(@key, '-', @value) = 'one-1'", &["one"]),
            (
                "normalize-space('  a  b ') = 'a b'",
                &["one", "two", "three"],
            ),
            ("not(starts-with(@key, 't'))", &["one"]),
            ("true() and not(false())", &["one", "two", "three"]),
            ("boolean(@missing)", &[]),
            ("number(@key) != number(@key)", &["one", "two", "three"]),
            ("sum(../add/@value) = 3 and last() = 2", &["one", "two"]),
            (
                "floor(1.5) = 1 and ceiling(1.5) = 2 and round(1.5) = 2",
                &["one", "two", "three"],
            ),
            ("string(@value) = '1'", &["one"]),
            ("position() = last()", &["two", "three"]),
            (
                "local-name(.) = 'add' and local-name(@*) = 'key'",
                &["one", "two", "three"],
            ),
        ] {
            check(&format!("//appSettings/add[{predicate}]/@key"), expected);
        }
    }

    fn refused(expression: &str, start: usize, expected: &str) {
        let fault = XPath::parse(expression).unwrap_err();
        assert!(fault.message.contains(expected), "{expression}: {fault}");
        assert_eq!(fault.place.start, start, "{expression}: {fault}");
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        refused("", 0, "name of an element");
        refused("//x:add", 2, "bound to no namespace");
        refused("/a/following::b", 3, "axis");
        refused("/a[@b='c'", 9, "expected `]`");
        refused("/a[@b='c]", 6, "without its closing");
        refused("/a[id('b')]", 3, "function `id()`");
        refused("/a[comment()]", 3, "`comment()`");
        refused("/a[contains(@b)]", 3, "takes 2 arguments");
        refused("/a[count('b')]", 3, "takes nodes");
        refused("/a[$b]", 3, "name of an element");
        refused("1 + 1", 0, "selects nothing");
        refused("'a'", 0, "selects nothing");
        refused("/a[(1)[1]]", 3, "only nodes");
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
