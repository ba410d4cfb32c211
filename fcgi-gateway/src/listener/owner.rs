//! Whom a socket's file belongs to.

use camino::Utf8Path;

/// Owner and group of a file, as chown takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The number of the user; `None` leaves it as it is.
    pub uid: Option<u32>,
    /// The number of the group; `None` leaves it as it is.
    pub gid: Option<u32>,
}

impl Owner {
    /// Reads `USER`, `USER:GROUP` or `:GROUP`; each a number or a name in `/etc/passwd` and `/etc/group`. Those whom only a
    /// directory service knows have to be given as numbers.
    ///
    /// ```
    /// use fcgi_gateway::listener::Owner;
    ///
    /// assert_eq!(Owner::parse("0:33")?, Owner { uid: Some(0), gid: Some(33) });
    /// assert!(Owner::parse("nobody-of-that-name").is_err());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::look_up(text, &|path| {
            fs_err::read_to_string(path).unwrap_or_default()
        })
    }

    fn look_up(text: &str, read: &dyn Fn(&Utf8Path) -> String) -> Result<Self, String> {
        let (user, group) = text
            .split_once(':')
            .map_or((text, None), |(user, group)| (user, Some(group)));
        let find = |name: &str, kind: &str, file: &str| match name.parse() {
            Ok(number) => Ok(number),
            Err(_) => number_of(name, &read(Utf8Path::new(file)))
                .ok_or_else(|| format!("there is no {kind} `{name}` in {file}; write its number")),
        };
        let uid = match user {
            "" => None,
            user => Some(find(user, "user", "/etc/passwd")?),
        };
        let gid = match group {
            None | Some("") => None,
            Some(group) => Some(find(group, "group", "/etc/group")?),
        };
        if uid.is_none() && gid.is_none() {
            return Err("write USER, USER:GROUP or :GROUP".to_owned());
        }
        Ok(Self { uid, gid })
    }
}

/// The third field of the line whose first is `name`: passwd(5) and group(5).
fn number_of(name: &str, file: &str) -> Option<u32> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_names_or_numbers() {
        let read = |path: &Utf8Path| {
            match path.as_str() {
                "/etc/passwd" => {
                    "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34::/:/bin/false\nbroken\n"
                }
                _ => "root:x:0:\nweb:x:35:www\n",
            }
            .to_owned()
        };
        let owner = |uid, gid| Ok(Owner { uid, gid });
        for (text, expected) in [
            ("www", owner(Some(33), None)),
            ("www:web", owner(Some(33), Some(35))),
            (":web", owner(None, Some(35))),
            ("7:8", owner(Some(7), Some(8))),
            ("www:", owner(Some(33), None)),
        ] {
            assert_eq!(Owner::look_up(text, &read), expected, "{text}");
        }
        for (text, part) in [
            ("", "write USER"),
            (":", "write USER"),
            ("web", "no user `web`"),
            ("broken", "no user `broken`"),
            ("www:www", "no group `www`"),
        ] {
            let error = Owner::look_up(text, &read).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
