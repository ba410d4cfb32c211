//! The tokens of a document, one after the other.
//!
//! quick-xml finds the markup; what it leaves open is checked here: one document element, names, white space between
//! attributes, references, characters that XML 1.0 does not allow, and limits.

use std::borrow::Cow;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::reader::Reader;

use crate::reference::{check_references, resolve};
use crate::{Problem, Span};

/// What a document may cost to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of decoded text; 256 MiB by default.
    pub text_len: usize,
    /// Elements inside each other; 256 by default.
    pub depth: usize,
    /// Attributes of one element; 4,096 by default.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_len: 256 << 20,
            depth: 256,
            attributes: 4096,
        }
    }
}

/// A part of a document.
#[derive(Clone, Copy, Debug)]
pub enum Token<'t> {
    /// `<?xml … ?>`.
    Declaration(Span),
    /// A start tag, or an empty-element tag, which no end tag follows. [`Parser::attributes`] has its attributes.
    Start(Tag<'t>),
    /// An end tag.
    End(Span),
    /// Character data inside the document element, with its references.
    Text(Characters<'t>),
    /// A CDATA section.
    CData(Characters<'t>),
    /// A comment.
    Comment(Characters<'t>),
    /// A processing instruction.
    ProcessingInstruction(Characters<'t>),
}

/// The tag that an element begins with.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'t> {
    /// The element's name as written, prefix included.
    pub name: &'t str,
    /// The name's place.
    pub name_span: Span,
    /// The tag's place.
    pub span: Span,
    /// Whether it is the whole element: `<a/>`.
    pub is_empty: bool,
}

/// Characters of a document.
#[derive(Clone, Copy, Debug)]
pub struct Characters<'t> {
    /// As written, without the markup around them.
    pub raw: &'t str,
    /// Their place, markup included.
    pub span: Span,
    /// Whether they stand for themselves.
    pub(crate) is_plain: bool,
}

impl<'t> Characters<'t> {
    /// The characters of a [`Token::Text`]: references resolved, line ends normalised.
    #[must_use]
    pub fn text(&self) -> Cow<'t, str> {
        if self.is_plain {
            Cow::Borrowed(self.raw)
        } else {
            resolve(self.raw, false)
        }
    }

    /// The characters of a [`Token::CData`]: line ends normalised.
    #[must_use]
    pub fn cdata(&self) -> Cow<'t, str> {
        if self.raw.contains('\r') {
            Cow::Owned(self.raw.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// An attribute of the tag that was read last.
#[derive(Clone, Copy, Debug)]
pub struct RawAttribute<'t> {
    /// Its name as written, prefix included.
    pub name: &'t str,
    /// The name's place.
    pub name_span: Span,
    /// Its value as written, between the quotes.
    pub raw: &'t str,
    /// The value's place.
    pub value_span: Span,
}

impl<'t> RawAttribute<'t> {
    /// Its value: references resolved and white space normalised, XML 1.0 section 3.3.3.
    #[must_use]
    pub fn value(&self) -> Cow<'t, str> {
        resolve(self.raw, true)
    }

    /// From the name to the closing quote.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.name_span.start, self.value_span.end + 1)
    }
}

/// Reads a document token by token, in a time and memory that do not depend on what came before.
///
/// ```
/// use spanned_xml::{Limits, Parser, Token};
///
/// let mut parser = Parser::new("<a b='1'>x &amp; y</a>", Limits::default())?;
/// let mut texts = Vec::new();
/// while let Some(token) = parser.next_token()? {
///     match token {
///         Token::Start(tag) => assert_eq!((tag.name, parser.attributes()[0].raw), ("a", "1")),
///         Token::Text(characters) => texts.push(characters.text()),
///         _ => {}
///     }
/// }
/// assert_eq!(texts, ["x & y"]);
/// # Ok::<(), spanned_xml::Problem>(())
/// ```
#[derive(Debug)]
pub struct Parser<'t> {
    text: &'t str,
    /// Where `text` begins in the document.
    base: usize,
    limits: Limits,
    reader: Reader<&'t [u8]>,
    /// Octets of `text` that the reader was not given.
    marks: usize,
    open: Vec<Tag<'t>>,
    attributes: Vec<RawAttribute<'t>>,
    /// The tag of the document element.
    root: Option<Tag<'t>>,
    /// What was read beyond character data.
    queued: Option<(Markup, Span)>,
    /// Whether `text` has no carriage return, so that no line end has to be normalised.
    has_no_return: bool,
    /// Whether the last problem may be that the text ends here.
    is_cut: bool,
}

/// What quick-xml has found; what is in it is read where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markup {
    Text,
    Reference,
    Start,
    Empty,
    End,
    CData,
    Comment,
    ProcessingInstruction,
    Declaration,
    DocType,
    Eof,
}

impl<'t> Parser<'t> {
    /// A parser of a whole document.
    ///
    /// # Errors
    ///
    /// More text than the limits allow, or a character that XML does not.
    pub fn new(text: &'t str, limits: Limits) -> Result<Self, Problem> {
        Self::begin(text, 0, limits)
    }

    /// A parser of a part of a document, which begins `base` octets into it: right inside the document element of the tag
    /// `root` where `is_open`, else behind it.
    ///
    /// # Errors
    ///
    /// As [`Parser::new`].
    pub fn resume(
        root: Tag<'t>,
        is_open: bool,
        text: &'t str,
        base: usize,
        limits: Limits,
    ) -> Result<Self, Problem> {
        let mut parser = Self::begin(text, base, limits)?;
        parser.open.extend(is_open.then_some(root));
        parser.root = Some(root);
        Ok(parser)
    }

    fn begin(text: &'t str, base: usize, limits: Limits) -> Result<Self, Problem> {
        if text.len() > limits.text_len {
            return Err(limit(format!(
                "{} octets of XML are more than the {} allowed",
                text.len(),
                limits.text_len
            )));
        }
        if let Some((offset, character)) = not_xml(text) {
            return Err(
                syntax(format!("the character {character:?} is not allowed in XML"))
                    .at(Span::new(offset, offset + character.len_utf8()).shifted(base))
                    .help("remove it; not even a character reference can stand for it"),
            );
        }
        // quick-xml takes off a byte order mark; here it is text, since that of the file is gone already.
        let rest = text.trim_start_matches('\u{FEFF}');
        let marks = text.len() - rest.len();
        let mut reader = Reader::from_str(rest);
        let config = reader.config_mut();
        config.allow_dangling_amp = true; // found again in `check_references`, which knows the place and the help
        config.check_end_names = false; // `end` compares the names, and can show the start tag
        config.allow_unmatched_ends = true;
        Ok(Self {
            text,
            base,
            limits,
            reader,
            open: Vec::new(),
            attributes: Vec::new(),
            root: None,
            queued: (marks > 0).then_some((Markup::Text, Span::new(0, marks))),
            marks,
            has_no_return: memchr::memchr(b'\r', text.as_bytes()).is_none(),
            is_cut: false,
        })
    }

    /// The next token; none at the end of the document.
    ///
    /// # Errors
    ///
    /// The first fault against XML's grammar, a document type declaration, an entity that is not one of the five
    /// predefined ones, or a limit that was reached. Nothing can be read after it.
    pub fn next_token(&mut self) -> Result<Option<Token<'t>>, Problem> {
        loop {
            let (event, span) = match self.queued.take() {
                Some(queued) => queued,
                None => self.read()?,
            };
            if let Markup::Text | Markup::Reference = event {
                if let Some(characters) = self.text_run(event, span)? {
                    return Ok(Some(Token::Text(characters)));
                }
                continue;
            }
            return self.token(event, span);
        }
    }

    /// The attributes of the [`Token::Start`] that was read last, in order.
    #[must_use]
    pub fn attributes(&self) -> &[RawAttribute<'t>] {
        &self.attributes
    }

    /// Elements that are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the last problem came from the end of the text: with more of the document there may be none.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The tag of the document element, once it was read.
    #[must_use]
    pub fn root(&self) -> Option<Tag<'t>> {
        self.root
    }

    /// How far the document was read, in octets of the whole.
    #[must_use]
    pub fn position(&self) -> usize {
        match &self.queued {
            Some((_, span)) => self.base + span.start,
            None => self.base + self.offset(),
        }
    }

    /// Whether all of the text was read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position() == self.base + self.text.len()
    }

    /// What comes next, and its place in `text`.
    fn read(&mut self) -> Result<(Markup, Span), Problem> {
        let start = self.offset();
        let markup = match self.reader.read_event() {
            Ok(event) => match event {
                Event::Text(_) => Markup::Text,
                Event::GeneralRef(_) => Markup::Reference,
                Event::Start(_) => Markup::Start,
                Event::Empty(_) => Markup::Empty,
                Event::End(_) => Markup::End,
                Event::CData(_) => Markup::CData,
                Event::Comment(_) => Markup::Comment,
                Event::PI(_) => Markup::ProcessingInstruction,
                Event::Decl(_) => Markup::Declaration,
                Event::DocType(_) => Markup::DocType,
                Event::Eof => Markup::Eof,
            },
            Err(error) => {
                // All of them are about something that does not end.
                self.is_cut = matches!(error, Error::Syntax(_));
                let offset = self.marks + offset(self.reader.error_position());
                return Err(self.syntax_error(&error, offset));
            }
        };
        Ok((markup, Span::new(start, self.offset())))
    }

    /// How far `text` was read.
    fn offset(&self) -> usize {
        self.marks + offset(self.reader.buffer_position())
    }

    /// The run of character data and references that begins at `run`; none where it is the white space outside the document
    /// element.
    fn text_run(
        &mut self,
        first: Markup,
        mut run: Span,
    ) -> Result<Option<Characters<'t>>, Problem> {
        let mut markup = first;
        let mut has_ampersand = false;
        let mut start = run.start;
        loop {
            // An ampersand that begins no reference begins the text behind it.
            has_ampersand |=
                markup == Markup::Reference || self.text.as_bytes().get(start) == Some(&b'&');
            let (next, span) = self.read()?;
            if !matches!(next, Markup::Text | Markup::Reference) {
                self.queued = Some((next, span));
                break;
            }
            (markup, start, run.end) = (next, span.start, span.end);
        }
        let raw = self.slice(run);
        let span = run.shifted(self.base);
        if self.open.is_empty() {
            return if raw.chars().all(is_white_space) {
                Ok(None)
            } else {
                Err(outside(span))
            };
        }
        if has_ampersand {
            check_references(raw, span.start)
                .inspect_err(|_| self.is_cut = run.end == self.text.len())?;
        }
        Ok(Some(Characters {
            raw,
            span,
            is_plain: self.has_no_return && !has_ampersand,
        }))
    }

    fn token(&mut self, markup: Markup, local: Span) -> Result<Option<Token<'t>>, Problem> {
        let span = local.shifted(self.base);
        // The characters between the markup's own, `before` and `after` octets long.
        let inside = |before: usize, after: usize| Characters {
            raw: self.slice(Span::new(
                local.start + before,
                local.end.saturating_sub(after),
            )),
            span,
            is_plain: false,
        };
        Ok(Some(match markup {
            Markup::Start => {
                if self.open.len() >= self.limits.depth {
                    return Err(limit(format!(
                        "elements are nested deeper than the {} levels allowed",
                        self.limits.depth
                    ))
                    .at(span));
                }
                let tag = self.tag(local, false)?;
                self.open.push(tag);
                Token::Start(tag)
            }
            Markup::Empty => Token::Start(self.tag(local, true)?),
            Markup::End => self.end(local)?,
            Markup::CData if self.open.is_empty() => return Err(outside(span)),
            Markup::CData => Token::CData(inside("<![CDATA[".len(), "]]>".len())),
            Markup::Comment => Token::Comment(inside("<!--".len(), "-->".len())),
            Markup::ProcessingInstruction => {
                Token::ProcessingInstruction(inside("<?".len(), "?>".len()))
            }
            Markup::Declaration if span.start == 0 => Token::Declaration(span),
            Markup::Declaration => {
                return Err(syntax(
                    "an XML declaration that is not at the very beginning".to_owned(),
                )
                .at(span)
                .help("remove what stands before it, or remove it"));
            }
            Markup::DocType => {
                return Err(Problem::error("xml-doctype", "a document type declaration")
                    .at(span)
                    .help("remove it: the formats that IIS, Web Deploy and WebPI read do without, and entities of one's own are not expanded"));
            }
            // Text does not come here.
            Markup::Eof | Markup::Text | Markup::Reference => {
                // `Eof` comes again.
                self.queued = Some((Markup::Eof, local));
                self.finish()?;
                return Ok(None);
            }
        }))
    }

    /// Checks a tag, and remembers its attributes.
    fn tag(&mut self, local: Span, is_empty: bool) -> Result<Tag<'t>, Problem> {
        let begin = local.start + 1; // after `<`
        let end = local.end.saturating_sub(1 + usize::from(is_empty));
        let content = self.slice(Span::new(begin, end));
        let len = content
            .bytes()
            .position(|octet| octet.is_ascii_whitespace())
            .unwrap_or(content.len());
        let name = content.get(..len).unwrap_or_default();
        let name_span = Span::new(begin, begin + len).shifted(self.base);
        check_name(name, name_span)?;
        let read = Tag {
            name,
            name_span,
            span: local.shifted(self.base),
            is_empty,
        };
        self.attributes.clear();
        if len < content.len() {
            self.scan_attributes(content, len, local)?;
        }
        if self.open.is_empty() {
            if let Some(root) = self.root {
                return Err(syntax(format!(
                    "`<{name}>` stands after the end of the document element"
                ))
                .at(read.span)
                .related(root.span, "the document element")
                .help("an XML file has one outermost element; put this one inside it"));
            }
            self.root = Some(read);
        }
        Ok(read)
    }

    fn end(&mut self, local: Span) -> Result<Token<'t>, Problem> {
        let span = local.shifted(self.base);
        // Between `</` and `>`.
        let name = self
            .slice(Span::new(local.start + 2, local.end.saturating_sub(1)))
            .trim_end();
        let Some(opened) = self.open.pop() else {
            return Err(syntax(format!("the end tag `</{name}>` has no start tag"))
                .at(span)
                .help("remove it, or add its start tag"));
        };
        if opened.name != name {
            return Err(syntax(format!(
                "the end tag `</{name}>` does not match the start tag `<{}>`",
                opened.name
            ))
            .at(span)
            .related(opened.span, "opened here")
            .help(format!(
                "write `</{}>`, or close the elements in between first",
                opened.name
            )));
        }
        Ok(Token::End(span))
    }

    /// Reads the attributes in the `content` of a tag, behind the name of `len` octets.
    fn scan_attributes(
        &mut self,
        content: &'t str,
        len: usize,
        local: Span,
    ) -> Result<(), Problem> {
        let begin = local.start + 1;
        // Attribute names and values are slices of the tag's own text, so that their distance from its beginning is
        // their place.
        let place =
            |part: &str| begin + (part.as_ptr() as usize).saturating_sub(content.as_ptr() as usize);
        for attribute in Attributes::new(content, len).with_checks(false) {
            let attribute = attribute.map_err(|error| {
                attribute_error(&error, begin + self.base, local.shifted(self.base))
            })?;
            if self.attributes.len() >= self.limits.attributes {
                return Err(limit(format!(
                    "more than the {} attributes allowed in one element",
                    self.limits.attributes
                ))
                .at(local.shifted(self.base)));
            }
            let name = attribute.key.as_ref();
            let local_name = Span::new(place(name), place(name) + name.len());
            let name = self.slice(local_name);
            let name_span = local_name.shifted(self.base);
            check_name(name, name_span)?;
            let before = self.text.as_bytes().get(local_name.start - 1);
            if !before.is_some_and(u8::is_ascii_whitespace) {
                return Err(syntax(format!(
                    "there is no white space before the attribute `{name}`"
                ))
                .at(name_span)
                .help("put a blank before it"));
            }
            let value: &str = attribute.value.as_ref();
            let local_value = Span::new(place(value), place(value) + value.len());
            let value = self.slice(local_value);
            let value_span = local_value.shifted(self.base);
            if let Some(less_than) = value.find('<') {
                return Err(syntax(format!("`<` inside the value of `{name}`"))
                    .at(Span::at(value_span.start + less_than))
                    .help("write `&lt;`"));
            }
            if let Some(first) = self.attributes.iter().find(|first| first.name == name) {
                return Err(duplicate(name, name_span, first));
            }
            check_references(value, value_span.start)?;
            self.attributes.push(RawAttribute {
                name,
                name_span,
                raw: value,
                value_span,
            });
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Problem> {
        self.is_cut = true;
        if let Some(open) = self.open.last() {
            return Err(
                syntax(format!("the element `<{}>` is not closed", open.name))
                    .at(open.span)
                    .help(format!("add `</{}>`", open.name)),
            );
        }
        if self.root.is_none() {
            return Err(syntax("there is no element in the file".to_owned())
                .at(Span::at(self.base + self.text.len()))
                .help("an XML file has one outermost element"));
        }
        Ok(())
    }

    /// What `local`, a place in `text`, covers.
    fn slice(&self, local: Span) -> &'t str {
        self.text.get(local.range()).unwrap_or_default()
    }

    fn syntax_error(&self, error: &Error, offset: usize) -> Problem {
        let (message, help) = match error {
            Error::Syntax(SyntaxError::UnclosedTag) => {
                ("a tag that is not closed by `>`", "close it")
            }
            Error::Syntax(SyntaxError::UnclosedComment) => {
                ("a comment that is not closed by `-->`", "close it")
            }
            Error::Syntax(SyntaxError::UnclosedCData) => {
                ("a CDATA section that is not closed by `]]>`", "close it")
            }
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => (
                "an attribute value without its closing quote",
                "close the quote",
            ),
            Error::IllFormed(
                IllFormedError::MissingDeclVersion(_) | IllFormedError::UnknownVersion,
            ) => (
                "an XML declaration without a version it can have",
                "write `<?xml version=\"1.0\" encoding=\"utf-8\"?>`",
            ),
            other => {
                return syntax(other.to_string())
                    .at(self.character(offset))
                    .help("correct the markup here");
            }
        };
        syntax(message.to_owned())
            .at(self.character(offset))
            .help(help)
    }

    /// The span of the character at `offset` of `text`.
    fn character(&self, offset: usize) -> Span {
        let offset = offset.min(self.text.len());
        let rest = self.text.get(offset..);
        let character = rest.and_then(|rest| rest.chars().next());
        Span::new(offset, offset + character.map_or(0, char::len_utf8)).shifted(self.base)
    }
}

/// The first character that XML 1.0 does not allow: a control character, U+FFFE or U+FFFF.
fn not_xml(text: &str) -> Option<(usize, char)> {
    /// Octets looked at together, without a way out of them, which the compiler makes vector instructions of.
    const BLOCK: usize = 4096;
    let octets = text.as_bytes();
    for (number, block) in octets.chunks(BLOCK).enumerate() {
        let is_control =
            |octet: u8| octet < 0x20 && octet != b'\t' && octet != b'\n' && octet != b'\r';
        let (mut controls, mut wide) = (false, false);
        for &octet in block {
            controls |= is_control(octet);
            wide |= octet == 0xEF;
        }
        let start = number * BLOCK;
        let odd = |at: usize| matches!(octets.get(at..), Some([0xEF, 0xBF, 0xBE | 0xBF, ..]));
        let is_odd = |at: &usize| octets.get(*at).copied().is_some_and(is_control) || odd(*at);
        if (controls || wide)
            && let Some(at) = (start..start + block.len()).find(is_odd)
        {
            return text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map(|character| (at, character));
        }
    }
    None
}

fn duplicate(name: &str, place: Span, first: &RawAttribute<'_>) -> Problem {
    Problem::error(
        "xml-duplicate-attribute",
        format!("the attribute `{name}` is given twice"),
    )
    .at(place)
    .related(first.span(), "given here first")
    .help("remove one of the two")
}

/// XML 1.0 section 2.3, `Name`, with every character beyond ASCII allowed.
fn check_name(name: &str, span: Span) -> Result<(), Problem> {
    let start = |character: char| {
        character.is_ascii_alphabetic() || matches!(character, '_' | ':') || !character.is_ascii()
    };
    let plain =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b':' | b'-' | b'.');
    if name.bytes().all(plain) && name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(());
    }
    let mut characters = name.chars();
    if characters.next().is_some_and(start)
        && characters.all(|character| {
            start(character) || character.is_ascii_digit() || matches!(character, '-' | '.')
        })
    {
        Ok(())
    } else {
        Err(syntax(format!("`{name}` is not a name that XML allows"))
            .at(span)
            .help("a name begins with a letter or `_`, without blanks or quotes"))
    }
}

fn attribute_error(error: &AttrError, content: usize, tag: Span) -> Problem {
    let (offset, message, help) = match *error {
        AttrError::ExpectedEq(offset) => (
            offset,
            "an attribute without a value",
            "write `name=\"value\"`",
        ),
        AttrError::ExpectedValue(offset) => (
            offset,
            "an attribute without a value after `=`",
            "write `name=\"value\"`",
        ),
        AttrError::UnquotedValue(offset) => (
            offset,
            "an attribute value without quotes",
            "put it into quotes",
        ),
        AttrError::ExpectedQuote(offset, _) => (
            offset,
            "an attribute value without its closing quote",
            "close the quote",
        ),
        AttrError::Duplicated(offset, _) => (
            offset,
            "an attribute that is given twice",
            "remove one of the two",
        ),
    };
    syntax(message.to_owned())
        .at(Span::at((content + offset).min(tag.end)))
        .help(help)
}

fn outside(span: Span) -> Problem {
    syntax("text outside the document element".to_owned())
        .at(span)
        .help("an XML file has one outermost element, and text only inside it")
}

fn syntax(message: String) -> Problem {
    Problem::error("xml-syntax", message)
}

fn limit(message: String) -> Problem {
    Problem::error("xml-limit", message)
        .help("the file is larger or deeper than any real one; check where it comes from")
}

/// Positions come from a text in memory and so fit.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}
