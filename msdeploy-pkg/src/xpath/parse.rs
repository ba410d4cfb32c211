//! From text to a location path: XPath sections 2 and 3, as far as they are supported.

use spanned_xml::Span;

use super::path::{Expression, Path, Step, Test, XPathFault};

pub(crate) struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Predicates, parentheses and functions inside each other.
    depth: usize,
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The path that the text is, with nothing after it.
    pub(crate) fn whole(&mut self) -> Result<Path, XPathFault> {
        let path = self.path()?;
        self.blanks();
        if self.rest().is_empty() {
            Ok(path)
        } else {
            Err(self.unexpected("the end of the expression"))
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Takes `token` if it comes next, after blanks.
    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn fault(&self, start: usize, message: impl Into<String>) -> XPathFault {
        XPathFault {
            message: message.into(),
            place: Span::new(start, self.at.max(start)),
        }
    }

    fn unexpected(&self, expected: &str) -> XPathFault {
        let found = self.rest().chars().next();
        let len = found.map_or(0, char::len_utf8);
        let found = found.map_or_else(|| "the end".to_owned(), |found| format!("`{found}`"));
        XPathFault {
            message: format!("expected {expected}, found {found}"),
            place: Span::new(self.at, self.at + len),
        }
    }

    fn close(&mut self, token: &str) -> Result<(), XPathFault> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{token}`")))
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let len = rest
            .char_indices()
            .find(|&(i, c)| {
                !(c.is_alphabetic()
                    || c == '_'
                    || (i > 0 && (c.is_numeric() || matches!(c, '-' | '.' | '\u{B7}'))))
            })
            .map_or(rest.len(), |(i, _)| i);
        self.at += len;
        (len > 0).then(|| &rest[..len])
    }

    fn path(&mut self) -> Result<Path, XPathFault> {
        let mut steps = Vec::new();
        self.blanks();
        let absolute = self.rest().starts_with('/');
        let mut anywhere = self.eat("//");
        if !anywhere && absolute {
            self.at += 1;
            self.blanks();
            if self.rest().is_empty() {
                return Ok(Path { steps, absolute });
            }
        }
        loop {
            steps.push(self.step(anywhere)?);
            self.blanks();
            anywhere = self.eat("//");
            if !anywhere && !self.eat("/") {
                return Ok(Path { steps, absolute });
            }
        }
    }

    fn step(&mut self, anywhere: bool) -> Result<Step, XPathFault> {
        self.blanks();
        let start = self.at;
        let test = if self.eat("..") {
            return Err(self.fault(start, "`..` is not supported here"));
        } else if self.eat(".") {
            Test::Current
        } else if self.eat("@") {
            self.blanks();
            if self.eat("*") {
                Test::Attribute(None)
            } else {
                Test::Attribute(Some(self.test_name(start)?))
            }
        } else if self.eat("*") {
            Test::Element(None)
        } else {
            let name = self.test_name(start)?;
            if self.eat("(") {
                let test = match name.as_str() {
                    "text" => Test::Text,
                    "node" => Test::Node,
                    _ => {
                        return Err(self.fault(
                            start,
                            format!("`{name}()` is not supported as a step of a path"),
                        ));
                    }
                };
                self.close(")")?;
                test
            } else {
                Test::Element(Some(name))
            }
        };
        let mut predicates = Vec::new();
        while self.eat("[") {
            self.enter()?;
            predicates.push(self.or()?);
            self.close("]")?;
            self.depth -= 1;
        }
        Ok(Step {
            anywhere,
            test,
            predicates,
        })
    }

    fn test_name(&mut self, start: usize) -> Result<String, XPathFault> {
        let Some(name) = self.name() else {
            return Err(self.unexpected("the name of an element or attribute"));
        };
        if self.rest().starts_with("::") {
            self.at += 2;
            return Err(self.fault(
                start,
                format!(
                    "the axis `{name}::` is not supported; use the short forms `/`, `//` and `@`"
                ),
            ));
        }
        if self.rest().starts_with(':') {
            self.at += 1;
            let _ = self.name();
            return Err(self.fault(
                start,
                format!(
                    "the prefix `{name}` is bound to no namespace; write `*[local-name()='…']`"
                ),
            ));
        }
        Ok(name.to_owned())
    }

    fn enter(&mut self) -> Result<(), XPathFault> {
        self.depth += 1;
        if self.depth > 32 {
            return Err(self.fault(self.at, "the expression is nested too deeply"));
        }
        Ok(())
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.blanks();
        let start = self.at;
        if self.name() == Some(word) {
            return true;
        }
        self.at = start;
        false
    }

    fn or(&mut self) -> Result<Expression, XPathFault> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, XPathFault> {
        let mut left = self.comparison()?;
        while self.keyword("and") {
            left = Expression::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression, XPathFault> {
        let mut left = self.primary()?;
        loop {
            if self.eat("!=") {
                left = Expression::NotEqual(Box::new(left), Box::new(self.primary()?));
            } else if self.eat("=") {
                left = Expression::Equal(Box::new(left), Box::new(self.primary()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn primary(&mut self) -> Result<Expression, XPathFault> {
        self.blanks();
        let start = self.at;
        let rest = self.rest();
        match rest.chars().next() {
            Some('(') => {
                self.at += 1;
                self.enter()?;
                let inner = self.or()?;
                self.close(")")?;
                self.depth -= 1;
                Ok(inner)
            }
            Some(quote @ ('\'' | '"')) => {
                let Some((literal, _)) = rest[1..].split_once(quote) else {
                    self.at = self.text.len();
                    return Err(self.fault(start, format!("a literal without its closing {quote}")));
                };
                self.at += literal.len() + 2;
                Ok(Expression::Literal(literal.to_owned()))
            }
            Some('0'..='9') => {
                let len = rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(rest.len());
                self.at += len;
                rest[..len]
                    .parse()
                    .map(Expression::Number)
                    .map_err(|_| self.fault(start, format!("`{}` is not a number", &rest[..len])))
            }
            _ => {
                let name = self.name();
                if let Some(name) = name
                    && self.eat("(")
                {
                    if matches!(name, "text" | "node") {
                        self.at = start;
                        return self.path().map(Expression::Path);
                    }
                    self.enter()?;
                    let function = self.function(start, name)?;
                    self.depth -= 1;
                    return Ok(function);
                }
                self.at = start;
                self.path().map(Expression::Path)
            }
        }
    }

    fn function(&mut self, start: usize, name: &str) -> Result<Expression, XPathFault> {
        let function = match name {
            "not" => Expression::Not(Box::new(self.or()?)),
            "contains" | "starts-with" => {
                let first = Box::new(self.or()?);
                self.close(",")?;
                let second = Box::new(self.or()?);
                if name == "contains" {
                    Expression::Contains(first, second)
                } else {
                    Expression::StartsWith(first, second)
                }
            }
            "local-name" => Expression::LocalName,
            "name" => Expression::Name,
            "position" => Expression::Position,
            "last" => Expression::Last,
            _ => return Err(self.fault(start, format!("the function `{name}()` is not supported"))),
        };
        self.close(")")?;
        Ok(function)
    }
}
