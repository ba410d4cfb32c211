//! Logical lines: comments taken off, blank lines skipped, continued lines joined; each character
//! keeps its place.
//!
//! Follows distutils' `TextFile` with `strip_comments`, `skip_blanks`, `join_lines`, `lstrip_ws`,
//! `rstrip_ws` and `collapse_join`.

use spanned_xml::{Problem, Span};

/// A word of a line, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A character of the text and its byte offset.
type Placed = (char, usize);

/// The words of each logical line. A line joined of several runs from its first word to its last.
pub(crate) fn logical_lines(text: &str, problems: &mut Vec<Problem>) -> Vec<Vec<Word>> {
    let mut lines = Vec::new();
    let mut joined: Vec<Placed> = Vec::new();
    let mut backslash = 0;
    for (offset, physical) in physical_lines(text) {
        let Some(line) = without_comment(offset, physical) else {
            continue;
        };
        // A backslash alone on a line joins nothing, so an empty `joined` means that no line is
        // being continued.
        let mut line = if joined.is_empty() {
            line
        } else {
            let mut whole = core::mem::take(&mut joined);
            whole.extend(line.into_iter().skip_while(|(c, _)| is_space(*c)));
            whole
        };
        strip(&mut line);
        match line.last() {
            None => {}
            Some(&('\\', offset)) => {
                line.pop();
                backslash = offset;
                joined = line;
            }
            Some(_) => lines.push(words(&line)),
        }
    }
    if !joined.is_empty() {
        let span = Span::new(backslash, backslash + 1);
        problems.push(
            Problem::error(
                "manifest-in-continuation",
                "continuation line immediately precedes end-of-file",
            )
            .at(span)
            .help("remove the backslash"),
        );
        lines.push(words(&joined));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// The lines with the offset of each, without their ends: LF, CR LF or CR.
fn physical_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    let mut offset = 0;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        let next = tail
            .strip_prefix("\r\n")
            .or_else(|| tail.strip_prefix(['\n', '\r']))
            .unwrap_or(tail);
        let start = offset;
        offset += rest.len() - next.len();
        rest = next;
        Some((start, line))
    })
}

/// The line without its comment; nothing where there is only a comment. `\#` is a `#`.
fn without_comment(offset: usize, line: &str) -> Option<Vec<Placed>> {
    let placed =
        |text: &str| -> Vec<Placed> { text.char_indices().map(|(i, c)| (c, offset + i)).collect() };
    match line.find('#') {
        None => Some(placed(line)),
        Some(at) if line[..at].ends_with('\\') => {
            // Once the first `#` is escaped, a later bare `#` is not a comment either.
            let mut unescaped: Vec<Placed> = Vec::with_capacity(line.len());
            for (c, place) in placed(line) {
                match unescaped.last_mut() {
                    Some(last) if c == '#' && last.0 == '\\' => *last = ('#', place),
                    _ => unescaped.push((c, place)),
                }
            }
            Some(unescaped)
        }
        Some(at) => {
            let kept = placed(&line[..at]);
            kept.iter().any(|(c, _)| !is_space(*c)).then_some(kept)
        }
    }
}

fn strip(line: &mut Vec<Placed>) {
    while line.last().is_some_and(|(c, _)| is_space(*c)) {
        line.pop();
    }
    let blanks = line.iter().take_while(|(c, _)| is_space(*c)).count();
    line.drain(..blanks);
}

fn words(line: &[Placed]) -> Vec<Word> {
    line.split(|(c, _)| is_space(*c))
        .filter_map(|word| {
            let (first, last) = (word.first()?, word.last()?);
            let text = word.iter().map(|(c, _)| *c).collect();
            Some(Word {
                text,
                span: Span::new(first.1, last.1 + last.0.len_utf8()),
            })
        })
        .collect()
}

/// Blanks as Python's `str.split` sees them: Unicode white space and the four ASCII separators.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&[&str]]) {
        let mut problems = Vec::new();
        let lines = logical_lines(text, &mut problems);
        let found: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| line.iter().map(|word| word.text.as_str()).collect())
            .collect();
        assert_eq!(found, expected, "{text:?}");
        assert!(problems.is_empty(), "{problems:?}");
        for word in lines
            .iter()
            .flatten()
            .filter(|word| !text.contains('\\') && !word.text.is_empty())
        {
            assert_eq!(&text[word.span.range()], word.text);
        }
    }

    #[test]
    fn lines() {
        check("", &[]);
        check("a b\nc", &[&["a", "b"], &["c"]]);
        check("a\r\nb\rc\n", &[&["a"], &["b"], &["c"]]);
        check("  a\t b \u{1c} c\u{a0}d ", &[&["a", "b", "c", "d"]]);
        check("# only\n  # only\na # and\n", &[&["a"]]);
        check("a \\#b\\#c #d", &[&["a", "#b#c", "#d"]]);
        check("a \\\n  b", &[&["a", "b"]]);
        check("a\\\n  b", &[&["ab"]]);
        check("a \\\n # note\n b", &[&["a", "b"]]);
        check("a \\\n\nb", &[&["a"], &["b"]]);
        check("\\\nb", &[&["b"]]);
        check("a \\ # note\nb", &[&["a", "b"]]);
        check("café é", &[&["café", "é"]]);
    }

    #[test]
    fn a_backslash_at_the_end_is_reported_and_the_line_is_kept() {
        let mut problems = Vec::new();
        let lines = logical_lines("include a.py\\\n", &mut problems);
        assert_eq!(lines[0][1].text, "a.py");
        assert_eq!(problems[0].span, Some(Span::new(12, 13)));
    }
}
