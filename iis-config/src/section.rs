//! Finding sections in a configuration file: the `configuration` element and the groups below it.

use spanned_xml::{Document, Element, Problem, Source};

/// Parses a configuration file; its root must be `configuration`.
pub(crate) fn parse(source: &Source) -> Result<Document, Problem> {
    check_root(Document::parse(source)?)
}

/// Parses a configuration file for one section: nothing below its groups' and the root's other children is in the tree.
/// A large file is mostly something else, and read several times as fast so.
pub(crate) fn parse_section(source: &Source, path: &str) -> Result<Document, Problem> {
    let wanted: Vec<&str> = path.split('/').collect();
    check_root(Document::parse_parts(source, |names| {
        let below = names.get(1..).unwrap_or_default();
        below
            .iter()
            .zip(&wanted)
            .all(|(name, wanted)| name == wanted)
    })?)
}

fn check_root(document: Document) -> Result<Document, Problem> {
    let root = document.root();
    if root.local_name() == "configuration" {
        return Ok(document);
    }
    Err(Problem::error(
        "iis-not-a-configuration",
        format!(
            "the root element is `{}`; an IIS configuration file's is `configuration`",
            root.name
        ),
    )
    .at(root.name_span)
    .help("put the section into <configuration>, below the groups that its name lists"))
}

/// The elements of a section at a path such as `system.webServer/fastCgi` below `parent`, in document order.
///
/// IIS accepts a section group more than once, so there may be several.
pub(crate) fn sections<'a>(parent: &'a Element, path: &str) -> Vec<&'a Element> {
    path.split('/').fold(vec![parent], |parents, name| {
        parents
            .into_iter()
            .flat_map(Element::elements)
            .filter(|child| child.name == name)
            .collect()
    })
}

/// Of several elements of one path, that which new content goes into: the first that is open, else the first.
pub(crate) fn to_extend<'a>(parent: &'a Element, path: &str) -> Option<&'a Element> {
    let found = sections(parent, path);
    let open = found.iter().find(|element| element.end_tag.is_some());
    open.or_else(|| found.first()).copied()
}

/// The one section at `path`, which IIS refuses where it is there twice; a warning where it is kept in another file.
pub(crate) fn single<'a>(
    parent: &'a Element,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a Element> {
    let found = sections(parent, path);
    let first = *found.first()?;
    if let Some(second) = found.get(1) {
        problems.push(
            Problem::error(
                "iis-section-duplicate",
                format!("the section `{path}` is there twice"),
            )
            .at(second.start_tag)
            .related(first.start_tag, "first here")
            .help("move everything into one; IIS refuses the file with both"),
        );
    }
    if first.attribute("configSource").is_some() {
        problems.push(not_read(first, path));
    }
    Some(first)
}

/// The warning for a section that is kept in another file.
pub(crate) fn not_read(section: &Element, path: &str) -> Problem {
    let elsewhere = section.attribute("configSource");
    Problem::warning(
        "iis-config-source",
        format!(
            "the section `{path}` is kept in `{}`, which was not read",
            elsewhere.map_or("another file", |elsewhere| &elsewhere.value)
        ),
    )
    .at(elsewhere.map_or(section.start_tag, |elsewhere| elsewhere.span))
    .help("move the section's content into this file")
}

/// The problem with editing a section that is kept in another file, where there is one at `path`.
pub(crate) fn kept_elsewhere(root: &Element, path: &str) -> Option<Problem> {
    let elsewhere = sections(root, path)
        .into_iter()
        .find_map(|section| section.attribute("configSource"))?;
    Some(
        Problem::error(
            "iis-config-source",
            format!(
                "the section `{path}` is kept in `{}`: IIS ignores what is written here",
                elsewhere.value
            ),
        )
        .at(elsewhere.span)
        .help("edit that file, or move the section's content here and remove configSource"),
    )
}
