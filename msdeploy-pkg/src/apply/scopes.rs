//! Which entries concern a file, told by its path alone, so that other files are never read.

use regex::RegexSet;

use crate::dotnet_regex::{Pattern, PatternFault};

/// The scopes of all entries that edit files, as one set.
///
/// Web Deploy matches a scope against the path of the file on Windows. Here the path below the root of the content is
/// matched with and without a separator before it; with backslashes, or with forward slashes where the scope is written with
/// those and has no literal backslash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scopes {
    with_backslashes: Side,
    with_slashes: Side,
}

#[derive(Clone, Debug, Default)]
struct Side {
    /// Patterns that one automaton can search for at once in text of ASCII, each with its entry.
    set: Option<RegexSet>,
    in_set: Vec<(usize, Pattern)>,
    /// The others.
    single: Vec<(usize, Pattern)>,
}

impl Scopes {
    /// `scopes` are the entries' numbers, in order, and scopes.
    pub(crate) fn new<'p>(scopes: impl Iterator<Item = (usize, &'p Pattern)>) -> Self {
        let (mut backslashes, mut slashes) = (Vec::new(), Vec::new());
        for (entry, pattern) in scopes {
            if pattern.is_written_with_slashes() {
                &mut slashes
            } else {
                &mut backslashes
            }
            .push((entry, pattern));
        }
        Self {
            with_backslashes: Side::new(&backslashes),
            with_slashes: Side::new(&slashes),
        }
    }

    /// The entries whose scope matches the path, in order, or the fault of a scope that cannot be used with its entry.
    /// `path` has forward slashes.
    pub(crate) fn matching(&self, path: &str) -> Result<Vec<usize>, (usize, PatternFault)> {
        let mut found = Vec::new();
        self.with_slashes.matching(path, '/', &mut found)?;
        let backslashes = path.replace('/', "\\");
        self.with_backslashes
            .matching(&backslashes, '\\', &mut found)?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Whether one scope matches a path with forward slashes.
pub(crate) fn scope_matches(scope: &Pattern, path: &str) -> Result<bool, PatternFault> {
    let (path, separator) = if scope.is_written_with_slashes() {
        (path.to_owned(), '/')
    } else {
        (path.replace('/', "\\"), '\\')
    };
    Ok(scope.is_match(&format!("{separator}{path}"))? || scope.is_match(&path)?)
}

impl Side {
    fn new(patterns: &[(usize, &Pattern)]) -> Self {
        let (in_set, single): (Vec<_>, Vec<_>) = patterns
            .iter()
            .map(|&(entry, pattern)| (entry, pattern.clone()))
            .partition(|(_, pattern)| pattern.in_a_set().is_some());
        let texts = in_set.iter().filter_map(|(_, pattern)| pattern.in_a_set());
        Self {
            // A set that would be too large is searched one by one.
            set: RegexSet::new(texts).ok(),
            in_set,
            single,
        }
    }

    fn matching(
        &self,
        path: &str,
        separator: char,
        found: &mut Vec<usize>,
    ) -> Result<(), (usize, PatternFault)> {
        let one_by_one = |patterns: &[(usize, Pattern)], text: &str, found: &mut Vec<usize>| {
            for (entry, pattern) in patterns {
                if pattern.is_match(text).map_err(|fault| (*entry, fault))? {
                    found.push(*entry);
                }
            }
            Ok(())
        };
        let plain = path.is_ascii() && !path.ends_with('\n');
        for text in [&format!("{separator}{path}"), path] {
            match self.set.as_ref().filter(|_| plain) {
                Some(set) => found.extend(set.matches(text).iter().map(|at| self.in_set[at].0)),
                None => one_by_one(&self.in_set, text, found)?,
            }
            one_by_one(&self.single, text, found)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_set_says_what_each_pattern_says() {
        let patterns: Vec<Pattern> = [
            r"\\web\.config$",
            "/web.config$",
            "^App/web",
            r"^App\\web",
            r"\.config$",
            "(?<=b)/x",
            r"[^\\]*\.py$",
            "",
        ]
        .into_iter()
        .map(Pattern::new)
        .collect();
        let scopes = Scopes::new(patterns.iter().enumerate());
        for (path, expected) in [
            ("App/web.config", vec![0, 1, 2, 3, 4, 7]),
            ("web.config", vec![0, 1, 4, 7]),
            ("b/x", vec![5, 7]),
            ("a/b.py", vec![6, 7]),
            ("a/ü.py", vec![6, 7]),
            ("😀/web.config", vec![0, 1, 4, 7]),
        ] {
            let one_by_one: Vec<usize> = (0..patterns.len())
                .filter(|&at| scope_matches(&patterns[at], path).unwrap())
                .collect();
            assert_eq!(one_by_one, expected, "{path}");
            assert_eq!(scopes.matching(path), Ok(expected), "{path}");
        }
    }
}
