//! setup.py: the modules and files that it names in plain words.
//!
//! A setup.py is a program, and only Python can say what it does. Most name their packages as literals all the same, and
//! those are read here: `packages`, `py_modules`, `package_dir`, `package_data`, `data_files` and `scripts` of the call of
//! `setup`, and `find_packages` with literal arguments. Everything else is left to whoever runs it: a value that is
//! computed counts as not known.

use std::collections::BTreeMap;

use crate::Settings;
use crate::data_files::DataFiles;
use crate::modules::{Modules, Packages};

/// What a setup.py says of the project's modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetupPy {
    /// The modules, as far as they are literals.
    pub modules: Modules,
    /// The keywords of `setup` whose values are computed, of those that matter here.
    pub computed: Vec<String>,
    /// Whether it names packages or modules, in literals or not.
    pub names_modules: bool,
    /// Whether it needs iiswsgi to run: it imports it, or gives `setup` keywords of it.
    pub needs_iiswsgi: bool,
}

/// The keywords of `setup` that name files.
const KEYWORDS: [&str; 6] = [
    "packages",
    "py_modules",
    "package_dir",
    "package_data",
    "data_files",
    "scripts",
];

impl SetupPy {
    /// Reads the literals. Never fails: what cannot be read is not known.
    ///
    /// ```
    /// use python_dist::{Packages, SetupPy};
    ///
    /// let setup_py = SetupPy::parse("from distutils.core import setup\nsetup(name='a', packages=['a', 'a.b'], scripts=GLOB)\n");
    /// assert_eq!(setup_py.modules.packages, Packages::List(vec!["a".to_owned(), "a.b".to_owned()]));
    /// assert_eq!(setup_py.computed, ["scripts"]);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let tokens = tokens(text);
        let mut setup_py = Self {
            modules: Modules::none(),
            ..Self::default()
        };
        setup_py.needs_iiswsgi = tokens.iter().any(|token| token.is_name("iiswsgi"));
        for (keyword, value) in arguments_of(&tokens, "setup") {
            setup_py.needs_iiswsgi |=
                keyword.is_some_and(|keyword| Settings::SETUP_KEYWORDS.contains(&keyword));
            let Some(keyword) = keyword.filter(|keyword| KEYWORDS.contains(keyword)) else {
                continue;
            };
            setup_py.names_modules |= matches!(keyword, "packages" | "py_modules");
            if setup_py.take(keyword, value).is_none() {
                setup_py.computed.push(keyword.to_owned());
            }
        }
        setup_py
    }

    /// Takes a keyword's value; nothing where it is computed.
    fn take(&mut self, keyword: &str, value: &[Token]) -> Option<()> {
        let modules = &mut self.modules;
        let data: &mut DataFiles = &mut modules.data;
        match keyword {
            "packages" => modules.packages = packages(value)?,
            "py_modules" => modules.py_modules = Some(Literal::parse(value)?.strings()?),
            "scripts" => data.scripts = Literal::parse(value)?.strings()?,
            "package_dir" => {
                modules.package_dir = Literal::parse(value)?
                    .dictionary()?
                    .into_iter()
                    .map(|(package, folder)| Some((package, folder.string()?)))
                    .collect::<Option<_>>()?;
            }
            "package_data" => {
                data.package_data = Literal::parse(value)?
                    .dictionary()?
                    .into_iter()
                    .map(|(package, patterns)| Some((package, patterns.strings()?)))
                    .collect::<Option<_>>()?;
            }
            _ => {
                for item in Literal::parse(value)?.items()? {
                    data.data_files.extend(match item {
                        Literal::Text(file) => vec![file],
                        // The folder that the files are installed to, and the files.
                        Literal::Items(pair) => pair.into_iter().nth(1)?.strings()?,
                        Literal::Dictionary(_) => return None,
                    });
                }
            }
        }
        Some(())
    }
}

/// A list of packages, or a call of `find_packages`.
fn packages(value: &[Token]) -> Option<Packages> {
    if let Some(literal) = Literal::parse(value) {
        return literal.strings().map(Packages::List);
    }
    let (name, namespaces) = [("find_packages", false), ("find_namespace_packages", true)]
        .into_iter()
        .find(|(name, _)| value.iter().any(|token| token.is_name(name)))?;
    let mut folders = vec![".".to_owned()];
    let mut include = Vec::new();
    let mut exclude = Vec::new();
    for (index, (keyword, value)) in arguments_of(value, name).into_iter().enumerate() {
        let literal = Literal::parse(value)?;
        match (keyword, index) {
            (Some("where"), _) | (None, 0) => folders = vec![literal.string()?],
            (Some("exclude"), _) | (None, 1) => exclude = literal.strings()?,
            (Some("include"), _) | (None, 2) => include = literal.strings()?,
            _ => return None,
        }
    }
    Some(Packages::Find {
        folders,
        include,
        exclude,
        namespaces,
    })
}

/// As much of Python's grammar as literals need.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
}

impl Token {
    fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(found) if found == name)
    }

    fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// The tokens without comments, white space and line ends. Numbers are names that no rule knows.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            rest = rest.split_once('\n').map_or("", |(_, next)| next);
        } else if first.is_whitespace() || first == '\\' {
            rest = &rest[first.len_utf8()..];
        } else if matches!(first, '\'' | '"') {
            // An `r`, `u`, `b` or `f` before it is part of it.
            let prefix = match tokens.last() {
                Some(Token::Name(name)) if is_prefix(name) && text_before(text, rest, name) => {
                    let name = name.to_ascii_lowercase();
                    tokens.pop();
                    name
                }
                _ => String::new(),
            };
            let (literal, next) = string(rest, prefix.contains('r'));
            rest = next;
            tokens.push(if prefix.contains(['f', 'b']) {
                // Computed, or no text.
                Token::Sign('?')
            } else {
                Token::Text(literal)
            });
        } else if first.is_alphanumeric() || first == '_' {
            let len = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..len].to_owned()));
            rest = &rest[len..];
        } else {
            tokens.push(Token::Sign(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn is_prefix(name: &str) -> bool {
    name.len() <= 2
        && name
            .chars()
            .all(|c| matches!(c.to_ascii_lowercase(), 'r' | 'u' | 'b' | 'f'))
}

/// Whether `rest` begins right after `name`.
fn text_before(text: &str, rest: &str, name: &str) -> bool {
    text[..text.len() - rest.len()].ends_with(name)
}

/// The string literal that `text` begins with, and what is behind it.
fn string(text: &str, raw: bool) -> (String, &str) {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let close = if text.starts_with(&triple) {
        triple.as_str()
    } else {
        quote
    };
    let mut rest = &text[close.len()..];
    let mut literal = String::new();
    loop {
        if let Some(next) = rest.strip_prefix(close) {
            return (literal, next);
        }
        let Some(first) = rest.chars().next() else {
            return (literal, rest);
        };
        rest = &rest[first.len_utf8()..];
        if first != '\\' {
            literal.push(first);
            continue;
        }
        let Some(escaped) = rest.chars().next() else {
            return (literal, rest);
        };
        rest = &rest[escaped.len_utf8()..];
        if raw || !matches!(escaped, '\\' | '\'' | '"' | '\n') {
            literal.push('\\');
        }
        if raw || escaped != '\n' {
            literal.push(escaped);
        }
    }
}

/// The arguments of the first call of `function`, each with its keyword where it has one.
fn arguments_of<'t>(tokens: &'t [Token], function: &str) -> Vec<(Option<&'t str>, &'t [Token])> {
    let is_call = |at: usize| {
        tokens[at].is_name(function)
            && tokens.get(at + 1).is_some_and(|next| next.is_sign('('))
            && !(at > 0 && tokens[at - 1].is_name("def"))
    };
    let Some(at) = (0..tokens.len()).find(|at| is_call(*at)) else {
        return Vec::new();
    };
    split(&tokens[at + 2..])
        .into_iter()
        .filter(|argument| !argument.is_empty())
        .map(|argument| match argument {
            [Token::Name(keyword), Token::Sign('='), value @ ..]
                if !value.first().is_some_and(|first| first.is_sign('=')) =>
            {
                (Some(keyword.as_str()), value)
            }
            value => (None, value),
        })
        .collect()
}

/// What is between commas, up to the bracket that closes.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') if depth == 0 => {
                parts.push(&tokens[start..at]);
                return parts;
            }
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    // A bracket that is not closed: nothing of it can be trusted.
    Vec::new()
}

/// A literal of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Literal {
    Text(String),
    Items(Vec<Self>),
    Dictionary(BTreeMap<String, Self>),
}

/// How deep literals are read.
const MAX_DEPTH: usize = 8;

impl Literal {
    fn parse(tokens: &[Token]) -> Option<Self> {
        Self::parse_within(tokens, MAX_DEPTH)
    }

    fn parse_within(tokens: &[Token], depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        match tokens {
            // Strings side by side are one.
            [Token::Text(_), ..] => tokens
                .iter()
                .map(|token| match token {
                    Token::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect::<Option<String>>()
                .map(Self::Text),
            [Token::Sign('[' | '('), inner @ .., Token::Sign(']' | ')')] => {
                let closed = &tokens[1..];
                let parts = split(closed);
                // The bracket that closes has to be the last one: `['a'] + ['b']` is computed.
                let read: usize = parts.iter().map(|part| part.len() + 1).sum();
                if read != inner.len() + 1 {
                    return None;
                }
                parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| Self::parse_within(part, depth))
                    .collect::<Option<_>>()
                    .map(Self::Items)
            }
            [Token::Sign('{'), inner @ .., Token::Sign('}')] => {
                let parts = split(&tokens[1..]);
                let read: usize = parts.iter().map(|part| part.len() + 1).sum();
                if read != inner.len() + 1 {
                    return None;
                }
                parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| match part {
                        [Token::Text(key), Token::Sign(':'), value @ ..] => {
                            Some((key.clone(), Self::parse_within(value, depth)?))
                        }
                        _ => None,
                    })
                    .collect::<Option<_>>()
                    .map(Self::Dictionary)
            }
            _ => None,
        }
    }

    fn string(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn items(self) -> Option<Vec<Self>> {
        match self {
            Self::Items(items) => Some(items),
            _ => None,
        }
    }

    fn strings(self) -> Option<Vec<String>> {
        self.items()?.into_iter().map(Self::string).collect()
    }

    fn dictionary(self) -> Option<BTreeMap<String, Self>> {
        match self {
            Self::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn everything_in_plain_words() {
        let setup_py = SetupPy::parse(
            "import setuptools\n\
             def setup_all(): pass  # setup(packages=['no'])\n\
             setuptools.setup(\n  name = 'a',\n  packages = ['a', \"a.\" 'b', r'c',],\n  py_modules=('m',),\n\
               package_dir={'': 'src'},\n  package_data={'a': ['*.txt', u'static/*']},\n\
               data_files=[('etc', ['a.ini']), 'b.ini'],\n  scripts=[],\n  long_description='''a\n'quoted' text'''\n)\n",
        );
        let modules = &setup_py.modules;
        assert_eq!(modules.packages, Packages::List(list(&["a", "a.b", "c"])));
        assert_eq!(modules.py_modules, Some(list(&["m"])));
        assert_eq!(modules.package_dir[""], "src");
        assert_eq!(modules.data.package_data["a"], ["*.txt", "static/*"]);
        assert_eq!(modules.data.data_files, ["a.ini", "b.ini"]);
        assert!(setup_py.computed.is_empty() && setup_py.names_modules);
    }

    #[test]
    fn packages_that_are_found() {
        let found = |folders: &[&str], exclude: &[&str], namespaces| Packages::Find {
            folders: list(folders),
            include: Vec::new(),
            exclude: list(exclude),
            namespaces,
        };
        for (value, expected) in [
            ("find_packages()", found(&["."], &[], false)),
            (
                "setuptools.find_packages('src')",
                found(&["src"], &[], false),
            ),
            (
                "find_namespace_packages(where='lib', exclude=['tests*'])",
                found(&["lib"], &["tests*"], true),
            ),
        ] {
            let setup_py = SetupPy::parse(&format!("setup(packages={value})"));
            assert_eq!(setup_py.modules.packages, expected, "{value}");
        }
    }

    #[test]
    fn what_is_computed_is_not_known() {
        for value in [
            "PACKAGES",
            "['a'] + ['b']",
            "[name for name in x]",
            "[f'a']",
            "find_packages(HERE)",
            "['a'",
            "(['a'], ['b'])",
        ] {
            let setup_py = SetupPy::parse(&format!("setup(packages={value})"));
            let known = setup_py.modules.packages == Packages::List(Vec::new());
            assert!(known, "{value}: {:?}", setup_py.modules.packages);
            // What is not closed is no argument at all.
            assert!(
                value == "['a'" || setup_py.computed == ["packages"],
                "{value}"
            );
        }
        assert_eq!(
            SetupPy::parse(""),
            SetupPy {
                modules: Modules::none(),
                ..SetupPy::default()
            }
        );
    }
}
