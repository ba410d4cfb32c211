//! What a location path selects in a document: XPath sections 2 to 5, as far as they are supported.

use std::collections::HashSet;

use spanned_xml::{Document, Element, Node};

use super::path::{Expression, Path, Selected, Test};

/// Nodes that one expression may visit: far above any configuration file, and an end to `//*[.//*[.//*]]`.
const MAX_VISITS: usize = 5_000_000;

/// The expression visits too many nodes.
pub(crate) struct TooMany;

#[derive(Clone, Copy)]
pub(crate) struct Context<'d> {
    pub(crate) node: Selected<'d>,
    /// No `xmlns` of the node's ancestors or its own puts unprefixed names into a namespace.
    bare: bool,
}

impl<'d> Context<'d> {
    /// The document itself.
    pub(crate) const fn document() -> Self {
        Self {
            node: Selected::Document,
            bare: true,
        }
    }

    fn child(self, element: &'d Element) -> Self {
        let bare = element.value("xmlns").map_or(self.bare, str::is_empty);
        Self {
            node: Selected::Element(element),
            bare,
        }
    }
}

enum Value<'d> {
    Nodes(Vec<Context<'d>>),
    Text(String),
    Number(f64),
    Boolean(bool),
}

pub(crate) struct Evaluation<'d> {
    document: &'d Document,
    visits: usize,
}

impl<'d> Evaluation<'d> {
    pub(crate) const fn new(document: &'d Document) -> Self {
        Self {
            document,
            visits: 0,
        }
    }

    fn visit(&mut self) -> Result<(), TooMany> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            Err(TooMany)
        } else {
            Ok(())
        }
    }

    pub(crate) fn path(
        &mut self,
        path: &Path,
        from: Context<'d>,
    ) -> Result<Vec<Context<'d>>, TooMany> {
        let mut current = vec![if path.absolute {
            Context::document()
        } else {
            from
        }];
        for step in &path.steps {
            let origins = if step.anywhere {
                self.with_descendants(current)?
            } else {
                current
            };
            let mut next = Vec::new();
            for origin in origins {
                let mut candidates = self.candidates(&step.test, origin)?;
                for predicate in &step.predicates {
                    candidates = self.filter(predicate, candidates)?;
                }
                next.extend(candidates);
            }
            current = next;
        }
        Ok(current)
    }

    /// `descendant-or-self::node()`, each node once, in document order.
    fn with_descendants(&mut self, nodes: Vec<Context<'d>>) -> Result<Vec<Context<'d>>, TooMany> {
        let mut all: Vec<Context<'d>> = Vec::new();
        let mut seen = HashSet::new();
        for node in nodes {
            // In document order a node that lies inside an earlier one is among its descendants already.
            if let Selected::Element(element) = node.node
                && seen.contains(&core::ptr::from_ref(element))
            {
                continue;
            }
            let mut stack = vec![node];
            while let Some(context) = stack.pop() {
                self.visit()?;
                all.push(context);
                if let Selected::Element(element) = context.node {
                    seen.insert(core::ptr::from_ref(element));
                }
                let children = self.children(context)?;
                stack.extend(children.into_iter().rev());
            }
        }
        Ok(all)
    }

    /// Child elements.
    fn children(&mut self, context: Context<'d>) -> Result<Vec<Context<'d>>, TooMany> {
        let children: Vec<Context<'d>> = match context.node {
            Selected::Document => vec![context.child(self.document.root())],
            Selected::Element(element) => element
                .elements()
                .map(|child| context.child(child))
                .collect(),
            Selected::Attribute(_) | Selected::Text(..) => Vec::new(),
        };
        for _ in &children {
            self.visit()?;
        }
        Ok(children)
    }

    fn candidates(&mut self, test: &Test, from: Context<'d>) -> Result<Vec<Context<'d>>, TooMany> {
        let here = |node| Context { node, ..from };
        Ok(match test {
            Test::Current => vec![from],
            Test::Element(name) => {
                let mut children = self.children(from)?;
                if let Some(name) = name {
                    children.retain(|child| {
                        matches!(child.node, Selected::Element(element) if child.bare && element.name == *name)
                    });
                }
                children
            }
            Test::Attribute(name) => match from.node {
                Selected::Element(element) => element
                    .attributes
                    .iter()
                    .filter(|attribute| match name {
                        Some(name) => attribute.name == *name,
                        // A namespace declaration is no attribute in XPath's data model.
                        None => attribute.name != "xmlns" && !attribute.name.starts_with("xmlns:"),
                    })
                    .map(|attribute| here(Selected::Attribute(attribute)))
                    .collect(),
                _ => Vec::new(),
            },
            Test::Text | Test::Node => match from.node {
                Selected::Document => self.children(from)?,
                Selected::Element(element) => {
                    let mut nodes = Vec::new();
                    for child in &element.children {
                        self.visit()?;
                        match child {
                            Node::Text(text) | Node::CData(text) => {
                                nodes.push(here(Selected::Text(&text.value, text.span)));
                            }
                            Node::Element(child) if *test == Test::Node => {
                                nodes.push(from.child(child));
                            }
                            _ => {}
                        }
                    }
                    nodes
                }
                Selected::Attribute(_) | Selected::Text(..) => Vec::new(),
            }
            .into_iter()
            .filter(|found| *test == Test::Node || matches!(found.node, Selected::Text(..)))
            .collect(),
        })
    }

    fn filter(
        &mut self,
        predicate: &Expression,
        candidates: Vec<Context<'d>>,
    ) -> Result<Vec<Context<'d>>, TooMany> {
        let last = candidates.len();
        let mut kept = Vec::new();
        for (i, candidate) in candidates.into_iter().enumerate() {
            self.visit()?;
            let keep = match self.evaluate(predicate, candidate, i + 1, last)? {
                Value::Number(number) => number == as_number(i + 1),
                other => truth(&other),
            };
            if keep {
                kept.push(candidate);
            }
        }
        Ok(kept)
    }

    fn evaluate(
        &mut self,
        expression: &Expression,
        at: Context<'d>,
        position: usize,
        last: usize,
    ) -> Result<Value<'d>, TooMany> {
        Ok(match expression {
            Expression::Or(left, right) => Value::Boolean(
                truth(&self.evaluate(left, at, position, last)?)
                    || truth(&self.evaluate(right, at, position, last)?),
            ),
            Expression::And(left, right) => Value::Boolean(
                truth(&self.evaluate(left, at, position, last)?)
                    && truth(&self.evaluate(right, at, position, last)?),
            ),
            Expression::Equal(left, right) => Value::Boolean(compare(
                &self.evaluate(left, at, position, last)?,
                &self.evaluate(right, at, position, last)?,
                true,
            )),
            Expression::NotEqual(left, right) => Value::Boolean(compare(
                &self.evaluate(left, at, position, last)?,
                &self.evaluate(right, at, position, last)?,
                false,
            )),
            Expression::Path(path) => Value::Nodes(self.path(path, at)?),
            Expression::Literal(text) => Value::Text(text.clone()),
            Expression::Number(number) => Value::Number(*number),
            Expression::Not(inner) => {
                Value::Boolean(!truth(&self.evaluate(inner, at, position, last)?))
            }
            Expression::Contains(text, part) => {
                let text = string(&self.evaluate(text, at, position, last)?);
                let part = string(&self.evaluate(part, at, position, last)?);
                Value::Boolean(text.contains(&part))
            }
            Expression::StartsWith(text, part) => {
                let text = string(&self.evaluate(text, at, position, last)?);
                let part = string(&self.evaluate(part, at, position, last)?);
                Value::Boolean(text.starts_with(&part))
            }
            Expression::LocalName => Value::Text(match at.node {
                Selected::Element(element) => element.local_name().to_owned(),
                Selected::Attribute(attribute) => attribute
                    .name
                    .rsplit_once(':')
                    .map_or(attribute.name.as_str(), |(_, local)| local)
                    .to_owned(),
                Selected::Document | Selected::Text(..) => String::new(),
            }),
            Expression::Name => Value::Text(match at.node {
                Selected::Element(element) => element.name.clone(),
                Selected::Attribute(attribute) => attribute.name.clone(),
                Selected::Document | Selected::Text(..) => String::new(),
            }),
            Expression::Position => Value::Number(as_number(position)),
            Expression::Last => Value::Number(as_number(last)),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "XPath's only number is f64, and no document has 2^53 nodes"
)]
fn as_number(count: usize) -> f64 {
    count as f64
}

/// `string-value` of a node, XPath section 5.
fn node_string(node: Selected<'_>) -> String {
    match node {
        Selected::Document => String::new(),
        Selected::Element(element) => {
            let mut text = String::new();
            let mut stack: Vec<&Node> = element.children.iter().rev().collect();
            while let Some(node) = stack.pop() {
                match node {
                    Node::Text(part) | Node::CData(part) => text.push_str(&part.value),
                    Node::Element(child) => stack.extend(child.children.iter().rev()),
                    Node::Comment(_) | Node::ProcessingInstruction(_) => {}
                }
            }
            text
        }
        Selected::Attribute(attribute) => attribute.value.clone(),
        Selected::Text(text, _) => text.to_owned(),
    }
}

fn string(value: &Value<'_>) -> String {
    match value {
        Value::Nodes(nodes) => nodes
            .first()
            .map(|context| node_string(context.node))
            .unwrap_or_default(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
    }
}

fn number(text: &str) -> f64 {
    text.trim().parse().unwrap_or(f64::NAN)
}

fn truth(value: &Value<'_>) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Boolean(boolean) => *boolean,
    }
}

/// `=` and `!=`, XPath section 3.4: over node sets, whether any node compares so.
fn compare(left: &Value<'_>, right: &Value<'_>, equal: bool) -> bool {
    match (left, right) {
        (Value::Boolean(boolean), other) | (other, Value::Boolean(boolean)) => {
            (truth(other) == *boolean) == equal
        }
        (Value::Nodes(left), Value::Nodes(right)) => left.iter().any(|left| {
            let left = node_string(left.node);
            right
                .iter()
                .any(|right| (left == node_string(right.node)) == equal)
        }),
        (Value::Nodes(nodes), Value::Number(wanted))
        | (Value::Number(wanted), Value::Nodes(nodes)) => nodes
            .iter()
            .any(|context| (number(&node_string(context.node)) == *wanted) == equal),
        (Value::Nodes(nodes), Value::Text(wanted)) | (Value::Text(wanted), Value::Nodes(nodes)) => {
            nodes
                .iter()
                .any(|context| (node_string(context.node) == *wanted) == equal)
        }
        (Value::Number(left), Value::Number(right)) => (left == right) == equal,
        (Value::Number(wanted), Value::Text(text)) | (Value::Text(text), Value::Number(wanted)) => {
            (number(text) == *wanted) == equal
        }
        (Value::Text(left), Value::Text(right)) => (left == right) == equal,
    }
}
