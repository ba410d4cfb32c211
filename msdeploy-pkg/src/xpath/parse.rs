//! From text to a location path: XPath sections 2 and 3, as far as they are supported.

use spanned_xml::Span;

use super::path::{Axis, Comparison, Expression, Function, Operator, Path, Step, Test, XPathFault};

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

    /// The expression that the text is, with nothing after it: one that selects nodes.
    pub(crate) fn whole(&mut self) -> Result<Expression, XPathFault> {
        let expression = self.or()?;
        self.blanks();
        if !self.rest().is_empty() {
            Err(self.unexpected("the end of the expression"))
        } else if expression.selects() {
            Ok(expression)
        } else {
            Err(self.fault(0, "the expression has a value and selects nothing"))
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
        self.blanks();
        let absolute = self.rest().starts_with('/');
        if absolute && !self.rest().starts_with("//") {
            self.at += 1;
            self.blanks();
            if !self.begins_step() {
                return Ok(Path {
                    steps: Vec::new(),
                    absolute,
                });
            }
        }
        let steps = self.steps()?;
        Ok(Path { steps, absolute })
    }

    /// Whether a step may begin here, so that a `/` before it is not the whole path.
    fn begins_step(&self) -> bool {
        let next = self.rest().chars().next();
        next.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '.' | '@' | '*'))
            || (next.is_some() && self.depth == 0 && !self.rest().starts_with('|'))
    }

    /// Steps, the first after nothing or after `//`.
    fn steps(&mut self) -> Result<Vec<Step>, XPathFault> {
        let mut steps = Vec::new();
        loop {
            if self.eat("//") {
                steps.push(Step {
                    axis: Axis::DescendantOrSelf,
                    test: Test::Node,
                    predicates: Vec::new(),
                });
            }
            steps.push(self.step()?);
            self.blanks();
            if !self.rest().starts_with("//") && !self.eat("/") {
                return Ok(steps);
            }
        }
    }

    fn step(&mut self) -> Result<Step, XPathFault> {
        self.blanks();
        let start = self.at;
        let node = |axis| (axis, Test::Node);
        let (axis, test) = if self.eat("..") {
            node(Axis::Parent)
        } else if self.eat(".") {
            node(Axis::Itself)
        } else if self.eat("@") {
            (Axis::Attribute, self.test(start)?)
        } else {
            let axis = self.axis()?;
            (axis, self.test(start)?)
        };
        let predicates = self.predicates()?;
        Ok(Step {
            axis,
            test,
            predicates,
        })
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, XPathFault> {
        let mut predicates = Vec::new();
        while self.eat("[") {
            self.enter()?;
            predicates.push(self.or()?);
            self.close("]")?;
            self.depth -= 1;
        }
        Ok(predicates)
    }

    /// `name::`, else the child axis.
    fn axis(&mut self) -> Result<Axis, XPathFault> {
        let start = self.at;
        if let Some(name) = self.name()
            && self.eat("::")
        {
            return Axis::ALL
                .iter()
                .find(|(known, _)| *known == name)
                .map(|&(_, axis)| axis)
                .ok_or_else(|| self.fault(start, format!("the axis `{name}::` is not supported")));
        }
        self.at = start;
        Ok(Axis::Child)
    }

    fn test(&mut self, start: usize) -> Result<Test, XPathFault> {
        self.blanks();
        if self.eat("*") {
            return Ok(Test::Name(None));
        }
        let name = self.test_name(start)?;
        if !self.eat("(") {
            return Ok(Test::Name(Some(name)));
        }
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
        Ok(test)
    }

    fn test_name(&mut self, start: usize) -> Result<String, XPathFault> {
        let Some(name) = self.name() else {
            return Err(self.unexpected("the name of an element or attribute"));
        };
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
        let mut left = self.sum()?;
        loop {
            let comparison = if self.eat("!=") {
                Comparison::NotEqual
            } else if self.eat("=") {
                Comparison::Equal
            } else if self.eat("<=") {
                Comparison::LessOrEqual
            } else if self.eat("<") {
                Comparison::Less
            } else if self.eat(">=") {
                Comparison::GreaterOrEqual
            } else if self.eat(">") {
                Comparison::Greater
            } else {
                return Ok(left);
            };
            left = Expression::Compare(comparison, Box::new(left), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> Result<Expression, XPathFault> {
        let mut left = self.product()?;
        loop {
            let operator = if self.eat("+") {
                Operator::Add
            } else if self.eat("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            left = Expression::Calculate(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression, XPathFault> {
        let mut left = self.negation()?;
        loop {
            let operator = if self.eat("*") {
                Operator::Multiply
            } else if self.keyword("div") {
                Operator::Divide
            } else if self.keyword("mod") {
                Operator::Remainder
            } else {
                return Ok(left);
            };
            left = Expression::Calculate(operator, Box::new(left), Box::new(self.negation()?));
        }
    }

    fn negation(&mut self) -> Result<Expression, XPathFault> {
        if !self.eat("-") {
            return self.union();
        }
        self.enter()?;
        let negated = self.negation()?;
        self.depth -= 1;
        Ok(Expression::Negate(Box::new(negated)))
    }

    fn union(&mut self) -> Result<Expression, XPathFault> {
        self.blanks();
        let start = self.at;
        let mut left = self.primary()?;
        while self.eat("|") {
            let right = self.primary()?;
            if !left.selects() || !right.selects() {
                return Err(self.fault(start, "`|` joins only nodes"));
            }
            left = Expression::Union(Box::new(left), Box::new(right));
        }
        Ok(left)
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
                self.filtered(start, inner)
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
                if let Some(name) = self.name()
                    && !matches!(name, "text" | "node")
                    && self.eat("(")
                {
                    self.enter()?;
                    let call = self.call(start, name)?;
                    self.depth -= 1;
                    return Ok(call);
                }
                self.at = start;
                self.path().map(Expression::Path)
            }
        }
    }

    /// `(…)` with predicates and steps after it.
    fn filtered(&mut self, start: usize, nodes: Expression) -> Result<Expression, XPathFault> {
        let predicates = self.predicates()?;
        self.blanks();
        let rest = if self.rest().starts_with("//") || self.eat("/") {
            self.steps()?
        } else {
            Vec::new()
        };
        if predicates.is_empty() && rest.is_empty() {
            return Ok(nodes);
        }
        if !nodes.selects() {
            return Err(self.fault(start, "only nodes can be chosen from"));
        }
        Ok(Expression::Filter {
            nodes: Box::new(nodes),
            predicates,
            rest,
        })
    }

    /// A function's call after its `(`.
    fn call(&mut self, start: usize, name: &str) -> Result<Expression, XPathFault> {
        let known = Function::ALL.iter().find(|(known, ..)| *known == name);
        let Some(&(_, function, least, most)) = known else {
            let message = if matches!(name, "comment" | "processing-instruction") {
                format!("`{name}()` is not supported as a step of a path")
            } else {
                format!("the function `{name}()` is not supported")
            };
            return Err(self.fault(start, message));
        };
        let mut arguments = Vec::new();
        if !self.eat(")") {
            loop {
                arguments.push(self.or()?);
                if !self.eat(",") {
                    break;
                }
            }
            self.close(")")?;
        }
        if !(least..=most).contains(&arguments.len()) {
            let count = match most {
                usize::MAX => format!("at least {least}"),
                most if most == least => least.to_string(),
                most => format!("{least} to {most}"),
            };
            return Err(self.fault(start, format!("`{name}()` takes {count} arguments")));
        }
        if function.wants_nodes() && !arguments.iter().all(Expression::selects) {
            return Err(self.fault(start, format!("`{name}()` takes nodes")));
        }
        Ok(Expression::Call(function, arguments))
    }
}
