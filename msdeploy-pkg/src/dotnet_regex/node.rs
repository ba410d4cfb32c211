//! A parsed pattern.

use super::char_set::CharSet;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Empty,
    /// One UTF-16 unit of a set.
    Set(CharSet),
    Assertion(Assertion),
    /// One after the other.
    Concatenation(Vec<Self>),
    /// The first that leads to a match.
    Alternation(Vec<Self>),
    Loop {
        body: Box<Self>,
        least: u32,
        /// `None` is without end.
        most: Option<u32>,
        lazy: bool,
    },
    /// A group whose match is remembered.
    Capture {
        group: usize,
        body: Box<Self>,
    },
    /// `(?<group-popped>…)`.
    Balance {
        group: Option<usize>,
        popped: usize,
        body: Box<Self>,
    },
    Look {
        behind: bool,
        negative: bool,
        body: Box<Self>,
    },
    Atomic(Box<Self>),
    Reference {
        group: usize,
        ignore_case: bool,
    },
    /// `(?(group)yes|no)`.
    IfGroup {
        group: usize,
        yes: Box<Self>,
        no: Box<Self>,
    },
    /// `(?(expression)yes|no)`.
    IfMatch {
        condition: Box<Self>,
        yes: Box<Self>,
        no: Box<Self>,
    },
}

/// Something about a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assertion {
    /// `\A`, and `^`.
    Start,
    /// `^` with the option `m`.
    LineStart,
    /// `\z`.
    End,
    /// `\Z`, and `$`: at the end, or before a newline there.
    EndOrLastNewline,
    /// `$` with the option `m`.
    LineEnd,
    /// `\b`.
    Boundary,
    /// `\B`.
    NoBoundary,
    /// `\G`: where the match before ended.
    Continuation,
}

impl Node {
    /// Whether it may match nothing.
    pub(crate) fn is_nullable(&self) -> bool {
        match self {
            Self::Set(_) => false,
            Self::Concatenation(parts) => parts.iter().all(Self::is_nullable),
            Self::Alternation(choices) => choices.iter().any(Self::is_nullable),
            Self::Loop { body, least, .. } => *least == 0 || body.is_nullable(),
            Self::Capture { body, .. } | Self::Balance { body, .. } | Self::Atomic(body) => {
                body.is_nullable()
            }
            Self::IfGroup { yes, no, .. } | Self::IfMatch { yes, no, .. } => {
                yes.is_nullable() || no.is_nullable()
            }
            Self::Empty | Self::Assertion(_) | Self::Look { .. } | Self::Reference { .. } => true,
        }
    }
}
