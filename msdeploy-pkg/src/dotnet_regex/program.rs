//! A pattern as a program for the engine with backtracking.

use super::char_set::{CharSet, boundary_word};
use super::node::{Assertion, Node};

/// A compiled program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) sets: Vec<CharSet>,
    /// Groups, with that of the whole match.
    pub(crate) groups: usize,
    pub(crate) marks: usize,
    pub(crate) loops: usize,
    /// What `\b` takes for part of a word, where the pattern has one.
    pub(crate) word: CharSet,
}

#[derive(Clone, Debug)]
pub(crate) enum Instruction {
    Set {
        set: usize,
        back: bool,
    },
    /// A loop over one unit.
    SetLoop {
        set: usize,
        least: usize,
        most: usize,
        lazy: bool,
        back: bool,
    },
    Assertion(Assertion),
    /// Goes on at the first, later at the second.
    Split(usize, usize),
    Jump(usize),
    Mark(usize),
    Capture {
        group: usize,
        mark: usize,
    },
    Balance {
        group: Option<usize>,
        popped: usize,
        mark: usize,
    },
    Reference {
        group: usize,
        ignore_case: bool,
        back: bool,
    },
    /// What follows up to `Accept` matches here, or does not; goes on at `next` from the same position.
    Look {
        negative: bool,
        next: usize,
    },
    /// What follows up to `Accept` matches; goes on at `next` from where it ends.
    Atomic {
        next: usize,
    },
    IfGroup {
        group: usize,
        no: usize,
    },
    IfMatch {
        yes: usize,
        no: usize,
    },
    LoopStart(usize),
    Loop {
        number: usize,
        least: u32,
        most: Option<u32>,
        lazy: bool,
        next: usize,
    },
    /// The next round begins.
    LoopRound(usize),
    Accept,
}

impl Program {
    pub(crate) fn new(node: &Node, last_group: usize) -> Self {
        let mut program = Self {
            instructions: Vec::new(),
            sets: Vec::new(),
            groups: last_group + 1,
            marks: 0,
            loops: 0,
            word: CharSet::default(),
        };
        program.compile(node, false);
        program.emit(Instruction::Accept);
        program
    }

    fn emit(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }

    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn set(&mut self, set: &CharSet) -> usize {
        self.sets.push(set.clone());
        self.sets.len() - 1
    }

    /// `back` is inside of a look-behind: from right to left.
    fn compile(&mut self, node: &Node, back: bool) {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                let set = self.set(set);
                self.emit(Instruction::Set { set, back });
            }
            Node::Assertion(assertion) => {
                if matches!(assertion, Assertion::Boundary | Assertion::NoBoundary)
                    && self.word == CharSet::default()
                {
                    self.word = boundary_word();
                }
                self.emit(Instruction::Assertion(*assertion));
            }
            Node::Concatenation(parts) if back => {
                parts.iter().rev().for_each(|part| self.compile(part, back));
            }
            Node::Concatenation(parts) => parts.iter().for_each(|part| self.compile(part, back)),
            Node::Alternation(choices) => self.alternation(choices, back),
            Node::Loop {
                body,
                least,
                most,
                lazy,
            } => self.repeat(body, (*least, *most), *lazy, back),
            Node::Capture { group, body } => {
                let mark = self.marked(body, back);
                self.emit(Instruction::Capture {
                    group: *group,
                    mark,
                });
            }
            Node::Balance {
                group,
                popped,
                body,
            } => {
                let mark = self.marked(body, back);
                self.emit(Instruction::Balance {
                    group: *group,
                    popped: *popped,
                    mark,
                });
            }
            Node::Look {
                behind,
                negative,
                body,
            } => {
                let at = self.emit(Instruction::Accept);
                self.compile(body, *behind);
                self.emit(Instruction::Accept);
                self.instructions[at] = Instruction::Look {
                    negative: *negative,
                    next: self.here(),
                };
            }
            Node::Atomic(body) => {
                let at = self.emit(Instruction::Accept);
                self.compile(body, back);
                self.emit(Instruction::Accept);
                self.instructions[at] = Instruction::Atomic { next: self.here() };
            }
            Node::Reference { group, ignore_case } => {
                self.emit(Instruction::Reference {
                    group: *group,
                    ignore_case: *ignore_case,
                    back,
                });
            }
            Node::IfGroup { group, yes, no } => {
                let at = self.emit(Instruction::Accept);
                self.compile(yes, back);
                let no = self.other_choice(no, back);
                self.instructions[at] = Instruction::IfGroup { group: *group, no };
            }
            Node::IfMatch { condition, yes, no } => {
                let at = self.emit(Instruction::Accept);
                self.compile(condition, false);
                self.emit(Instruction::Accept);
                let yes_at = self.here();
                self.compile(yes, back);
                let no = self.other_choice(no, back);
                self.instructions[at] = Instruction::IfMatch { yes: yes_at, no };
            }
        }
    }

    /// After a first choice: the second one, which the first jumps over. Where it begins.
    fn other_choice(&mut self, no: &Node, back: bool) -> usize {
        let jump = self.emit(Instruction::Accept);
        let at = self.here();
        self.compile(no, back);
        self.instructions[jump] = Instruction::Jump(self.here());
        at
    }

    fn alternation(&mut self, choices: &[Node], back: bool) {
        let mut jumps = Vec::new();
        for (i, choice) in choices.iter().enumerate() {
            if i + 1 == choices.len() {
                self.compile(choice, back);
                break;
            }
            let split = self.emit(Instruction::Accept);
            self.compile(choice, back);
            jumps.push(self.emit(Instruction::Accept));
            self.instructions[split] = Instruction::Split(split + 1, self.here());
        }
        for jump in jumps {
            self.instructions[jump] = Instruction::Jump(self.here());
        }
    }

    fn repeat(&mut self, body: &Node, (least, most): (u32, Option<u32>), lazy: bool, back: bool) {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        if let Node::Set(set) = body {
            let set = self.set(set);
            self.emit(Instruction::SetLoop {
                set,
                least: count(least),
                most: most.map_or(usize::MAX, count),
                lazy,
                back,
            });
            return;
        }
        let number = self.loops;
        self.loops += 1;
        self.emit(Instruction::LoopStart(number));
        let at = self.emit(Instruction::Accept);
        self.emit(Instruction::LoopRound(number));
        self.compile(body, back);
        self.emit(Instruction::Jump(at));
        self.instructions[at] = Instruction::Loop {
            number,
            least,
            most,
            lazy,
            next: self.here(),
        };
    }

    /// A group's body after a mark of where it begins.
    fn marked(&mut self, body: &Node, back: bool) -> usize {
        let mark = self.marks;
        self.marks += 1;
        self.emit(Instruction::Mark(mark));
        self.compile(body, back);
        mark
    }
}
