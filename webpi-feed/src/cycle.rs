//! Circles in what products need: "this may be due to a cycle in the product dependencies", WebPI said, and not where.

use std::collections::HashMap;

use spanned_xml::Span;

use crate::{Dependency, DependencyRule, Entry, Error, Feed};

/// Products, or definitions, that need each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// Their names; the first and the last are the same.
    pub(crate) path: Vec<String>,
    /// Where the dependency stands that closes the circle.
    pub(crate) span: Option<Span>,
    /// Whether another branch of an `or` may lead out of it.
    pub(crate) has_way_out: bool,
}

/// A product, and what it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need<'a> {
    pub(crate) product_id: &'a str,
    pub(crate) dependency: Option<&'a Dependency>,
}

impl<'a> Need<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self {
            product_id: &entry.product_id,
            dependency: entry.dependency.as_ref(),
        }
    }
}

/// The first circle that has no way out, as an error.
pub(crate) fn refuse(feed: &Feed) -> Result<(), Error> {
    let needs: Vec<Need<'_>> = feed.entries.iter().map(Need::of).collect();
    match Graph::new(&needs, &feed.dependencies)
        .cycles(false)
        .into_iter()
        .next()
    {
        Some(cycle) => Err(Error::DependencyCycle { path: cycle.path }),
        None => Ok(()),
    }
}

/// Every circle of products, those without a way out first. Circles that share dependencies may be reported as one.
pub(crate) fn find(needs: &[Need<'_>], definitions: &[Dependency]) -> Vec<Cycle> {
    let graph = Graph::new(needs, definitions);
    let mut cycles = graph.cycles(false);
    cycles.extend(
        graph
            .cycles(true)
            .into_iter()
            .filter(|cycle| cycle.has_way_out),
    );
    cycles
}

/// Products and definitions, and what each needs.
struct Graph<'a> {
    names: Vec<&'a str>,
    edges: Vec<Vec<Edge>>,
}

#[derive(Clone, Copy)]
struct Edge {
    target: usize,
    in_or: bool,
    span: Option<Span>,
}

impl<'a> Graph<'a> {
    fn new(needs: &[Need<'a>], definitions: &'a [Dependency]) -> Self {
        let mut names = Vec::new();
        let mut products = HashMap::new();
        let mut by_id = HashMap::new();
        for need in needs {
            products
                .entry(need.product_id.to_ascii_lowercase())
                .or_insert(names.len());
            names.push(need.product_id);
        }
        for definition in definitions {
            let id = definition.id.as_deref().unwrap_or_default();
            by_id.entry(id).or_insert(names.len());
            names.push(id);
        }
        let mut edges = Vec::with_capacity(names.len());
        let roots = needs
            .iter()
            .map(|need| need.dependency)
            .chain(definitions.iter().map(Some));
        for root in roots {
            let mut targets = Vec::new();
            // An explicit stack, since the order of the edges does not matter and the nesting is input.
            let mut stack: Vec<(&Dependency, bool)> =
                root.map(|root| (root, false)).into_iter().collect();
            while let Some((dependency, in_or)) = stack.pop() {
                let span = dependency.rest.span();
                let target = match &dependency.rule {
                    DependencyRule::Product(id) => products.get(&id.to_ascii_lowercase()).copied(),
                    DependencyRule::IdRef(id) => by_id.get(id.as_str()).copied(),
                    DependencyRule::And(all) => {
                        stack.extend(all.iter().rev().map(|dependency| (dependency, in_or)));
                        None
                    }
                    DependencyRule::Or(all) => {
                        let in_or = in_or || all.len() > 1;
                        stack.extend(all.iter().rev().map(|dependency| (dependency, in_or)));
                        None
                    }
                    DependencyRule::Malformed => None,
                };
                targets.extend(target.map(|target| Edge {
                    target,
                    in_or,
                    span,
                }));
            }
            edges.push(targets);
        }
        Self { names, edges }
    }

    /// A depth-first search, with an explicit stack: a feed may chain thousands of products.
    fn cycles(&self, branches: bool) -> Vec<Cycle> {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut state = vec![NEW; self.names.len()];
        let mut cycles = Vec::new();
        for start in 0..self.names.len() {
            if state[start] != NEW {
                continue;
            }
            state[start] = OPEN;
            // Node, the next edge to look at, and whether the edge that led here is in an `or`.
            let mut stack = vec![(start, 0, false)];
            while let Some((node, next, _)) = stack.last_mut() {
                let node = *node;
                let Some(edge) = self.edges[node].get(*next).copied() else {
                    state[node] = DONE;
                    stack.pop();
                    continue;
                };
                *next += 1;
                if edge.in_or && !branches {
                    continue;
                }
                match state[edge.target] {
                    NEW => {
                        state[edge.target] = OPEN;
                        stack.push((edge.target, 0, edge.in_or));
                    }
                    OPEN => {
                        let from = stack
                            .iter()
                            .position(|(node, ..)| *node == edge.target)
                            .unwrap_or_default();
                        let circle = &stack[from..];
                        cycles.push(Cycle {
                            path: circle
                                .iter()
                                .map(|(node, ..)| *node)
                                .chain([edge.target])
                                .map(|node| self.names[node].to_owned())
                                .collect(),
                            span: edge.span,
                            has_way_out: edge.in_or
                                || circle.iter().skip(1).any(|(.., in_or)| *in_or),
                        });
                    }
                    _ => {}
                }
            }
        }
        cycles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn feed(products: &[(&str, Option<Dependency>)]) -> Feed {
        Feed {
            entries: products
                .iter()
                .map(|(product_id, dependency)| Entry {
                    product_id: (*product_id).to_owned(),
                    dependency: dependency.clone(),
                    ..Entry::default()
                })
                .collect(),
            ..Feed::default()
        }
    }

    fn or(a: &str, b: &str) -> Option<Dependency> {
        Some(DependencyRule::Or(vec![Dependency::on(a), Dependency::on(b)].into()).into())
    }

    fn on(product_id: &str) -> Option<Dependency> {
        Some(Dependency::on(product_id))
    }

    fn check(feed: &Feed, expected: &[(&[&str], bool)]) {
        let needs: Vec<Need<'_>> = feed.entries.iter().map(Need::of).collect();
        let found = find(&needs, &feed.dependencies);
        let found: Vec<(Vec<&str>, bool)> = found
            .iter()
            .map(|cycle| {
                (
                    cycle.path.iter().map(String::as_str).collect(),
                    cycle.has_way_out,
                )
            })
            .collect();
        let expected: Vec<(Vec<&str>, bool)> = expected
            .iter()
            .map(|(path, way_out)| (path.to_vec(), *way_out))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn circles_are_found_with_their_path() {
        check(&feed(&[("A", on("B")), ("B", on("C")), ("C", None)]), &[]);
        check(&feed(&[("A", on("a"))]), &[(&["A", "A"], false)]);
        check(
            &feed(&[
                ("X", on("A")),
                ("A", on("B")),
                ("B", on("C")),
                ("C", on("A")),
            ]),
            &[(&["A", "B", "C", "A"], false)],
        );
        check(
            &feed(&[("A", or("B", "C")), ("B", on("A")), ("C", None)]),
            &[(&["A", "B", "A"], true)],
        );
        check(&feed(&[("A", on("Elsewhere"))]), &[]);
    }

    #[test]
    fn circles_go_through_definitions() {
        let mut feed = feed(&[("A", Some(DependencyRule::IdRef("d".to_owned()).into()))]);
        let mut definition = Dependency::on("A");
        definition.id = Some("d".to_owned());
        feed.dependencies.push(definition);
        check(&feed, &[(&["A", "d", "A"], false)]);
        assert_eq!(
            refuse(&feed).unwrap_err().to_string(),
            "the dependencies go in a circle: A needs d needs A"
        );
    }

    #[test]
    fn a_long_chain_is_no_circle() {
        let names: Vec<String> = (0..50_000).map(|i| format!("P{i}")).collect();
        let products: Vec<(&str, Option<Dependency>)> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (name.as_str(), names.get(i + 1).and_then(|next| on(next))))
            .collect();
        check(&feed(&products), &[]);
    }
}
