//! What Windows' registry says of IIS. Elsewhere there is no registry, and it says nothing.
//!
//! Sources: KB2277918 (`FastCGIUtf8ServerVariables`), *Use of special registry keys in IIS* (KB954864, `InetStp`), *IIS
//! Express Overview* (`CustomUserHome`).

#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub use windows::{
    documents_folder, iis_express_custom_home, iis_version, utf8_server_variables, values,
};

#[cfg(not(windows))]
pub use elsewhere::{
    documents_folder, iis_express_custom_home, iis_version, utf8_server_variables, values,
};

/// The same functions where there is no registry.
#[cfg(not(windows))]
mod elsewhere {
    /// `FastCGIUtf8ServerVariables`, the variables that IIS gives in UTF-8; empty where the value is not there, none where there
    /// is no IIS, or the registry cannot be read.
    #[must_use]
    pub fn utf8_server_variables() -> Option<Vec<String>> {
        None
    }

    /// The version of IIS, `(10, 0)`; none where there is none.
    #[must_use]
    pub fn iis_version() -> Option<(u32, u32)> {
        None
    }

    /// The folder with the user's files of IIS Express, where they were moved from the user's documents.
    #[must_use]
    pub fn iis_express_custom_home() -> Option<String> {
        None
    }

    /// The folder of the user's documents; variables in it are left as they are.
    #[must_use]
    pub fn documents_folder() -> Option<String> {
        None
    }

    /// Names and data of the values of a key, which is written as RegEdit writes it; none where it is not there.
    #[must_use]
    pub fn values(_key: &str) -> Option<Vec<(String, String)>> {
        None
    }
}
