//! `SetParameters.xml`: values for the parameters of a package, one file for each place it is deployed to.
//!
//! *Web Deploy Parameterization*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569084(v=ws.10)>.

use std::collections::HashMap;

use spanned_xml::{Document, Problem, Problems, Source, Span, XmlWriter};

use crate::given::Given;
use crate::parameters::{Parameters, folded};

/// The values that a file sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetParameters {
    /// The values, in order; each name once.
    pub parameters: Vec<SetParameter>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetParameter {
    /// The parameter's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The element's place.
    pub span: Span,
}

impl SetParameters {
    /// Reads a file.
    ///
    /// A name that is set twice keeps its first value and gives a warning.
    ///
    /// # Errors
    ///
    /// All faults: XML, another root element than `parameters`, a `setParameter` without `name` or `value`.
    pub fn parse(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let root = document.root();
        let mut problems = Vec::new();
        if !root.is("parameters") {
            problems.push(
                Problem::error(
                    "set-parameters-root",
                    format!("the file begins with `<{}>`, not with `<parameters>`", root.name),
                )
                .at(root.name_span)
                .help("a SetParameters.xml is `<parameters><setParameter name=\"…\" value=\"…\" /></parameters>`"),
            );
        }
        let mut parameters: Vec<SetParameter> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::new();
        for element in root.elements() {
            if !element.is("setParameter") {
                problems.push(
                    Problem::warning(
                        "set-parameters-unknown-element",
                        format!("`<{}>` sets nothing", element.name),
                    )
                    .at(element.name_span)
                    .help("write `<setParameter name=\"…\" value=\"…\" />`"),
                );
                continue;
            }
            let mut attribute = |name: &str| {
                let found = element.attribute_ignore_case(name);
                if found.is_none() {
                    problems.push(
                        Problem::error(
                            "set-parameter-incomplete",
                            format!("`<{}>` has no `{name}`", element.name),
                        )
                        .at(element.name_span)
                        .help("write `<setParameter name=\"…\" value=\"…\" />`"),
                    );
                }
                found
            };
            let (name, value) = (attribute("name"), attribute("value"));
            let (Some(name), Some(value)) = (name, value) else {
                continue;
            };
            let known = parameters.len();
            let first = *names.entry(folded(&name.value)).or_insert(known);
            if let Some(first) = parameters.get(first) {
                problems.push(
                    Problem::warning(
                        "set-parameter-twice",
                        format!("`{}` is set twice, and the first value holds", name.value),
                    )
                    .at(name.value_span)
                    .related(first.span, "set here first")
                    .help("remove one of the two"),
                );
                continue;
            }
            parameters.push(SetParameter {
                name: name.value.clone(),
                value: value.value.clone(),
                span: element.start_tag,
            });
        }
        Problems::or_value(source, problems, Self { parameters })
    }

    /// A file to fill in: every parameter that is asked for, with its default, but for secrets. Left out are those whose default refers to
    /// other parameters, so that they go on following them.
    ///
    /// ```
    /// use msdeploy_pkg::{Parameters, SetParameters};
    /// use spanned_xml::Source;
    ///
    /// let xml = "<parameters><parameter name='Path' defaultValue='Site/app'/><parameter name='Key' tags='Password'/></parameters>";
    /// let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml))?;
    /// assert_eq!(
    ///     SetParameters::to_fill_in(&parameters).write(),
    ///     "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<parameters>\r\n\
    ///      \x20 <setParameter name=\"Path\" value=\"Site/app\" />\r\n\
    ///      \x20 <setParameter name=\"Key\" value=\"\" />\r\n</parameters>\r\n"
    /// );
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    #[must_use]
    pub fn to_fill_in(parameters: &Parameters) -> Self {
        let given = Given::new();
        let asked = parameters
            .parameters
            .iter()
            .filter(|parameter| !parameter.is_hidden() && !parameters.default_refers(parameter));
        Self {
            parameters: asked
                .map(|parameter| SetParameter {
                    name: parameter.name.clone(),
                    value: parameters
                        .default_of(&parameter.name, &given)
                        .filter(|_| !parameter.is_secret())
                        .unwrap_or_default(),
                    span: parameter.span,
                })
                .collect(),
        }
    }

    /// The file's text, as Visual Studio writes it: a declaration, an indentation of two, CR LF.
    #[must_use]
    pub fn write(&self) -> String {
        let mut xml = XmlWriter::new("  ", "\r\n");
        xml.declaration();
        xml.start("parameters");
        for SetParameter { name, value, .. } in &self.parameters {
            xml.empty("setParameter", &[("name", name), ("value", value)]);
        }
        xml.end();
        xml.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(SetParameters, Vec<Problem>), Problems> {
        SetParameters::parse(&Source::from_text("SetParameters.xml", text))
    }

    #[test]
    fn the_first_value_holds() {
        let (set, problems) = parse(
            "<parameters><setParameter name='A' value='1'/><setParameter name='a' value='2'/><setParameter name='B' value=''/></parameters>",
        )
        .unwrap();
        let values: Vec<_> = set
            .parameters
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_str()))
            .collect();
        assert_eq!(values, [("A", "1"), ("B", "")]);
        assert_eq!(problems[0].code, "set-parameter-twice");
        assert_eq!(problems[0].related.len(), 1);
    }

    #[test]
    fn faults() {
        let problems = parse("<p><setParameter/><other/></p>")
            .unwrap_err()
            .problems;
        let codes: Vec<_> = problems.iter().map(|p| p.code).collect();
        assert_eq!(
            codes,
            [
                "set-parameters-root",
                "set-parameter-incomplete",
                "set-parameter-incomplete",
                "set-parameters-unknown-element"
            ]
        );
    }
}
