//! Rules for `dependency`.

use spanned_xml::{Element, Problem};

use super::{Checker, value};

impl Checker<'_> {
    /// Checks a dependency and all inside it.
    pub(super) fn dependency(&mut self, dependency: &Element) {
        if self.reference(dependency, "dependency") {
            return;
        }
        let all: Vec<&Element> = dependency.elements().collect();
        match all.as_slice() {
            [] => self.push(
                Problem::error("webpi-dependency-empty", "the dependency names nothing")
                    .at(dependency.span)
                    .help("put one `<productId>`, `<and>` or `<or>` into it, or refer to a definition by `idref`"),
            ),
            [only] => self.dependency_rule(only),
            [first, .., last] => self.push(
                Problem::error("webpi-dependency-children", format!("the dependency has {} elements in it, and may have one", all.len()))
                    .at(last.span)
                    .related(first.span, "the first")
                    .help("put each into a `<dependency>` of its own, and those into one `<and>`"),
            ),
        }
    }

    fn dependency_rule(&mut self, rule: &Element) {
        if rule.is("productId") {
            self.known_product(rule, "needed");
        } else if rule.is("and") || rule.is("or") {
            let mut count = 0;
            for child in rule.elements() {
                if child.is("dependency") {
                    count += 1;
                    self.dependency(child);
                } else {
                    self.push(
                        Problem::error("webpi-dependency-unexpected", format!("`{}` cannot stand in `{}`", child.name, rule.name))
                            .at(child.name_span)
                            .help(format!("put it into a `<dependency>`: `<dependency><{0}>{1}</{0}></dependency>`", child.name, value(child))),
                    );
                }
            }
            if count < 2 {
                self.push(
                    Problem::error(
                        "webpi-dependency-too-few",
                        format!(
                            "`{}` has {count} `dependency` in it, and must have two or more",
                            rule.name
                        ),
                    )
                    .at(rule.name_span)
                    .help(format!(
                        "add another, or remove the `<{}>` around it",
                        rule.name
                    )),
                );
            }
        } else {
            self.push(
                Problem::error(
                    "webpi-dependency-unexpected",
                    format!("`{}` cannot stand in `dependency`", rule.name),
                )
                .at(rule.name_span)
                .help("use `productId`, `and` or `or`"),
            );
        }
    }
}
