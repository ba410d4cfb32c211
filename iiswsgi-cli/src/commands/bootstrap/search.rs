//! Which application was unpacked.

use camino::{Utf8Path, Utf8PathBuf};

use super::Args;
use crate::context::Context;
use crate::deploy::file;
use crate::deploy::registration::ServedFolder;
use crate::deploy::stamp::{STAMP, Stamp, Taken};
use crate::error::{Error, Result};

/// The application to install.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) folder: Utf8PathBuf,
    /// Nobody else installs it as long as we have this.
    pub(super) stamp: Option<Stamp>,
}

/// APPL_PHYSICAL_PATH where it is set; else, of the applications with a stamp file and the name that is asked for, the one
/// that was registered last and that no other process installs. Says what was chosen, and why.
pub(super) fn find_application(args: &Args, context: &Context) -> Result<Found> {
    if let Some(folder) = context.environment.non_empty("APPL_PHYSICAL_PATH") {
        return named(Utf8Path::new(folder), args, context);
    }
    let here = file::absolute(Utf8Path::new("."))?;
    let Some(registration) = args.registration.find(&here, context)? else {
        return in_this_folder(&here, args, context);
    };
    let mut served = registration.served_folders(context)?;
    // What was added last is at the end.
    served.reverse();
    context.say(format_args!(
        "APPL_PHYSICAL_PATH is not set: looking through the {} folder(s) of `{}`, those added last first",
        served.len(),
        registration.name()
    ));
    choose(&served, args, context)?.ok_or_else(|| {
        let name = args.app_name.as_deref();
        let name = name.map_or_else(String::new, |name| format!(" named `{name}`"));
        let stamp = if args.ignore_stamp {
            String::new()
        } else {
            format!(" has a `{STAMP}` and")
        };
        Error::new(format!(
            "no application{name} in `{}`{stamp} is to be installed",
            registration.name()
        ))
        .help(format!(
            "unpack a package first, and check that its `{STAMP}.in` is there; `--ignore-stamp` installs one without, and APPL_PHYSICAL_PATH names its folder"
        ))
    })
}

/// The folder that APPL_PHYSICAL_PATH names; whoever sets it knows, so that a stamp is not needed.
fn named(folder: &Utf8Path, args: &Args, context: &Context) -> Result<Found> {
    if !folder.is_dir() {
        return Err(Error::new(format!(
            "APPL_PHYSICAL_PATH is `{folder}`, which is not a folder"
        ))
        .help("set it to the application's folder, or unset it to have it looked for"));
    }
    let stamp = match Stamp::take(folder)? {
        Taken::Ours(stamp) => Some(stamp),
        Taken::Missing => None,
        Taken::Others => {
            return Err(
                Error::new(format!("another process is just installing `{folder}`"))
                    .help("wait for it"),
            );
        }
    };
    context.say(format_args!("`{folder}`: APPL_PHYSICAL_PATH names it"));
    if stamp.is_none() && !args.ignore_stamp {
        context.detail(format_args!("it has no `{STAMP}`"));
    }
    Ok(Found {
        folder: folder.to_owned(),
        stamp,
    })
}

/// Without an IIS and anything that stands for one, the folder that the command was started in.
fn in_this_folder(here: &Utf8Path, args: &Args, context: &Context) -> Result<Found> {
    let unknown = || {
        Error::new("the application to install is not known")
            .help("set APPL_PHYSICAL_PATH to its folder, or name the folder with applicationHost.config with `--site-root`")
    };
    if !here.join(STAMP).is_file() && !args.ignore_stamp {
        return Err(unknown());
    }
    context.skip(
        "searching IIS's sites",
        "there is no appcmd.exe on this machine",
        "the folder that the command was started in is taken",
    )?;
    let served = ServedFolder::unregistered(here);
    choose(&[served], args, context)?.ok_or_else(unknown)
}

/// The first of the folders that has what is asked for, and that is not another process's.
fn choose(served: &[ServedFolder], args: &Args, context: &Context) -> Result<Option<Found>> {
    let mut found: Option<Found> = None;
    let mut others = Vec::new();
    for served in served {
        let folder = &served.folder;
        let name = args.app_name.as_deref();
        if let Some(name) = name.filter(|name| !has_name(served, name)) {
            context.detail(format_args!("`{folder}` is not `{name}`"));
            continue;
        }
        if found.as_ref().is_some_and(|found| found.folder == *folder) {
            continue;
        }
        if found.is_some() {
            if folder.join(STAMP).is_file() {
                others.push(folder.as_str());
            }
            continue;
        }
        let stamp = match Stamp::take(folder)? {
            Taken::Ours(stamp) => Some(stamp),
            Taken::Others => {
                context.say(format_args!(
                    "`{folder}` is being installed by another process"
                ));
                continue;
            }
            Taken::Missing if args.ignore_stamp && folder.is_dir() => None,
            Taken::Missing => {
                context.detail(format_args!("`{folder}` has no `{STAMP}`"));
                continue;
            }
        };
        let why = match (&stamp, name) {
            (Some(_), None) => format!("it has a `{STAMP}`"),
            (Some(_), Some(name)) => format!("it is `{name}`, and has a `{STAMP}`"),
            (None, Some(name)) => format!("it is `{name}`, and no `{STAMP}` is asked for"),
            (None, None) => format!("it was added last, and no `{STAMP}` is asked for"),
        };
        context.say(format_args!("`{folder}`: {why}"));
        found = Some(Found {
            folder: folder.clone(),
            stamp,
        });
    }
    if !others.is_empty() {
        context.say(format_args!(
            "{} has a `{STAMP}` too, and was added before: `--app-name` chooses another one",
            others.join(", ")
        ));
    }
    Ok(found)
}

/// Whether the site, the application or the folder has the name; WebPI adds a number to it where there was one.
fn has_name(served: &ServedFolder, name: &str) -> bool {
    let is_it = |found: &str| {
        found.eq_ignore_ascii_case(name)
            || found
                .trim_end_matches(|digit: char| digit.is_ascii_digit())
                .eq_ignore_ascii_case(name)
    };
    is_it(&served.place.site)
        || served
            .place
            .application_path
            .rsplit('/')
            .next()
            .is_some_and(is_it)
        || served.folder.file_name().is_some_and(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::site_root::Place;

    #[test]
    fn names_are_those_of_sites_applications_and_folders() {
        let served = ServedFolder {
            place: Place {
                site: "Demo2".to_owned(),
                application_path: "/shop/admin".to_owned(),
            },
            directory_path: "/".to_owned(),
            folder: "/srv/sites/content3".into(),
        };
        for (name, expected) in [
            ("demo", true),
            ("Demo2", true),
            ("ADMIN", true),
            ("content", true),
            ("shop", false),
            ("Dem", false),
            ("", false),
        ] {
            assert_eq!(has_name(&served, name), expected, "{name}");
        }
    }
}
