//! `iiswsgi iis disable`.

use iis_config::edit::{Edit, remove_fast_cgi_application, set_fast_cgi_application};
use iis_config::{FastCgiApplication, win_path};

use super::application::KeyArgs;
use super::changes::{Changes, ModeArgs};
use super::handler::HandlerArgs;
use super::target::{Target, TargetArgs, registered_in};
use crate::context::Context;
use crate::deploy::config_file::ConfigFile;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    handler: HandlerArgs,
    /// Take back what `enable --http-platform` wrote
    #[arg(long, requires = "name", conflicts_with_all = ["config", "appcmd", "full_path", "arguments"])]
    http_platform: bool,
    #[command(flatten)]
    mode: ModeArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    if args.http_platform {
        let mut changes = Changes::default();
        args.handler.disable(args.mode, &mut changes)?;
        let configuration = args.handler.place().map(|(_, path)| path.into_string());
        return changes.carry_out(configuration.unwrap_or_default(), None, args.mode, context);
    }
    let (full_path, arguments) = key(args, context)?;
    let target = args.target.find(context)?;
    let mut changes = Changes::default();
    let removed = match &target {
        Target::File(path) => {
            args.handler.apart_from(path)?;
            let file = args.mode.open(path, String::new)?;
            let registered = registered_in(&file)?;
            let found = find(&registered, &full_path, arguments.as_deref())?;
            if let Some(application) = found {
                let edit = removal(&file, application, context)?;
                changes.edit(file, edit, true);
            }
            found.map(FastCgiApplication::script_processor)
        }
        Target::Appcmd(appcmd) => {
            let registered = appcmd.fast_cgi_applications(context)?;
            let found = find(&registered, &full_path, arguments.as_deref())?;
            if let Some(application) = found {
                let command = appcmd.removing(&application.full_path, &application.arguments);
                changes.run(appcmd.clone(), vec![command]);
            }
            found.map(FastCgiApplication::script_processor)
        }
    };
    args.handler.disable(args.mode, &mut changes)?;
    changes.carry_out(target.name(), removed, args.mode, context)
}

/// The keys that are named; else those of the handler that is named; else the program that `enable` would take.
fn key(args: &Args, context: &Context) -> Result<(String, Option<String>)> {
    if args.key.full_path.is_none()
        && args.key.arguments.is_none()
        && let Some(handler) = args.handler.current()?
        && handler.is_fast_cgi()
    {
        let (full_path, arguments) = handler.script_processor_parts();
        return Ok((full_path.to_owned(), Some(arguments.to_owned())));
    }
    let full_path = args.key.full_path(args.handler.site_dir(), context)?;
    Ok((full_path, args.key.arguments.clone()))
}

/// The application of these keys; of the program alone where it has only one.
fn find<'a>(
    registered: &'a [FastCgiApplication],
    full_path: &str,
    arguments: Option<&str>,
) -> Result<Option<&'a FastCgiApplication>> {
    let mut found = registered.iter().filter(|application| match arguments {
        Some(arguments) => application.has_key(full_path, arguments),
        // Entries of wfastcgi-enable have quotes inside.
        None => win_path::eq_ignore_case(&application.full_path.replace('"', ""), full_path),
    });
    let first = found.next();
    let others: Vec<String> = first
        .into_iter()
        .chain(found)
        .map(|application| format!("`--arguments '{}'`", application.arguments))
        .collect();
    if arguments.is_none() && others.len() > 1 {
        return Err(Error::new(format!(
            "`{full_path}` is registered {} times, with different arguments",
            others.len()
        ))
        .help(format!("name one of them: {}", others.join(", "))));
    }
    Ok(first)
}

/// The text without the application: that of a backup, byte for byte, where the registration is all that was changed since.
fn removal(file: &ConfigFile, application: &FastCgiApplication, context: &Context) -> Result<Edit> {
    let mut edit = remove_fast_cgi_application(
        file.source(),
        &application.full_path,
        &application.arguments,
    )?;
    let before = file.backups(&context.environment).into_iter().find(|old| {
        set_fast_cgi_application(old, application)
            .is_ok_and(|again| again.changed && again.text == file.source().text())
    });
    if let Some(before) = before {
        before.text().clone_into(&mut edit.text);
    }
    Ok(edit)
}
