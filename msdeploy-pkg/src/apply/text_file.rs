//! A file as text, and how to turn it back: encoding, byte order mark and line ends stay.

use spanned_xml::{Problem, Problems, Source};

use crate::parameters::TextPosition;

/// A file as text, and how to turn it back.
pub(crate) struct TextFile {
    /// How the file was written; `None` where its octets are taken for ISO 8859-1.
    written: Option<Source>,
    pub(crate) current: Source,
}

impl TextFile {
    pub(crate) fn open(name: &str, octets: &[u8]) -> Result<Self, Problems> {
        let written = match Source::decode(name, octets) {
            Ok(source) => source,
            // Text in a code page, or not text at all: as ISO 8859-1 every octet is a character and nothing is lost.
            Err(problem) if problem.code == "not-text" && !octets.starts_with(b"<") => {
                return Ok(Self {
                    written: None,
                    current: Source::from_text(
                        name,
                        octets
                            .iter()
                            .map(|&octet| char::from(octet))
                            .collect::<String>(),
                    ),
                });
            }
            Err(problem) => return Err(problem.in_source(&Source::from_text(name, ""))),
        };
        Ok(Self {
            current: Source::from_text(name, written.text()),
            written: Some(written),
        })
    }

    pub(crate) fn encode(self) -> Result<Vec<u8>, Problems> {
        match &self.written {
            Some(written) => written
                .encode(self.current.text())
                .map_err(|problem| problem.in_source(&self.current)),
            None => self
                .current
                .text()
                .chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
                .collect::<Option<Vec<u8>>>()
                .ok_or_else(|| {
                    Problem::error(
                        "text-file-encoding",
                        format!(
                            "`{}` is not UTF-8, and the value has characters that ISO 8859-1 lacks",
                            self.current.name()
                        ),
                    )
                    .help("save the file as UTF-8 in the package, or use a value of plain letters")
                    .in_source(&self.current)
                }),
        }
    }
}

/// `None` where the stretch is not inside the line.
pub(crate) fn replace_at(text: &str, position: TextPosition, value: &str) -> Option<String> {
    let line_start = match position.line {
        1 => 0,
        line => text.match_indices('\n').nth(line - 2)?.0 + 1,
    };
    let line = text.get(line_start..)?.lines().next().unwrap_or_default();
    let offset = |characters: usize| {
        line.char_indices()
            .map(|(offset, _)| offset)
            .chain([line.len()])
            .nth(characters)
    };
    let start = line_start + offset(position.column - 1)?;
    let end = line_start + offset((position.column - 1).checked_add(position.count)?)?;
    Some(format!("{}{value}{}", &text[..start], &text[end..]))
}
