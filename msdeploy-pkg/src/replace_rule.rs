//! `-replace`: attributes that a sync changes on the way.
//!
//! *Web Deploy Operation Settings*, `replace`
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-r2-and-2008/dd569089(v=ws.10)> and
//! *How to write skip and replace rules for MSDeploy*
//! <https://blogs.iis.net/msdeploy/how-to-write-skip-and-replace-rules-for-msdeploy>. All names and values but `replace`
//! are regular expressions; `replace` may refer to what was matched (`$1`).

use spanned_xml::{Problem, Problems, Source, Span};

use crate::dotnet_regex::{Pattern, PatternFault};
use crate::rule_settings::{self, pattern, unknown};
use crate::skip_rule::prefix_len;

/// One `-replace`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplaceRule {
    /// The rule as written.
    pub text: String,
    /// `objectName`: which objects.
    pub object_name: Option<Pattern>,
    /// `scopeAttributeName`: only objects that have such an attribute.
    pub scope_attribute_name: Option<Pattern>,
    /// `scopeAttributeValue`: only objects in which that attribute has such a value.
    pub scope_attribute_value: Option<Pattern>,
    /// `targetAttributeName`: the attributes to change; else those of the scope, else all.
    pub target_attribute_name: Option<Pattern>,
    /// `match`: what to replace inside of the value; else the whole value.
    pub matching: Option<Pattern>,
    /// `replace`: what to put there.
    pub replacement: String,
}

const SETTINGS: [&str; 6] = [
    "objectName",
    "scopeAttributeName",
    "scopeAttributeValue",
    "targetAttributeName",
    "match",
    "replace",
];

impl ReplaceRule {
    /// Reads a rule, with or without `-replace:` before it.
    ///
    /// ```
    /// use msdeploy_pkg::ReplaceRule;
    ///
    /// let rule = ReplaceRule::parse(r"objectName=setAcl,targetAttributeName=path,match=/data$,replace=/var")?;
    /// let mut attributes = vec![("path".to_owned(), "Site/data".to_owned())];
    /// assert!(rule.apply("setAcl", &mut attributes).unwrap());
    /// assert_eq!(attributes[0].1, "Site/var");
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with it, by place in the text.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let source = Source::from_text("-replace", text);
        let (settings, mut problems) = rule_settings::parse(text, prefix_len(text, "replace"));
        let mut rule = Self {
            text: text.to_owned(),
            object_name: None,
            scope_attribute_name: None,
            scope_attribute_value: None,
            target_attribute_name: None,
            matching: None,
            replacement: String::new(),
        };
        let mut replaces = false;
        for setting in &settings {
            let is = |name: &str| setting.name.eq_ignore_ascii_case(name);
            let place = if is("objectName") {
                &mut rule.object_name
            } else if is("scopeAttributeName") {
                &mut rule.scope_attribute_name
            } else if is("scopeAttributeValue") {
                &mut rule.scope_attribute_value
            } else if is("targetAttributeName") {
                &mut rule.target_attribute_name
            } else if is("match") {
                &mut rule.matching
            } else if is("replace") {
                rule.replacement.clone_from(&setting.value);
                replaces = true;
                continue;
            } else {
                problems.push(unknown(setting, &SETTINGS));
                continue;
            };
            *place = pattern(setting, &mut problems);
        }
        if !replaces && problems.is_empty() {
            problems.push(
                Problem::error("rule-setting-missing", "the rule has no `replace`")
                    .at(Span::new(0, text.len()))
                    .help("say what to put there: `replace=…`; an empty one removes"),
            );
        }
        Problems::or_value(&source, problems, rule).map(|(rule, _)| rule)
    }

    /// Changes an object's attributes; whether anything changed.
    ///
    /// # Errors
    ///
    /// A regular expression that takes too long.
    pub fn apply(
        &self,
        object_name: &str,
        attributes: &mut [(String, String)],
    ) -> Result<bool, PatternFault> {
        let matches = |pattern: &Option<Pattern>, text: &str| {
            pattern
                .as_ref()
                .map_or(Ok(true), |pattern| pattern.is_match(text))
        };
        if !matches(&self.object_name, object_name)? {
            return Ok(false);
        }
        let scoped = self.scope_attribute_name.is_some() || self.scope_attribute_value.is_some();
        let mut in_scope = Vec::new();
        for (name, value) in attributes.iter() {
            in_scope.push(
                matches(&self.scope_attribute_name, name)?
                    && matches(&self.scope_attribute_value, value)?,
            );
        }
        if scoped && !in_scope.contains(&true) {
            return Ok(false);
        }
        let mut changed = false;
        for ((name, value), in_scope) in attributes.iter_mut().zip(in_scope) {
            let target = match &self.target_attribute_name {
                Some(pattern) => pattern.is_match(name)?,
                None => in_scope,
            };
            if !target {
                continue;
            }
            let new = match &self.matching {
                Some(pattern) => pattern.replace_all_with(value, &self.replacement)?,
                None => Some(self.replacement.clone()),
            };
            if let Some(new) = new.filter(|new| new != value) {
                *value = new;
                changed = true;
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, name: &str, before: &[(&str, &str)], expected: &[&str]) {
        let rule = ReplaceRule::parse(rule).unwrap_or_else(|problems| panic!("{problems}"));
        let mut attributes: Vec<(String, String)> = before
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let changed = rule.apply(name, &mut attributes).unwrap();
        let after: Vec<&str> = attributes.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(after, expected, "{rule:?}");
        let differs = before
            .iter()
            .zip(&after)
            .any(|(before, after)| before.1 != *after);
        assert_eq!(changed, differs, "{rule:?}");
    }

    #[test]
    fn scope_target_and_match() {
        let directory = [("physicalPath", r"c:\inetpub\wwwroot\app1"), ("path", "/")];
        check(
            r"-replace:objectName=virtualDirectory,scopeAttributeName=physicalPath,match=c:\\inetpub\\wwwroot\\app1,replace=c:\dest\app1",
            "virtualDirectory",
            &directory,
            &[r"c:\dest\app1", "/"],
        );
        check(
            "objectName=binding,targetAttributeName=path,match=^/$,replace=/x",
            "virtualDirectory",
            &directory,
            &[directory[0].1, "/"],
        );
        check(
            r"scopeAttributeName=^path$,scopeAttributeValue=^/$,targetAttributeName=physicalPath,match=app(\d),replace=site$1",
            "virtualDirectory",
            &directory,
            &[r"c:\inetpub\wwwroot\site1", "/"],
        );
        check(
            "scopeAttributeName=^path$,scopeAttributeValue=^/other$,targetAttributeName=physicalPath,replace=x",
            "virtualDirectory",
            &directory,
            &[directory[0].1, "/"],
        );
        check(
            "targetAttributeName=^path$,replace=",
            "x",
            &directory,
            &[directory[0].1, ""],
        );
    }

    #[test]
    fn faults() {
        for (text, code) in [
            ("objectName=x,match=(", "regex-malformed"),
            ("objectName=x,match=y", "rule-setting-missing"),
            ("objectName=x,with=y", "rule-setting-unknown"),
        ] {
            let problems = ReplaceRule::parse(text).unwrap_err();
            assert_eq!(problems.problems[0].code, code, "{text}");
        }
    }
}
