//! The functions: XPath section 4.

use super::evaluate::Context;
use super::path::{Function, Selected};
use super::value::{Value, as_number, node_string, number, string, to_number, truth};

/// A function of section 4 over its arguments; without any, most are about the context node.
pub(crate) fn call<'d>(
    function: Function,
    arguments: &[Value<'d>],
    at: Context<'d>,
    (position, last): (usize, usize),
) -> Value<'d> {
    let text = |which: usize| match arguments.get(which) {
        Some(argument) => string(argument),
        None => node_string(at.node),
    };
    let first_node = || match arguments.first() {
        None => Some(at.node),
        Some(Value::Nodes(nodes)) => nodes.first().map(|context| context.node),
        Some(_) => None,
    };
    let numeric = |which: usize| match arguments.get(which) {
        Some(argument) => number(argument),
        None => to_number(&node_string(at.node)),
    };
    match function {
        Function::Last => Value::Number(as_number(last)),
        Function::Position => Value::Number(as_number(position)),
        Function::True => Value::Boolean(true),
        Function::False => Value::Boolean(false),
        Function::Boolean => Value::Boolean(arguments.first().is_some_and(truth)),
        Function::Not => Value::Boolean(!arguments.first().is_some_and(truth)),
        Function::Number => Value::Number(numeric(0)),
        Function::Floor => Value::Number(numeric(0).floor()),
        Function::Ceiling => Value::Number(numeric(0).ceil()),
        // Half a unit goes up, also below zero.
        Function::Round => Value::Number((numeric(0) + 0.5).floor()),
        Function::Count => Value::Number(match arguments.first() {
            Some(Value::Nodes(nodes)) => as_number(nodes.len()),
            _ => 0.0,
        }),
        Function::Sum => Value::Number(match arguments.first() {
            Some(Value::Nodes(nodes)) => nodes
                .iter()
                .map(|context| to_number(&node_string(context.node)))
                .sum(),
            _ => 0.0,
        }),
        Function::LocalName | Function::Name => {
            let name = match first_node() {
                Some(Selected::Element(element)) => element.name.as_str(),
                Some(Selected::Attribute(attribute)) => attribute.name.as_str(),
                _ => "",
            };
            let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
            let name = if function == Function::Name {
                name
            } else {
                local
            };
            Value::Text(name.to_owned())
        }
        Function::String => Value::Text(text(0)),
        Function::StringLength => Value::Number(as_number(text(0).chars().count())),
        Function::NormalizeSpace => {
            let text = text(0);
            let words: Vec<&str> = text
                .split([' ', '\t', '\r', '\n'])
                .filter(|word| !word.is_empty())
                .collect();
            Value::Text(words.join(" "))
        }
        Function::Concat => Value::Text(arguments.iter().map(string).collect()),
        Function::Contains => Value::Boolean(text(0).contains(&text(1))),
        Function::StartsWith => Value::Boolean(text(0).starts_with(&text(1))),
        Function::SubstringBefore | Function::SubstringAfter => {
            let (whole, part) = (text(0), text(1));
            let split = whole.split_once(part.as_str()).unwrap_or_default();
            Value::Text(if function == Function::SubstringBefore {
                split.0.to_owned()
            } else {
                split.1.to_owned()
            })
        }
        Function::Substring => {
            let start = (numeric(1) + 0.5).floor();
            let end = match arguments.get(2) {
                Some(len) => start + (number(len) + 0.5).floor(),
                None => f64::INFINITY,
            };
            let inside = |place: usize| as_number(place) >= start && as_number(place) < end;
            let characters = text(0);
            Value::Text(
                (1..)
                    .zip(characters.chars())
                    .filter(|&(place, _)| inside(place))
                    .map(|(_, character)| character)
                    .collect(),
            )
        }
        Function::Translate => {
            let (from, to) = (text(1), text(2));
            let to: Vec<char> = to.chars().collect();
            Value::Text(
                text(0)
                    .chars()
                    .filter_map(
                        |character| match from.chars().position(|c| c == character) {
                            Some(place) => to.get(place).copied(),
                            None => Some(character),
                        },
                    )
                    .collect(),
            )
        }
    }
}
