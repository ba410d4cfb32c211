//! What an application's worker processes have to read, allowed to them with Windows' own icacls.

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::deploy::process::Process;
use crate::error::Result;

/// The account that every worker process of IIS is a member of.
pub(crate) const EVERY_POOL: &str = "IIS_IUSRS";

/// The account of an application pool, whose identifier is in the token of its worker processes whatever they run as.
pub(crate) fn pool_account(pool: &str) -> String {
    format!(r"IIS AppPool\{pool}")
}

/// Allows `account` to read the folder and what is and will be in it, and to start programs there.
///
/// # Errors
///
/// icacls refuses: it has to be run by somebody who may change the permissions.
pub(crate) fn allow_reading(folder: &Utf8Path, account: &str, context: &Context) -> Result<()> {
    let Some(icacls) = icacls(context) else {
        // What stands for an IIS elsewhere has no accounts either.
        return Ok(());
    };
    let grant = format!("{account}:(OI)(CI)(RX)");
    let process = Process::new(icacls).args([folder.as_str(), "/grant", &grant, "/Q"]);
    context.say(format_args!("allowing `{account}` to read `{folder}`"));
    let outcome = process.outcome(context)?;
    if outcome.code == Some(0) {
        return Ok(());
    }
    Err(process.failure(&outcome).help(format!(
        "run it in an elevated prompt, and check that `{account}` exists"
    )))
}

fn icacls(context: &Context) -> Option<Utf8PathBuf> {
    let windir = Utf8Path::new(context.environment.non_empty("windir")?);
    let path = windir.join("System32").join("icacls.exe");
    path.is_file().then_some(path)
}
