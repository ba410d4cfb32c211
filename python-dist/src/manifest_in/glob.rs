//! Globs, matched as the three translations of the two dialects do.
//!
//! A pattern becomes a list of tokens, matched by following all possible positions at once: time
//! grows with the length of the pattern times that of the path, whatever the pattern.
//!
//! Two differences are meant. Since Python 3.9 `fnmatch` never takes back what a `*` has matched,
//! which only shows where distutils' `[!…]` may match a `/`: here every way to match counts, as
//! before 3.9. And setuptools says nothing about `recursive-include D **` where D is no folder;
//! here that is a warning.

use super::class::Class;

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// One character except `/`.
    Any,
    /// Any number of characters except `/`.
    Star,
    /// Any number of characters, `/` too.
    Everything,
    /// Any number of folders: `(name/)*`.
    Folders,
    Class(Class),
}

/// A compiled pattern that matches whole paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    /// `fnmatch`'s, for one path component.
    pub(crate) fn component(glob: &str) -> Self {
        Self {
            tokens: fnmatch(glob, Dots::Keep),
        }
    }

    /// distutils' for a pattern that must match the whole path.
    pub(crate) fn distutils_anchored(glob: &str) -> Self {
        Self {
            tokens: fnmatch(glob, Dots::Corrupt),
        }
    }

    /// distutils' for a pattern that must match the end of the path.
    pub(crate) fn distutils_unanchored(glob: &str) -> Self {
        let mut tokens = vec![Token::Everything];
        tokens.extend(fnmatch(glob, Dots::Corrupt));
        Self { tokens }
    }

    /// distutils' for what is under a folder and ends with a pattern.
    pub(crate) fn distutils_under(folder: &str, glob: &str) -> Self {
        let mut tokens = fnmatch(folder, Dots::Corrupt);
        tokens.push(Token::Literal('/'));
        tokens.push(Token::Everything);
        tokens.extend(fnmatch(glob, Dots::Corrupt));
        Self { tokens }
    }

    /// setuptools' `translate_pattern`.
    pub(crate) fn setuptools(glob: &str) -> Self {
        let mut tokens = Vec::new();
        let chunks: Vec<&str> = glob.split('/').collect();
        for (i, chunk) in chunks.iter().enumerate() {
            let last = i + 1 == chunks.len();
            if *chunk == "**" {
                tokens.push(if last {
                    Token::Everything
                } else {
                    Token::Folders
                });
                continue;
            }
            let chars: Vec<char> = chunk.chars().collect();
            let mut at = 0;
            while at < chars.len() {
                match chars[at] {
                    '*' => tokens.push(Token::Star),
                    '?' => tokens.push(Token::Any),
                    '[' => {
                        if let Some(end) = class_end(&chars, at) {
                            tokens.push(Token::Class(Class::literal(&chars[at + 1..end])));
                            at = end;
                        } else {
                            tokens.push(Token::Literal('['));
                        }
                    }
                    c => tokens.push(Token::Literal(c)),
                }
                at += 1;
            }
            if !last {
                tokens.push(Token::Literal('/'));
            }
        }
        Self { tokens }
    }

    /// Whether the whole of `path` matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        // Literals at both ends settle most paths without a search; they match one character each,
        // so they can be taken off.
        let mut tokens = self.tokens.as_slice();
        let mut rest = path.chars();
        while let [Token::Literal(literal), tail @ ..] = tokens {
            if rest.next() != Some(*literal) {
                return false;
            }
            tokens = tail;
        }
        while let [head @ .., Token::Literal(literal)] = tokens {
            if rest.next_back() != Some(*literal) {
                return false;
            }
            tokens = head;
        }
        match tokens {
            [] => rest.as_str().is_empty(),
            [Token::Everything] => true,
            _ => search(tokens, rest.as_str()),
        }
    }
}

/// Follows every way through the tokens at once.
fn search(tokens: &[Token], text: &str) -> bool {
    let count = tokens.len();
    // `at[i]`: token i comes next. `inside[i]`: in the middle of a name that `Folders` at i is
    // eating.
    let (mut at, mut inside) = (vec![false; count + 1], vec![false; count + 1]);
    let (mut next, mut next_inside) = (at.clone(), at.clone());
    at[0] = true;
    skip_empty(tokens, &mut at);
    for c in text.chars() {
        next.fill(false);
        next_inside.fill(false);
        for (i, token) in tokens.iter().enumerate() {
            if inside[i] {
                if c == '/' {
                    next[i] = true;
                } else {
                    next_inside[i] = true;
                }
            }
            if !at[i] {
                continue;
            }
            match token {
                Token::Literal(literal) => next[i + 1] |= *literal == c,
                Token::Any => next[i + 1] |= c != '/',
                Token::Class(class) => next[i + 1] |= class.contains(c),
                Token::Star => next[i] |= c != '/',
                Token::Everything => next[i] = true,
                Token::Folders => next_inside[i] |= c != '/',
            }
        }
        core::mem::swap(&mut at, &mut next);
        core::mem::swap(&mut inside, &mut next_inside);
        skip_empty(tokens, &mut at);
    }
    at[count]
}

/// Tokens that match nothing as well can be stepped over.
fn skip_empty(tokens: &[Token], at: &mut [bool]) {
    for (i, token) in tokens.iter().enumerate() {
        if at[i] && matches!(token, Token::Star | Token::Everything | Token::Folders) {
            at[i + 1] = true;
        }
    }
}

/// Whether `fnmatch` and `glob` see a pattern rather than a name.
pub(crate) fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// What becomes of the dots in `fnmatch`'s regular expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dots {
    Keep,
    /// distutils replaces every dot that no backslash protects by `[^/]`: what it means to change
    /// are `*` and `?`, and it changes a dot inside of `[…]` as well.
    Corrupt,
}

fn fnmatch(glob: &str, dots: Dots) -> Vec<Token> {
    let chars: Vec<char> = glob.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '*' => {
                if tokens.last() != Some(&Token::Star) {
                    tokens.push(Token::Star);
                }
            }
            '?' => tokens.push(Token::Any),
            '[' => {
                if let Some(end) = class_end(&chars, at) {
                    push_class(&chars[at + 1..end], dots, &mut tokens);
                    at = end;
                } else {
                    tokens.push(Token::Literal('['));
                }
            }
            c => tokens.push(Token::Literal(c)),
        }
        at += 1;
    }
    tokens
}

fn push_class(inside: &[char], dots: Dots, tokens: &mut Vec<Token>) {
    let class = Class::fnmatch(inside);
    if class.negated && class.ranges.is_empty() {
        // `fnmatch` writes this one as a dot.
        tokens.push(if dots == Dots::Corrupt {
            Token::Any
        } else {
            Token::Class(class)
        });
        return;
    }
    let Some(dot) = inside
        .iter()
        .position(|c| *c == '.')
        .filter(|_| dots == Dots::Corrupt)
    else {
        tokens.push(Token::Class(class));
        return;
    };
    // `[a.b]` has become `[a[^/]b]`: the class `[a[^/]`, then `b]` letter by letter.
    let mut head = inside[..dot].to_vec();
    head.extend(['[', '^', '/']);
    tokens.push(Token::Class(Class::fnmatch(&head)));
    for c in &inside[dot + 1..] {
        tokens.push(if *c == '.' {
            Token::Any
        } else {
            Token::Literal(*c)
        });
    }
    tokens.push(Token::Literal(']'));
}

/// The index of the `]` that closes the class opened at `open`.
fn class_end(chars: &[char], open: usize) -> Option<usize> {
    let mut at = open + 1;
    if chars.get(at) == Some(&'!') {
        at += 1;
    }
    if chars.get(at) == Some(&']') {
        at += 1;
    }
    chars
        .get(at..)?
        .iter()
        .position(|c| *c == ']')
        .map(|found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &Pattern, matching: &[&str], others: &[&str]) {
        for path in matching {
            assert!(pattern.matches(path), "{path}: {pattern:?}");
        }
        for path in others {
            assert!(!pattern.matches(path), "{path}: {pattern:?}");
        }
    }

    #[test]
    fn distutils_globs() {
        check(
            &Pattern::distutils_anchored("*.py"),
            &["a.py", ".py"],
            &["d/a.py", "a.pyc", "a.py/"],
        );
        check(
            &Pattern::distutils_anchored("d/*/x?"),
            &["d/e/xy", "d//xy"],
            &["d/xy", "d/e/x/", "d/e/f/xy"],
        );
        check(
            &Pattern::distutils_anchored("a**b"),
            &["ab", "axb"],
            &["a/b"],
        );
        check(
            &Pattern::distutils_unanchored("one"),
            &["one", "graft-one", "d/one"],
            &["ones"],
        );
        check(
            &Pattern::distutils_under("f", "f.oo"),
            &["f/f.oo", "f/xf.oo", "f/d/f.oo"],
            &["f.oo", "g/f.oo"],
        );
        check(
            &Pattern::distutils_under("f*", ""),
            &["f/x", "foo/", "foo/a/b"],
            &["f", "a/f/x"],
        );
        check(
            &Pattern::distutils_anchored("[!a]b"),
            &["xb", "/b"],
            &["ab"],
        );
        check(
            &Pattern::distutils_anchored("[b.txt"),
            &["[b.txt"],
            &["b.txt"],
        );
    }

    #[test]
    fn distutils_spoils_a_dot_in_a_class() {
        check(
            &Pattern::distutils_anchored("a[.]b"),
            &["a^]b", "a[]b", "a/]b"],
            &["a.b"],
        );
        check(
            &Pattern::distutils_anchored("[._]x"),
            &["[_]x"],
            &[".x", "_x"],
        );
        check(&Pattern::component("a[.]b"), &["a.b"], &["a^]b"]);
    }

    #[test]
    fn setuptools_globs() {
        check(
            &Pattern::setuptools("**/*.txt"),
            &["a.txt", "d/a.txt", "d/e/a.txt", ".txt"],
            &["/a.txt", "a.txts"],
        );
        check(
            &Pattern::setuptools("d/**"),
            &["d/", "d/a", "d/e/a"],
            &["d", "e/d/a"],
        );
        check(
            &Pattern::setuptools("a/**/c"),
            &["a/c", "a/b/c", "a/b/b/c"],
            &["a//c", "ac"],
        );
        check(&Pattern::setuptools("a**b"), &["ab", "axb"], &["a/b"]);
        check(&Pattern::setuptools("[a-c]"), &["a", "-", "c"], &["b"]);
        check(&Pattern::setuptools("[!a]"), &["b", "/"], &["a"]);
        check(&Pattern::setuptools("[a"), &["[a"], &["a"]);
        check(&Pattern::setuptools("a."), &["a."], &["ab"]);
    }

    #[test]
    fn time_stays_linear_in_the_path() {
        let pattern = Pattern::distutils_anchored(&"*a".repeat(60));
        assert!(!pattern.matches(&"a".repeat(59)));
        assert!(pattern.matches(&"a".repeat(4000)));
    }
}
