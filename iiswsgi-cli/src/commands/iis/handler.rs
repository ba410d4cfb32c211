//! The handler that is asked for, in the `web.config` of a site's folder.

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::edit::{
    Edit, remove_handler, remove_http_platform, set_handler, set_http_platform,
};
use iis_config::{Handler, HttpPlatform, WebConfig};
use spanned_xml::Source;

use super::changes::{Changes, ModeArgs};
use crate::deploy::config_file::ConfigFile;
use crate::deploy::file;
use crate::error::{Error, Result};

/// A web.config with nothing in it.
const EMPTY: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n</configuration>\n";

/// The module that starts a program serving HTTP.
pub(crate) const HTTP_PLATFORM_HANDLER: &str = "httpPlatformHandler";

/// What the command line says about it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HandlerArgs {
    /// The handler in the site folder's web.config, by its name
    #[arg(long = "handler", value_name = "NAME", requires = "site_dir")]
    pub(crate) name: Option<String>,
    /// The site's or application's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) site_dir: Option<Utf8PathBuf>,
}

impl HandlerArgs {
    pub(crate) fn site_dir(&self) -> Option<&Utf8Path> {
        self.site_dir.as_deref()
    }

    /// The name, and the web.config.
    pub(crate) fn place(&self) -> Option<(&str, Utf8PathBuf)> {
        let site_dir = self.site_dir.as_ref()?;
        Some((self.name.as_deref()?, site_dir.join("web.config")))
    }

    /// Refuses a web.config that is the applicationHost.config at `config` too: two edits of one file would each wait
    /// for the other.
    pub(crate) fn apart_from(&self, config: &Utf8Path) -> Result<()> {
        let Some((_, path)) = self.place() else {
            return Ok(());
        };
        if path.is_file() && file::canonical(&path)? == file::canonical(config)? {
            return Err(Error::new(format!(
                "`{config}` is the web.config of the site's folder as well"
            ))
            .help("name the server's applicationHost.config with `--config`: in a web.config FastCGI applications have no effect"));
        }
        Ok(())
    }

    /// Adds the handler, or points the one of its name to `wanted`'s modules and program; its other attributes stay. With
    /// `platform`, the section that it starts its program from as well.
    pub(crate) fn enable(
        &self,
        wanted: impl FnOnce(&str) -> Handler,
        platform: Option<&HttpPlatform>,
        mode: ModeArgs,
        changes: &mut Changes,
    ) -> Result<()> {
        let Some((name, path)) = self.place() else {
            return Ok(());
        };
        let file = mode.open(&path, || EMPTY.to_owned())?;
        let mut handler = wanted(name);
        if let Some(current) = declared(file.source(), name)? {
            let wanted = std::mem::replace(&mut handler, current);
            handler.modules = wanted.modules;
            handler.script_processor = wanted.script_processor;
        }
        let edit = added(file.source(), &handler, platform)?;
        changes.edit(file, edit, false);
        Ok(())
    }

    /// Removes the handler, and `httpPlatform` with one of that module; a web.config that has nothing else in it, as
    /// [`HandlerArgs::enable`] makes one, is deleted.
    pub(crate) fn disable(&self, mode: ModeArgs, changes: &mut Changes) -> Result<()> {
        let Some((name, path)) = self.place() else {
            return Ok(());
        };
        let file = mode.open(&path, || EMPTY.to_owned())?;
        if !file.exists() {
            return Ok(());
        }
        let Some(handler) = declared(file.source(), name)? else {
            return Ok(());
        };
        let platform = if handler.modules == HTTP_PLATFORM_HANDLER {
            WebConfig::parse(file.source())?.http_platform
        } else {
            None
        };
        let mut edit = remove_handler(file.source(), name)?;
        if platform.is_some() {
            edit = edit.then(file.source(), remove_http_platform)?;
        }
        let empty = Source::from_text("web.config", EMPTY);
        let made = added(&empty, &handler, platform.as_deref())?;
        if made.text == file.source().text() {
            changes.delete(file, edit.summary);
        } else {
            changes.edit(file, edit, false);
        }
        Ok(())
    }

    /// The handler as it is there now.
    pub(crate) fn current(&self) -> Result<Option<Handler>> {
        let Some((name, path)) = self.place() else {
            return Ok(None);
        };
        let file = ConfigFile::read(&path, || EMPTY.to_owned())?;
        declared(file.source(), name)
    }
}

fn declared(source: &Source, name: &str) -> Result<Option<Handler>> {
    let web_config = WebConfig::parse(source)?;
    let mut handlers = web_config.handlers.added();
    Ok(handlers
        .find(|handler| handler.name == name)
        .map(|handler| handler.value.clone()))
}

fn added(source: &Source, handler: &Handler, platform: Option<&HttpPlatform>) -> Result<Edit> {
    let edit = set_handler(source, handler)?;
    match platform {
        Some(platform) => Ok(edit.then(source, |source| set_http_platform(source, platform))?),
        None => Ok(edit),
    }
}
