//! Windows spellings of paths, read on any system.
//!
//! *Naming Files, Paths, and Namespaces* and `ExpandEnvironmentStringsW` in Microsoft's Win32 documentation. One
//! `web.config` serves Windows and Unix: the installer puts this machine's folders into it, what the author wrote
//! after them keeps its backslashes, and [`to_unix`] reads the mixture.

use std::borrow::Cow;

use typed_path::Utf8WindowsPath;

/// Whether `path` is absolute on Windows: a drive and a root, or a UNC path.
#[must_use]
pub fn is_absolute_windows(path: &str) -> bool {
    Utf8WindowsPath::new(path).is_absolute()
}

/// Whether two names are the same to Windows, which does not tell them apart by case.
#[must_use]
pub fn eq_ignore_case(a: &str, b: &str) -> bool {
    folded(a).eq(folded(b))
}

/// A key for maps: the same for names that [`eq_ignore_case`] takes for the same.
pub(crate) fn fold(name: &str) -> String {
    folded(name).collect()
}

fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().flat_map(char::to_lowercase)
}

/// Turns Windows spellings of paths below `roots` into this machine's, in one argument or a whole value.
///
/// A root is a Unix path without a slash at its end. Where it stands in `value`, its own slashes in either direction,
/// at the start or after a character that no file name continues, backslashes become slashes from there to the end of
/// the path: the end of the value, or one of `< > " | ? * ; :`, which Windows file names cannot hold. Everything else is
/// kept. For a whole command line, split it first ([`crate::command_line::split`]) and translate each argument.
///
/// ```
/// use iis_config::win_path::to_unix;
///
/// assert_eq!(to_unix(r"/srv/site\app\x.ini", &["/srv/site"]), "/srv/site/app/x.ini");
/// assert_eq!(to_unix(r"--config=\srv\site\app\x.ini", &["/srv/site"]), "--config=/srv/site/app/x.ini");
/// assert_eq!(to_unix(r"a\d+", &["/srv/site"]), r"a\d+");
/// ```
#[must_use]
pub fn to_unix<'a>(value: &'a str, roots: &[&str]) -> Cow<'a, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut translated = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        let root_len = if path_can_start(&value[..value.len() - rest.len()]) {
            roots.iter().filter_map(|root| root_len(rest, root)).max()
        } else {
            None
        };
        let path_len = match root_len {
            // The root itself may hold characters that end a path.
            Some(len) => {
                len + rest[len..]
                    .find(['<', '>', '"', '|', '?', '*', ';', ':'])
                    .unwrap_or(rest.len() - len)
            }
            None => character.len_utf8(),
        };
        let (path, after) = rest.split_at(path_len);
        if root_len.is_some() {
            translated.extend(path.chars().map(|c| if c == '\\' { '/' } else { c }));
        } else {
            translated.push_str(path);
        }
        rest = after;
    }
    if translated == value {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(translated)
    }
}

/// Whether a path can start after `before`: not in the middle of another path, nor after a drive letter.
fn path_can_start(before: &str) -> bool {
    let mut backwards = before.chars().rev();
    match backwards.next() {
        Some(':') => {
            let drive = backwards.next().is_some_and(|c| c.is_ascii_alphabetic());
            !(drive && backwards.next().is_none_or(|c| !continues_name(c)))
        }
        Some(character) => !continues_name(character),
        None => true,
    }
}

/// Whether a file name or path goes on with `character`.
fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '/' | '\\' | '.' | '_' | '-' | '~' | '$')
}

/// The length of `root` at the start of `text`, its slashes in either direction, ending at a segment's end.
fn root_len(text: &str, root: &str) -> Option<usize> {
    let root = root.strip_suffix('/').unwrap_or(root);
    if root.is_empty() {
        return None;
    }
    let mut rest = text;
    for expected in root.chars() {
        let mut characters = rest.chars();
        let found = characters.next()?;
        if found != expected && !(expected == '/' && found == '\\') {
            return None;
        }
        rest = characters.as_str();
    }
    let ends = rest
        .chars()
        .next()
        .is_none_or(|next| matches!(next, '/' | '\\') || !continues_name(next));
    ends.then(|| text.len() - rest.len())
}

/// Expands `%NAME%` as `ExpandEnvironmentStringsW` does: a variable that `lookup` does not know stays as written.
///
/// IIS expands the attributes that its schema marks `expanded`: `fullPath` and `arguments` of a FastCGI application,
/// `scriptProcessor`, `physicalPath`. Names on Windows do not differ by case; `lookup` gets them as written.
///
/// ```
/// use iis_config::win_path::expand;
///
/// let value = expand("%SystemDrive%\\app 100% %other%", |name| (name == "SystemDrive").then(|| "C:".to_owned()));
/// assert_eq!(value, "C:\\app 100% %other%");
/// ```
#[must_use]
pub fn expand<'a>(value: &'a str, lookup: impl Fn(&str) -> Option<String>) -> Cow<'a, str> {
    let mut expanded = String::new();
    let mut rest = value;
    let mut changed = false;
    while let Some(start) = rest.find('%') {
        let (before, from_percent) = rest.split_at(start);
        expanded.push_str(before);
        let after = &from_percent[1..];
        let found = after.find('%').and_then(|end| {
            let name = &after[..end];
            let value = if name.is_empty() { None } else { lookup(name) }?;
            Some((value, &after[end + 1..]))
        });
        if let Some((value, remainder)) = found {
            expanded.push_str(&value);
            rest = remainder;
            changed = true;
        } else {
            // This `%` opens nothing; the next one still may.
            expanded.push('%');
            rest = after;
        }
    }
    if !changed {
        return Cow::Borrowed(value);
    }
    expanded.push_str(rest);
    Cow::Owned(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_absolute_windows_paths() {
        for (path, expected) in [
            (r"C:\x", true),
            ("c:/x", true),
            (r"\\server\share\x", true),
            (r"C:x", false),
            (r"\x", false),
            ("/srv/site", false),
            ("x", false),
            ("", false),
        ] {
            assert_eq!(is_absolute_windows(path), expected, "{path}");
        }
    }

    #[test]
    fn translates_paths_under_the_roots_only() {
        let roots = ["/srv/site", "/srv/site two/", "/opt/py"];
        for (value, expected) in [
            (r"/srv/site\app\x.ini", "/srv/site/app/x.ini"),
            (r"\srv\site\app\x.ini", "/srv/site/app/x.ini"),
            (r"\srv/site", "/srv/site"),
            (r"/srv/site/a\My App\x.ini", "/srv/site/a/My App/x.ini"),
            (r"/srv/site two\x", "/srv/site two/x"),
            (r"-c=/srv/site\x.ini", "-c=/srv/site/x.ini"),
            (
                r#""/opt/py\bin\python" -m "a\b""#,
                r#""/opt/py/bin/python" -m "a\b""#,
            ),
            (
                r"/opt/py\bin\python|/srv/site\run.py",
                "/opt/py/bin/python|/srv/site/run.py",
            ),
            (
                r"/srv/site\lib;/srv/site\more",
                "/srv/site/lib;/srv/site/more",
            ),
            (
                r"/srv/site\lib:/opt/py\lib:C:\lib",
                r"/srv/site/lib:/opt/py/lib:C:\lib",
            ),
            // Not these roots.
            (r"/srv/sites\x", r"/srv/sites\x"),
            (r"/mnt/srv/site\x", r"/mnt/srv/site\x"),
            (r"C:\srv\site\x", r"C:\srv\site\x"),
            (r"file:///srv/site\x", r"file:///srv/site\x"),
            (r"C:\python.exe", r"C:\python.exe"),
            (r"\d+\.py$", r"\d+\.py$"),
            ("", ""),
        ] {
            assert_eq!(to_unix(value, &roots), expected, "{value}");
        }
        assert_eq!(to_unix(r"\a\b", &["", "/"]), r"\a\b");
    }

    #[test]
    fn expands_known_variables() {
        let lookup = |name: &str| match name.to_ascii_uppercase().as_str() {
            "SYSTEMDRIVE" => Some("C:".to_owned()),
            "ODD" => Some("%SystemDrive%".to_owned()),
            _ => None,
        };
        for (value, expected) in [
            (r"%SystemDrive%\x", r"C:\x"),
            ("%systemdrive%%SYSTEMDRIVE%", "C:C:"),
            ("%ODD%", "%SystemDrive%"),
            ("%unknown%", "%unknown%"),
            ("100%", "100%"),
            ("100% of %SystemDrive%", "100% of C:"),
            ("%%", "%%"),
            ("%", "%"),
            ("é%SystemDrive%é", "éC:é"),
        ] {
            assert_eq!(expand(value, lookup), expected, "{value}");
        }
    }
}
