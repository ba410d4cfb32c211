//! `name=value,name=value`: how msdeploy's command line writes the settings of a rule.
//!
//! *Web Deploy Operation Settings*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-r2-and-2008/dd569089(v=ws.10)>. A
//! comma ends a value unless the value is in single or double quotes; a doubled quote inside of quotes is one quote.

use spanned_xml::{Problem, Span, nearest};

use crate::dotnet_regex::Pattern;

/// One `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) value: String,
    pub(crate) value_span: Span,
}

/// The settings that `text` gives from the octet `start` on, and all that is wrong with them.
pub(crate) fn parse(text: &str, start: usize) -> (Vec<Setting>, Vec<Problem>) {
    let mut settings: Vec<Setting> = Vec::new();
    let mut problems = Vec::new();
    let mut at = start;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let name_len = rest.find(['=', ',']).unwrap_or(rest.len());
        if !rest[name_len..].starts_with('=') {
            if !rest[..name_len].trim().is_empty() {
                problems.push(
                    Problem::error(
                        "rule-setting-malformed",
                        format!("`{}` is not `name=value`", rest[..name_len].trim()),
                    )
                    .at(Span::new(at, at + name_len))
                    .help(
                        "put a value that has a comma in it into quotes: absolutePath=\"a{1,2}\"",
                    ),
                );
            }
            at += name_len + 1;
            continue;
        }
        let name = rest[..name_len].trim();
        let name_start = at + (rest[..name_len].len() - rest[..name_len].trim_start().len());
        let name_span = Span::new(name_start, name_start + name.len());
        let value_start = at + name_len + 1;
        let (value, end) = match value(text, value_start) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                break;
            }
        };
        let value_span = Span::new(value_start, end);
        at = end + 1;
        if let Some(first) = settings
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(name))
        {
            problems.push(
                Problem::error(
                    "rule-setting-twice",
                    format!("`{name}` is given twice in one rule"),
                )
                .at(name_span)
                .related(first.name_span, "given here first")
                .help("give it once, or write a second rule"),
            );
            continue;
        }
        settings.push(Setting {
            name: name.to_owned(),
            name_span,
            value,
            value_span,
        });
    }
    if settings.is_empty() && problems.is_empty() {
        problems.push(
            Problem::error("rule-setting-missing", "the rule has no settings")
                .at(Span::new(start.min(text.len()), text.len()))
                .help("write, for example, `objectName=filePath,absolutePath=\\\\uploads\\\\`"),
        );
    }
    (settings, problems)
}

/// A value and the octet after it.
fn value(text: &str, start: usize) -> Result<(String, usize), Problem> {
    let rest = &text[start..];
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let len = rest.find(',').unwrap_or(rest.len());
        return Ok((rest[..len].to_owned(), start + len));
    };
    let mut value = String::new();
    let mut at = 1;
    loop {
        let Some(len) = rest[at..].find(quote) else {
            return Err(Problem::error(
                "rule-setting-malformed",
                format!("the value begins with {quote} and has no {quote} at its end"),
            )
            .at(Span::new(start, text.len()))
            .help("close the quotes"));
        };
        value.push_str(&rest[at..at + len]);
        at += len + 1;
        if !rest[at..].starts_with(quote) {
            break;
        }
        value.push(quote);
        at += 1;
    }
    match rest[at..].chars().next() {
        None | Some(',') => Ok((value, start + at)),
        Some(other) => Err(Problem::error(
            "rule-setting-malformed",
            format!("`{other}` after the closing quote"),
        )
        .at(Span::new(start + at, start + at + other.len_utf8()))
        .help("separate settings by commas; write a quote inside of quotes twice")),
    }
}

/// The problem with a setting that no rule of this kind has.
pub(crate) fn unknown(setting: &Setting, known: &[&str]) -> Problem {
    let problem = Problem::error(
        "rule-setting-unknown",
        format!("`{}` is no setting of this kind of rule", setting.name),
    )
    .at(setting.name_span);
    match nearest(&setting.name, known.iter().copied(), 1).first() {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
        None => problem.help(format!("its settings are `{}`", known.join("`, `"))),
    }
}

/// The regular expression that a setting is.
pub(crate) fn pattern(setting: &Setting, problems: &mut Vec<Problem>) -> Option<Pattern> {
    let pattern = Pattern::new(&setting.value);
    let Some(fault) = pattern.fault() else {
        return Some(pattern);
    };
    // Inside of quotes a place in the value is not a place in the text.
    let span = if setting.value_span.len() == setting.value.len() {
        fault.place.shifted(setting.value_span.start)
    } else {
        setting.value_span
    };
    problems.push(if fault.unsupported {
        Problem::error("regex-unsupported", fault.message.clone())
            .at(span)
            .help("write the regular expression without it")
    } else {
        Problem::error("regex-malformed", fault.message.clone())
            .at(span)
            .help("a backslash in front makes `. * + ? ( ) [ ] { } ^ $ | \\` stand for themselves")
    });
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let (settings, problems) = parse(text, 0);
        assert_eq!(problems, [], "{text}");
        let found: Vec<(&str, &str)> = settings
            .iter()
            .map(|setting| (setting.name.as_str(), setting.value.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    fn refused(text: &str, code: &str, place: (usize, usize)) {
        let (_, problems) = parse(text, 0);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!(problems[0].code, code, "{text}");
        assert_eq!(
            problems[0].span,
            Some(Span::new(place.0, place.1)),
            "{text}"
        );
    }

    #[test]
    fn settings_and_their_quotes() {
        check(
            r"objectName=filePath,absolutePath=.*\.log$",
            &[("objectName", "filePath"), ("absolutePath", r".*\.log$")],
        );
        check("a=x=y, b = z,", &[("a", "x=y"), ("b", " z")]);
        check(
            r#"a="x,y",b='it''s',c="#,
            &[("a", "x,y"), ("b", "it's"), ("c", "")],
        );
        refused("a=x{1,2}", "rule-setting-malformed", (6, 8));
        refused("a=\"x", "rule-setting-malformed", (2, 4));
        refused("a='x'y", "rule-setting-malformed", (5, 6));
        refused("a=1,A=2", "rule-setting-twice", (4, 5));
        refused("", "rule-setting-missing", (0, 0));
    }
}
