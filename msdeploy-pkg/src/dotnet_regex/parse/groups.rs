//! The groups of a pattern and their numbers.
//!
//! *Grouping constructs in regular expressions*, "Named matched subexpressions"
//! <https://learn.microsoft.com/dotnet/standard/base-types/grouping-constructs-in-regular-expressions>: groups without a name
//! are numbered first, from the left, and then those with one.

use std::collections::{BTreeMap, BTreeSet};

/// The groups that capture: 0 is the whole match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    numbers: BTreeSet<usize>,
    names: BTreeMap<String, usize>,
}

impl Groups {
    pub(crate) fn has(&self, number: usize) -> bool {
        number == 0 || self.numbers.contains(&number)
    }

    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The highest number.
    pub(crate) fn last(&self) -> usize {
        self.numbers.last().copied().unwrap_or(0)
    }
}

/// Groups as they are found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) unnamed: usize,
    pub(crate) numbers: BTreeSet<usize>,
    pub(crate) names: Vec<String>,
}

impl Found {
    pub(crate) fn groups(&self) -> Groups {
        let mut groups = Groups {
            numbers: self.numbers.clone(),
            names: BTreeMap::new(),
        };
        groups.numbers.extend(1..=self.unnamed);
        let mut next = 1;
        for name in &self.names {
            if groups.names.contains_key(name) {
                continue;
            }
            while groups.numbers.contains(&next) {
                next += 1;
            }
            groups.numbers.insert(next);
            groups.names.insert(name.clone(), next);
        }
        groups
    }
}
