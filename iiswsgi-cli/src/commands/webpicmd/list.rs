//! `/List`.

use crate::commands::webpi::installation::title;
use crate::commands::webpi::list::{State, in_state};
use crate::commands::webpi::machine_args::MachineArgs;
use crate::commands::webpicmd::feeds;
use crate::commands::webpicmd::switches::{ListOption, Switches};
use crate::commands::webpicmd::transcript::{Item, Transcript};
use crate::context::Context;
use crate::error::Result;

pub(crate) fn run(
    switches: &Switches,
    transcript: &mut Transcript<'_>,
    context: &Context,
) -> Result<()> {
    let loaded = feeds::load(switches, context)?;
    let target =
        MachineArgs::new(switches.language.clone(), switches.machine.clone()).target(context)?;
    let heading = match switches.list_option {
        ListOption::Feeds => ["Feed", "Title"],
        ListOption::Languages => ["ID", "Language"],
        _ => ["ID", "Title"],
    };
    let state = match switches.list_option {
        ListOption::Installed => Some(State::Installed),
        ListOption::Available => Some(State::Available),
        _ => None,
    };
    transcript.say(&format!("{:<20} {}", heading[0], heading[1]))?;
    transcript.say(&"-".repeat(40))?;
    for loaded in &loaded {
        match switches.list_option {
            ListOption::Feeds => transcript.item(Item {
                id: loaded.location.to_string(),
                title: loaded
                    .feed
                    .title
                    .as_ref()
                    .map_or_else(String::new, |title| title.as_str().to_owned()),
            })?,
            ListOption::Languages => {
                for language in loaded.feed.languages.iter() {
                    transcript.item(Item {
                        id: language.id.clone(),
                        title: language
                            .name
                            .as_ref()
                            .map_or_else(String::new, |name| name.as_str().to_owned()),
                    })?;
                }
            }
            _ => {
                for entry in in_state(&loaded.feed, state, &target, context)? {
                    transcript.item(Item {
                        id: entry.product_id.clone(),
                        title: title(entry).to_owned(),
                    })?;
                }
            }
        }
    }
    Ok(())
}
