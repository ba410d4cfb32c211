//! The providers of Web Deploy: what each deploys, its settings, and where its content is in a package.
//!
//! *Web Deploy Providers*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569040(v=ws.10)>, *Web
//! Deploy Provider Settings*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569001(v=ws.10)>, and the
//! help of `msdeploy.exe`. Which of them the Web Application Gallery allowed is its validator's rule.
//!
//! Left out: the providers that others register with Web Deploy; a manifest that names one is read, and nothing is known
//! of its settings.

mod description;
mod setting;
mod table;

pub use description::{Gallery, PackagedContent, ProviderDescription};
pub use setting::{SettingDescription, SettingType};
pub(crate) use setting::{boolean, exit_codes, number};
pub(crate) use table::is_secure;
pub use table::{COMMON_SETTINGS, PROVIDERS};
