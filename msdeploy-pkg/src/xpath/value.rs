//! Values of expressions: XPath sections 3.4, 3.5 and 5.

use spanned_xml::Node;

use super::evaluate::Context;
use super::path::{Comparison, Selected};

pub(crate) enum Value<'d> {
    Nodes(Vec<Context<'d>>),
    Text(String),
    Number(f64),
    Boolean(bool),
}

#[expect(
    clippy::cast_precision_loss,
    reason = "XPath's only number is f64, and no document has 2^53 nodes"
)]
pub(crate) fn as_number(count: usize) -> f64 {
    count as f64
}

/// `string-value` of a node, XPath section 5.
pub(crate) fn node_string(node: Selected<'_>) -> String {
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

pub(crate) fn string(value: &Value<'_>) -> String {
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

/// `number()` of a text, section 4.4: digits with a point and a sign, nothing else.
pub(crate) fn to_number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits
        .bytes()
        .all(|octet| octet.is_ascii_digit() || octet == b'.')
    {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

pub(crate) fn number(value: &Value<'_>) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Boolean(boolean) => f64::from(u8::from(*boolean)),
        Value::Nodes(_) | Value::Text(_) => to_number(&string(value)),
    }
}

pub(crate) fn truth(value: &Value<'_>) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Boolean(boolean) => *boolean,
    }
}

/// Comparisons, section 3.4: over node sets, whether any node compares so.
pub(crate) fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> bool {
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    match (left, right) {
        (Value::Boolean(_), _) | (_, Value::Boolean(_)) if equality => {
            (truth(left) == truth(right)) == (comparison == Comparison::Equal)
        }
        (Value::Boolean(_), Value::Nodes(_)) | (Value::Nodes(_), Value::Boolean(_)) => {
            let number = |value| f64::from(u8::from(truth(value)));
            compare_numbers(comparison, number(left), number(right))
        }
        (Value::Nodes(nodes), other) => nodes
            .iter()
            .any(|context| compare(comparison, &Value::Text(node_string(context.node)), other)),
        (other, Value::Nodes(nodes)) => nodes
            .iter()
            .any(|context| compare(comparison, other, &Value::Text(node_string(context.node)))),
        (Value::Text(left), Value::Text(right)) if equality => {
            (left == right) == (comparison == Comparison::Equal)
        }
        _ => compare_numbers(comparison, number(left), number(right)),
    }
}

fn compare_numbers(comparison: Comparison, left: f64, right: f64) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}
