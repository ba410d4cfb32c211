//! Windows variables in text: `%VAR%`, `$VAR` and `${VAR}`.
//!
//! Follows `ntpath.expandvars` of CPython 3.9 to 3.13, which is what `os.path.expandvars` is on
//! Windows, so that a template means the same on every system. Its rules, including the ones that
//! surprise:
//! - `%%` is `%`, `$$` is `$`;
//! - nothing is expanded between single quotes, and they stay;
//! - after a `%`, `${` or `'` that is not closed, the rest stays as it is;
//! - the name in `$VAR` is made of ASCII letters, digits, `_` and `-`;
//! - a variable that is not defined stays as it is written;
//! - a value is not expanded again.

use core::fmt;

use spanned_xml::Span;

/// A variable that is not defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndefinedVariable {
    /// Its name.
    pub name: String,
    /// Where it is written, from its `%` or `$` to its end, as byte offsets into the text.
    pub span: Span,
}

impl fmt::Display for UndefinedVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not defined", self.name)
    }
}

/// Expands the variables that `lookup` knows; the others stay as they are written.
///
/// Windows takes `PATH` and `Path` for the same variable: that is for `lookup` to decide.
///
/// ```
/// let lookup = |name: &str| (name == "NAME").then(|| "sample".to_owned());
/// assert_eq!(python_dist::expandvars("%NAME%, $NAME, ${NAME}s, '%NAME%', 100%%, %OTHER%", lookup),
///     "sample, sample, samples, '%NAME%', 100%, %OTHER%");
/// ```
#[must_use]
pub fn expandvars(text: &str, lookup: impl FnMut(&str) -> Option<String>) -> String {
    expandvars_reporting(text, lookup).0
}

/// Like [`expandvars`], with the variables that `lookup` did not know, in their order.
///
/// ```
/// let (text, undefined) = python_dist::expandvars_reporting("a %B% c", |_| None);
/// assert_eq!(text, "a %B% c");
/// assert_eq!((undefined[0].name.as_str(), undefined[0].span.range()), ("B", 2..5));
/// ```
#[must_use]
pub fn expandvars_reporting(
    text: &str,
    mut lookup: impl FnMut(&str) -> Option<String>,
) -> (String, Vec<UndefinedVariable>) {
    let mut expanded = String::with_capacity(text.len());
    let mut undefined = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(['\'', '%', '$']) {
        let start = at + found;
        expanded.push_str(&text[at..start]);
        let rest = &text[start..];
        let (name, end) = match piece(rest) {
            Piece::Literal { written, len } => {
                expanded.push_str(written);
                at = start + len;
                continue;
            }
            Piece::Variable { name, len } => (name, start + len),
        };
        match lookup(name) {
            Some(value) => expanded.push_str(&value),
            None => {
                expanded.push_str(&text[start..end]);
                undefined.push(UndefinedVariable {
                    name: name.to_owned(),
                    span: Span::new(start, end),
                });
            }
        }
        at = end;
    }
    expanded.push_str(&text[at..]);
    (expanded, undefined)
}

/// What a text that begins with `'`, `%` or `$` begins with.
enum Piece<'t> {
    /// `len` octets that become `written`.
    Literal { written: &'t str, len: usize },
    /// A variable, `len` octets long with its signs.
    Variable { name: &'t str, len: usize },
}

fn piece(text: &str) -> Piece<'_> {
    let verbatim = |len: usize| Piece::Literal {
        written: &text[..len],
        len,
    };
    // All the signs are ASCII, so these offsets are on character boundaries.
    if let Some(quoted) = text.strip_prefix('\'') {
        return verbatim(quoted.find('\'').map_or(text.len(), |end| end + 2));
    }
    if let Some(rest) = text.strip_prefix('%') {
        return match rest.find('%') {
            Some(0) => Piece::Literal {
                written: "%",
                len: 2,
            },
            Some(end) => Piece::Variable {
                name: &rest[..end],
                len: end + 2,
            },
            None => verbatim(text.len()),
        };
    }
    let rest = text.strip_prefix('$').unwrap_or(text);
    if rest.starts_with('$') {
        return Piece::Literal {
            written: "$",
            len: 2,
        };
    }
    if let Some(braced) = rest.strip_prefix('{') {
        return match braced.find('}') {
            Some(end) => Piece::Variable {
                name: &braced[..end],
                len: end + 3,
            },
            None => verbatim(text.len()),
        };
    }
    match rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .unwrap_or(rest.len())
    {
        0 => verbatim(1),
        end => Piece::Variable {
            name: &rest[..end],
            len: end + 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ntpath.expandvars` answers in CPython 3.9, 3.11, 3.12 and 3.13, with the variables of
    /// [`lookup`] as the whole environment.
    const ANSWERS: &[(&str, &str)] = &[
        ("", ""),
        ("plain", "plain"),
        ("foo", "foo"),
        ("$foo bar", "bar bar"),
        ("${foo}bar", "barbar"),
        ("$[foo]bar", "$[foo]bar"),
        ("$bar bar", "$bar bar"),
        ("$?bar", "$?bar"),
        ("$foo}bar", "bar}bar"),
        ("${foo", "${foo"),
        ("${{foo}}", "baz1}"),
        ("$foo$foo", "barbar"),
        ("$bar$bar", "$bar$bar"),
        ("%foo% bar", "bar bar"),
        ("%foo%bar", "barbar"),
        ("%foo%%foo%", "barbar"),
        ("%%foo%%foo%foo%", "%foo%foobar"),
        ("%?bar%", "%?bar%"),
        ("%foo%%bar", "bar%bar"),
        ("%%%foo%", "%bar"),
        ("%%%%", "%%"),
        ("%%", "%"),
        ("%", "%"),
        ("%foo", "%foo"),
        ("a%foo", "a%foo"),
        ("%%foo", "%foo"),
        ("'%foo%'%foo%", "'%foo%'bar"),
        ("'%foo% $foo", "'%foo% $foo"),
        ("'", "'"),
        ("''", "''"),
        ("a'b'c'%foo%", "a'b'c'%foo%"),
        ("it's %foo%", "it's %foo%"),
        ("it's $foo's %foo%", "it's $foo's bar"),
        ("$$", "$"),
        ("$$foo", "$foo"),
        ("$$$foo", "$bar"),
        ("$", "$"),
        ("a$", "a$"),
        ("$ foo", "$ foo"),
        ("$-", "$-"),
        ("$a-b c", "dash c"),
        ("$foo-bar", "$foo-bar"),
        ("$foo_bar", "$foo_bar"),
        ("$foo.bar", "bar.bar"),
        ("$n1x", "$n1x"),
        ("${}", "${}"),
        ("%E%|", "|"),
        ("$E|", "|"),
        ("${E}|", "|"),
        ("%P%", "%foo%"),
        ("$P", "%foo%"),
        ("%é%", "acute"),
        ("$é", "$é"),
        ("${é}", "acute"),
        ("$fooé", "baré"),
        ("é%foo%é$foo", "ébarébar"),
        ("%with space%", "ws"),
        ("${with space}", "ws"),
        ("%FOO%", "%FOO%"),
        ("%foo%'x%foo%'$foo", "bar'x%foo%'bar"),
        ("%unknown%$foo%foo%", "%unknown%barbar"),
        ("%unknown $foo", "%unknown $foo"),
        ("100% of %foo%", "100% of %foo%"),
        ("C:\\%foo%\\$foo\\x", "C:\\bar\\bar\\x"),
        ("${foo%foo%}", "${foo%foo%}"),
        ("%$foo%", "%$foo%"),
        ("%'foo'%", "%'foo'%"),
        ("$'foo'", "$'foo'"),
        ("日本%foo%語$foo語", "日本bar語bar語"),
    ];

    fn lookup(name: &str) -> Option<String> {
        let value = match name {
            "foo" => "bar",
            "{foo" => "baz1",
            "{foo}" => "baz2",
            "a-b" => "dash",
            "E" => "",
            "P" => "%foo%",
            "é" => "acute",
            "n1" => "one",
            "with space" => "ws",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn answers_as_cpython_does() {
        for (text, expected) in ANSWERS {
            assert_eq!(expandvars(text, lookup), *expected, "{text:?}");
        }
    }

    #[test]
    fn undefined_variables_have_their_places() {
        let text = "é %A% $foo ${B} $C-d '%E%' %% %foo%";
        let (_, undefined) = expandvars_reporting(text, lookup);
        let found: Vec<_> = undefined
            .iter()
            .map(|variable| (variable.name.as_str(), &text[variable.span.range()]))
            .collect();
        assert_eq!(found, [("A", "%A%"), ("B", "${B}"), ("C-d", "$C-d")]);
        assert_eq!(undefined[0].to_string(), "`A` is not defined");
    }
}
