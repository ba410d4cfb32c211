//! URL templates: fields in braces, as Python's `str.format` replaces them.
//!
//! *The Python Standard Library*, "Format String Syntax" <https://docs.python.org/3/library/string.html#format-string-syntax>.
//! Of it, names and whole-number indices of a character are supported: `{name}`, `{name[0]}`, and `{{` and `}}` for braces.
//! Conversions (`!r`), format specifications (`:>10`) and attributes (`.upper`) are refused.

use crate::Error;

/// Replaces the fields of a URL template, `{name}`, by their values.
///
/// `fields` are names and values; values go in as they are, so they must be fit for a URL already.
///
/// ```
/// let fields = [("name", "sample"), ("version", "0.4")];
/// assert_eq!(
///     webpi_feed::expand_url_template("https://example.org/{name[0]}/{name}-{version}.zip", &fields)?,
///     "https://example.org/s/sample-0.4.zip"
/// );
/// # Ok::<(), webpi_feed::Error>(())
/// ```
///
/// # Errors
///
/// A field that is not known, with the names that are; a brace without its partner; parts of Python's syntax that are not
/// supported.
pub fn expand_url_template(template: &str, fields: &[(&str, &str)]) -> Result<String, Error> {
    let mut url = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(brace);
        url.push_str(before);
        let fail = |message: &str| Error::UrlTemplate {
            template: template.to_owned(),
            column: template[..template.len() - from_brace.len()]
                .chars()
                .count()
                + 1,
            message: message.to_owned(),
        };
        if let Some(after) = from_brace.strip_prefix("{{") {
            url.push('{');
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("}}") {
            url.push('}');
            rest = after;
        } else if let Some(field) = from_brace.strip_prefix('{') {
            let (field, after) = field
                .split_once('}')
                .ok_or_else(|| fail("`{` without `}` (write `{{` for a brace)"))?;
            url.push_str(&value(template, field, fields, &fail)?);
            rest = after;
        } else {
            return Err(fail("`}` without `{` (write `}}` for a brace)"));
        }
    }
    url.push_str(rest);
    Ok(url)
}

fn value(
    template: &str,
    field: &str,
    fields: &[(&str, &str)],
    fail: &impl Fn(&str) -> Error,
) -> Result<String, Error> {
    let (name, index) = match field.split_once('[') {
        Some((name, index)) => {
            let index = index
                .strip_suffix(']')
                .and_then(|index| index.parse::<usize>().ok())
                .ok_or_else(|| fail("an index that is not a number in brackets"))?;
            (name, Some(index))
        }
        None => (field, None),
    };
    if name.is_empty() || name.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(fail("a field without a name"));
    }
    if name.contains(['!', ':', '.', '{']) {
        return Err(fail(
            "conversions, format specifications and attributes are not supported",
        ));
    }
    let Some((_, value)) = fields.iter().find(|(known, _)| *known == name) else {
        let known: Vec<String> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(Error::UrlTemplateField {
            template: template.to_owned(),
            name: name.to_owned(),
            known: known.join(", "),
        });
    };
    match index {
        None => Ok((*value).to_owned()),
        Some(index) => value
            .chars()
            .nth(index)
            .map(String::from)
            .ok_or_else(|| fail("an index past the end of the value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, &str); 3] = [
        ("name", "écho"),
        ("version", "1.0"),
        ("msdeploy_package_url", "file:///C:/x%20y.zip"),
    ];

    #[test]
    fn fields_are_replaced() {
        for (template, expected) in [
            ("", ""),
            ("no fields", "no fields"),
            ("{msdeploy_package_url}", "file:///C:/x%20y.zip"),
            ("{name}/{name}-{version}.zip", "écho/écho-1.0.zip"),
            ("{name[0]}{name[1]}", "éc"),
            ("{{{name}}}", "{écho}"),
            ("{{name}}", "{name}"),
        ] {
            assert_eq!(expand_url_template(template, &FIELDS).unwrap(), expected);
        }
    }

    #[test]
    fn faults_are_named() {
        for (template, expected) in [
            (
                "é{nme}",
                "unknown field `{nme}` in the URL template `é{nme}` (help: the fields are `name`, `version`, `msdeploy_package_url`)",
            ),
            (
                "é{name",
                "`{` without `}` (write `{{` for a brace) at column 2 of the URL template `é{name`",
            ),
            (
                "a}b",
                "`}` without `{` (write `}}` for a brace) at column 2 of the URL template `a}b`",
            ),
            (
                "{}",
                "a field without a name at column 1 of the URL template `{}`",
            ),
            (
                "{0}",
                "a field without a name at column 1 of the URL template `{0}`",
            ),
            (
                "{name!r}",
                "conversions, format specifications and attributes are not supported at column 1 of the URL template `{name!r}`",
            ),
            (
                "{name[x]}",
                "an index that is not a number in brackets at column 1 of the URL template `{name[x]}`",
            ),
            (
                "{name[9]}",
                "an index past the end of the value at column 1 of the URL template `{name[9]}`",
            ),
        ] {
            assert_eq!(
                expand_url_template(template, &FIELDS)
                    .unwrap_err()
                    .to_string(),
                expected
            );
        }
    }
}
