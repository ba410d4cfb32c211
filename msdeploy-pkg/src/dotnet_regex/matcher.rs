//! The engine with backtracking: everything that .NET's has, over UTF-16 units.
//!
//! *Backtracking in regular expressions*
//! <https://learn.microsoft.com/dotnet/standard/base-types/backtracking-in-regular-expressions>. A pattern becomes a program;
//! what to try next and what to take back stand on one stack. Steps and stack are limited.

use super::char_set::lower;
use super::node::{Assertion, Node};
use super::program::{Instruction, Program};

/// Steps that any text may take, and those that it may take for each of its units besides.
const STEPS: usize = 10_000_000;
const STEPS_A_UNIT: usize = 64;
/// Things to try or take back that may be open.
const MAX_STACK: usize = 1 << 20;

/// The pattern takes too long with this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManySteps;

/// A compiled program that can search.
#[derive(Debug)]
pub(crate) struct Matcher {
    program: Program,
}

impl Matcher {
    pub(crate) fn new(node: &Node, last_group: usize) -> Self {
        Self {
            program: Program::new(node, last_group),
        }
    }

    /// The first match that begins at `from` or later.
    pub(crate) fn find(&self, text: &[u16], from: usize) -> Result<Option<Found>, TooManySteps> {
        Search::new(&self.program, text).find(from)
    }

    /// All matches, one after the other.
    pub(crate) fn find_all(&self, text: &[u16]) -> Result<Vec<Found>, TooManySteps> {
        let mut search = Search::new(&self.program, text);
        let mut all = Vec::new();
        let mut from = 0;
        while from <= text.len() {
            let Some(found) = search.find(from)? else {
                break;
            };
            let (start, end) = found.whole();
            // After an empty match the search goes on one unit further.
            from = if start == end { end + 1 } else { end };
            search.continuation = end;
            all.push(found);
        }
        Ok(all)
    }
}

/// A match: the places of its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    groups: Vec<Option<(usize, usize)>>,
}

impl Found {
    /// Start and end of the whole match.
    pub(crate) fn whole(&self) -> (usize, usize) {
        self.groups.first().copied().flatten().unwrap_or_default()
    }

    /// The text of a group; nothing where the group took no part.
    pub(crate) fn group<'t>(&self, group: usize, text: &'t [u16]) -> &'t [u16] {
        self.groups
            .get(group)
            .copied()
            .flatten()
            .and_then(|(start, end)| text.get(start..end))
            .unwrap_or_default()
    }

    /// The highest group's number.
    pub(crate) fn last(&self) -> usize {
        self.groups.len() - 1
    }
}

/// What to try, or what to take back, when something does not match.
#[derive(Debug)]
enum Frame {
    Try {
        at: usize,
        position: usize,
    },
    /// A loop over one unit that took as much as it could: with one less, down to `least`.
    Less {
        next: usize,
        position: usize,
        least: usize,
        back: bool,
    },
    /// A lazy one: with one more.
    More {
        next: usize,
        set: usize,
        position: usize,
        left: usize,
        back: bool,
    },
    Mark {
        mark: usize,
        old: usize,
    },
    Round {
        number: usize,
        old: (u32, usize),
    },
    Captured {
        group: usize,
    },
    Popped {
        group: usize,
        old: (usize, usize),
    },
}

struct Search<'m> {
    program: &'m Program,
    text: &'m [u16],
    stack: Vec<Frame>,
    marks: Vec<usize>,
    /// Of each loop: rounds, and where the last one began.
    rounds: Vec<(u32, usize)>,
    captures: Vec<Vec<(usize, usize)>>,
    steps: usize,
    /// `\G`
    continuation: usize,
}

impl<'m> Search<'m> {
    fn new(program: &'m Program, text: &'m [u16]) -> Self {
        Self {
            program,
            text,
            stack: Vec::new(),
            marks: vec![0; program.marks],
            rounds: vec![(0, 0); program.loops],
            captures: vec![Vec::new(); program.groups],
            steps: STEPS.saturating_add(text.len().saturating_mul(STEPS_A_UNIT)),
            continuation: 0,
        }
    }

    fn find(&mut self, from: usize) -> Result<Option<Found>, TooManySteps> {
        for start in from..=self.text.len() {
            self.stack.clear();
            self.captures.iter_mut().for_each(Vec::clear);
            if let Some(end) = self.run(0, start)? {
                let mut groups: Vec<Option<(usize, usize)>> = self
                    .captures
                    .iter()
                    .map(|captures| captures.last().copied())
                    .collect();
                groups[0] = Some((start, end));
                return Ok(Some(Found { groups }));
            }
        }
        Ok(None)
    }

    fn step(&mut self, steps: usize) -> Result<(), TooManySteps> {
        self.steps = self.steps.checked_sub(steps).ok_or(TooManySteps)?;
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Result<(), TooManySteps> {
        if self.stack.len() >= MAX_STACK {
            return Err(TooManySteps);
        }
        self.stack.push(frame);
        Ok(())
    }

    /// The position after the unit there, if it is of the set.
    fn unit(&self, set: usize, position: usize, back: bool) -> Option<usize> {
        let at = if back {
            position.checked_sub(1)?
        } else {
            position
        };
        let unit = *self.text.get(at)?;
        self.program.sets[set]
            .contains(unit)
            .then_some(if back { at } else { at + 1 })
    }

    /// Runs from an instruction on to its `Accept`: where that is reached. What was tried on the way stays on the stack.
    fn run(&mut self, at: usize, position: usize) -> Result<Option<usize>, TooManySteps> {
        let base = self.stack.len();
        let (mut at, mut position) = (at, position);
        loop {
            self.step(1)?;
            if let Instruction::Accept = self.program.instructions[at] {
                return Ok(Some(position));
            }
            match self.execute(at, position)? {
                Some(next) => (at, position) = next,
                None => match self.backtrack(base) {
                    Some(next) => (at, position) = next,
                    None => return Ok(None),
                },
            }
        }
    }

    /// One instruction: the next one and its position, or `None` where it does not match.
    fn execute(
        &mut self,
        at: usize,
        position: usize,
    ) -> Result<Option<(usize, usize)>, TooManySteps> {
        let program = self.program;
        Ok(match &program.instructions[at] {
            Instruction::Accept => Some((at, position)),
            Instruction::Set { set, back } => {
                self.unit(*set, position, *back).map(|next| (at + 1, next))
            }
            Instruction::SetLoop {
                set,
                least,
                most,
                lazy,
                back,
            } => {
                let now = if *lazy { *least } else { *most };
                let (mut taken, mut end, mut least_end) = (0, position, position);
                while taken < now
                    && let Some(next) = self.unit(*set, end, *back)
                {
                    taken += 1;
                    end = next;
                    if taken <= *least {
                        least_end = end;
                    }
                }
                self.step(taken)?;
                if taken < *least {
                    return Ok(None);
                }
                if *lazy && most > least {
                    self.push(Frame::More {
                        next: at + 1,
                        set: *set,
                        position: end,
                        left: most - least,
                        back: *back,
                    })?;
                } else if end != least_end {
                    self.push(Frame::Less {
                        next: at + 1,
                        position: end,
                        least: least_end,
                        back: *back,
                    })?;
                }
                Some((at + 1, end))
            }
            Instruction::Assertion(assertion) => self
                .holds(*assertion, position)
                .then_some((at + 1, position)),
            Instruction::Split(first, second) => {
                self.push(Frame::Try {
                    at: *second,
                    position,
                })?;
                Some((*first, position))
            }
            Instruction::Jump(to) => Some((*to, position)),
            Instruction::Mark(mark) => {
                let old = core::mem::replace(&mut self.marks[*mark], position);
                self.push(Frame::Mark { mark: *mark, old })?;
                Some((at + 1, position))
            }
            Instruction::Capture { group, mark } => {
                let start = self.marks[*mark];
                self.capture(*group, (start.min(position), start.max(position)))?;
                Some((at + 1, position))
            }
            Instruction::Balance {
                group,
                popped,
                mark,
            } => self
                .balance(*group, *popped, self.marks[*mark], position)?
                .then_some((at + 1, position)),
            Instruction::Reference {
                group,
                ignore_case,
                back,
            } => self
                .refer(*group, *ignore_case, *back, position)?
                .map(|next| (at + 1, next)),
            Instruction::Look { negative, next } => {
                let base = self.stack.len();
                let matched = self.run(at + 1, position)?.is_some();
                if *negative {
                    self.take_back(base);
                } else {
                    self.keep(base);
                }
                (matched != *negative).then_some((*next, position))
            }
            Instruction::Atomic { next } => {
                let base = self.stack.len();
                let end = self.run(at + 1, position)?;
                self.keep(base);
                end.map(|end| (*next, end))
            }
            Instruction::IfGroup { group, no } => {
                let captured = *group == 0 || !self.captures[*group].is_empty();
                Some((if captured { at + 1 } else { *no }, position))
            }
            Instruction::IfMatch { yes, no } => {
                let base = self.stack.len();
                let matched = self.run(at + 1, position)?.is_some();
                self.keep(base);
                Some((if matched { *yes } else { *no }, position))
            }
            Instruction::LoopStart(number) => {
                let old = core::mem::replace(&mut self.rounds[*number], (0, position));
                self.push(Frame::Round {
                    number: *number,
                    old,
                })?;
                Some((at + 1, position))
            }
            Instruction::Loop {
                number,
                least,
                most,
                lazy,
                next,
            } => {
                let (rounds, start) = self.rounds[*number];
                let was_empty = rounds > 0 && start == position;
                if was_empty || most.is_some_and(|most| rounds >= most) {
                    // Rounds that match nothing could go on for ever, and each would be like the last.
                    Some((*next, position))
                } else if rounds < *least {
                    Some((at + 1, position))
                } else {
                    let (first, second) = if *lazy {
                        (*next, at + 1)
                    } else {
                        (at + 1, *next)
                    };
                    self.push(Frame::Try {
                        at: second,
                        position,
                    })?;
                    Some((first, position))
                }
            }
            Instruction::LoopRound(number) => {
                let old = self.rounds[*number];
                self.rounds[*number] = (old.0.saturating_add(1), position);
                self.push(Frame::Round {
                    number: *number,
                    old,
                })?;
                Some((at + 1, position))
            }
        })
    }

    /// The next thing to try above `base`, all that came after it taken back.
    fn backtrack(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.stack.len() > base {
            match self.stack.pop()? {
                Frame::Try { at, position } => return Some((at, position)),
                Frame::Less {
                    next,
                    position,
                    least,
                    back,
                } => {
                    let position = if back { position + 1 } else { position - 1 };
                    if position != least {
                        self.stack.push(Frame::Less {
                            next,
                            position,
                            least,
                            back,
                        });
                    }
                    return Some((next, position));
                }
                Frame::More {
                    next,
                    set,
                    position,
                    left,
                    back,
                } => {
                    let Some(position) = self.unit(set, position, back) else {
                        continue;
                    };
                    if left > 1 {
                        self.stack.push(Frame::More {
                            next,
                            set,
                            position,
                            left: left - 1,
                            back,
                        });
                    }
                    return Some((next, position));
                }
                undo => self.undo(undo),
            }
        }
        None
    }

    fn undo(&mut self, frame: Frame) {
        match frame {
            Frame::Try { .. } | Frame::Less { .. } | Frame::More { .. } => {}
            Frame::Mark { mark, old } => self.marks[mark] = old,
            Frame::Round { number, old } => self.rounds[number] = old,
            Frame::Captured { group } => {
                self.captures[group].pop();
            }
            Frame::Popped { group, old } => self.captures[group].push(old),
        }
    }

    /// Takes back everything above `base`.
    fn take_back(&mut self, base: usize) {
        while self.stack.len() > base
            && let Some(frame) = self.stack.pop()
        {
            self.undo(frame);
        }
    }

    /// Forgets what could be tried above `base`, and keeps what is to be taken back.
    fn keep(&mut self, base: usize) {
        let mut kept = base;
        for at in base..self.stack.len() {
            if !matches!(
                self.stack[at],
                Frame::Try { .. } | Frame::Less { .. } | Frame::More { .. }
            ) {
                self.stack.swap(kept, at);
                kept += 1;
            }
        }
        self.stack.truncate(kept);
    }

    fn capture(&mut self, group: usize, span: (usize, usize)) -> Result<(), TooManySteps> {
        self.captures[group].push(span);
        self.push(Frame::Captured { group })
    }

    /// `(?<group-popped>…)`: takes the last capture of `popped` away; `group` gets what lies between the two.
    fn balance(
        &mut self,
        group: Option<usize>,
        popped: usize,
        start: usize,
        end: usize,
    ) -> Result<bool, TooManySteps> {
        let Some(old) = self.captures[popped].pop() else {
            return Ok(false);
        };
        self.push(Frame::Popped { group: popped, old })?;
        if let Some(group) = group {
            let (start, end) = (start.min(end), start.max(end));
            let between = if start >= old.1 {
                (old.1, start)
            } else if end <= old.0 {
                (end, old.0)
            } else {
                (start.max(old.0), end.min(old.1))
            };
            self.capture(group, between)?;
        }
        Ok(true)
    }

    /// Matches again what a group matched last; fails where it took no part.
    fn refer(
        &mut self,
        group: usize,
        ignore_case: bool,
        back: bool,
        position: usize,
    ) -> Result<Option<usize>, TooManySteps> {
        let Some(&(start, end)) = self.captures.get(group).and_then(|all| all.last()) else {
            return Ok(None);
        };
        let len = end - start;
        self.step(len)?;
        let from = if back {
            position.checked_sub(len)
        } else {
            Some(position)
        };
        let Some(from) = from else { return Ok(None) };
        let (Some(there), Some(wanted)) =
            (self.text.get(from..from + len), self.text.get(start..end))
        else {
            return Ok(None);
        };
        let same = there
            .iter()
            .zip(wanted)
            .all(|(&a, &b)| a == b || (ignore_case && lower(a) == lower(b)));
        Ok(same.then_some(if back { from } else { from + len }))
    }

    fn holds(&self, assertion: Assertion, position: usize) -> bool {
        let is_newline = |at: usize| self.text.get(at) == Some(&0x0A);
        let is_word = |at: Option<usize>| {
            at.and_then(|at| self.text.get(at))
                .is_some_and(|&unit| self.program.word.contains(unit))
        };
        let at_boundary = || is_word(position.checked_sub(1)) != is_word(Some(position));
        let end = self.text.len();
        match assertion {
            Assertion::Start => position == 0,
            Assertion::LineStart => position == 0 || is_newline(position - 1),
            Assertion::End => position == end,
            Assertion::EndOrLastNewline => {
                position == end || (position + 1 == end && is_newline(position))
            }
            Assertion::LineEnd => position == end || is_newline(position),
            Assertion::Boundary => at_boundary(),
            Assertion::NoBoundary => !at_boundary(),
            Assertion::Continuation => position == self.continuation,
        }
    }
}
