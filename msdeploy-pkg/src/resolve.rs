//! Values for parameters: what was given, what is left to the defaults, and whether they will do.
//!
//! A value given on the command line comes before one from the environment, that before one from a file, and all of
//! them before `value` and `defaultValue` of the `Parameters.xml`. `{Other Parameter}` inside a default stands for
//! that parameter's value; in braces that name no parameter, and in given values, text is just text.

use std::collections::{BTreeMap, HashMap};

use spanned_xml::{Problem, Source};

use crate::given::{Given, GivenValue, Origin};
use crate::parameters::{EntryKind, Parameter, Parameters, folded, same_name};
use crate::validate::{list, validate};

/// Parameters with their values.
#[derive(Clone, Debug)]
pub struct ResolvedParameters {
    pub(crate) values: Vec<ResolvedParameter>,
    pub(crate) source: Source,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResolvedParameter {
    /// The parameter.
    pub parameter: Parameter,
    /// Its value.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

impl ResolvedParameters {
    /// The parameters with their values, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &ResolvedParameter> + '_ {
        self.values.iter()
    }

    /// The value of a parameter; the case of its name does not matter.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|resolved| same_name(&resolved.parameter.name, name))
            .map(|resolved| resolved.value.as_str())
    }

    /// The `Parameters.xml` that the parameters come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl Parameters {
    /// Gives every parameter its value, and checks it.
    ///
    /// ```
    /// use msdeploy_pkg::{Given, Origin, Parameters};
    /// use spanned_xml::Source;
    ///
    /// let xml = r#"<parameters>
    ///   <parameter name="Application Path" defaultValue="Default Web Site/app" />
    ///   <parameter name="Data" defaultValue="{Application Path}/data" tags="Hidden" />
    /// </parameters>"#;
    /// let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml))?;
    /// let mut given = Given::new();
    /// given.push("application path", "Site/blog", Origin::CommandLine);
    /// let resolved = parameters.resolve(&given).unwrap();
    /// assert_eq!(resolved.value("Data"), Some("Site/blog/data"));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All problems at once, with their places in the `Parameters.xml`: a name that no parameter has, a value that a
    /// validation refuses, a parameter without any value, defaults that need each other in a circle.
    pub fn resolve(&self, given: &Given) -> Result<ResolvedParameters, Vec<Problem>> {
        let mut resolution = Resolution {
            parameters: self,
            names: self
                .parameters
                .iter()
                .enumerate()
                .map(|(index, parameter)| (folded(&parameter.name), index))
                .collect(),
            chosen: BTreeMap::new(),
            done: BTreeMap::new(),
            problems: Vec::new(),
        };
        resolution.choose(given);
        for index in 0..self.parameters.len() {
            resolution.value(index, &mut Vec::new());
        }
        let mut values = Vec::with_capacity(self.parameters.len());
        for (index, parameter) in self.parameters.iter().enumerate() {
            let Some(Some((value, origin))) = resolution.done.remove(&index) else {
                continue;
            };
            resolution
                .problems
                .extend(validate(parameter, &value, &origin));
            values.push(ResolvedParameter {
                parameter: parameter.clone(),
                value,
                origin,
            });
        }
        if resolution.problems.is_empty() {
            Ok(ResolvedParameters {
                values,
                source: self.source.clone(),
            })
        } else {
            Err(resolution.problems)
        }
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        let known = self
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        spanned_xml::nearest(name, known, 1).first().copied()
    }
}

/// Defaults that may lead to each other one inside the other.
const MAX_DEPTH: usize = 64;
/// Octets that an interpolated default may have: `{A}{A}` in a chain of defaults doubles at each step.
const MAX_VALUE_LEN: usize = 1 << 20;

struct Resolution<'p, 'g> {
    parameters: &'p Parameters,
    names: HashMap<String, usize>,
    /// The given value for each parameter that has one.
    chosen: BTreeMap<usize, &'g GivenValue>,
    /// Values found so far; `None` where a problem has been reported instead.
    done: BTreeMap<usize, Option<(String, Origin)>>,
    problems: Vec<Problem>,
}

impl<'g> Resolution<'_, 'g> {
    fn index(&self, name: &str) -> Option<usize> {
        self.names.get(&folded(name)).copied()
    }

    fn choose(&mut self, given: &'g Given) {
        for value in &given.values {
            let Some(index) = self.index(&value.name) else {
                let problem = Problem::error(
                    "parameter-unknown",
                    format!(
                        "the package has no parameter `{}` (given by {})",
                        value.name, value.origin
                    ),
                );
                let names: Vec<String> = self
                    .parameters
                    .parameters
                    .iter()
                    .filter(|parameter| !parameter.is_hidden())
                    .map(|parameter| format!("`{}`", parameter.name))
                    .collect();
                self.problems
                    .push(match self.parameters.nearest(&value.name) {
                        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
                        None if names.is_empty() => {
                            problem.help("the package has no parameters to set")
                        }
                        None => problem.help(format!("its parameters are {}", names.join(", "))),
                    });
                continue;
            };
            let Some(chosen) = self.chosen.get(&index).copied() else {
                self.chosen.insert(index, value);
                continue;
            };
            if value.origin.rank() > chosen.origin.rank() {
                self.chosen.insert(index, value);
            } else if value.origin == Origin::CommandLine
                && chosen.origin == Origin::CommandLine
                && value.value != chosen.value
            {
                self.problems.push(
                    Problem::error(
                        "parameter-given-twice",
                        format!(
                            "two values for the parameter `{}` on the command line",
                            value.name
                        ),
                    )
                    .help("give it once"),
                );
            }
        }
    }

    /// The value of a parameter. `path` are the parameters whose defaults lead here.
    fn value(&mut self, index: usize, path: &mut Vec<usize>) -> Option<String> {
        if let Some(done) = self.done.get(&index) {
            return done.as_ref().map(|(value, _)| value.clone());
        }
        let parameters = self.parameters;
        let parameter = parameters.parameters.get(index)?;
        if let Some(start) = path.iter().position(|&above| above == index) {
            let names: Vec<String> = path[start..]
                .iter()
                .chain([&index])
                .filter_map(|&index| parameters.parameters.get(index))
                .map(|parameter| format!("`{}`", parameter.name))
                .collect();
            self.problems.push(
                Problem::error(
                    "parameter-cycle",
                    format!(
                        "the defaults of parameters need each other: {}",
                        names.join(" → ")
                    ),
                )
                .at(parameter.value_span)
                .help("write one of them out, or give it a value"),
            );
            for &index in &path[start..] {
                self.done.insert(index, None);
            }
            return None;
        }
        let result = if let Some(given) = self.chosen.get(&index) {
            Some((given.value.clone(), given.origin.clone()))
        } else if reads_a_file(parameter) {
            self.problems.push(
                Problem::error(
                    "parameter-default-from-file",
                    format!(
                        "the default of `{}` would be read from a file, which is not supported",
                        parameter.name
                    ),
                )
                .at(parameter.value_span)
                .help(format!(
                    "give the value itself: `--set-param \"{}=…\"`",
                    parameter.name
                )),
            );
            None
        } else if let Some(template) = parameter
            .value
            .as_deref()
            .or(parameter.default_value.as_deref())
        {
            path.push(index);
            let value = self.interpolate(template, path);
            let too_large = path.len() > MAX_DEPTH
                || value
                    .as_ref()
                    .is_some_and(|value| value.len() > MAX_VALUE_LEN);
            path.pop();
            if too_large {
                self.problems.push(
                    Problem::error(
                        "parameter-interpolation-limit",
                        format!(
                            "the default of `{}` goes through more than {MAX_DEPTH} others or grows over {MAX_VALUE_LEN} octets",
                            parameter.name
                        ),
                    )
                    .at(parameter.value_span)
                    .help("write defaults that refer to fewer parameters"),
                );
            }
            value
                .filter(|_| !too_large)
                .map(|value| (value, Origin::Default))
        } else {
            self.problems.push(missing(parameter));
            None
        };
        let value = result.as_ref().map(|(value, _)| value.clone());
        // A cycle through this parameter has been noted already.
        self.done.entry(index).or_insert(result);
        value
    }

    fn interpolate(&mut self, template: &str, path: &mut Vec<usize>) -> Option<String> {
        let mut value = String::with_capacity(template.len());
        let mut complete = true;
        let mut rest = template;
        if path.len() > MAX_DEPTH {
            return None;
        }
        while let Some(open) = rest.find('{') {
            value.push_str(&rest[..open]);
            rest = &rest[open..];
            let name = rest[1..].split(['{', '}']).next().unwrap_or_default();
            let closed = rest[1 + name.len()..].starts_with('}');
            match self.index(name).filter(|_| closed) {
                Some(other) => {
                    match self.value(other, path) {
                        Some(other) if value.len() <= MAX_VALUE_LEN => value.push_str(&other),
                        Some(_) => {}
                        None => complete = false,
                    }
                    rest = &rest[name.len() + 2..];
                }
                None => {
                    value.push('{');
                    rest = &rest[1..];
                }
            }
        }
        value.push_str(rest);
        complete.then_some(value)
    }
}

/// Whether the default is `file:://xpath`, Web Deploy 3's way of taking XML from elsewhere.
fn reads_a_file(parameter: &Parameter) -> bool {
    parameter
        .value
        .as_ref()
        .or(parameter.default_value.as_ref())
        .is_some_and(|template| template.contains(":://"))
        && parameter
            .entries
            .iter()
            .any(|entry| matches!(entry.kind, EntryKind::XmlFile(_)))
}

fn missing(parameter: &Parameter) -> Problem {
    let mut help = format!(
        "give it with `--set-param \"{}=…\"` or in a SetParameters.xml",
        parameter.name
    );
    if let Some(allowed) = parameter.allowed() {
        help = format!("{help}; it can be {}", list(allowed));
    } else if let Some(description) = &parameter.description {
        help = format!("{help}: {description}");
    }
    Problem::error(
        "parameter-missing",
        format!("the parameter `{}` has no value", parameter.name),
    )
    .at(parameter.name_span)
    .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        xml: &str,
        given: &[(&str, &str, Origin)],
    ) -> Result<ResolvedParameters, Vec<Problem>> {
        let (parameters, _) = Parameters::parse(&Source::from_text(
            "Parameters.xml",
            format!("<parameters>{xml}</parameters>"),
        ))
        .unwrap();
        let mut values = Given::new();
        for (name, value, origin) in given {
            values.push(*name, *value, origin.clone());
        }
        parameters.resolve(&values)
    }

    fn check(xml: &str, given: &[(&str, &str, Origin)], expected: &[&str]) {
        let resolved = resolve(xml, given).unwrap();
        let values: Vec<&str> = resolved
            .iter()
            .map(|resolved| resolved.value.as_str())
            .collect();
        assert_eq!(values, expected, "{xml}");
    }

    fn refused(xml: &str, given: &[(&str, &str, Origin)], code: &str, text: &str) {
        let problems = resolve(xml, given).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].code, code);
        assert!(problems[0].to_string().contains(text), "{}", problems[0]);
    }

    #[test]
    fn precedence() {
        let xml = "<parameter name='A' defaultValue='d'/>";
        let file = |name: &str| Origin::File(name.to_owned());
        check(xml, &[], &["d"]);
        check(xml, &[("a", "1", file("x")), ("A", "2", file("y"))], &["1"]);
        check(
            xml,
            &[
                ("A", "f", file("x")),
                ("A", "e", Origin::Environment("E".into())),
            ],
            &["e"],
        );
        check(
            xml,
            &[("A", "c", Origin::CommandLine), ("A", "f", file("x"))],
            &["c"],
        );
        check(
            "<parameter name='A' value='v' defaultValue='d'/>",
            &[],
            &["v"],
        );
        refused(
            xml,
            &[
                ("A", "1", Origin::CommandLine),
                ("A", "2", Origin::CommandLine),
            ],
            "parameter-given-twice",
            "give it once",
        );
    }

    #[test]
    fn defaults_refer_to_each_other() {
        check(
            "<parameter name='C' defaultValue='{b}-{B}{'/><parameter name='B' defaultValue='{ A }{A}/x'/><parameter name='A' defaultValue='{}1}'/>",
            &[],
            &["{ A }{}1}/x-{ A }{}1}/x{", "{ A }{}1}/x", "{}1}"],
        );
        // A given value is text.
        check(
            "<parameter name='A' defaultValue='a'/><parameter name='B' defaultValue='{A}'/>",
            &[("A", "{B}", Origin::CommandLine)],
            &["{B}", "{B}"],
        );
        refused(
            "<parameter name='A' defaultValue='{B}'/><parameter name='B' defaultValue='{C}'/><parameter name='C' defaultValue='{B}'/>",
            &[],
            "parameter-cycle",
            "`B` → `C` → `B`",
        );
        refused(
            "<parameter name='A' defaultValue='{A}'/>",
            &[],
            "parameter-cycle",
            "`A` → `A`",
        );
        let doubling: String = (0..60)
            .map(|i| {
                format!(
                    "<parameter name='P{i}' defaultValue='{{P{}}}{{P{}}}'/>",
                    i + 1,
                    i + 1
                )
            })
            .collect();
        refused(
            &format!("{doubling}<parameter name='P60' defaultValue='x'/>"),
            &[],
            "parameter-interpolation-limit",
            "grows over",
        );
        let chain: String = (0..50_000)
            .map(|i| format!("<parameter name='P{i}' defaultValue='{{P{}}}'/>", i + 1))
            .collect();
        assert!(resolve(&chain, &[]).is_err());
        refused(
            "<parameter name='A'/><parameter name='B' defaultValue='{A}/x'/>",
            &[],
            "parameter-missing",
            "--set-param \"A=…\"",
        );
    }

    #[test]
    fn values_are_validated() {
        let enumeration = "<parameter name='S' defaultValue='a'><parameterValidation kind='Enumeration' validationString='a,b'/></parameter>";
        check(enumeration, &[("S", "b", Origin::CommandLine)], &["b"]);
        refused(
            enumeration,
            &[("S", "B", Origin::CommandLine)],
            "parameter-value",
            "it can be `a`, `b`",
        );
        refused(
            enumeration,
            &[("S", "", Origin::CommandLine)],
            "parameter-value",
            "it can be `a`, `b`",
        );
        let boolean = "<parameter name='S' defaultValue='perhaps'><parameterValidation kind='Boolean'/></parameter>";
        refused(boolean, &[], "parameter-value", "`True` or `False`");
        check(boolean, &[("S", "tRuE", Origin::CommandLine)], &["tRuE"]);
        let regex = "<parameter name='S' tags='Password'><parameterValidation kind='RegularExpression,AllowEmpty' validationString='^[a-z]+$'/></parameter>";
        check(regex, &[("S", "", Origin::CommandLine)], &[""]);
        check(regex, &[("S", "abc", Origin::CommandLine)], &["abc"]);
        refused(
            regex,
            &[("S", "ABC", Origin::CommandLine)],
            "parameter-value",
            "value `…`",
        );
        refused(
            "<parameter name='S' defaultValue='x'><parameterValidation kind='RegularExpression' validationString='(?=x)'/></parameter>",
            &[],
            "regex-unsupported",
            "look-ahead",
        );
    }

    #[test]
    fn a_default_from_a_file_is_refused_and_a_value_is_not() {
        let xml = "<parameter name='A' defaultValue='\\web.config:://a'><parameterEntry kind='XmlFile' scope='x' match='//a'/></parameter>";
        refused(
            xml,
            &[],
            "parameter-default-from-file",
            "give the value itself",
        );
        check(xml, &[("A", "<a/>", Origin::CommandLine)], &["<a/>"]);
        check(
            "<parameter name='A' defaultValue='x:://y'/>",
            &[],
            &["x:://y"],
        );
    }

    #[test]
    fn unknown_names_get_a_hint() {
        let xml = "<parameter name='Application Path' defaultValue='x'/>";
        refused(
            xml,
            &[("Aplication Path", "y", Origin::CommandLine)],
            "parameter-unknown",
            "did you mean `Application Path`?",
        );
        refused(
            xml,
            &[("Colour", "y", Origin::CommandLine)],
            "parameter-unknown",
            "its parameters are `Application Path`",
        );
        refused(
            "",
            &[("Colour", "y", Origin::File("s.xml".into()))],
            "parameter-unknown",
            "(given by `s.xml`)",
        );
    }

    #[test]
    fn all_problems_at_once() {
        let problems = resolve(
            "<parameter name='A'/><parameter name='B'/><parameter name='C' defaultValue='x'><parameterValidation kind='Boolean'/></parameter>",
            &[("D", "", Origin::CommandLine)],
        )
        .unwrap_err();
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(
            codes,
            [
                "parameter-unknown",
                "parameter-missing",
                "parameter-missing",
                "parameter-value"
            ]
        );
    }
}
