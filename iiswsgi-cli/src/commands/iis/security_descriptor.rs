//! Who may use a file, as this machine keeps it: only Windows has security descriptors.

#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub(super) use windows::security_descriptor;

/// The file's security descriptor in text form.
#[cfg(not(windows))]
pub(super) fn security_descriptor(_: &camino::Utf8Path) -> Option<String> {
    None
}
