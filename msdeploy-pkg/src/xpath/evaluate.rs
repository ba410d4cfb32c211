//! What a location path selects in a document: XPath sections 2 to 5, as far as they are supported.

use std::collections::{HashMap, HashSet};

use spanned_xml::{Document, Element, Node};

use super::function::call;
use super::path::{Axis, Expression, Operator, Path, Selected, Step, Test};
use super::value::{Value, as_number, compare, number, truth};

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

pub(crate) struct Evaluation<'d> {
    document: &'d Document,
    visits: usize,
    /// The element that each node is in, by where the node begins; made when first asked for.
    parents: Option<HashMap<usize, &'d Element>>,
}

impl<'d> Evaluation<'d> {
    pub(crate) const fn new(document: &'d Document) -> Self {
        Self {
            document,
            visits: 0,
            parents: None,
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

    /// What an expression selects, in document order; nothing where it has another value.
    pub(crate) fn nodes(
        &mut self,
        expression: &Expression,
        from: Context<'d>,
    ) -> Result<Vec<Context<'d>>, TooMany> {
        Ok(match self.evaluate(expression, from, 1, 1)? {
            Value::Nodes(nodes) => nodes,
            _ => Vec::new(),
        })
    }

    fn path(&mut self, path: &Path, from: Context<'d>) -> Result<Vec<Context<'d>>, TooMany> {
        let from = if path.absolute {
            Context::document()
        } else {
            from
        };
        self.steps(&path.steps, vec![from])
    }

    fn steps(
        &mut self,
        steps: &[Step],
        from: Vec<Context<'d>>,
    ) -> Result<Vec<Context<'d>>, TooMany> {
        let mut current = from;
        for step in steps {
            if step.axis == Axis::DescendantOrSelf
                && step.test == Test::Node
                && step.predicates.is_empty()
            {
                current = self.with_descendants(current)?;
                continue;
            }
            let mut next = Vec::new();
            for origin in current {
                let mut candidates = self.axis(step.axis, origin)?;
                candidates.retain(|candidate| passes(candidate, step));
                for predicate in &step.predicates {
                    candidates = self.filter(predicate, candidates)?;
                }
                next.extend(candidates);
            }
            current = in_document_order(next);
        }
        Ok(current)
    }

    /// The nodes of an axis, the nearest first.
    fn axis(&mut self, axis: Axis, from: Context<'d>) -> Result<Vec<Context<'d>>, TooMany> {
        Ok(match axis {
            Axis::Itself => vec![from],
            Axis::Child => self.child_nodes(from)?,
            Axis::Descendant => {
                let mut all = self.with_descendants(vec![from])?;
                all.remove(0);
                all
            }
            Axis::DescendantOrSelf => self.with_descendants(vec![from])?,
            Axis::Parent => self.parent(from).into_iter().collect(),
            Axis::Ancestor | Axis::AncestorOrSelf => {
                let mut all = Vec::new();
                let mut next = if axis == Axis::Ancestor {
                    self.parent(from)
                } else {
                    Some(from)
                };
                while let Some(context) = next {
                    self.visit()?;
                    all.push(context);
                    next = self.parent(context);
                }
                all
            }
            Axis::FollowingSibling | Axis::PrecedingSibling => {
                let parent = match from.node {
                    Selected::Attribute(_) => None,
                    _ => self.parent(from),
                };
                let Some(parent) = parent else {
                    return Ok(Vec::new());
                };
                let mut siblings = self.child_nodes(parent)?;
                if axis == Axis::FollowingSibling {
                    siblings.retain(|sibling| order(sibling.node) > order(from.node));
                } else {
                    siblings.retain(|sibling| order(sibling.node) < order(from.node));
                    siblings.reverse();
                }
                siblings
            }
            Axis::Attribute => match from.node {
                Selected::Element(element) => element
                    .attributes
                    .iter()
                    // A namespace declaration is no attribute in XPath's data model.
                    .filter(|attribute| {
                        attribute.name != "xmlns" && !attribute.name.starts_with("xmlns:")
                    })
                    .map(|attribute| Context {
                        node: Selected::Attribute(attribute),
                        ..from
                    })
                    .collect(),
                _ => Vec::new(),
            },
        })
    }

    fn parent(&mut self, of: Context<'d>) -> Option<Context<'d>> {
        let document = self.document;
        let parents = self.parents.get_or_insert_with(|| {
            let mut parents = HashMap::new();
            for element in document.root().descendants() {
                let attributes = element
                    .attributes
                    .iter()
                    .map(|attribute| attribute.span.start);
                let children = element.children.iter().map(|child| child.span().start);
                parents.extend(attributes.chain(children).map(|start| (start, element)));
            }
            parents
        });
        let start = match of.node {
            Selected::Document => return None,
            Selected::Element(element) => element.span.start,
            Selected::Attribute(attribute) => attribute.span.start,
            Selected::Text(_, span) => span.start,
        };
        let Some(parent) = parents.get(&start).copied() else {
            return Some(Context::document());
        };
        let mut declaring = Some(parent);
        let mut bare = true;
        while let Some(element) = declaring {
            if let Some(namespace) = element.value("xmlns") {
                bare = namespace.is_empty();
                break;
            }
            declaring = parents.get(&element.span.start).copied();
        }
        Some(Context {
            node: Selected::Element(parent),
            bare,
        })
    }

    /// Child elements and text.
    fn child_nodes(&mut self, from: Context<'d>) -> Result<Vec<Context<'d>>, TooMany> {
        let Selected::Element(element) = from.node else {
            return self.children(from);
        };
        let mut nodes = Vec::new();
        for child in &element.children {
            self.visit()?;
            match child {
                Node::Text(text) | Node::CData(text) => nodes.push(Context {
                    node: Selected::Text(&text.value, text.span),
                    ..from
                }),
                Node::Element(child) => nodes.push(from.child(child)),
                Node::Comment(_) | Node::ProcessingInstruction(_) => {}
            }
        }
        Ok(nodes)
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
                let children = self.child_nodes(context)?;
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
        let mut value = |expression: &Expression| self.evaluate(expression, at, position, last);
        Ok(match expression {
            Expression::Or(left, right) => {
                Value::Boolean(truth(&value(left)?) || truth(&value(right)?))
            }
            Expression::And(left, right) => {
                Value::Boolean(truth(&value(left)?) && truth(&value(right)?))
            }
            Expression::Compare(comparison, left, right) => {
                Value::Boolean(compare(*comparison, &value(left)?, &value(right)?))
            }
            Expression::Calculate(operator, left, right) => {
                let (left, right) = (number(&value(left)?), number(&value(right)?));
                Value::Number(match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Remainder => left % right,
                })
            }
            Expression::Negate(inner) => Value::Number(-number(&value(inner)?)),
            Expression::Union(left, right) => {
                let mut nodes = self.nodes(left, at)?;
                nodes.extend(self.nodes(right, at)?);
                Value::Nodes(in_document_order(nodes))
            }
            Expression::Path(path) => Value::Nodes(self.path(path, at)?),
            Expression::Filter {
                nodes,
                predicates,
                rest,
            } => {
                let mut nodes = self.nodes(nodes, at)?;
                for predicate in predicates {
                    nodes = self.filter(predicate, nodes)?;
                }
                Value::Nodes(self.steps(rest, nodes)?)
            }
            Expression::Literal(text) => Value::Text(text.clone()),
            Expression::Number(number) => Value::Number(*number),
            Expression::Call(function, arguments) => {
                let arguments = arguments
                    .iter()
                    .map(value)
                    .collect::<Result<Vec<_>, TooMany>>()?;
                call(*function, &arguments, at, (position, last))
            }
        })
    }
}

/// Whether a node of an axis passes the test of a step.
fn passes(candidate: &Context<'_>, step: &Step) -> bool {
    match (&step.test, candidate.node) {
        (Test::Node, _) | (Test::Text, Selected::Text(..)) => true,
        // The principal nodes of the attribute axis are attributes, those of all others elements.
        (Test::Name(name), Selected::Attribute(attribute)) => {
            step.axis == Axis::Attribute && name.as_ref().is_none_or(|name| attribute.name == *name)
        }
        (Test::Name(name), Selected::Element(element)) => {
            step.axis != Axis::Attribute
                && name
                    .as_ref()
                    .is_none_or(|name| candidate.bare && element.name == *name)
        }
        _ => false,
    }
}

/// Where a node stands in document order; no two nodes stand at the same place.
fn order(node: Selected<'_>) -> usize {
    match node {
        Selected::Document => 0,
        Selected::Element(element) => element.span.start + 1,
        Selected::Attribute(attribute) => attribute.span.start + 1,
        Selected::Text(_, span) => span.start + 1,
    }
}

fn in_document_order(mut nodes: Vec<Context<'_>>) -> Vec<Context<'_>> {
    nodes.sort_by_key(|context| order(context.node));
    nodes.dedup_by_key(|context| order(context.node));
    nodes
}
