//! Templates that are XML already: parsed first, then filled in value by value.

use crate::{
    Document, Element, Node, Problem, Source, Span, Splices, escape_attribute, escape_text,
};

/// Rewrites attribute values and character data of a document, and nothing else: markup, comments and spacing stay as
/// they are, and a new value is escaped for its place, so that no value can break the XML.
///
/// `change` gets a value with its references resolved, and its place; it returns the new value, `None` to leave it as
/// written, or what is wrong with it.
///
/// ```
/// use spanned_xml::{Document, Source, map_values};
///
/// let source = Source::from_text("web.config.in", "<a path='%DIR%'><!-- %DIR% --></a>");
/// let document = Document::parse(&source)?;
/// let text = map_values(&source, &document, |value, _| Ok(Some(value.replace("%DIR%", "R&D")))).unwrap();
/// assert_eq!(text, "<a path='R&amp;D'><!-- %DIR% --></a>");
/// # Ok::<(), spanned_xml::Problem>(())
/// ```
///
/// # Errors
///
/// All problems that `change` reported.
pub fn map_values<F>(
    source: &Source,
    document: &Document,
    mut change: F,
) -> Result<String, Vec<Problem>>
where
    F: FnMut(&str, Span) -> Result<Option<String>, Vec<Problem>>,
{
    let mut splices = Splices::new();
    let mut problems = Vec::new();
    for element in document.root().descendants() {
        map_element(source, element, &mut change, &mut splices, &mut problems);
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.span);
        return Err(problems);
    }
    // The spans come from one parse of this text: they lie inside it and do not overlap.
    Ok(splices
        .apply(source.text())
        .unwrap_or_else(|| source.text().to_owned()))
}

fn map_element<F>(
    source: &Source,
    element: &Element,
    change: &mut F,
    splices: &mut Splices,
    problems: &mut Vec<Problem>,
) where
    F: FnMut(&str, Span) -> Result<Option<String>, Vec<Problem>>,
{
    let mut apply =
        |value: &str, span: Span, write: &dyn Fn(&str) -> String| match change(value, span) {
            Ok(Some(new)) if new != value => splices.replace(span, write(&new)),
            Ok(_) => {}
            Err(found) => problems.extend(found),
        };
    for attribute in &element.attributes {
        let single_quotes =
            source.slice(Span::new(attribute.value_span.end, attribute.span.end)) == "'";
        apply(&attribute.value, attribute.value_span, &|new| {
            let escaped = escape_attribute(new);
            if single_quotes {
                escaped.replace('\'', "&apos;")
            } else {
                escaped
            }
        });
    }
    for child in &element.children {
        match child {
            Node::Text(text) => apply(&text.value, text.span, &|new| escape_text(new)),
            Node::CData(text) => apply(&text.value, text.span, &|new| {
                format!("<![CDATA[{}]]>", new.replace("]]>", "]]]]><![CDATA[>"))
            }),
            Node::Element(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let source = Source::from_text("x", text);
        let document = Document::parse(&source).unwrap();
        let hostile = "\"'<&>]]>";
        let mapped = map_values(&source, &document, |value, _| {
            Ok(value.contains('V').then(|| value.replace('V', hostile)))
        })
        .unwrap();
        assert_eq!(mapped, expected);
        let again = Document::parse(&Source::from_text("x", mapped)).unwrap();
        let values = |document: &Document| -> Vec<String> {
            document
                .root()
                .descendants()
                .flat_map(|e| {
                    e.attributes
                        .iter()
                        .map(|a| a.value.clone())
                        .chain([e.text()])
                })
                .collect()
        };
        let filled: Vec<String> = values(&document)
            .into_iter()
            .map(|value| value.replace('V', hostile))
            .collect();
        assert_eq!(values(&again), filled, "{text}");
    }

    #[test]
    fn no_value_breaks_the_document() {
        check(
            "<a b='V' c=\"V\">xV<d/><![CDATA[V]]></a>",
            "<a b='&quot;&apos;&lt;&amp;&gt;]]&gt;' c=\"&quot;'&lt;&amp;&gt;]]&gt;\">x\"'&lt;&amp;&gt;]]&gt;<d/><![CDATA[\"'<&>]]]]><![CDATA[>]]></a>",
        );
        check("<a b='&#65;'><!-- V --></a>", "<a b='&#65;'><!-- V --></a>");
    }

    #[test]
    fn all_problems_come_at_once() {
        let source = Source::from_text("x", "<a b='1' c='2'>3</a>");
        let document = Document::parse(&source).unwrap();
        let problems = map_values(&source, &document, |value, span| {
            Err(vec![Problem::error("test", value.to_owned()).at(span)])
        })
        .unwrap_err();
        assert_eq!(
            problems
                .iter()
                .map(|p| p.message.as_str())
                .collect::<Vec<_>>(),
            ["1", "2", "3"]
        );
    }
}
