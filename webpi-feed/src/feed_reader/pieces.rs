//! A document element read in pieces, and what is done with its children.

use std::io::Read;

use spanned_xml::{
    Limits, LineColumn, Parser, Problem, RawAttribute, ReadError, Source, Span, Tag, TextReader,
    Token, Tree, TreeNode,
};

use super::FeedReadError;

/// What is done with a document element.
pub(crate) trait Visit {
    /// Its tag.
    fn start(&mut self, tag: Tag<'_>, attributes: &[RawAttribute<'_>]) -> Result<(), Problem>;

    /// A child element, which `tag`, the token read last, begins: it is to be read to its end. `tree` is there to read into.
    fn child<'t>(
        &mut self,
        parser: &mut Parser<'t>,
        tag: Tag<'t>,
        tree: &mut Tree<'t>,
    ) -> Result<(), Problem>;

    /// Text or a comment between the children.
    fn between(&mut self, _: TreeNode<'_, '_>) {}

    /// Where it ends.
    fn end(&mut self, _: usize) {}
}

/// How far a document element was read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    is_started: bool,
    pub(super) is_closed: bool,
}

/// Reads the document element as far as `parser` goes. `end` is where the last whole part of it ends.
pub(crate) fn visit(
    parser: &mut Parser<'_>,
    visitor: &mut impl Visit,
    progress: &mut Progress,
    is_last: bool,
    end: &mut usize,
) -> Result<(), Problem> {
    let mut tree = Tree::default();
    while let Some(token) = parser.next_token()? {
        let inside = parser.depth() > 0;
        match token {
            Token::Start(tag) if !progress.is_started => {
                visitor.start(tag, parser.attributes())?;
                progress.is_started = true;
                progress.is_closed = tag.is_empty;
            }
            Token::Start(tag) => visitor.child(parser, tag, &mut tree)?,
            Token::End(span) => {
                visitor.end(span.end);
                progress.is_closed = true;
            }
            // The rest of the text may be in the next piece.
            Token::Text(_) if !is_last && parser.is_at_end() => break,
            Token::Text(text) if inside => visitor.between(TreeNode::Text(text)),
            Token::CData(text) if inside => visitor.between(TreeNode::CData(text)),
            Token::Comment(text) if inside => visitor.between(TreeNode::Comment(text)),
            _ => {}
        }
        *end = parser.position();
    }
    Ok(())
}

/// Reads a document element in pieces of its text.
#[derive(Debug)]
pub(crate) struct Pieces<R> {
    pub(super) input: TextReader<R>,
    pub(super) window: Window,
    pub(super) next: Next,
    /// The tag of the document element, once it was read.
    pub(super) root: Option<Root>,
    pub(super) progress: Progress,
}

impl<R: Read> Pieces<R> {
    pub(crate) fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            input: TextReader::new(name, reader),
            window: Window {
                text: String::new(),
                done: 0,
                base: 0,
                first: LineColumn { line: 1, column: 1 },
                is_last: false,
            },
            next: Next::default(),
            root: None,
            progress: Progress::default(),
        }
    }

    /// Gives all of it to `visitor`.
    pub(crate) fn read_all(mut self, visitor: &mut impl Visit) -> Result<(), FeedReadError> {
        while !self.is_done() {
            self.fill(0)?;
            self.read_window(visitor)
                .map_err(|problem| self.failed(problem))?;
        }
        Ok(())
    }

    /// Whether all of it was read.
    pub(super) fn is_done(&self) -> bool {
        self.window.is_last && self.window.done == self.window.text.len()
    }

    /// Lets go of what was read, and reads on: at least `least` octets, if there are so many.
    pub(super) fn fill(&mut self, least: usize) -> Result<(), FeedReadError> {
        let window = &mut self.window;
        window.let_go();
        // Twice as much as was not enough the last time.
        let wanted = (window.text.len() * 2).max(least);
        let mut more = match self.next.more.take() {
            Some(more) => {
                window.text.push_str(&self.next.text);
                self.next.text.clear();
                more
            }
            None => self.input.read_to(&mut window.text),
        };
        loop {
            match more {
                Ok(true) if window.text.len() < wanted => {
                    more = self.input.read_to(&mut window.text);
                }
                Ok(more) => {
                    window.is_last = !more;
                    return Ok(());
                }
                Err(ReadError::Io(error)) => return Err(FeedReadError::Io(error)),
                Err(ReadError::Problem(problem)) => return Err(self.failed(problem)),
            }
        }
    }

    /// Reads what is at hand.
    pub(super) fn read_window(&mut self, visitor: &mut impl Visit) -> Result<(), Problem> {
        let (window, progress) = (&self.window, &mut self.progress);
        let to = window.text.len();
        self.window.done = window.read(to, &mut self.root, progress, visitor)?;
        Ok(())
    }

    /// The problem with the part of the text in which it is: what is at hand, or the document element's tag.
    pub(super) fn failed(&self, mut problem: Problem) -> FeedReadError {
        let is_before = |span: Span| span.start < self.window.base;
        let root = self
            .root
            .as_ref()
            .filter(|_| problem.span.is_some_and(is_before));
        let (text, base, first) = match root {
            Some(root) => (root.text.as_str(), root.span.start, root.first),
            None => (
                self.window.text.as_str(),
                self.window.base,
                self.window.first,
            ),
        };
        let local = |span: Span| {
            Span::new(
                span.start.saturating_sub(base),
                span.end.saturating_sub(base),
            )
        };
        problem.span = problem.span.map(local);
        problem.related.retain(|(span, _)| span.start >= base);
        for (span, _) in &mut problem.related {
            *span = local(*span);
        }
        let source = Source::part(self.input.name(), text, first);
        FeedReadError::Problems(problem.in_source(&source))
    }
}

/// Text that was read before it is needed.
#[derive(Debug, Default)]
pub(super) struct Next {
    text: String,
    /// How the reading of it ended: whether there is more. Nothing where there is no such text.
    more: Option<Result<bool, ReadError>>,
}

impl Next {
    /// Reads `len` octets, if there are so many.
    pub(super) fn fill(&mut self, input: &mut TextReader<impl Read>, len: usize) {
        let mut more = Ok(true);
        while self.text.len() < len && matches!(more, Ok(true)) {
            more = input.read_to(&mut self.text);
        }
        self.more = Some(more);
    }
}

/// The piece of the text that is at hand.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) text: String,
    /// Octets of it that were read.
    pub(super) done: usize,
    /// Where it begins in the whole text: octets, line and column.
    pub(super) base: usize,
    first: LineColumn,
    /// Whether nothing follows it.
    pub(super) is_last: bool,
}

impl Window {
    /// Lets go of what was read.
    fn let_go(&mut self) {
        let read = self.text.get(..self.done).unwrap_or_default();
        self.first = after(self.first, read);
        self.base += self.done;
        self.text.drain(..self.done);
        self.done = 0;
    }

    /// Reads from where it was read up to the octet `to`, and says how far that went: as far as there are whole parts.
    pub(super) fn read(
        &self,
        to: usize,
        root: &mut Option<Root>,
        progress: &mut Progress,
        visitor: &mut impl Visit,
    ) -> Result<usize, Problem> {
        let limits = Limits::default();
        let text = self.text.get(self.done..to).unwrap_or_default();
        let base = self.base + self.done;
        let is_last = self.is_last && to == self.text.len();
        let known = root.clone();
        let mut parser = match &known {
            None => Parser::new(text, limits)?,
            Some(root) => Parser::resume(root.tag(), !progress.is_closed, text, base, limits)?,
        };
        let mut end = base;
        let read = visit(&mut parser, visitor, progress, is_last, &mut end);
        let found = parser.root().filter(|_| end > 0);
        if let (None, Some(tag)) = (&known, found) {
            // It is in the first piece.
            *root = Some(self.root(tag));
        }
        if let Err(problem) = read
            && (is_last || !parser.is_cut())
        {
            return Err(problem);
        }
        Ok(match root {
            Some(_) if is_last => to,
            Some(_) => end - self.base,
            // What stands before the document element is read again with it: it is found from the beginning of the text.
            None => 0,
        })
    }

    fn root(&self, tag: Tag<'_>) -> Root {
        let before = self.text.get(..tag.span.start).unwrap_or_default();
        let text = self.text.get(tag.span.range()).unwrap_or_default();
        Root {
            name: tag.name.to_owned(),
            name_span: tag.name_span,
            span: tag.span,
            text: text.to_owned(),
            first: after(self.first, before),
        }
    }
}

/// The tag of the document element.
#[derive(Clone, Debug)]
pub(super) struct Root {
    name: String,
    name_span: Span,
    span: Span,
    text: String,
    first: LineColumn,
}

impl Root {
    pub(super) fn tag(&self) -> Tag<'_> {
        Tag {
            name: &self.name,
            name_span: self.name_span,
            span: self.span,
            is_empty: false,
        }
    }
}

/// The place behind a text that begins at `first`.
fn after(first: LineColumn, text: &str) -> LineColumn {
    match text.rfind('\n') {
        Some(newline) => LineColumn {
            line: first.line + newlines(text),
            column: text[newline + 1..].chars().count() + 1,
        },
        None => LineColumn {
            line: first.line,
            column: first.column + text.chars().count(),
        },
    }
}

/// In short blocks, so that the compiler makes vector instructions of it.
fn newlines(text: &str) -> usize {
    let is_newline = |octet: &u8| u8::from(*octet == b'\n');
    let blocks = text.as_bytes().chunks(255);
    blocks
        .map(|block| usize::from(block.iter().map(is_newline).sum::<u8>()))
        .sum()
}
