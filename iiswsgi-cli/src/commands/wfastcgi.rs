//! `iiswsgi wfastcgi`, which `python -m iiswsgi.wfastcgi` starts: a site that was served by wfastcgi.

#[cfg(feature = "python")]
use camino::Utf8Path;
#[cfg(feature = "python")]
use iis_config::WebConfig;

use super::serve::{Settings, What};
use crate::context::Context;
#[cfg(feature = "python")]
use crate::deploy::file;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    args.settings.serve(What::Wfastcgi, context)
}

/// The names and values in `appSettings` of the `web.config` in a folder.
#[cfg(feature = "python")]
pub(super) fn app_settings(
    folder: &Utf8Path,
) -> std::result::Result<Vec<(String, String)>, String> {
    let read = || -> Result<Vec<(String, String)>> {
        let Some(source) = file::read_source_if_any(&folder.join("web.config"))? else {
            return Ok(Vec::new());
        };
        let settings = WebConfig::parse(&source)?.app_settings;
        Ok(settings
            .into_iter()
            .map(|setting| (setting.value.key, setting.value.value))
            .collect())
    };
    read().map_err(|error| error.to_string())
}
