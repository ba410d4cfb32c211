//! The registry of this machine.

use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE, Type, Value};

const PARAMETERS: &str = r"SYSTEM\CurrentControlSet\Services\W3SVC\Parameters";
const SETUP: &str = r"SOFTWARE\Microsoft\InetStp";
const EXPRESS: &str = r"SOFTWARE\Microsoft\IISExpress";
const FOLDERS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders";

/// `FastCGIUtf8ServerVariables`, the variables that IIS gives in UTF-8; empty where the value is not there, none where there
/// is no IIS, or the registry cannot be read.
#[must_use]
pub fn utf8_server_variables() -> Option<Vec<String>> {
    utf8_server_variables_in(LOCAL_MACHINE)
}

fn utf8_server_variables_in(root: &Key) -> Option<Vec<String>> {
    let parameters = root.open(PARAMETERS).ok()?;
    let names = parameters.get_multi_string("FastCGIUtf8ServerVariables");
    Some(names.unwrap_or_default())
}

/// The version of IIS, `(10, 0)`; none where there is none.
#[must_use]
pub fn iis_version() -> Option<(u32, u32)> {
    iis_version_in(LOCAL_MACHINE)
}

fn iis_version_in(root: &Key) -> Option<(u32, u32)> {
    let setup = root.open(SETUP).ok()?;
    let major = setup.get_u32("MajorVersion").ok()?;
    Some((major, setup.get_u32("MinorVersion").unwrap_or(0)))
}

/// The folder with the user's files of IIS Express, where they were moved from the user's documents.
#[must_use]
pub fn iis_express_custom_home() -> Option<String> {
    text(CURRENT_USER, EXPRESS, "CustomUserHome")
}

/// The folder of the user's documents; variables in it are left as they are.
#[must_use]
pub fn documents_folder() -> Option<String> {
    text(CURRENT_USER, FOLDERS, "Personal")
}

fn text(root: &Key, key: &str, value: &str) -> Option<String> {
    let text = root.open(key).ok()?.get_string(value).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

/// Names and data of the values of a key, which is written as RegEdit writes it; none where it is not there.
#[must_use]
pub fn values(key: &str) -> Option<Vec<(String, String)>> {
    let (root, path) = key.split_once('\\')?;
    let root = match root.to_ascii_uppercase().as_str() {
        "HKEY_LOCAL_MACHINE" | "HKLM" => LOCAL_MACHINE,
        "HKEY_CURRENT_USER" | "HKCU" => CURRENT_USER,
        "HKEY_CLASSES_ROOT" | "HKCR" => windows_registry::CLASSES_ROOT,
        "HKEY_USERS" | "HKU" => windows_registry::USERS,
        _ => return None,
    };
    let key = root.open(path).ok()?;
    let values = key.values().ok()?;
    Some(values.map(|(name, value)| (name, data(value))).collect())
}

/// A value's data as `reg query` shows it.
fn data(value: Value) -> String {
    match value.ty() {
        Type::U32 | Type::U64 => {
            u64::try_from(value).map_or_else(|_| String::new(), |number| format!("{number:#x}"))
        }
        Type::String | Type::ExpandString => String::try_from(value).unwrap_or_default(),
        Type::MultiString => {
            Vec::<String>::try_from(value).map_or_else(|_| String::new(), |texts| texts.join("\\0"))
        }
        _ => value.iter().map(|octet| format!("{octet:02X}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of its own below the user's, as no test may write where IIS keeps its own; removed at the end.
    struct Scratch(String);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(format!(
                r"SOFTWARE\iiswsgi tests {} {name}",
                std::process::id()
            ))
        }

        fn root(&self) -> Key {
            CURRENT_USER.create(&self.0).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = CURRENT_USER.remove_tree(&self.0);
        }
    }

    #[test]
    fn variables_in_utf_8_are_known_or_none_or_nothing_is_said() {
        let scratch = Scratch::new("utf-8");
        let root = scratch.root();
        assert_eq!(utf8_server_variables_in(&root), None, "no IIS");
        let parameters = root.create(PARAMETERS).unwrap();
        assert_eq!(utf8_server_variables_in(&root), Some(Vec::new()));
        let names = ["REQUEST_URI", "PATH_INFO"];
        parameters
            .set_multi_string("FastCGIUtf8ServerVariables", &names)
            .unwrap();
        assert_eq!(
            utf8_server_variables_in(&root),
            Some(names.map(str::to_owned).to_vec())
        );
        parameters.set_u32("FastCGIUtf8ServerVariables", 1).unwrap();
        assert_eq!(utf8_server_variables_in(&root), Some(Vec::new()), "no list");
    }

    #[test]
    fn the_version_of_iis() {
        let scratch = Scratch::new("version");
        let root = scratch.root();
        assert_eq!(iis_version_in(&root), None);
        let setup = root.create(SETUP).unwrap();
        assert_eq!(iis_version_in(&root), None);
        setup.set_u32("MajorVersion", 10).unwrap();
        assert_eq!(iis_version_in(&root), Some((10, 0)));
        setup.set_u32("MinorVersion", 5).unwrap();
        assert_eq!(iis_version_in(&root), Some((10, 5)));
    }

    #[test]
    fn values_of_every_type_are_shown_as_reg_query_shows_them() {
        let scratch = Scratch::new("values");
        let root = scratch.root();
        root.set_string("text", "Jürgen's 日本").unwrap();
        root.set_expand_string("variable", r"%SystemRoot%\x")
            .unwrap();
        root.set_u32("number", 255).unwrap();
        root.set_multi_string("list", &["a", "b"]).unwrap();
        root.set_bytes("octets", Type::Bytes, &[1, 0xab]).unwrap();
        let mut found = values(&format!(r"HKEY_CURRENT_USER\{}", scratch.0)).unwrap();
        found.sort();
        let expected = [
            ("list", r"a\0b"),
            ("number", "0xff"),
            ("octets", "01AB"),
            ("text", "Jürgen's 日本"),
            ("variable", r"%SystemRoot%\x"),
        ]
        .map(|(name, data)| (name.to_owned(), data.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(values(&format!(r"HKCU\{}\none", scratch.0)), None);
        assert_eq!(values(r"HKEY_NOWHERE\x"), None);
        assert_eq!(text(CURRENT_USER, &scratch.0, "none"), None);
        assert_eq!(
            text(CURRENT_USER, &scratch.0, "text").as_deref(),
            Some("Jürgen's 日本")
        );
    }
}
