//! The `Parameters.xml` of a package that parameters have been applied to: what is still to be asked.

use spanned_xml::{Document, Problems, Span, Splices, escape_attribute};

use crate::given::Origin;
use crate::parameters::folded;
use crate::resolve::ResolvedParameters;

impl ResolvedParameters {
    /// The text of the `Parameters.xml` for a package whose files have been [edited](Self::edit): without the entries that
    /// edit files, and without parameters that had no others and that no default refers to. A value that was given becomes
    /// the default, but for secrets. All else stays as it is written.
    ///
    /// # Errors
    ///
    /// A `Parameters.xml` that is not the one that the parameters were read from.
    pub fn remaining_parameters(&self) -> Result<String, Problems> {
        let source = &self.source;
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut splices = Splices::new();
        for resolved in &self.values {
            let parameter = &resolved.parameter;
            let element = document
                .root()
                .elements()
                .find(|element| element.start_tag == parameter.span);
            let Some(element) = element else { continue };
            let edits = |entry: &&crate::ParameterEntry| entry.kind.edits_files();
            let applied: Vec<Span> = parameter
                .entries
                .iter()
                .filter(edits)
                .map(|entry| entry.span)
                .collect();
            let gone = !applied.is_empty()
                && applied.len() == parameter.entries.len()
                && !self.is_referred_to(&parameter.name);
            if gone {
                splices.remove(source_line(source.text(), element.span));
                continue;
            }
            for child in element.elements() {
                if applied.contains(&child.start_tag) {
                    splices.remove(source_line(source.text(), child.span));
                }
            }
            if resolved.origin == Origin::Default || parameter.is_secret() {
                continue;
            }
            let attribute = element
                .attribute_ignore_case("value")
                .or_else(|| element.attribute_ignore_case("defaultValue"));
            let value = escape_attribute(&resolved.value).replace('\'', "&apos;");
            match attribute {
                Some(attribute) => splices.replace(attribute.value_span, value),
                None => splices.insert(element.name_span.end, format!(" defaultValue=\"{value}\"")),
            }
        }
        Ok(splices
            .apply(source.text())
            .unwrap_or_else(|| source.text().to_owned()))
    }

    fn is_referred_to(&self, name: &str) -> bool {
        let reference = folded(&format!("{{{name}}}"));
        self.values.iter().any(|resolved| {
            let default = resolved.parameter.value.as_ref();
            default
                .or(resolved.parameter.default_value.as_ref())
                .is_some_and(|default| folded(default).contains(&reference))
        })
    }
}

/// The span, with the line's other blanks and its end where nothing else is on the line.
pub(crate) fn source_line(text: &str, span: Span) -> Span {
    let before = text[..span.start].trim_end_matches([' ', '\t']);
    let after = text[span.end..].trim_start_matches([' ', '\t']);
    let rest = after
        .strip_prefix("\r\n")
        .or_else(|| after.strip_prefix('\n'));
    match rest {
        Some(rest) if before.ends_with('\n') => Span::new(before.len(), text.len() - rest.len()),
        _ => span,
    }
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use crate::{Given, Origin, Parameters};

    #[test]
    fn what_is_done_is_not_asked_again() {
        let xml = "<parameters>\n  <parameter name='Path' defaultValue='a' tags='iisApp'>\n    <parameterEntry kind='TextFile' scope='x' match='y' />\n    \
            <parameterEntry kind='ProviderPath' scope='iisApp' match='App' />\n  </parameter>\n  <parameter name='Title'>\n    \
            <parameterEntry kind='TextFile' scope='x' match='y' />\n  </parameter>\n  <parameter name='Host' defaultValue='h'>\n    \
            <parameterEntry kind='TextFile' scope='x' match='y' />\n  </parameter>\n  <parameter name='Url' defaultValue='http://{host}/' />\n</parameters>\n";
        let (parameters, _) = Parameters::parse(&Source::from_text("p", xml)).unwrap();
        let mut given = Given::new();
        given.push("Path", "it's", Origin::CommandLine);
        given.push("Title", "t", Origin::CommandLine);
        let remaining = parameters.resolve(&given).unwrap().remaining_parameters();
        assert_eq!(
            remaining.unwrap(),
            "<parameters>\n  <parameter name='Path' defaultValue='it&apos;s' tags='iisApp'>\n    \
            <parameterEntry kind='ProviderPath' scope='iisApp' match='App' />\n  </parameter>\n  <parameter name='Host' defaultValue='h'>\n  \
            </parameter>\n  <parameter name='Url' defaultValue='http://{host}/' />\n</parameters>\n"
        );
    }
}
