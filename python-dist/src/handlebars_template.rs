//! `*.hbs` templates: handlebars over a project's metadata.
//!
//! Models the handlebars language (<https://handlebarsjs.com/guide/>) in its strict mode: a variable that the context does
//! not have is a fault, and all of them are reported at once. In a template of XML every value is escaped for XML, and the
//! forms that write one unescaped are refused, so that no value can break the file. Left out: partials from other files, and
//! helpers of a project's own.

use handlebars::template::{HelperTemplate, Template, TemplateElement};
use handlebars::{Handlebars, RenderErrorReason, no_escape};
use serde_json::{Map, Value, json};
use spanned_xml::{Problem, Problems, Source, Span, escape_attribute, nearest};

use crate::metadata::{License, Metadata, Person};
use crate::settings::Settings;

/// What a template becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// XML: values are escaped.
    Xml,
    /// Plain text: values are written as they are.
    None,
}

/// Fills in a template with the values of `context`.
///
/// `{{#if name}}` may ask for what is not there; everything else may not.
///
/// ```
/// use python_dist::{Escaping, render_handlebars};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("Manifest.xml.hbs", "<a b=\"{{title}}\"/>");
/// let context = serde_json::json!({ "title": "R&D" });
/// assert_eq!(render_handlebars(&source, &context, Escaping::Xml)?, "<a b=\"R&amp;D\"/>");
///
/// let problems = render_handlebars(&Source::from_text("x.hbs", "{{titel}}\n{{other}}"), &context, Escaping::Xml).unwrap_err();
/// assert_eq!(problems.problems.len(), 2);
/// assert_eq!(problems.problems[0].help.as_deref(), Some("did you mean `title`?"));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// A template that is not handlebars, a form that is refused in XML, and every variable that is not defined, with its place.
pub fn render_handlebars(
    source: &Source,
    context: &Value,
    escaping: Escaping,
) -> Result<String, Problems> {
    let refuse = |problems: Vec<Problem>| Problems {
        source: source.clone(),
        problems,
    };
    let template = compile(source, source.text()).map_err(|problem| refuse(vec![problem]))?;
    if escaping == Escaping::Xml {
        let mut problems = Vec::new();
        find_unescaped(source, &template, &mut problems);
        if !problems.is_empty() {
            return Err(refuse(problems));
        }
    }
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(match escaping {
        Escaping::Xml => escape_attribute,
        Escaping::None => no_escape,
    });
    let mut problems = Vec::new();
    // After a fault its tag is blanked out, so that the rest can be looked at: the place of every other tag stays.
    let mut text = source.text().to_owned();
    loop {
        let error = match registry.render_template(&text, context) {
            Ok(rendered) if problems.is_empty() => return Ok(rendered),
            Ok(_) => return Err(refuse(problems)),
            Err(error) => error,
        };
        let place = error.line_no.zip(error.column_no);
        // Blanking out what a later tag needs is no fault of the template.
        if !(problems.is_empty() || matches!(error.reason(), RenderErrorReason::MissingVariable(_)))
        {
            return Err(refuse(problems));
        }
        let span = place
            .and_then(|place| offset_of(source.text(), place))
            .and_then(|start| tag(source.text(), start));
        problems.push(fault(error.reason(), span, context));
        let Some(blanked) = place
            .and_then(|place| offset_of(&text, place))
            .and_then(|start| blank_out(&text, start))
        else {
            return Err(refuse(problems));
        };
        text = blanked;
    }
}

/// What a template can say of a project: the keys of `[project]` with `_` for `-`, and `[tool.iiswsgi]` under `iiswsgi`.
/// What the project does not say is not there.
///
/// ```
/// use python_dist::{Metadata, Settings, template_context};
///
/// let mut metadata = Metadata::default();
/// metadata.set_name("Guest.Book");
/// let context = template_context(&metadata, &Settings::default());
/// assert_eq!(context["name"], "Guest.Book");
/// assert_eq!(context["normalized_name"], "guest-book");
/// assert!(context.get("version").is_none());
/// ```
#[must_use]
pub fn template_context(metadata: &Metadata, settings: &Settings) -> Map<String, Value> {
    let people = |people: &[Person]| -> Vec<Value> {
        people
            .iter()
            .map(|person| {
                let mut entry = Map::new();
                set(&mut entry, "name", person.name.as_deref());
                set(&mut entry, "email", person.email.as_deref());
                Value::Object(entry)
            })
            .collect()
    };
    let mut context = Map::new();
    set(&mut context, "name", metadata.name.as_deref());
    set(
        &mut context,
        "normalized_name",
        metadata.normalized_name().as_deref(),
    );
    set(&mut context, "version", metadata.version.as_deref());
    set(&mut context, "description", metadata.summary.as_deref());
    set(
        &mut context,
        "requires_python",
        metadata.requires_python.as_deref(),
    );
    let license = metadata.license.as_ref().map(|license| match license {
        License::Expression(text) | License::Text(text) | License::File(text) => text.as_str(),
    });
    set(&mut context, "license", license);
    set(&mut context, "homepage", metadata.home_page());
    let urls: Map<String, Value> = metadata
        .urls
        .iter()
        .map(|(label, url)| (label.clone(), json!(url)))
        .collect();
    let mut own = Map::new();
    for (key, value) in [
        ("title", &settings.title),
        ("author_url", &settings.author_url),
        ("license_url", &settings.license_url),
        ("display_url", &settings.display_url),
        ("help_url", &settings.help_url),
        ("published", &settings.published),
        ("icon_url", &settings.icon_url),
        ("screenshot_url", &settings.screenshot_url),
        ("discovery_file", &settings.discovery_file),
        ("application", &settings.application),
    ] {
        set(&mut own, key, value.as_deref());
    }
    for (key, value) in [
        ("authors", json!(people(&metadata.authors))),
        ("maintainers", json!(people(&metadata.maintainers))),
        ("keywords", json!(metadata.keywords)),
        ("classifiers", json!(metadata.classifiers)),
        ("dependencies", json!(metadata.dependencies)),
        (
            "optional_dependencies",
            json!(metadata.optional_dependencies),
        ),
        ("urls", Value::Object(urls)),
        ("iiswsgi", Value::Object(own)),
    ] {
        context.insert(key.to_owned(), value);
    }
    context
}

fn set(map: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), json!(value));
    }
}

fn compile(source: &Source, text: &str) -> Result<Template, Problem> {
    Template::compile(text).map_err(|error| {
        let problem = Problem::error("handlebars-syntax", error.reason().to_string());
        match error
            .pos()
            .and_then(|place| offset_of(source.text(), place))
        {
            Some(start) => problem.at(Span::new(start, start)),
            None => problem,
        }
        .help("see https://handlebarsjs.com/guide/ for the language")
    })
}

/// The tags that write a value unescaped, at any depth.
fn find_unescaped(source: &Source, template: &Template, problems: &mut Vec<Problem>) {
    for (element, place) in template.elements.iter().zip(&template.mapping) {
        match element {
            TemplateElement::HtmlExpression(_) => {
                let span = offset_of(source.text(), (place.0, place.1))
                    .and_then(|start| tag(source.text(), start));
                let mut problem = Problem::error(
                    "handlebars-unescaped",
                    "`{{{…}}}` and `{{&…}}` would write a value into the XML unescaped",
                )
                .help("write `{{…}}`");
                problem.span = span;
                problems.push(problem);
            }
            TemplateElement::HelperBlock(block) => {
                let HelperTemplate {
                    template, inverse, ..
                } = block.as_ref();
                for inner in [template, inverse].into_iter().flatten() {
                    find_unescaped(source, inner, problems);
                }
            }
            _ => {}
        }
    }
}

fn fault(reason: &RenderErrorReason, span: Option<Span>, context: &Value) -> Problem {
    let mut problem = match reason {
        RenderErrorReason::MissingVariable(path) => {
            let name = path.as_deref().unwrap_or("this");
            let problem = Problem::error(
                "handlebars-undefined-variable",
                format!("the variable `{name}` is not defined"),
            );
            let known: Vec<&str> = context
                .as_object()
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect();
            problem.help(match nearest(name, known.iter().copied(), 1).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the variables are {}", known.join(", ")),
            })
        }
        other => Problem::error("handlebars-render", lowercase_first(&other.to_string()))
            .help("see https://handlebarsjs.com/guide/ for the language"),
    };
    problem.span = span;
    problem
}

fn lowercase_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// The byte offset of a line and column, both from 1, the column in characters.
fn offset_of(text: &str, (line, column): (usize, usize)) -> Option<usize> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let rest = &text[start..];
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .nth(column.saturating_sub(1))
        .map(|at| start + at)
}

/// The tag that begins at `start`, with its braces.
fn tag(text: &str, start: usize) -> Option<Span> {
    let rest = text.get(start..)?;
    let close = if rest.starts_with("{{{") {
        "}}}"
    } else if rest.starts_with("{{") {
        "}}"
    } else {
        return None;
    };
    let end = rest.find(close)? + close.len();
    Some(Span::new(start, start + end))
}

/// The text with the tag at `start`, and the block that it opens, turned into blanks; line ends stay.
fn blank_out(text: &str, start: usize) -> Option<String> {
    let opening = tag(text, start)?;
    let inner = text[opening.range()].trim_start_matches(['{', '~']);
    let end = match inner.strip_prefix('#') {
        None => opening.end,
        Some(inner) => {
            let name: String = inner
                .trim_start()
                .chars()
                .take_while(|c| !c.is_whitespace() && !matches!(c, '}' | '~'))
                .collect();
            end_of_block(text, opening.end, &name)?
        }
    };
    let blanks: String = text[start..end]
        .chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect();
    Some(format!("{}{blanks}{}", &text[..start], &text[end..]))
}

/// Where the block of `name` that is open at `from` ends, after its closing tag.
fn end_of_block(text: &str, from: usize, name: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = from;
    while let Some(found) = text[at..].find("{{") {
        let span = tag(text, at + found)?;
        let inner = text[span.range()]
            .trim_matches(['{', '}', '~'])
            .trim_start();
        let names = |sign: char| {
            inner
                .strip_prefix(sign)
                .and_then(|rest| rest.split_whitespace().next())
                == Some(name)
        };
        if names('#') {
            depth += 1;
        } else if names('/') {
            depth -= 1;
            if depth == 0 {
                return Some(span.end);
            }
        }
        at = span.end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Value {
        let mut metadata = Metadata::default();
        metadata.set_name("R&D");
        metadata.set_version("1.0");
        metadata.authors = vec![Person {
            name: Some("A. <Uthor>".to_owned()),
            email: None,
        }];
        metadata.dependencies = vec!["a".to_owned(), "b>=2".to_owned()];
        Value::Object(template_context(&metadata, &Settings::default()))
    }

    #[test]
    fn values_are_written_for_the_format() {
        for (text, escaping, expected) in [
            ("<a b='{{name}}'/>", Escaping::Xml, "<a b='R&amp;D'/>"),
            ("{{name}} {{{name}}}", Escaping::None, "R&D R&D"),
            (
                "{{#each dependencies}}<d>{{this}}</d>{{/each}}",
                Escaping::Xml,
                "<d>a</d><d>b&gt;=2</d>",
            ),
            (
                "{{#if description}}x{{else}}no {{authors.0.name}}{{/if}}",
                Escaping::Xml,
                "no A. &lt;Uthor&gt;",
            ),
        ] {
            let source = Source::from_text("x.hbs", text);
            let rendered = render_handlebars(&source, &context(), escaping).unwrap();
            assert_eq!(rendered, expected);
        }
    }

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let source = Source::from_text("x.hbs", text);
        let problems = render_handlebars(&source, &context(), Escaping::Xml)
            .unwrap_err()
            .problems;
        let found: Vec<(String, &str, &str)> = problems
            .iter()
            .map(|problem| {
                let span = problem.span.unwrap();
                (
                    source.line_column(span.start).to_string(),
                    problem.code,
                    source.slice(span),
                )
            })
            .collect();
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|(place, code, written)| (place.as_str(), *code, *written))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn all_faults_at_once_with_their_places() {
        let undefined = "handlebars-undefined-variable";
        check(
            "<a é='{{nam}}' b='{{name}}'>\n  {{version}} {{iiswsgi.titel}}{{#each authrs}}{{x}}{{#each y}}{{/each}}{{/each}}\n\
             {{#each dependencies}}{{this.x}}{{/each}}{{~last~}}</a>",
            &[
                ("1:7", undefined, "{{nam}}"),
                ("2:15", undefined, "{{iiswsgi.titel}}"),
                ("2:32", undefined, "{{#each authrs}}"),
                ("3:23", undefined, "{{this.x}}"),
                ("3:42", undefined, "{{~last~}}"),
            ],
        );
        check(
            "{{{name}}}\n{{#if name}}{{&version}}{{/if}}",
            &[
                ("1:1", "handlebars-unescaped", "{{{name}}}"),
                ("2:13", "handlebars-unescaped", "{{&version}}"),
            ],
        );
        check(
            "a {{> other}}",
            &[("1:3", "handlebars-render", "{{> other}}")],
        );
        check("a\n{{#if name}}", &[("2:13", "handlebars-syntax", "")]);
    }
}
