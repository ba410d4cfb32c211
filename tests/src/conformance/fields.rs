//! The keys of one table of a vector file, each taken once: what is left over at the end is refused.

use toml::{Table, Value};

use super::record::{type_number, write_pair};

/// A table and what was wrong with it so far.
#[derive(Debug)]
pub(super) struct Fields {
    table: Table,
    /// What was wrong, for a person.
    pub(super) faults: Vec<String>,
}

impl Fields {
    pub(super) const fn new(table: Table) -> Self {
        Self {
            table,
            faults: Vec::new(),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn wrong(&mut self, key: &str, expected: &str, found: &Value) {
        let found = match found {
            Value::String(text) => format!("`{text}`"),
            Value::Integer(number) => format!("`{number}`"),
            other => format!("of type {}", other.type_str()),
        };
        self.faults
            .push(format!("`{key}` is {found}, expected {expected}"));
    }

    fn missing(&mut self, key: &str) {
        self.faults.push(format!("`{key}` is missing"));
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong(key, "a text", &other);
                None
            }
        }
    }

    pub(super) fn needed_text(&mut self, key: &str) -> String {
        if !self.has(key) {
            self.missing(key);
        }
        self.text(key).unwrap_or_default()
    }

    pub(super) fn number<N: TryFrom<i64>>(&mut self, key: &str) -> Option<N> {
        let value = self.table.remove(key)?;
        let number = value.as_integer().and_then(|number| number.try_into().ok());
        if number.is_none() {
            self.wrong(key, "a number in its range", &value);
        }
        number
    }

    pub(super) fn needed_number<N: TryFrom<i64> + Default>(&mut self, key: &str) -> N {
        if !self.has(key) {
            self.missing(key);
        }
        self.number(key).unwrap_or_default()
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.table.remove(key)? {
            Value::Boolean(flag) => Some(flag),
            other => {
                self.wrong(key, "`true` or `false`", &other);
                None
            }
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.table.remove(key) else {
            return Vec::new();
        };
        let texts = value.as_array().and_then(|array| {
            let texts = array.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            self.wrong(key, "an array of texts", &value);
            Vec::new()
        })
    }

    /// The type of a record: its name without `FCGI_`, or a number.
    pub(super) fn record_type(&mut self, key: &str) -> u8 {
        let Some(value) = self.table.remove(key) else {
            self.missing(key);
            return 0;
        };
        let number = match &value {
            Value::Integer(number) => u8::try_from(*number).ok(),
            Value::String(name) => type_number(name),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.wrong(key, "the name of a type or a number up to 255", &value);
            0
        })
    }

    /// The type of a record, or `None` for `octets`, which are no record.
    pub(super) fn record_type_or_octets(&mut self, key: &str) -> Option<u8> {
        if self.table.get(key).and_then(Value::as_str) == Some("octets") {
            self.table.remove(key);
            return None;
        }
        Some(self.record_type(key))
    }

    /// Octets as `text`, `hex` or `pairs` (with `long_lengths`), as often as `times` says.
    pub(super) fn content(&mut self) -> Vec<u8> {
        let forms = ["text", "hex", "pairs"].into_iter().filter(|k| self.has(k));
        if forms.count() > 1 {
            self.faults
                .push("only one of `text`, `hex` and `pairs` can be there".to_owned());
        }
        let mut content = Vec::new();
        if let Some(text) = self.text("text") {
            content.extend_from_slice(text.as_bytes());
        }
        if let Some(text) = self.text("hex") {
            match hex(&text) {
                Some(octets) => content.extend(octets),
                None => self.wrong("hex", "pairs of hexadecimal digits", &Value::String(text)),
            }
        }
        let long = self.flag("long_lengths").unwrap_or_default();
        for (name, value) in self.pairs() {
            write_pair(name.as_bytes(), value.as_bytes(), long, &mut content);
        }
        match self.number::<usize>("times") {
            Some(times) if times <= 100_000 && content.len() * times <= 10_000_000 => {
                content.repeat(times)
            }
            Some(_) => {
                self.faults
                    .push("`times` makes more than 10,000,000 octets".to_owned());
                content
            }
            None => content,
        }
    }

    /// `pairs`, an array of arrays of two texts.
    pub(super) fn pairs(&mut self) -> Vec<(String, String)> {
        let Some(value) = self.table.remove("pairs") else {
            return Vec::new();
        };
        let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([Value::String(name), Value::String(value)]) => {
                Some((name.clone(), value.clone()))
            }
            _ => None,
        };
        let pairs = value
            .as_array()
            .and_then(|array| array.iter().map(pair).collect::<Option<Vec<_>>>());
        pairs.unwrap_or_else(|| {
            self.wrong("pairs", "an array of [\"name\", \"value\"]", &value);
            Vec::new()
        })
    }

    /// What was wrong, with a word on every key that nobody has taken.
    pub(super) fn finish(mut self, what: &str) -> Vec<String> {
        for key in self.table.keys() {
            self.faults
                .push(format!("`{key}` means nothing for {what}"));
        }
        self.faults
    }
}

/// Hexadecimal digits with blanks between the octets.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let octet = |pair: &[char]| {
        let value = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        Some(value(pair[0])? << 4 | value(pair[1])?)
    };
    digits.chunks(2).map(octet).collect()
}

/// The pairs in the content of PARAMS, for a comparison; what is cut off is an empty name.
pub(super) fn split_pairs(content: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut rest, mut found) = (content, Vec::new());
    let length = |rest: &mut &[u8]| -> Option<usize> {
        match **rest {
            [short, ..] if short < 128 => {
                *rest = &rest[1..];
                Some(usize::from(short))
            }
            [a, b, c, d, ..] => {
                *rest = &rest[4..];
                usize::try_from(u32::from_be_bytes([a & 0x7f, b, c, d])).ok()
            }
            _ => None,
        }
    };
    while !rest.is_empty() {
        let (name, value) = (length(&mut rest)?, length(&mut rest)?);
        let (name, tail) = rest.split_at_checked(name)?;
        let (value, tail) = tail.split_at_checked(value)?;
        found.push((name.to_vec(), value.to_vec()));
        rest = tail;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_three_forms() {
        let check = |source: &str, expected: &[u8]| {
            let mut fields = Fields::new(source.parse().unwrap());
            assert_eq!(fields.content(), expected, "{source}");
            assert_eq!(fields.finish("a test"), Vec::<String>::new(), "{source}");
        };
        check("text = 'aé'", "aé".as_bytes());
        check("hex = '00 ff 0a'", &[0, 255, 10]);
        check("pairs = [['A', 'B'], ['C', '']]", b"\x01\x01AB\x01\x00C");
        check(
            "pairs = [['A', '']]\nlong_lengths = true",
            b"\x80\0\0\x01\x80\0\0\0A",
        );
        check("text = 'ab'\ntimes = 3", b"ababab");
        check("", b"");
    }

    #[test]
    fn what_is_wrong_or_not_known_is_said() {
        let check = |source: &str, expected: &[&str]| {
            let mut fields = Fields::new(source.parse().unwrap());
            fields.content();
            fields.needed_number::<u16>("id");
            assert_eq!(fields.finish("a test"), expected, "{source}");
        };
        check(
            "id = 1\nhex = '0'",
            &["`hex` is `0`, expected pairs of hexadecimal digits"],
        );
        check("", &["`id` is missing"]);
        check(
            "id = 65536",
            &["`id` is `65536`, expected a number in its range"],
        );
        check("id = 1\nidd = 2", &["`idd` means nothing for a test"]);
        check(
            "id = 1\ntext = ''\nhex = ''",
            &["only one of `text`, `hex` and `pairs` can be there"],
        );
        check(
            "id = 1\npairs = [['A']]",
            &["`pairs` is of type array, expected an array of [\"name\", \"value\"]"],
        );
    }

    #[test]
    fn pairs_are_read_as_written() {
        assert_eq!(
            split_pairs(b"\x01\x01AB\x80\0\0\x01\x00C"),
            Some(vec![
                (b"A".to_vec(), b"B".to_vec()),
                (b"C".to_vec(), Vec::new())
            ])
        );
        assert_eq!(split_pairs(b"\x01\x05A"), None);
    }
}
