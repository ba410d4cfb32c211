//! Products read on another thread, before what stands before them was read.

use spanned_xml::{Limits, Parser, Problem, Tag, Token, Tree};

use crate::extension::{Taken, is_blank};
use crate::{Entry, Feed};

const END_TAG: &str = "</entry>";

/// Where a text of products can be cut so that each part but the last has at least `part_len` octets: behind end tags, if
/// that is what they are. At most `parts - 1` cuts.
pub(super) fn cuts(text: &str, parts: usize, part_len: usize) -> Vec<usize> {
    let len = (text.len() / parts).max(part_len);
    let mut cuts = Vec::new();
    let mut begin = 0;
    while cuts.len() + 1 < parts {
        let behind = begin + len;
        let found = text
            .as_bytes()
            .get(behind..)
            .and_then(|rest| memchr::memmem::find(rest, END_TAG.as_bytes()));
        let Some(found) = found else { break };
        begin = behind + found + END_TAG.len();
        cuts.push(begin);
    }
    cuts
}

/// Products with nothing but white space between them.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) entries: Vec<Entry>,
    /// The number of the feed's field that takes them.
    pub(super) field: u8,
    /// Where the last of them ends.
    pub(super) end: usize,
}

impl Run {
    /// Reads the products at the beginning of `text`, which stands `base` octets into the document element of the tag `root`:
    /// as far as there is nothing else, and no fault.
    pub(super) fn read(root: Tag<'_>, text: &str, base: usize) -> Self {
        let mut run = Self {
            entries: Vec::new(),
            field: 0,
            end: base,
        };
        // Whoever reads on finds the fault again, in its place.
        let _ = run.read_all(root, text, base);
        run
    }

    fn read_all(&mut self, root: Tag<'_>, text: &str, base: usize) -> Result<(), Problem> {
        let mut parser = Parser::resume(root, true, text, base, Limits::default())?;
        let mut tree = Tree::default();
        let mut feed = Feed::default();
        while let Some(token) = parser.next_token()? {
            match token {
                Token::Text(text) if is_blank(text.raw) => continue,
                Token::Start(tag) if tag.name.eq_ignore_ascii_case("entry") => {
                    tree.read(&mut parser, tag)?;
                }
                _ => break,
            }
            let Some(entry) = tree.root() else { break };
            let (field, taken) = feed.take_child(entry);
            if !matches!(taken, Taken::Whole) {
                break;
            }
            self.field = field;
            self.entries.append(&mut feed.entries);
            self.end = parser.position();
        }
        Ok(())
    }
}
