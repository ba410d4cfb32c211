//! `iiswsgi webpicmd`: the command line of WebpiCmd.exe, for scripts that were written for it.
//!
//! What it says is said in the words that scripts look for: `Started installing: 'TITLE'`, `Install completed (Success): 'TITLE'`
//! and `No products to be installed (either not available or already installed)`.

mod feeds;
mod install;
mod list;
mod offline;
mod switches;
mod transcript;

use crate::commands::webpicmd::switches::{Switches, Verb};
use crate::commands::webpicmd::transcript::Transcript;
use crate::context::Context;
use crate::error::Result;

/// Where the main feed is, where `/XML` does not say.
const FEED_VARIABLE: &str = "IISWSGI_WEBPI_FEED";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// WebpiCmd.exe's switches, with / or -, in any case of letters; options of iiswsgi come before `webpicmd`
    #[arg(
        value_name = "SWITCH",
        allow_hyphen_values = true,
        trailing_var_arg = true
    )]
    switches: Vec<String>,
}

const HELP: &str = "\
/List      [/ListOption:All|Available|Feeds|Installed|Languages]
/Install   /Products:ID,ID | /Application:ID-OR-TITLE [@FILE]
/Offline   /Products:All|ID,ID /Path:DIR

  /XML:FEED         the main feed, a path or a URL [env: IISWSGI_WEBPI_FEED]
  /Feeds:FEED,FEED  further feeds
  /Language:ID      the language of installers
  /AcceptEULA       the licences of what is installed are accepted
  /Log:FILE         write what is said to a file too
  /SiteRoot:DIR     the folder that stands for an IIS; not in WebpiCmd.exe [env: IISWSGI_SITE_ROOT]
  /Machine:FILE     a file that describes the machine; not in WebpiCmd.exe
  @FILE             values for an application's parameters, a line each: NAME[@]VALUE

Accepted without effect: /SuppressReboot /ForceReboot /SuppressPostFinish /OptInMU /IISExpress /SQLPassword: /MySQLPassword:
";

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let switches = Switches::parse(&args.switches)?;
    for switch in &switches.without_effect {
        context.detail(format_args!("{switch} has no effect here"));
    }
    let mut transcript = Transcript::open(switches.log.as_deref(), context)?;
    let done = match switches.verb() {
        Verb::Help => {
            transcript.say(HELP.trim_end())?;
            Ok(())
        }
        Verb::List => list::run(&switches, &mut transcript, context),
        Verb::Install => install::run(&switches, &mut transcript, context),
        Verb::Offline => offline::run(&switches, &mut transcript, context),
    };
    if let Err(error) = &done {
        transcript.log_only(&error.to_string())?;
    }
    transcript.finish()?;
    done
}
