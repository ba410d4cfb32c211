//! HTML as text, with everything from a feed escaped.

use std::fmt::{self, Write as _};

/// Text as HTML, in an element or in a quoted attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Html {
    pub(super) text: String,
}

impl Html {
    pub(super) fn push(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(arguments);
    }
}

/// The address, where following it is harmless.
pub(super) fn web_address(address: &str) -> Option<&str> {
    let address = address.trim();
    let url = url::Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(address)
}
