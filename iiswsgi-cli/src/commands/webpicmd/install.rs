//! `/Install`.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use webpi_feed::{Entry, Inventory, Machine, installation_order};

use crate::commands::webpi::installation::{Installation, title};
use crate::commands::webpi::local_data::read_text;
use crate::commands::webpi::machine_args::MachineArgs;
use crate::commands::webpicmd::feeds::{self, LoadedFeed};
use crate::commands::webpicmd::switches::{Switches, parameters};
use crate::commands::webpicmd::transcript::{Outcome, Transcript};
use crate::context::Context;
use crate::deploy::deployment::Commands;
use crate::deploy::parameter_values::ParameterArgs;
use crate::error::{Error, Result};

/// Scripts look for this line.
const NOTHING: &str = "No products to be installed (either not available or already installed)";
/// A file of parameters is a few lines.
const PARAMETERS_LIMIT: u64 = 1 << 20;

pub(crate) fn run(
    switches: &Switches,
    transcript: &mut Transcript<'_>,
    context: &Context,
) -> Result<()> {
    if switches.products.is_empty() && switches.application.is_none() {
        return Err(Error::new("no product is named")
            .help("give `/Products:ID,ID` or `/Application:ID-OR-TITLE`"));
    }
    let site_root = site_root(switches, context)?;
    let values = ParameterArgs::of_values(parameter_values(switches)?);
    let target =
        MachineArgs::new(switches.language.clone(), switches.machine.clone()).target(context)?;
    let loaded = feeds::load(switches, context)?;
    let mut found: Vec<(&LoadedFeed, &Entry)> = Vec::new();
    let mut unknown = Vec::new();
    let named = switches.products.iter().map(|name| (name, false));
    for (name, by_title) in named.chain(switches.application.iter().map(|name| (name, true))) {
        match feeds::find(&loaded, name, by_title) {
            Some(product) => found.push(product),
            None => unknown.push(name.as_str()),
        }
    }
    for name in &unknown {
        transcript.say(&format!("'{name}' is not in the feeds"))?;
    }
    if found.is_empty() {
        transcript.say(NOTHING)?;
        return Err(Error::Reported);
    }
    let mut wanted = Vec::new();
    for (loaded, entry) in found {
        let inventory = target.inventory(&loaded.feed, context);
        let is_installed = inventory
            .as_ref()
            .is_some_and(|inventory| inventory.has_product(&loaded.feed, entry));
        if is_installed {
            transcript.say(&format!("'{}' is already installed", title(entry)))?;
        } else {
            wanted.push((loaded, entry, inventory));
        }
    }
    if wanted.is_empty() {
        transcript.say(NOTHING)?;
        return if unknown.is_empty() {
            Ok(())
        } else {
            Err(Error::Reported)
        };
    }
    accept_licences(switches, &wanted, &target.machine)?;
    let mut failed = !unknown.is_empty();
    for (loaded, entry, inventory) in &wanted {
        transcript.say(&format!("Started installing: '{}'", title(entry)))?;
        let installation = Installation {
            feed: &loaded.feed,
            location: &loaded.location,
            product_id: &entry.product_id,
            machine: &target.machine,
            inventory: inventory.as_ref(),
            site_root: &site_root,
            parameters: &values,
            commands: Commands::Run,
        };
        let result = installation.run(context);
        let reason = match &result {
            Ok(installed) => {
                for dependency in &installed.dependencies {
                    if !dependency.already_there {
                        transcript.outcome(success(&dependency.product, &dependency.title))?;
                    }
                }
                None
            }
            Err(error) => Some(error.to_string()),
        };
        failed |= result.is_err();
        transcript.outcome(Outcome {
            success: result.is_ok(),
            reason,
            ..success(&entry.product_id, title(entry))
        })?;
    }
    if failed {
        return Err(Error::Reported);
    }
    Ok(())
}

fn success(product: &str, title: &str) -> Outcome {
    Outcome {
        product: product.to_owned(),
        title: title.to_owned(),
        success: true,
        reason: None,
    }
}

fn site_root(switches: &Switches, context: &Context) -> Result<Utf8PathBuf> {
    let named = switches.site_root.clone();
    named
        .or_else(|| {
            context
                .environment
                .non_empty("IISWSGI_SITE_ROOT")
                .map(Utf8PathBuf::from)
        })
        .ok_or_else(|| {
            Error::new("the folder to install into is not named")
                .help("give `/SiteRoot:DIR`, or set IISWSGI_SITE_ROOT")
        })
}

/// What the file `@FILE` says, as `NAME=VALUE`.
fn parameter_values(switches: &Switches) -> Result<Vec<String>> {
    let Some(file) = &switches.parameter_file else {
        return Ok(Vec::new());
    };
    parameters(&read_text(file, PARAMETERS_LIMIT)?).map_err(|lines| {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        Error::new(format!(
            "`{file}`: line {} is not a parameter",
            lines.join(", ")
        ))
        .help("write each as NAME[@]VALUE")
    })
}

/// A product, its feed, and what is on the machine.
type Wanted<'a> = (&'a LoadedFeed, &'a Entry, Option<Inventory>);

/// The licences of everything that would be installed have been accepted, or there are none.
fn accept_licences(switches: &Switches, wanted: &[Wanted<'_>], machine: &Machine) -> Result<()> {
    let mut licences = BTreeSet::new();
    for (loaded, entry, _) in wanted {
        // What cannot be put in order is said when it is installed.
        if let Ok(plan) = installation_order(&loaded.feed, &entry.product_id, &|_| false, machine) {
            licences.extend(plan.steps.iter().filter_map(|step| {
                let licence = step.installer.eula_url.as_deref()?.trim();
                (!licence.is_empty()).then(|| licence.to_owned())
            }));
        }
    }
    if switches.accept_eula || licences.is_empty() {
        return Ok(());
    }
    let licences: Vec<String> = licences.into_iter().collect();
    Err(Error::new(format!(
        "the licences have not been accepted: {}",
        licences.join(", ")
    ))
    .help("read them, and give `/AcceptEULA`"))
}
