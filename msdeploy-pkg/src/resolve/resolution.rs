//! Choosing a value for each parameter, `{Other Parameter}` in defaults followed.

use std::collections::{BTreeMap, HashMap};

use spanned_xml::Problem;

use crate::given::{Given, GivenValue, Origin};
use crate::parameters::{EntryKind, Parameter, Parameters, folded};
use crate::validate::list;

/// Defaults that may lead to each other one inside the other.
const MAX_DEPTH: usize = 64;
/// Octets that an interpolated default may have: `{A}{A}` in a chain of defaults doubles at each step.
const MAX_VALUE_LEN: usize = 1 << 20;

pub(crate) struct Resolution<'p, 'g> {
    parameters: &'p Parameters,
    names: HashMap<String, usize>,
    /// The given value for each parameter that has one.
    pub(crate) chosen: BTreeMap<usize, &'g GivenValue>,
    /// Values found so far; `None` where a problem has been reported instead.
    pub(crate) done: BTreeMap<usize, Option<(String, Origin)>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'p, 'g> Resolution<'p, 'g> {
    pub(crate) fn new(parameters: &'p Parameters, given: &'g Given) -> Self {
        let mut resolution = Self {
            parameters,
            names: parameters
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
        resolution
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
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
    pub(crate) fn value(&mut self, index: usize, path: &mut Vec<usize>) -> Option<String> {
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
