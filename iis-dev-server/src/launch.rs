//! From an entry of the `fastCgi` section to the pool that runs it.
//!
//! `fullPath` and `arguments` are split as Windows splits a command line and translated argument by argument;
//! `%NAME%` is expanded where IIS's schema marks an attribute `expanded`.

use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::{FastCgiApplication, command_line, win_path};

use crate::config::{Application, Configuration, Site};
use crate::exchange::Rules;
use crate::options::Options;
use crate::pool::Settings;
use crate::process::{Launch, Protocol};

impl Settings {
    /// What `application` means for requests to `mounted` in `site`.
    pub(crate) fn new(
        application: &FastCgiApplication,
        site: &Site,
        mounted: &Application,
        configuration: &Configuration,
        options: &Options,
    ) -> Self {
        let program = configuration.local_value(&application.full_path);
        let program = Utf8PathBuf::from(program.trim().trim_matches('"'));
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let max_instances = match application.max_instances {
            0 => processors,
            count => usize::try_from(count).unwrap_or(usize::MAX),
        };
        let monitor_changes_to = match application.monitor_changes_to.as_str() {
            "" => None,
            // A relative path counts from the program's folder; an absolute one replaces it.
            path => Some(folder_of(&program).join(configuration.local_path(path))),
        };
        Self {
            launch: Launch {
                arguments: split_arguments(&application.arguments, configuration),
                environment: environment(application, site, mounted, configuration, processors),
                working_directory: configuration.root.clone(),
                program,
                protocol: match application.protocol {
                    iis_config::Protocol::NamedPipe => Protocol::NamedPipe {
                        overlapped: options.overlapped_pipe,
                    },
                    iis_config::Protocol::Tcp => Protocol::Tcp,
                },
                signal_before_terminate: application.signal_before_terminate,
            },
            max_instances,
            queue_length: usize::try_from(application.queue_length).unwrap_or(usize::MAX),
            instance_max_requests: application.instance_max_requests,
            idle_timeout: application.idle_timeout,
            monitor_changes_to,
            rapid_fails_per_minute: usize::try_from(application.rapid_fails_per_minute)
                .unwrap_or(usize::MAX),
            rules: Rules {
                request_timeout: application.request_timeout,
                activity_timeout: application.activity_timeout,
                stderr_mode: application.stderr_mode,
            },
        }
    }
}

/// Expands first and splits then, as IIS hands the program one string: the spaces of a variable's value separate
/// arguments unless quotes stand around it.
fn split_arguments(arguments: &str, configuration: &Configuration) -> Vec<String> {
    command_line::split(&configuration.expanded(arguments))
        .iter()
        .map(|argument| configuration.local_path(argument))
        .collect()
}

fn folder_of(program: &Utf8Path) -> &Utf8Path {
    program.parent().unwrap_or_else(|| Utf8Path::new(""))
}

/// What the processes of IIS and IIS Express find in their environment, and the application's own variables, which win.
fn environment(
    application: &FastCgiApplication,
    site: &Site,
    mounted: &Application,
    configuration: &Configuration,
    processors: usize,
) -> Vec<(String, String)> {
    let application_host = configuration
        .application_host
        .clone()
        .unwrap_or_else(|| configuration.root.join("applicationHost.config"));
    let mut variables = vec![
        ("APP_POOL_ID".to_owned(), mounted.application_pool.clone()),
        ("APP_POOL_CONFIG".to_owned(), application_host.into_string()),
        ("IIS_USER_HOME".to_owned(), configuration.root.to_string()),
        (
            "IISEXPRESS_SITENAME".to_owned(),
            site.definition.name.clone(),
        ),
        ("NUMBER_OF_PROCESSORS".to_owned(), processors.to_string()),
    ];
    for variable in &application.environment_variables {
        let value = configuration.local_path(&variable.value);
        match variables
            .iter_mut()
            .find(|(name, _)| win_path::eq_ignore_case(name, &variable.name))
        {
            Some(known) => known.1 = value,
            None => variables.push((variable.name.clone(), value)),
        }
    }
    // A name or value that the system cannot hold would keep every process from starting.
    variables.retain(|(name, value)| {
        !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
    });
    variables
}
