//! From .NET's dialect to the engine's.

use spanned_xml::Span;

use super::pattern::PatternFault;

/// A pattern in the engine's dialect.
pub(crate) struct Translated {
    pub(crate) pattern: String,
    pub(crate) end_anchor: bool,
    pub(crate) lazy: bool,
}

/// Rewrites a .NET pattern, or refuses it.
pub(crate) fn translate(text: &str) -> Result<Translated, PatternFault> {
    Translator::new(text).run()
}

struct Translator<'p> {
    text: &'p str,
    at: usize,
    out: String,
    /// `RegexOptions.Multiline` in each open group, the outermost first.
    multiline: Vec<bool>,
    end_anchor: bool,
    lazy: bool,
    /// Something that a quantifier can follow came last.
    quantifiable: bool,
}

impl<'p> Translator<'p> {
    fn new(text: &'p str) -> Self {
        Self {
            text,
            at: 0,
            out: String::with_capacity(text.len() + 8),
            multiline: vec![false],
            end_anchor: false,
            lazy: false,
            quantifiable: false,
        }
    }

    fn rest(&self) -> &'p str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn fault(&self, start: usize, message: impl Into<String>) -> PatternFault {
        PatternFault {
            message: message.into(),
            place: Span::new(start, self.at),
            unsupported: false,
        }
    }

    fn unsupported(&self, start: usize, what: &str) -> PatternFault {
        PatternFault {
            message: format!("{what} in a regular expression is not supported"),
            place: Span::new(start, self.at),
            unsupported: true,
        }
    }

    fn run(mut self) -> Result<Translated, PatternFault> {
        loop {
            let start = self.at;
            let Some(character) = self.next() else { break };
            match character {
                '\\' => self.escape(start)?,
                '[' => self.class(start)?,
                '(' => self.group(start)?,
                ')' => {
                    if self.multiline.len() == 1 {
                        return Err(self.fault(start, "`)` without `(`"));
                    }
                    self.multiline.pop();
                    self.out.push(')');
                    self.quantifiable = true;
                }
                '|' => {
                    self.out.push('|');
                    self.quantifiable = false;
                }
                '*' | '+' | '?' => {
                    self.out.push(character);
                    self.quantified(start)?;
                }
                '{' => {
                    if let Some(len) = counted_len(self.rest()) {
                        self.out.push('{');
                        self.out.push_str(&self.rest()[..len]);
                        self.at += len;
                        self.quantified(start)?;
                    } else {
                        self.literal('{');
                    }
                }
                '$' => self.end_of_text(start)?,
                '^' => {
                    self.out.push('^');
                    self.quantifiable = true;
                }
                '.' => {
                    self.out.push('.');
                    self.quantifiable = true;
                }
                other => self.literal(other),
            }
        }
        if self.multiline.len() > 1 {
            return Err(self.fault(0, "a `(` without its `)`"));
        }
        Ok(Translated {
            pattern: self.out,
            end_anchor: self.end_anchor,
            lazy: self.lazy,
        })
    }

    fn literal(&mut self, character: char) {
        self.out
            .push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
        self.quantifiable = true;
    }

    /// After a quantifier: it may be lazy, and another one must not follow.
    fn quantified(&mut self, start: usize) -> Result<(), PatternFault> {
        if !self.quantifiable {
            return Err(self.fault(start, "a quantifier with nothing before it to repeat"));
        }
        if self.eat("?") {
            self.out.push('?');
            self.lazy = true;
        }
        self.quantifiable = false;
        Ok(())
    }

    fn end_of_text(&mut self, start: usize) -> Result<(), PatternFault> {
        if self.multiline.last() == Some(&true) {
            self.out.push('$');
        } else {
            // Before the newline at the end of the text something could follow only that matches the newline.
            if !self.rest().trim_start_matches(')').is_empty()
                && !self.rest().trim_start_matches(')').starts_with('|')
            {
                return Err(self.unsupported(start, "`$` before the end of the pattern"));
            }
            self.out.push_str("\\z");
            self.end_anchor = true;
        }
        self.quantifiable = true;
        Ok(())
    }

    fn escape(&mut self, start: usize) -> Result<(), PatternFault> {
        let Some(character) = self.next() else {
            return Err(self.fault(start, "a `\\` with nothing after it"));
        };
        match character {
            'Z' => return self.end_of_text(start),
            'b' | 'B' | 'A' | 'z' => {
                self.out.push('\\');
                self.out.push(character);
            }
            'G' => return Err(self.unsupported(start, "`\\G`")),
            'k' | '1'..='9' => {
                return Err(self.unsupported(start, "a reference back to a group"));
            }
            _ => self.character_escape(start, character)?,
        }
        self.quantifiable = true;
        Ok(())
    }

    /// Escapes that mean the same inside and outside of a class.
    fn character_escape(&mut self, start: usize, character: char) -> Result<(), PatternFault> {
        match character {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' | 'f' | 'v' | 'a' => {
                self.out.push('\\');
                self.out.push(character);
            }
            'e' => self.out.push_str("\\x1B"),
            'x' | 'u' => {
                let len = if character == 'x' { 2 } else { 4 };
                let digits = self
                    .rest()
                    .get(..len)
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .ok_or_else(|| {
                        self.fault(
                            start,
                            format!("`\\{character}` needs {len} hexadecimal digits"),
                        )
                    })?;
                self.at += len;
                self.out.push_str(&format!("\\x{{{digits}}}"));
            }
            'p' | 'P' => {
                let name = self
                    .rest()
                    .strip_prefix('{')
                    .and_then(|rest| rest.split_once('}'))
                    .map(|(name, _)| name)
                    .ok_or_else(|| {
                        self.fault(start, format!("`\\{character}` needs a category in braces"))
                    })?;
                self.at += name.len() + 2;
                if name.starts_with("Is") {
                    return Err(self.unsupported(start, "a Unicode block"));
                }
                self.out.push_str(&format!("\\{character}{{{name}}}"));
            }
            '0' => return Err(self.unsupported(start, "an octal character")),
            'c' => return Err(self.unsupported(start, "a control character by its letter")),
            other if other.is_alphanumeric() || other == '_' => {
                return Err(self.fault(start, format!("`\\{other}` is not an escape of .NET")));
            }
            other => self
                .out
                .push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
        Ok(())
    }

    fn class(&mut self, start: usize) -> Result<(), PatternFault> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        if self.eat("]") {
            self.out.push_str("\\]");
        }
        loop {
            let at = self.at;
            match self.next() {
                None => {
                    return Err(PatternFault {
                        place: Span::new(start, start + 1),
                        ..self.fault(start, "a `[` without its `]`")
                    });
                }
                Some(']') => break,
                Some('\\') => match self.next() {
                    None => return Err(self.fault(at, "a `\\` with nothing after it")),
                    Some('b') => self.out.push_str("\\x08"),
                    Some('1'..='9') => return Err(self.unsupported(at, "an octal character")),
                    // In a class regex::escape is not enough: `&`, `~` and `-` double up into set operations.
                    Some(other @ ('-' | '&' | '~' | '[' | ']' | '^')) => {
                        self.out.push('\\');
                        self.out.push(other);
                    }
                    Some(other) => self.character_escape(at, other)?,
                },
                Some('-') if self.rest().starts_with('[') => {
                    return Err(self.unsupported(at, "subtraction from a class"));
                }
                Some('-') if self.rest().starts_with('-') => {
                    return Err(self.unsupported(at, "`--` in a class"));
                }
                Some('-') => self.out.push('-'),
                Some('[') if self.rest().starts_with(':') => {
                    return Err(self.unsupported(at, "`[:` in a class"));
                }
                Some(other @ ('[' | '&' | '~')) => {
                    self.out.push('\\');
                    self.out.push(other);
                }
                Some(other) => self.out.push(other),
            }
        }
        self.out.push(']');
        self.quantifiable = true;
        Ok(())
    }

    fn group(&mut self, start: usize) -> Result<(), PatternFault> {
        let outer = self.multiline.last().copied().unwrap_or(false);
        self.quantifiable = false;
        if !self.eat("?") {
            self.out.push('(');
            self.multiline.push(outer);
            return Ok(());
        }
        for (prefix, what) in [
            ("=", "look-ahead `(?=`"),
            ("!", "negative look-ahead `(?!`"),
            ("<=", "look-behind `(?<=`"),
            ("<!", "negative look-behind `(?<!`"),
            (">", "an atomic group `(?>`"),
            ("(", "a conditional group `(?(`"),
        ] {
            if self.eat(prefix) {
                return Err(self.unsupported(start, what));
            }
        }
        if self.eat("#") {
            let Some((comment, _)) = self.rest().split_once(')') else {
                return Err(self.fault(start, "a comment `(?#` without its `)`"));
            };
            self.at += comment.len() + 1;
            self.quantifiable = true;
            return Ok(());
        }
        // The captures are never looked at, and .NET allows a name twice: a named group is a plain one here.
        if self.rest().starts_with(['<', '\'']) {
            let close = if self.eat("<") {
                '>'
            } else {
                self.eat("'");
                '\''
            };
            let Some((name, _)) = self.rest().split_once(close) else {
                return Err(self.fault(start, "a group's name that does not end"));
            };
            self.at += name.len() + 1;
            if name.contains('-') {
                return Err(self.unsupported(start, "a balancing group"));
            }
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(self.fault(start, format!("`{name}` is not a group's name")));
            }
            self.out.push_str("(?:");
            self.multiline.push(outer);
            return Ok(());
        }
        self.options(start, outer)
    }

    /// `(?imnsx-imnsx:` or `(?imnsx-imnsx)`.
    fn options(&mut self, start: usize, outer: bool) -> Result<(), PatternFault> {
        let (mut on, mut off) = (String::new(), String::new());
        let mut multiline = outer;
        let mut negative = false;
        loop {
            let option = self.next();
            match option {
                Some('-') if !negative => negative = true,
                Some(option @ ('i' | 'm' | 's' | 'n')) => {
                    if option == 'm' {
                        multiline = !negative;
                    }
                    // `n` only says that plain groups do not capture.
                    if option != 'n' {
                        if negative { &mut off } else { &mut on }.push(option);
                    }
                }
                Some('x') if negative => {}
                Some('x') => return Err(self.unsupported(start, "the option `x`")),
                Some(close @ (')' | ':')) => {
                    let dash = if off.is_empty() { "" } else { "-" };
                    if close == ':' {
                        self.out.push_str(&format!("(?{on}{dash}{off}:"));
                        self.multiline.push(multiline);
                    } else {
                        if !(on.is_empty() && off.is_empty()) {
                            self.out.push_str(&format!("(?{on}{dash}{off})"));
                        }
                        if let Some(current) = self.multiline.last_mut() {
                            *current = multiline;
                        }
                    }
                    return Ok(());
                }
                Some(other) => {
                    return Err(self.fault(start, format!("`(?{other}` is not a group of .NET")));
                }
                None => return Err(self.fault(start, "a `(` without its `)`")),
            }
        }
    }
}

/// Length of `n}`, `n,}` or `n,m}` at the beginning of `rest`: any other `{` is itself in .NET.
fn counted_len(rest: &str) -> Option<usize> {
    let (count, _) = rest.split_once('}')?;
    let (least, most) = count.split_once(',').unwrap_or((count, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(count.len() + 1)
}
