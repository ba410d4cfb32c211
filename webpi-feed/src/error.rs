//! What can go wrong besides the faults of a file, which are [`Problem`](spanned_xml::Problem)s.

use spanned_xml::Problems;

/// Why a feed could not be built, or a product not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // What the template gave.
    /// The template cannot be rendered.
    #[error("feed template{}: {message}", place(*.line, *.column))]
    Template {
        /// Line in the template, from 1.
        line: Option<usize>,
        /// Column in the template, from 1.
        column: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// What the template gave is not a feed that can be used.
    #[error("the feed template gives a feed with errors:\n{0}")]
    TemplateOutput(Box<Problems>),
    /// A URL template has a name in braces that is not known.
    #[error(
        "unknown field `{{{name}}}` in the URL template `{template}` (help: the fields are {known})"
    )]
    UrlTemplateField {
        /// The template.
        template: String,
        /// The name.
        name: String,
        /// The known ones, with commas.
        known: String,
    },
    /// A URL template is not in the form that Python's `str.format` takes, or uses what is not supported here.
    #[error("{message} at column {column} of the URL template `{template}`")]
    UrlTemplate {
        /// The template.
        template: String,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },

    // What the caller gave.
    /// There is no product to put into the feed.
    #[error("a feed needs at least one product")]
    NoProducts,
    /// A value that must be there is empty.
    #[error("`{field}` of {owner} is empty")]
    Empty {
        /// What it belongs to: the feed, or a product.
        owner: String,
        /// The field.
        field: &'static str,
    },
    /// A product identifier that WebPI cannot use.
    #[error("`{product_id}` cannot be a product identifier: {reason}")]
    ProductId {
        /// The identifier.
        product_id: String,
        /// Why not.
        reason: &'static str,
    },
    /// Two products have the same identifier; letter case does not count.
    #[error("more than one product has the identifier `{product_id}`")]
    DuplicateProduct {
        /// The identifier.
        product_id: String,
    },
    /// Two entries, or an entry and the feed, have the same `id`.
    #[error("the id `{id}` of product `{product_id}` is that of the feed or of another product")]
    DuplicateId {
        /// The product.
        product_id: String,
        /// The `id`.
        id: String,
    },
    /// Not a SHA-1 digest.
    #[error(
        "the SHA-1 digest of product `{product_id}` is `{found}`, expected 40 hexadecimal digits"
    )]
    Sha1 {
        /// The product.
        product_id: String,
        /// What was given instead.
        found: String,
    },
    /// A time outside the years 1 to 9999.
    #[error("{seconds} seconds since 1970 are not in the years 1 to 9999")]
    TimeRange {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
    },
    /// A text that is not a time.
    #[error("`{text}` is not a time (help: write `2012-10-29` or `2012-10-29T12:00:00Z`)")]
    TimeFormat {
        /// The text.
        text: String,
    },

    // What the feed says.
    /// The feed has no such product.
    #[error("the feed has no product `{product_id}`{}", nearest_help(.nearest))]
    UnknownProduct {
        /// The identifier that was asked for.
        product_id: String,
        /// Identifiers in the feed that are like it, the nearest first.
        nearest: Vec<String>,
    },
    /// No installer of a product is for this machine.
    #[error(
        "no installer of product `{product_id}` is for {machine} (help: it has installers for {offered})"
    )]
    NoInstaller {
        /// The product.
        product_id: String,
        /// The machine.
        machine: String,
        /// What there are installers for.
        offered: String,
    },
    /// Products, or definitions, depend on each other in a circle.
    #[error("the dependencies go in a circle: {}", path.join(" needs "))]
    DependencyCycle {
        /// The circle: the first and the last are the same.
        path: Vec<String>,
    },
    /// A `dependency` that says nothing, or more than one thing.
    #[error(
        "the dependency of product `{product_id}` is malformed (help: check the feed to see where)"
    )]
    MalformedDependency {
        /// The product.
        product_id: String,
    },
    /// A dependency refers to a definition that the feed does not have.
    #[error(
        "product `{product_id}` needs the dependency with the id `{idref}`, which the feed does not define"
    )]
    UnknownReference {
        /// The product.
        product_id: String,
        /// The `idref`.
        idref: String,
    },

    // Limits.
    /// Dependencies follow each other further than is read.
    #[error("the dependencies of product `{product_id}` are more than {limit} deep")]
    TooDeep {
        /// The product where the limit was reached.
        product_id: String,
        /// The limit.
        limit: usize,
    },
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

fn nearest_help(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = nearest.iter().map(|id| format!("`{id}`")).collect();
    format!(" (help: it has {})", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_and_where() {
        for (error, expected) in [
            (
                Error::Template {
                    line: Some(3),
                    column: Some(7),
                    message: "unknown value".to_owned(),
                },
                "feed template:3:7: unknown value",
            ),
            (
                Error::UnknownProduct {
                    product_id: "x".to_owned(),
                    nearest: vec!["y".to_owned(), "z".to_owned()],
                },
                "the feed has no product `x` (help: it has `y`, `z`)",
            ),
            (
                Error::DependencyCycle {
                    path: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()],
                },
                "the dependencies go in a circle: a needs b needs a",
            ),
            (
                Error::UrlTemplateField {
                    template: "{x}".to_owned(),
                    name: "x".to_owned(),
                    known: "`name`".to_owned(),
                },
                "unknown field `{x}` in the URL template `{x}` (help: the fields are `name`)",
            ),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }
}
