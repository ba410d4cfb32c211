//! The kinds of request, as every server's application answers them.

use clap::ValueEnum;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// `GET /small`: thirteen octets, on a connection that is kept.
    Small,
    /// The same, each on a connection of its own.
    Fresh,
    /// `GET /megabyte`: one block of 1 MiB.
    Megabyte,
    /// `POST /echo`: 64 KiB back.
    Echo,
    /// `POST /upload`: 1 GiB, of which the length comes back.
    Upload,
    /// `GET /chunks`: a thousand blocks of 1 KiB.
    Chunks,
    /// `GET /sleep`: thirteen octets after 10 ms in which nothing is computed.
    Sleep,
    /// `GET /compute`: thirteen octets after some milliseconds of Python.
    Compute,
}

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Octets of the body.
    pub(crate) len: usize,
}

impl Answer {
    pub(crate) const fn new(status: u16) -> Self {
        Self { status, len: 0 }
    }
}

/// The body that is sent for an echo.
static ECHO: [u8; 64 * 1024] = [b'e'; 64 * 1024];

impl Workload {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Small | Self::Fresh => "/small",
            Self::Megabyte => "/megabyte",
            Self::Echo => "/echo",
            Self::Upload => "/upload",
            Self::Chunks => "/chunks",
            Self::Sleep => "/sleep",
            Self::Compute => "/compute",
        }
    }

    pub(crate) const fn body(self) -> &'static [u8] {
        match self {
            Self::Echo | Self::Upload => &ECHO,
            _ => &[],
        }
    }

    /// How often the body is sent, one behind the other.
    pub(crate) const fn repetitions(self) -> usize {
        match self {
            Self::Upload => 1024 * 1024 * 1024 / ECHO.len(),
            _ => 1,
        }
    }

    pub(crate) const fn keep_conn(self) -> bool {
        !matches!(self, Self::Fresh)
    }

    /// Octets of the answer.
    const fn answer_len(self) -> usize {
        match self {
            Self::Small | Self::Fresh | Self::Sleep | Self::Compute => 13,
            Self::Megabyte => 1024 * 1024,
            Self::Echo => ECHO.len(),
            // Ten digits.
            Self::Upload => 10,
            Self::Chunks => 1000 * 1024,
        }
    }

    /// Whether the answer is whole and its own.
    pub(crate) fn check(self, answer: &Answer) -> Result<(), String> {
        let expected = self.answer_len();
        if answer.status != 200 || answer.len != expected {
            return Err(format!(
                "status {} with {} octets instead of 200 with {expected}",
                answer.status, answer.len
            ));
        }
        Ok(())
    }
}
