//! `/Offline`.

use webpi_feed::{Feed, merge};

use crate::commands::webpi::machine_args::MachineArgs;
use crate::commands::webpi::offline::Copy;
use crate::commands::webpicmd::feeds;
use crate::commands::webpicmd::switches::Switches;
use crate::commands::webpicmd::transcript::Transcript;
use crate::context::Context;
use crate::error::{Error, Result};

pub(crate) fn run(
    switches: &Switches,
    transcript: &mut Transcript<'_>,
    context: &Context,
) -> Result<()> {
    let Some(folder) = &switches.path else {
        return Err(Error::new("the folder of the copy is not named").help("give `/Path:DIR`"));
    };
    if switches.products.is_empty() {
        return Err(
            Error::new("no product is named").help("give `/Products:ID,ID` or `/Products:All`")
        );
    }
    let loaded = feeds::load(switches, context)?;
    let Some(first) = loaded.first() else {
        return Err(Error::new("no feed is named"));
    };
    let all: Vec<&Feed> = loaded.iter().map(|loaded| &loaded.feed).collect();
    let feed = merge(&all).feed;
    let is_all = switches
        .products
        .iter()
        .any(|product| product.eq_ignore_ascii_case("All"));
    let target =
        MachineArgs::new(switches.language.clone(), switches.machine.clone()).target(context)?;
    let copied = Copy {
        feed: &feed,
        location: &first.location,
        products: if is_all { &[] } else { &switches.products },
        machine: &target.machine,
        folder,
        url: switches.url.as_deref(),
    }
    .run(context)?;
    for product in &copied.products {
        transcript.say(&format!("Cached '{product}'"))?;
    }
    transcript.say(&format!("The feed is '{}'", copied.feed))
}
