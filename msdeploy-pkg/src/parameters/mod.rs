//! `Parameters.xml`: what a package asks for at installation, and where the answers go.
//!
//! *Web Deploy Parameterization*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569084(v=ws.10)> and
//! *Parameterization improvements in Web Deploy V3*
//! <https://learn.microsoft.com/iis/publish/using-web-deploy/parameterization-improvements-in-web-deploy-v3>.
//! Both spellings of an entry's kind are read, `type` (first release) and `kind`.
//!
//! Left out: default values that are read from another file (`file:://xpath`); [`Parameters::resolve`] refuses them.

mod parameter;
mod read;

pub use parameter::{
    EntryKind, Localized, Parameter, ParameterEntry, Parameters, Prompt, TextPosition, Validation,
};
pub(crate) use parameter::{folded, same_name};
