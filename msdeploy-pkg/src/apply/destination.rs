//! Entries that change the configuration of the IIS that is deployed to: what they would do there.

use core::fmt;

use crate::parameters::EntryKind;
use crate::resolve::ResolvedParameters;

/// A change to the destination's IIS configuration that is reported and not made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DestinationChange {
    /// The parameter's name.
    pub parameter: String,
    /// `DestinationBinding`, `DestinationVirtualDirectory` or `DeploymentObjectAttribute`.
    pub kind: String,
    /// The entry's scope, as written.
    pub scope: String,
    /// The entry's match, as written.
    #[serde(rename = "match")]
    pub matching: String,
    /// The value; `…` where it is a secret.
    pub value: String,
}

impl fmt::Display for DestinationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            parameter,
            kind,
            scope,
            matching,
            value,
        } = self;
        match kind.as_str() {
            "DestinationBinding" => write!(
                f,
                "bindings that match `{matching}` of sites that match `{scope}` would become `{value}`"
            )?,
            "DestinationVirtualDirectory" => write!(
                f,
                "the physical path of virtual directories that match `{scope}` would become `{value}`"
            )?,
            _ => write!(
                f,
                "the attributes `{matching}` of objects that match `{scope}` would become `{value}`"
            )?,
        }
        write!(f, " (parameter `{parameter}`, {kind})")
    }
}

impl ResolvedParameters {
    /// What entries of the kinds `DestinationBinding`, `DestinationVirtualDirectory` and `DeploymentObjectAttribute` would
    /// do where there is an IIS.
    #[must_use]
    pub fn destination_changes(&self) -> Vec<DestinationChange> {
        self.entries()
            .filter(|(_, entry)| {
                matches!(
                    entry.kind,
                    EntryKind::DestinationBinding
                        | EntryKind::DestinationVirtualDirectory
                        | EntryKind::DeploymentObjectAttribute
                )
            })
            .map(|(resolved, entry)| DestinationChange {
                parameter: resolved.parameter.name.clone(),
                kind: entry.kind.name().to_owned(),
                scope: entry.scope.text().to_owned(),
                matching: entry.match_text.clone(),
                value: if resolved.parameter.is_secret() {
                    "…".to_owned()
                } else {
                    resolved.value.clone()
                },
            })
            .collect()
    }
}
