//! `-skip`: objects that a sync leaves alone.
//!
//! *Web Deploy Operation Settings*, `skip`
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-r2-and-2008/dd569089(v=ws.10)> and
//! *How to write skip and replace rules for MSDeploy*
//! <https://blogs.iis.net/msdeploy/how-to-write-skip-and-replace-rules-for-msdeploy>. Without `skipAction` a rule is a
//! *skip directive*: the objects are seen neither in the source nor at the destination. With `skipAction` it is a *skip
//! rule*: the objects are compared, and that one action is not taken.

use core::fmt;

use spanned_xml::{Problem, Problems, Source};

use crate::dotnet_regex::{Pattern, PatternFault};
use crate::rule_settings::{self, Setting, pattern, unknown};
use crate::xpath::XPath;

/// What a skip rule keeps from happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipAction {
    /// `AddChild`: the object is not added.
    AddChild,
    /// `Update`: it is not updated.
    Update,
    /// `Delete`: it is not deleted.
    Delete,
}

impl SkipAction {
    const ALL: [(&str, Self); 3] = [
        ("AddChild", Self::AddChild),
        ("Update", Self::Update),
        ("Delete", Self::Delete),
    ];
}

impl fmt::Display for SkipAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddChild => "AddChild",
            Self::Update => "Update",
            Self::Delete => "Delete",
        })
    }
}

/// One `-skip`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SkipRule {
    /// The rule as written.
    pub text: String,
    /// `skipAction`; none in a skip directive.
    pub action: Option<SkipAction>,
    /// `objectName`: the provider's name, for example `filePath`.
    pub object_name: Option<Pattern>,
    /// `absolutePath`.
    pub absolute_path: Option<Pattern>,
    /// `keyAttribute`: the object's own `path`.
    pub key_attribute: Option<Pattern>,
    /// `attributes.NAME`.
    pub attributes: Vec<(String, Pattern)>,
    /// `xPath` over the objects as `-verb:dump -xml` shows them.
    pub xpath: Option<XPath>,
}

/// An object as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct RuleObject<'o> {
    /// Its name, for example `filePath`.
    pub name: &'o str,
    /// Its key attribute: for a file or folder below another one its own name.
    pub key: &'o str,
    /// The whole path, with backslashes.
    pub absolute_path: &'o str,
    /// Its attributes.
    pub attributes: &'o [(&'o str, String)],
}

const SETTINGS: [&str; 8] = [
    "objectName",
    "absolutePath",
    "skipAction",
    "keyAttribute",
    "xPath",
    "attributes.",
    "Directory",
    "File",
];

impl SkipRule {
    /// Reads a rule, with or without `-skip:` before it.
    ///
    /// `Directory=REGEX` and `File=REGEX` are short for `objectName=dirPath,absolutePath=REGEX` and
    /// `objectName=filePath,absolutePath=REGEX`.
    ///
    /// ```
    /// use msdeploy_pkg::{SkipAction, SkipRule};
    ///
    /// let rule = SkipRule::parse(r"-skip:objectName=filePath,absolutePath=\\logs\\.*\.log$,skipAction=Delete")?;
    /// assert_eq!(rule.action, Some(SkipAction::Delete));
    /// assert!(SkipRule::parse("objectName=filePath,absolutPath=x").is_err());
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with it, by place in the text.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let source = Source::from_text("-skip", text);
        let (settings, mut problems) = rule_settings::parse(text, prefix_len(text, "skip"));
        let mut rule = Self {
            text: text.to_owned(),
            action: None,
            object_name: None,
            absolute_path: None,
            key_attribute: None,
            attributes: Vec::new(),
            xpath: None,
        };
        for setting in &settings {
            rule.set(setting, &mut problems);
        }
        if let Some(setting) = settings
            .iter()
            .find(|setting| is_attribute(setting) || is(setting, "keyAttribute"))
            && rule.action.is_some()
        {
            problems.push(
                Problem::error(
                    "skip-action-with-attribute",
                    format!(
                        "`{}` cannot be used together with `skipAction`",
                        setting.name
                    ),
                )
                .at(setting.name_span)
                .help("choose the objects by `absolutePath`, or leave out `skipAction`"),
            );
        }
        Problems::or_value(&source, problems, rule).map(|(rule, _)| rule)
    }

    fn set(&mut self, setting: &Setting, problems: &mut Vec<Problem>) {
        if is(setting, "objectName") {
            self.object_name = pattern(setting, problems);
        } else if is(setting, "absolutePath") {
            self.absolute_path = pattern(setting, problems);
        } else if is(setting, "keyAttribute") {
            self.key_attribute = pattern(setting, problems);
        } else if is(setting, "Directory") || is(setting, "File") {
            let name = if is(setting, "File") {
                "filePath"
            } else {
                "dirPath"
            };
            self.object_name = Some(Pattern::new(&format!("^{name}$")));
            self.absolute_path = pattern(setting, problems);
        } else if is(setting, "skipAction") {
            self.action = SkipAction::ALL
                .iter()
                .find(|(name, _)| setting.value.trim().eq_ignore_ascii_case(name))
                .map(|&(_, action)| action);
            // An empty one is that of a directive: build tools write all settings, empty ones too.
            if self.action.is_none() && !setting.value.trim().is_empty() {
                problems.push(
                    Problem::error(
                        "skip-action-unknown",
                        format!("`{}` is no action that can be skipped", setting.value),
                    )
                    .at(setting.value_span)
                    .help("the actions are `AddChild`, `Update` and `Delete`; without one nothing is done to the objects at all"),
                );
            }
        } else if is(setting, "xPath") {
            match XPath::parse(&setting.value) {
                Ok(path) => self.xpath = Some(path),
                Err(fault) => problems.push(
                    Problem::error("xpath-unsupported", fault.message)
                        .at(setting.value_span)
                        .help("paths such as `//dirPath[@path='logs']` can be used"),
                ),
            }
        } else if is_attribute(setting) {
            if let Some(pattern) = pattern(setting, problems) {
                let name = setting.name["attributes.".len()..].to_owned();
                self.attributes.push((name, pattern));
            }
        } else {
            problems.push(unknown(setting, &SETTINGS));
        }
    }

    /// Whether the rule is about the object, [`xpath`](Self::xpath) left aside. All settings that are given must match.
    ///
    /// # Errors
    ///
    /// A regular expression that takes too long.
    pub fn matches(&self, object: &RuleObject<'_>) -> Result<bool, PatternFault> {
        let matches = |pattern: &Option<Pattern>, text: &str| {
            pattern
                .as_ref()
                .map_or(Ok(true), |pattern| pattern.is_match(text))
        };
        if !matches(&self.object_name, object.name)?
            || !matches(&self.key_attribute, object.key)?
            || !self.absolute_path.as_ref().map_or(Ok(true), |pattern| {
                pattern.matches_path(object.absolute_path)
            })?
        {
            return Ok(false);
        }
        for (name, pattern) in &self.attributes {
            let value = object
                .attributes
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            match value {
                Some((_, value)) if pattern.is_match(value)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Length of `-skip:` at the beginning of a rule, where it is there.
pub(crate) fn prefix_len(text: &str, operation: &str) -> usize {
    let rest = text.trim_start();
    let rest = rest.strip_prefix(['-', '/']).unwrap_or(rest);
    rest.get(..operation.len())
        .filter(|found| found.eq_ignore_ascii_case(operation))
        .and_then(|_| rest[operation.len()..].strip_prefix(':'))
        .map_or(0, |settings| text.len() - settings.len())
}

fn is(setting: &Setting, name: &str) -> bool {
    setting.name.eq_ignore_ascii_case(name)
}

fn is_attribute(setting: &Setting) -> bool {
    let prefix = "attributes.";
    setting.name.len() > prefix.len()
        && setting
            .name
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, name: &str, path: &str, expected: bool) {
        let rule = SkipRule::parse(rule).unwrap_or_else(|problems| panic!("{problems}"));
        let object = RuleObject {
            name,
            key: path.rsplit('\\').next().unwrap_or_default(),
            absolute_path: path,
            attributes: &[
                ("size", "10".to_owned()),
                ("attributes", "Archive".to_owned()),
            ],
        };
        assert_eq!(rule.matches(&object), Ok(expected), "{rule:?} {path}");
    }

    #[test]
    fn every_setting_must_match() {
        check("objectName=filePath", "filePath", r"Site\a", true);
        check("objectName=dirPath", "filePath", r"Site\a", false);
        check(
            r"absolutePath=\\logs\\.*\.log$",
            "filePath",
            r"Site\Logs\a.LOG",
            true,
        );
        check("absolutePath=/logs/", "filePath", r"Site\logs\a.log", true);
        check(
            r"-skip:objectName=filePath,absolutePath=x$",
            "filePath",
            r"Site\xy",
            false,
        );
        check("File=web.config", "filePath", r"Site\web.config", true);
        check("File=web.config", "dirPath", r"Site\web.config", false);
        check("Directory=App_Data", "dirPath", r"Site\App_Data", true);
        check("keyAttribute=^a$", "filePath", r"Site\a", true);
        check("keyAttribute=^Site", "filePath", r"Site\a", false);
        check("attributes.SIZE=^10$", "filePath", r"Site\a", true);
        check("attributes.other=.", "filePath", r"Site\a", false);
    }

    #[test]
    fn faults_have_places() {
        for (text, code, column) in [
            ("objectName=(", "regex-malformed", 12),
            ("objectNam=x", "rule-setting-unknown", 1),
            ("-skip:skipAction=Remove", "skip-action-unknown", 18),
            ("xPath=//a[", "xpath-unsupported", 7),
            (
                "skipAction=Delete,keyAttribute=x",
                "skip-action-with-attribute",
                19,
            ),
            (
                "skipAction=Delete,attributes.x=x",
                "skip-action-with-attribute",
                19,
            ),
        ] {
            let problems = SkipRule::parse(text).unwrap_err();
            assert_eq!(problems.problems[0].code, code, "{text}");
            let place = problems.problems[0].span.unwrap().start;
            assert_eq!(problems.source.line_column(place).column, column, "{text}");
        }
        let two = SkipRule::parse("objctName=(,absolutePath=[").unwrap_err();
        assert_eq!(two.problems.len(), 2, "all at once: {two}");
    }
}
