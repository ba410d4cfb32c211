//! Providers without content: what becomes of them.

use spanned_xml::Problem;

use super::SyncOptions;
use super::objects::rule_fault;
use super::operation::Operation;
use crate::skip_rule::RuleObject;

/// A provider of the manifest that holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderObject {
    /// Its name, for example `setAcl`.
    pub name: String,
    /// Its path, after parameters.
    pub path: String,
    /// Its other attributes and settings.
    pub attributes: Vec<(String, String)>,
    /// Why the caller will only report it, if so.
    pub note: Option<String>,
}

impl ProviderObject {
    /// A provider that the caller carries out.
    #[must_use]
    pub fn new(name: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            attributes: Vec::new(),
            note: None,
        }
    }

    /// With its other attributes and settings.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Vec<(String, String)>) -> Self {
        self.attributes = attributes;
        self
    }

    /// One that is only reported, with the reason.
    #[must_use]
    pub fn reported(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// A provider's operation after `-replace` and `-skip`.
pub(crate) fn operation(
    provider: &ProviderObject,
    options: &SyncOptions,
) -> Result<Operation, Problem> {
    let mut attributes = vec![("path".to_owned(), provider.path.clone())];
    attributes.extend(provider.attributes.iter().cloned());
    for rule in &options.replace {
        rule.apply(&provider.name, &mut attributes)
            .map_err(|fault| rule_fault(&rule.text, &fault))?;
    }
    let path = attributes.swap_remove(0).1;
    let mut note = provider.note.clone();
    let attributes: Vec<(&str, String)> = [("path", path.clone())]
        .into_iter()
        .chain(
            attributes
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        )
        .collect();
    let object = RuleObject {
        name: &provider.name,
        key: &path,
        absolute_path: &path,
        attributes: &attributes,
    };
    for rule in &options.skip {
        // What is where the provider goes is not known, so that only additions can be skipped.
        let adds = matches!(rule.action, None | Some(crate::SkipAction::AddChild));
        if adds
            && rule.xpath.is_none()
            && rule
                .matches(&object)
                .map_err(|fault| rule_fault(&rule.text, &fault))?
        {
            note = Some(format!("skipped by {}", rule.text));
        }
    }
    Ok(Operation::Provider {
        provider: provider.name.clone(),
        path,
        note,
    })
}
