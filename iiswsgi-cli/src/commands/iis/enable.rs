//! `iiswsgi iis enable`.

use iis_config::edit::set_fast_cgi_application;
use iis_config::{EnvironmentVariable, FastCgiApplication, Handler, HttpPlatform};

use super::application::{KeyArgs, SettingArgs};
use super::changes::{Changes, ModeArgs};
use super::handler::{HTTP_PLATFORM_HANDLER, HandlerArgs};
use super::target::{Target, TargetArgs, registered_in};
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    settings: SettingArgs,
    #[command(flatten)]
    handler: HandlerArgs,
    /// Have IIS start a program that serves HTTP itself, by HttpPlatformHandler: the handler and `<httpPlatform>` in
    /// web.config, and no FastCGI application
    #[arg(long, requires = "name", conflicts_with_all = ["config", "appcmd", "app", "attributes"])]
    http_platform: bool,
    #[command(flatten)]
    mode: ModeArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let site_dir = args.handler.site_dir();
    let full_path = args.key.full_path(site_dir, context)?;
    if args.http_platform {
        return enable_http_platform(args, full_path, context);
    }
    let arguments = args.settings.arguments(&args.key, site_dir)?;
    let asked = |registered: &[FastCgiApplication]| {
        args.settings
            .application(&full_path, &arguments, registered, context)
    };
    let target = args.target.find(context)?;
    let mut changes = Changes::default();
    let application = match &target {
        Target::File(path) => {
            args.handler.apart_from(path)?;
            let file = args.mode.open(path, String::new)?;
            let application = asked(&registered_in(&file)?)?;
            let edit = set_fast_cgi_application(file.source(), &application)?;
            changes.edit(file, edit, true);
            application
        }
        Target::Appcmd(appcmd) => {
            let registered = appcmd.fast_cgi_applications(context)?;
            let application = asked(&registered)?;
            let commands = appcmd.registering(&registered, &application);
            changes.run(appcmd.clone(), commands);
            application
        }
    };
    // Both from the one application: IIS compares them byte for byte.
    let script_processor = application.script_processor();
    let handler = |name: &str| Handler::fast_cgi(name, script_processor.as_str());
    args.handler
        .enable(handler, None, args.mode, &mut changes)?;
    changes.carry_out(
        target.name(),
        Some(script_processor.clone()),
        args.mode,
        context,
    )
}

fn enable_http_platform(args: &Args, process_path: String, context: &Context) -> Result<()> {
    let arguments = args.key.arguments.clone().unwrap_or_default();
    if !arguments.contains("HTTP_PLATFORM_PORT") {
        context.say("the arguments do not hold `%HTTP_PLATFORM_PORT%`: the program has to read that variable itself");
    }
    let mut platform = HttpPlatform::new(process_path, arguments);
    platform.environment_variables = args
        .settings
        .variables
        .iter()
        .map(|(name, value)| EnvironmentVariable::new(name, value))
        .collect();
    let handler = |name: &str| {
        let mut handler = Handler::new(name, "*", "*");
        HTTP_PLATFORM_HANDLER.clone_into(&mut handler.modules);
        handler
    };
    let mut changes = Changes::default();
    args.handler
        .enable(handler, Some(&platform), args.mode, &mut changes)?;
    let configuration = args.handler.place().map(|(_, path)| path.into_string());
    changes.carry_out(configuration.unwrap_or_default(), None, args.mode, context)
}
