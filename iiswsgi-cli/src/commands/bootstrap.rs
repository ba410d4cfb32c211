//! `iiswsgi bootstrap`: what a package's runCommand starts, as `iiswsgi_install` did in iiswsgi 0.3.
//!
//! Web Deploy gives the command it runs no context: neither the working directory nor an argument nor a variable says
//! which application was unpacked. `iiswsgi webpi install` and `iiswsgi msdeploy sync` set APPL_PHYSICAL_PATH; under
//! msdeploy the application is found by its stamp file.

mod commands;
mod search;

use camino::Utf8PathBuf;

use self::commands::Commands;
use self::search::find_application;
use crate::context::{Context, StrictArgs};
use crate::deploy::install::Installation;
use crate::deploy::registration::RegistrationArgs;
use crate::deploy::stamp;
use crate::deploy::virtual_env::EnvironmentChoice;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install only an application of this name: its site, its path in the site, or its folder; digits behind it, as WebPI
    /// adds them, do not matter
    #[arg(short, long, value_name = "NAME")]
    app_name: Option<String>,
    /// Install also where there is no iis_install.stamp, for example again after an error was put right
    #[arg(short, long)]
    ignore_stamp: bool,
    /// Make a virtual environment for the application; with BOOTSTRAP, by that Python script, which is given the folder
    #[arg(short = 'e', long, alias = "virtualenv", value_name = "BOOTSTRAP", num_args = 0..=1)]
    virtual_env: Option<Option<String>>,
    #[command(flatten)]
    registration: RegistrationArgs,
    /// The Python to install with [default: the one that runs this command]
    #[arg(long, value_name = "PATH")]
    python: Option<Utf8PathBuf>,
    /// Do not make a request to the application at the end
    #[arg(long)]
    no_test: bool,
    #[command(flatten)]
    strict: StrictArgs,
    /// Commands to run in the application's folder instead: of its setup.py, or of iiswsgi itself [default: install_msdeploy
    /// and test_msdeploy]
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    commands: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    args.strict.apply(context);
    let mut commands = args.commands.clone();
    let script = match &args.virtual_env {
        Some(Some(value)) if value.to_ascii_lowercase().ends_with(".py") => {
            Some(Utf8PathBuf::from(value))
        }
        Some(Some(command)) => {
            // `-e install_msdeploy`: a command, as no script is called so.
            commands.insert(0, command.clone());
            None
        }
        _ => None,
    };
    let environment = EnvironmentChoice {
        python: args.python.clone(),
        virtual_env: args.virtual_env.is_some(),
        script,
    };
    let found = find_application(args, context)?;
    context.say(format_args!("installing `{}`", found.folder));
    match Commands::of(&commands, &found.folder)? {
        None => {
            let installation = Installation {
                folder: found.folder,
                registration: args.registration.clone(),
                environment,
                test: !args.no_test,
                only: None,
            };
            let installed = installation.run(context)?;
            context.report(&installed)
        }
        Some(commands) => {
            let outcome = commands.run(&found.folder, &environment, &args.registration, context);
            if outcome.is_err()
                && let Some(stamp) = &found.stamp
            {
                // One of the commands may have been install_msdeploy, which removes it.
                stamp.put_back()?;
            }
            let report = outcome?;
            stamp::remove_in(&found.folder)?;
            context.report(&report)
        }
    }
    // The stamp's lock, where there is one, ends here with `found`.
}
