//! Character classes of globs: `[…]` and `[!…]`.

/// A set of characters, or all but them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) negated: bool,
    /// Inclusive ranges; a single character is a range of one.
    pub(crate) ranges: Vec<(char, char)>,
}

impl Class {
    pub(crate) fn contains(&self, c: char) -> bool {
        self.ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&c))
            != self.negated
    }

    /// setuptools' own translation, used for everything but `include`, `recursive-include` and
    /// `graft`: `-` is a character like any other.
    pub(crate) fn literal(inside: &[char]) -> Self {
        let (negated, members) = match inside {
            ['!', members @ ..] => (true, members),
            members => (false, members),
        };
        Self {
            negated,
            ranges: members.iter().map(|c| (*c, *c)).collect(),
        }
    }

    /// `fnmatch`'s reading: `a-z` is a range, except that a range whose ends are in the wrong order
    /// is left out.
    pub(crate) fn fnmatch(inside: &[char]) -> Self {
        let (negated, members) = match inside {
            ['!', members @ ..] => (true, members),
            members => (false, members),
        };
        let mut chunks = hyphen_chunks(members);
        // From the right, as `fnmatch` does: a range that is taken out joins its neighbours.
        for k in (1..chunks.len()).rev() {
            if let (Some(low), Some(high)) =
                (chunks[k - 1].last().copied(), chunks[k].first().copied())
                && low > high
            {
                let joined = chunks.remove(k);
                chunks[k - 1].pop();
                chunks[k - 1].extend_from_slice(&joined[1..]);
            }
        }
        let mut ranges: Vec<(char, char)> = Vec::new();
        let mut low = None;
        for (k, chunk) in chunks.iter().enumerate() {
            let mut rest = chunk.as_slice();
            if let (Some(start), [high, tail @ ..]) = (low, rest) {
                ranges.push((start, *high));
                rest = tail;
            }
            low = None;
            if k + 1 < chunks.len() {
                if let [head @ .., last] = rest {
                    low = Some(*last);
                    rest = head;
                } else {
                    // Nothing before the hyphen: it stands for itself.
                    ranges.push(('-', '-'));
                }
            }
            ranges.extend(rest.iter().map(|c| (*c, *c)));
        }
        Self { negated, ranges }
    }
}

/// Splits at the hyphens that make ranges: not at the first character, and not right after a range.
fn hyphen_chunks(members: &[char]) -> Vec<Vec<char>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut from = 1;
    while let Some(found) = members
        .get(from..)
        .and_then(|rest| rest.iter().position(|c| *c == '-'))
    {
        let hyphen = from + found;
        chunks.push(members[start..hyphen].to_vec());
        start = hyphen + 1;
        from = hyphen + 3;
    }
    let last = &members[start.min(members.len())..];
    match chunks.last_mut() {
        Some(previous) if last.is_empty() => previous.push('-'),
        _ => chunks.push(last.to_vec()),
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inside: &str, members: &str, others: &str) {
        let class = Class::fnmatch(&inside.chars().collect::<Vec<_>>());
        for c in members.chars() {
            assert!(class.contains(c), "[{inside}] {c}: {class:?}");
        }
        for c in others.chars() {
            assert!(!class.contains(c), "[{inside}] {c}: {class:?}");
        }
    }

    #[test]
    fn fnmatch_classes() {
        check("abc", "abc", "d-");
        check("a-c", "abc", "d-");
        check("!a-c", "d-", "abc");
        check("a-", "a-", "b");
        check("-a", "a-", "b");
        check("a-c-e", "abc-e", "d");
        check("z-a", "", "az-m");
        check("!z-a", "az-m", "");
        check("z-a-c", "-c", "abz");
        check("]x", "]x", "[");
        check("!-", "a", "-");
    }
}
