//! Feeds from a template.
//!
//! The template language is Handlebars <https://handlebarsjs.com/guide/>, in strict mode: a name that is not known is an
//! error, not nothing. Values are escaped for XML, for text and for attributes alike.
//!
//! The values are those of the template that is shipped, [`DEFAULT_TEMPLATE`]: of the feed `version`, `title`, `id`, `link`,
//! `author_name`, `author_url`, `updated`, `languages` (`id`, `name`, `default`), `keywords` and `products`; of each product
//! the fields of [`ProductInfo`] and what was derived from them: `single_dependency`, `add_to_feed_date`, `ms_deploy`
//! (`url`, `file_size` in KB, `sha1`), `pip` (`exe`, `arguments`, `requirement`). What a product does not have is null, which
//! `{{#if}}` takes for false.
//!
//! Partials (`{{> name}}`) are refused: a template is one file, and a partial in it could only call itself without end.

use handlebars::template::TemplateElement;
use handlebars::{Handlebars, RenderError, RenderErrorReason, Template, TemplateError};
use spanned_xml::{Problems, Source, escape_attribute};

use crate::build::Context;
use crate::{Error, Feed, FeedInfo, ProductInfo};

/// Blocks in blocks, and brackets in brackets, of a template; Handlebars descends into each.
const DEPTH_LIMIT: usize = 100;

/// The template that is shipped; it gives what [`Feed::build`] and [`Feed::write`] give.
pub const DEFAULT_TEMPLATE: &str = include_str!("templates/feed.xml.hbs");

/// A feed of these products, written by a template: `template`, or [`DEFAULT_TEMPLATE`].
///
/// What the template gives is read and checked before it is returned.
///
/// ```
/// use webpi_feed::{FeedInfo, Package, PipInstall, ProductInfo, write_with_template};
///
/// let info = FeedInfo::new("Ours", "https://example.org/feed", 0);
/// let product = ProductInfo::new("iiswsgi", "iiswsgi", "0.4", 0, Package::Pip(PipInstall::new("iiswsgi==0.4")));
/// let error = write_with_template(&info, &[product], Some("<feed>{{titel}}</feed>")).unwrap_err();
/// assert!(error.to_string().contains("titel"));
/// ```
///
/// # Errors
///
/// As [`Feed::build`]; the template has a fault or uses a value that is not there; what it gives is not well-formed, is not
/// a feed, or has errors that [`check()`](crate::check()) finds.
pub fn write_with_template(
    info: &FeedInfo,
    products: &[ProductInfo],
    template: Option<&str>,
) -> Result<String, Error> {
    let context = Context::new(info, products)?;
    crate::cycle::refuse(&context.feed())?;
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(escape_attribute);
    let template = template.unwrap_or(DEFAULT_TEMPLATE);
    refuse_deep_nesting(template)?;
    let template = Template::compile_with_name(template, "feed".to_owned())
        .map_err(|error| template_error(&error))?;
    refuse_partials(&template)?;
    handlebars.register_template("feed", template);
    let text = handlebars
        .render("feed", &context)
        .map_err(|error| render_error(&error))?;
    let source = Source::from_text("output of the feed template", text);
    let (_, problems) =
        Feed::read(&source).map_err(|problems| Error::TemplateOutput(Box::new(problems)))?;
    let errors: Vec<_> = problems
        .into_iter()
        .filter(spanned_xml::Problem::is_error)
        .collect();
    if errors.is_empty() {
        Ok(source.text().to_owned())
    } else {
        Err(Error::TemplateOutput(Box::new(Problems {
            source,
            problems: errors,
        })))
    }
}

/// Refuses a template that nests further than [`DEPTH_LIMIT`], before it is parsed by recursion. `else` counts as a block
/// in the block: that is how a chain of `else if` is kept.
fn refuse_deep_nesting(template: &str) -> Result<(), Error> {
    let mut open: Vec<usize> = Vec::new();
    let mut blocks = 0;
    for (at, _) in template.match_indices("{{") {
        let tag = &template[at + 2..];
        let end = tag.find("}}").unwrap_or(tag.len());
        let tag = tag[..end].trim_start_matches(['{', '~']).trim_start();
        if tag.starts_with('#') {
            open.push(0);
            blocks += 1;
        } else if tag.starts_with("else") || tag.starts_with('^') {
            if let Some(elses) = open.last_mut() {
                *elses += 1;
                blocks += 1;
            }
        } else if tag.starts_with('/') {
            blocks -= open.pop().map_or(0, |elses| elses + 1);
        }
        let mut brackets = 0_usize;
        let brackets_too_deep = tag.chars().any(|character| {
            match character {
                '(' | '[' | '{' => brackets += 1,
                ')' | ']' | '}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            brackets > DEPTH_LIMIT
        });
        if blocks > DEPTH_LIMIT || brackets_too_deep {
            let before = &template[..at];
            return Err(Error::Template {
                line: Some(before.matches('\n').count() + 1),
                column: before
                    .rsplit('\n')
                    .next()
                    .map(|line| line.chars().count() + 1),
                message: format!("nested more than {DEPTH_LIMIT} deep"),
            });
        }
    }
    Ok(())
}

fn refuse_partials(template: &Template) -> Result<(), Error> {
    for (element, place) in template.elements.iter().zip(&template.mapping) {
        match element {
            TemplateElement::DecoratorExpression(_)
            | TemplateElement::DecoratorBlock(_)
            | TemplateElement::PartialExpression(_)
            | TemplateElement::PartialBlock(_) => {
                return Err(Error::Template {
                    line: Some(place.0),
                    column: Some(place.1),
                    message: "partials are not supported: write their text where it belongs"
                        .to_owned(),
                });
            }
            TemplateElement::HelperBlock(block) => {
                for inner in [&block.template, &block.inverse].into_iter().flatten() {
                    refuse_partials(inner)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn template_error(error: &TemplateError) -> Error {
    let (line, column) = error.pos().unzip();
    Error::Template {
        line,
        column,
        message: error.reason().to_string(),
    }
}

fn render_error(error: &RenderError) -> Error {
    Error::Template {
        line: error.line_no,
        column: error.column_no,
        message: match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => {
                format!("there is no value `{name}` here")
            }
            RenderErrorReason::MissingVariable(None) => "there is no such value".to_owned(),
            RenderErrorReason::HelperNotFound(name) => format!("there is no helper `{name}`"),
            reason => reason.to_string(),
        },
    }
}
