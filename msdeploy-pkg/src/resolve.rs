//! Values for parameters: what was given, what is left to the defaults, and whether they will do.
//!
//! A value given on the command line comes before one from the environment, that before one from a file, and all of
//! them before `value` and `defaultValue` of the `Parameters.xml`. `{Other Parameter}` inside a default stands for
//! that parameter's value; in braces that name no parameter, and in given values, text is just text.

mod resolution;

use spanned_xml::{Problem, Source};

use crate::apply::Scopes;
use crate::given::{Given, Origin};
use crate::parameters::{Parameter, Parameters, same_name};
use crate::validate::validate;
use resolution::Resolution;

/// Parameters with their values.
#[derive(Clone, Debug)]
pub struct ResolvedParameters {
    pub(crate) values: Vec<ResolvedParameter>,
    /// The scopes of the entries that edit files, by the entries' numbers over all parameters.
    pub(crate) scopes: Scopes,
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
    fn new(values: Vec<ResolvedParameter>, source: Source) -> Self {
        let entries = values
            .iter()
            .flat_map(|resolved| &resolved.parameter.entries)
            .enumerate();
        let scopes = Scopes::new(
            entries
                .filter(|(_, entry)| entry.kind.edits_files())
                .map(|(number, entry)| (number, &entry.scope)),
        );
        Self {
            values,
            scopes,
            source,
        }
    }

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
        let mut resolution = Resolution::new(self, given);
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
            Ok(ResolvedParameters::new(values, self.source.clone()))
        } else {
            Err(resolution.problems)
        }
    }

    /// The value that a parameter has without one of its own, the values given so far put in where its default refers to
    /// them; `None` where it has no default, or one that cannot be evaluated.
    #[must_use]
    pub fn default_of(&self, name: &str, given: &Given) -> Option<String> {
        let mut resolution = Resolution::new(self, given);
        let index = resolution.index(name)?;
        resolution.chosen.remove(&index);
        let parameter = self.parameters.get(index)?;
        parameter
            .value
            .as_ref()
            .or(parameter.default_value.as_ref())?;
        resolution.value(index, &mut Vec::new())
    }

    /// Whether a parameter's default refers to another parameter.
    pub(crate) fn default_refers(&self, parameter: &Parameter) -> bool {
        let default = parameter
            .value
            .as_ref()
            .or(parameter.default_value.as_ref());
        default.is_some_and(|default| {
            default
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}'))
                .any(|(name, _)| self.parameter(name).is_some())
        })
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        let known = self
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        spanned_xml::nearest(name, known, 1).first().copied()
    }
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
    fn defaults_to_show_in_a_prompt() {
        let xml = "<parameters><parameter name='A'/><parameter name='B' defaultValue='{A}/x'/><parameter name='C' defaultValue='{C}'/></parameters>";
        let (parameters, _) = Parameters::parse(&Source::from_text("p", xml)).unwrap();
        let mut given = Given::new();
        assert_eq!(parameters.default_of("B", &given), None);
        given.push("A", "site", Origin::CommandLine);
        given.push("B", "own", Origin::CommandLine);
        assert_eq!(
            parameters.default_of("b", &given).as_deref(),
            Some("site/x")
        );
        for name in ["A", "C", "D"] {
            assert_eq!(parameters.default_of(name, &given), None, "{name}");
        }
        let answer = parameters.parameters[0].refuses("");
        assert_eq!(answer, None);
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
            "<parameter name='S' defaultValue='x'><parameterValidation kind='RegularExpression' validationString='[[:x:]]'/></parameter>",
            &[],
            "regex-unsupported",
            "not supported",
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
