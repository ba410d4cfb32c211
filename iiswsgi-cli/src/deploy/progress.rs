//! How far something is that takes more than a moment.

use indicatif::{ProgressBar, ProgressStyle};

use crate::context::Context;

/// A bar of octets, shown only where a person watches; without a length it only counts.
pub(crate) fn octets(len: Option<u64>, context: &Context) -> ProgressBar {
    if !context.is_watched() || context.verbosity < 0 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    len.map_or_else(ProgressBar::no_length, ProgressBar::new)
        .with_style(style)
}
