//! Windows command lines: one string, split into arguments by the program that is started.
//!
//! *Parsing C command-line arguments* in Microsoft's C documentation, the rules of the C runtime since 2008, which
//! CPython and nearly every other program follow. IIS starts a FastCGI process with one such string.

/// Splits the arguments of a command line, the program not among them.
///
/// White space, that is spaces and tabs, separates arguments; double quotes hold it together; `\"` is a quote; two
/// quotes inside quotes are one; backslashes are ordinary characters except before a quote, where two stand for one. A
/// quote left open ends with the string.
///
/// ```
/// use iis_config::command_line::split;
///
/// assert_eq!(split(r#"-u "C:\My Sites\app.py" --name=\"x\""#), ["-u", r"C:\My Sites\app.py", r#"--name="x""#]);
/// ```
#[must_use]
pub fn split(command_line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut characters = command_line.chars().peekable();
    loop {
        while characters.next_if(|&c| is_white_space(c)).is_some() {}
        if characters.peek().is_none() {
            return arguments;
        }
        let mut argument = String::new();
        let mut quoted = false;
        while let Some(character) = characters.next_if(|&c| quoted || !is_white_space(c)) {
            match character {
                '\\' => {
                    let mut backslashes = 1;
                    while characters.next_if_eq(&'\\').is_some() {
                        backslashes += 1;
                    }
                    let before_quote = characters.peek() == Some(&'"');
                    let literal = if before_quote {
                        backslashes / 2
                    } else {
                        backslashes
                    };
                    argument.extend(core::iter::repeat_n('\\', literal));
                    if before_quote && backslashes % 2 == 1 {
                        characters.next();
                        argument.push('"');
                    }
                }
                '"' if quoted && characters.next_if_eq(&'"').is_some() => argument.push('"'),
                '"' => quoted = !quoted,
                other => argument.push(other),
            }
        }
        arguments.push(argument);
    }
}

/// Splits a whole command line into the program and its arguments.
///
/// The program follows simpler rules: quotes hold white space together and backslashes are always ordinary. `None` for
/// an empty string.
#[must_use]
pub fn split_command(command_line: &str) -> Option<(String, Vec<String>)> {
    let mut program = String::new();
    let mut quoted = false;
    let mut end = command_line.len();
    for (offset, character) in command_line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            c if is_white_space(c) && !quoted => {
                end = offset;
                break;
            }
            c => program.push(c),
        }
    }
    if end == 0 || command_line.is_empty() {
        return None;
    }
    Some((program, split(&command_line[end..])))
}

/// Writes an argument so that [`split`] gives it back: in quotes where it is empty or holds white space or a quote.
///
/// ```
/// use iis_config::command_line::quote_argument;
///
/// assert_eq!(quote_argument("C:\\app\\"), "C:\\app\\");
/// assert_eq!(quote_argument("C:\\my app\\"), "\"C:\\my app\\\\\"");
/// ```
#[must_use]
pub fn quote_argument(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains(|c| c == '"' || is_white_space(c)) {
        return argument.to_owned();
    }
    let mut quoted = String::with_capacity(argument.len() + 2);
    let mut backslashes = 0;
    quoted.push('"');
    for character in argument.chars() {
        if character == '\\' {
            backslashes += 1;
        } else {
            if character == '"' {
                // The backslashes before a quote double, and one more makes the quote ordinary.
                quoted.extend(core::iter::repeat_n('\\', backslashes + 1));
            }
            backslashes = 0;
        }
        quoted.push(character);
    }
    quoted.extend(core::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

/// Writes arguments as one string that [`split`] takes apart again.
pub fn join<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = arguments
        .into_iter()
        .map(|argument| quote_argument(argument.as_ref()))
        .collect();
    quoted.join(" ")
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_documented() {
        // The table of "Parsing C command-line arguments", then what it leaves to the rules above it.
        let cases: &[(&str, &[&str])] = &[
            (r#""a b c" d e"#, &["a b c", "d", "e"]),
            (r#""ab\"c" "\\" d"#, &[r#"ab"c"#, r"\", "d"]),
            (r#"a\\\b d"e f"g h"#, &[r"a\\\b", "de fg", "h"]),
            (r#"a\\\"b c d"#, &[r#"a\"b"#, "c", "d"]),
            (r#"a\\\\"b c" d e"#, &[r"a\\b c", "d", "e"]),
            (r#"a"b"" c d"#, &[r#"ab" c d"#]),
            ("", &[]),
            (" \t ", &[]),
            (r#""""#, &[""]),
            (r#"a "" b"#, &["a", "", "b"]),
            ("a\tb\nc", &["a", "b\nc"]),
            (r#""open to the end"#, &["open to the end"]),
            (r"C:\app\ -v", &[r"C:\app\", "-v"]),
            (r#""C:\app\" -v"#, &[r#"C:\app" -v"#]),
        ];
        for (line, expected) in cases {
            assert_eq!(split(line), *expected, "{line}");
        }
    }

    #[test]
    fn the_program_keeps_its_backslashes() {
        for (line, program, arguments) in [
            (r#""C:\My Python\" -u"#, r"C:\My Python\", vec!["-u"]),
            (r"C:\python.exe", r"C:\python.exe", vec![]),
            (r#"py"th on".exe "a b""#, "pyth on.exe", vec!["a b"]),
        ] {
            let (found, rest) = split_command(line).unwrap();
            assert_eq!(
                (found.as_str(), rest),
                (program, arguments.iter().map(|&a| a.to_owned()).collect())
            );
        }
        assert_eq!(split_command(""), None);
        assert_eq!(split_command("  -u"), None);
    }

    #[test]
    fn quotes_only_where_needed() {
        for (argument, expected) in [
            ("plain", "plain"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            (r"a\", r"a\"),
            (r"a b\", r#""a b\\""#),
            (r#"a"b"#, r#""a\"b""#),
            (r#"a\"b"#, r#""a\\\"b""#),
        ] {
            assert_eq!(quote_argument(argument), expected);
        }
        assert_eq!(join(["-u", "a b", ""]), r#"-u "a b" """#);
    }
}
