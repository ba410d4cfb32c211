//! What this crate's lookups and appcmd's answers end in. Faults of a file are `Problem`s instead, all at once.

use crate::NearMiss;

/// A lookup without a result, or a failed appcmd command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What appcmd printed is neither its XML nor its messages.
    #[error("appcmd's answer is not understood: {detail}")]
    AppcmdAnswer {
        /// What is wrong with it.
        detail: String,
    },
    /// appcmd refused the command.
    #[error("appcmd failed{}: {message}", hresult.map(|code| format!(" with {code:#010x}")).unwrap_or_default())]
    AppcmdFailed {
        /// The `HRESULT`, where appcmd printed one.
        hresult: Option<u32>,
        /// The message, in the language of that Windows.
        message: String,
    },
    /// No FastCGI application has a handler's `scriptProcessor` as its key.
    #[error(
        "no FastCGI application is registered as `{script_processor}`{}",
        near(near_misses)
    )]
    ScriptProcessorNotFound {
        /// The handler's attribute.
        script_processor: String,
        /// Applications that come close, nearest first.
        near_misses: Vec<NearMiss>,
    },
}

fn near(near_misses: &[NearMiss]) -> String {
    match near_misses.first() {
        None => String::new(),
        Some(miss) => format!(
            "; `{}` {}, first at character {}",
            miss.expected,
            miss.difference,
            miss.expected
                .get(..miss.first_difference)
                .map_or(0, |before| before.chars().count())
                + 1
        ),
    }
}
