//! What a supervisor tells a worker that it starts: the variable `IISWSGI_WORKER`.

use std::fmt;
use std::os::fd::RawFd;
use std::str::FromStr;

/// The variable's name.
pub(crate) const VARIABLE: &str = "IISWSGI_WORKER";

/// Who a worker is, and by what it talks. The listening socket is its file descriptor 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Its place among the workers, from 0.
    pub(crate) seat: usize,
    /// Which start of all workers it belongs to, from 1.
    pub(crate) generation: u64,
    /// The stream to the supervisor.
    pub(crate) control: RawFd,
    /// The scoreboard and the worker's slot in it, where one was free.
    pub(crate) scoreboard: Option<(RawFd, usize)>,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.seat, self.generation, self.control)?;
        match self.scoreboard {
            Some((fd, slot)) => write!(f, ",{fd},{slot}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Ticket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || {
            format!(
                "the variable {VARIABLE} is `{text}`, which is not what a supervisor of this version writes; unset it"
            )
        };
        let numbers = text
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<u32>, _>>();
        let numbers = numbers.map_err(|_| malformed())?;
        let fd = |number: u32| RawFd::try_from(number).map_err(|_| malformed());
        let index = |number: u32| usize::try_from(number).map_err(|_| malformed());
        let (start, scoreboard) = match *numbers {
            [seat, generation, control] => ([seat, generation, control], None),
            [seat, generation, control, board, slot] => (
                [seat, generation, control],
                Some((fd(board)?, index(slot)?)),
            ),
            _ => return Err(malformed()),
        };
        let [seat, generation, control] = start;
        Ok(Self {
            seat: index(seat)?,
            generation: generation.into(),
            control: fd(control)?,
            scoreboard,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for scoreboard in [None, Some((9, 3))] {
            let ticket = Ticket {
                seat: 2,
                generation: 7,
                control: 5,
                scoreboard,
            };
            assert_eq!(ticket.to_string().parse(), Ok(ticket));
        }
        for text in [
            "",
            "1",
            "1,2",
            "1,2,3,4",
            "1,2,3,4,5,6",
            "1,2,-3",
            "1,2,99999999999",
            "a,b,c",
        ] {
            let error = text.parse::<Ticket>().unwrap_err();
            assert!(
                error.contains("IISWSGI_WORKER") && error.contains("unset"),
                "{error}"
            );
        }
    }
}
