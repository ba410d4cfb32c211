//! A product on a page.

use webpi_feed::{Entry, Feed, InstallCommand, Installer};

use crate::commands::webpi::installation::title;
use crate::commands::webpi::serve::dependency_text::{Joined, write_dependency, write_product};
use crate::commands::webpi::serve::html::{Escaped, Html, web_address};
use crate::commands::webpi::serve::served_feed::{Package, ServedFeed, encode};

/// A product that names more others than this has them folded.
const SHOWN_DEPENDENCIES: usize = 8;

impl Html {
    /// A product; `heading` is the element of its title, `h1` on a page of its own.
    pub(super) fn card(&mut self, feed: &ServedFeed, entry: &Entry, base: &str, heading: &str) {
        let id = encode(&entry.product_id);
        let name = title(entry);
        self.push(format_args!(
            "<article class=\"product\" aria-labelledby=\"product-{id}\" data-product=\"{}\">\n<div class=\"head\">\n",
            Escaped(&entry.product_id)
        ));
        self.icon(feed, entry);
        self.push(format_args!(
            "<div>\n<{heading} id=\"product-{id}\"><a href=\"/products/{id}\">{}</a></{heading}>\n<p class=\"facts\">",
            Escaped(name)
        ));
        if let Some(version) = entry.version().filter(|version| !version.trim().is_empty()) {
            self.push(format_args!(
                "<span class=\"version\">{}</span>",
                Escaped(version.trim())
            ));
        }
        if let Some(author) = entry.author().and_then(|author| author.name.as_deref()) {
            self.push(format_args!("<span>{}</span>", Escaped(author.trim())));
        }
        self.push(format_args!(
            "<code class=\"id\">{}</code></p>\n</div>\n</div>\n",
            Escaped(&entry.product_id)
        ));
        if let Some(summary) = entry.summary().or_else(|| entry.long_summary()) {
            self.push(format_args!(
                "<p class=\"summary\">{}</p>\n",
                Escaped(summary.as_str())
            ));
        }
        if heading == "h1"
            && let Some(long) = entry.long_summary()
            && entry.summary().map(webpi_feed::Text::as_str) != Some(long.as_str())
        {
            self.push(format_args!("<p>{}</p>\n", Escaped(long.as_str())));
        }
        self.dependencies(&feed.feed, entry);
        self.command(feed, entry, base);
        self.installers(feed, entry, heading == "h1");
        self.links(entry);
        self.push(format_args!("</article>\n"));
    }

    /// The icon; one that is elsewhere over a tile with the first letter, which is seen where it cannot be fetched.
    fn icon(&mut self, feed: &ServedFeed, entry: &Entry) {
        let letter: String = title(entry)
            .chars()
            .find(|character| character.is_alphanumeric())
            .map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect());
        let hue = entry.product_id.bytes().fold(0_u32, |hue, octet| {
            hue.wrapping_mul(31).wrapping_add(u32::from(octet))
        }) % 6;
        let icon = entry.images().and_then(|images| images.icon.as_deref());
        let ours = icon
            .and_then(|icon| feed.icons.get(icon))
            .map(String::as_str);
        if ours.is_some() {
            self.push(format_args!("<span class=\"icon\" aria-hidden=\"true\">"));
        } else {
            self.push(format_args!(
                "<span class=\"icon hue-{hue}\" aria-hidden=\"true\"><span>{}</span>",
                Escaped(&letter)
            ));
        }
        if let Some(address) = ours.or_else(|| web_address(icon?)) {
            self.push(format_args!(
                "<img src=\"{}\" alt=\"\" loading=\"lazy\">",
                Escaped(address)
            ));
        }
        self.push(format_args!("</span>\n"));
    }

    fn dependencies(&mut self, feed: &Feed, entry: &Entry) {
        if let Some(dependency) = &entry.dependency {
            let mut text = String::new();
            write_dependency(&mut text, feed, dependency, Joined::None, 0);
            // Each product is a link or a span.
            let products = text.matches("<a ").count() + text.matches("<span ").count();
            if products > SHOWN_DEPENDENCIES {
                self.push(format_args!(
                    "<details class=\"needs\"><summary>Needs some of {products} products</summary>\n<p>{text}</p></details>\n"
                ));
            } else if !text.is_empty() {
                self.push(format_args!(
                    "<p class=\"needs\"><strong>Needs</strong> {text}</p>\n"
                ));
            }
        }
        let mut related = entry.related_products().peekable();
        if related.peek().is_some() {
            self.push(format_args!(
                "<p class=\"needs\"><strong>Goes with</strong> "
            ));
            let mut text = String::new();
            for (index, product_id) in related.enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_product(&mut text, feed, product_id);
            }
            self.push(format_args!("{text}</p>\n"));
        }
    }

    fn command(&mut self, feed: &ServedFeed, entry: &Entry, base: &str) {
        let address = format!("{base}{}", feed.path);
        let product = argument(&entry.product_id);
        if entry
            .installers
            .iter()
            .any(|installer| installer.ms_deploy.is_some())
        {
            let command = format!("iiswsgi webpi install {address} {product} --site-root DIR");
            self.labelled_command("Install on any system", &command);
        } else if !entry.installers.is_empty() {
            let command =
                format!("WebpiCmd.exe /Install /Products:{product} /Feeds:{address} /AcceptEula");
            self.labelled_command("Install with WebPI on Windows", &command);
        }
    }

    fn labelled_command(&mut self, label: &str, command: &str) {
        self.push(format_args!(
            "<p class=\"label\">{}</p>\n<pre class=\"command\" tabindex=\"0\"><code>{}</code></pre>\n",
            Escaped(label),
            Escaped(command)
        ));
    }

    fn installers(&mut self, feed: &ServedFeed, entry: &Entry, open: bool) {
        if entry.installers.is_empty() {
            return;
        }
        let count = entry.installers.len();
        let has_fault = entry.installers.iter().any(|installer| {
            let url = installer
                .installer_file
                .as_ref()
                .map(|file| file.installer_url.trim());
            let package = url.and_then(|url| feed.packages.get(url));
            package.is_some_and(|package| !matches!(package, Package::Served { .. }))
        });
        self.push(format_args!(
            "<details{}>\n<summary>{count} {}</summary>\n<ul class=\"installers\">\n",
            if open || has_fault { " open" } else { "" },
            if count == 1 {
                "installer"
            } else {
                "installers"
            }
        ));
        for installer in entry.installers.iter() {
            self.push(format_args!("<li>{}", Escaped(&describe(installer))));
            if let Some(file) = &installer.installer_file {
                let shown = file.display_url.as_deref().unwrap_or(&file.installer_url);
                let name = shown.rsplit(['/', '\\']).next().unwrap_or(shown);
                match feed.packages.get(file.installer_url.trim()) {
                    Some(Package::Served { path, len }) => self.push(format_args!(
                        ": <a href=\"{}\">{}</a>, {}",
                        Escaped(path),
                        Escaped(name),
                        size(*len)
                    )),
                    Some(Package::Missing { .. }) => self.push(format_args!(
                        ": {} <strong class=\"bad\">is not there</strong>",
                        Escaped(name)
                    )),
                    Some(Package::Differs { .. }) => self.push(format_args!(
                        ": {} <strong class=\"bad\">has another SHA-1 than the feed says</strong>",
                        Escaped(name)
                    )),
                    Some(Package::Unverified { .. }) => self.push(format_args!(
                        ": {} <strong class=\"bad\">is not served: the feed gives no SHA-1</strong>",
                        Escaped(name)
                    )),
                    None => {
                        match web_address(&file.installer_url) {
                            Some(address) => self.push(format_args!(
                                ": <a href=\"{}\" rel=\"noreferrer\">{}</a>",
                                Escaped(address),
                                Escaped(name)
                            )),
                            None => self.push(format_args!(": {}", Escaped(name))),
                        }
                        if let Some(kilobytes) = file.file_size.filter(|kilobytes| *kilobytes > 0) {
                            self.push(format_args!(", {}", size(kilobytes.saturating_mul(1024))));
                        }
                    }
                }
                match file
                    .sha1
                    .as_deref()
                    .map(str::trim)
                    .filter(|sha1| !sha1.is_empty())
                {
                    Some(sha1) => self.push(format_args!(
                        "<br><span class=\"sha1\">SHA-1 <code>{}</code></span>",
                        Escaped(sha1)
                    )),
                    None => self.push(format_args!("<br><span class=\"sha1\">no SHA-1</span>")),
                }
            }
            self.push(format_args!("</li>\n"));
        }
        self.push(format_args!("</ul>\n</details>\n"));
    }

    fn links(&mut self, entry: &Entry) {
        let installer = entry.installers.first();
        let links = [
            ("Home page", entry.link()),
            (
                "Licence",
                installer.and_then(|installer| installer.eula_url.as_deref()),
            ),
            (
                "Help",
                installer.and_then(|installer| installer.help_link.as_deref()),
            ),
        ];
        let links: Vec<(&str, &str)> = links
            .into_iter()
            .filter_map(|(label, address)| Some((label, web_address(address?)?)))
            .collect();
        if links.is_empty() {
            return;
        }
        self.push(format_args!("<p class=\"links\">"));
        for (label, address) in links {
            self.push(format_args!(
                "<a href=\"{}\" rel=\"noreferrer\">{label}<span class=\"hidden\"> of {}</span></a> ",
                Escaped(address),
                Escaped(title(entry))
            ));
        }
        self.push(format_args!("</p>\n"));
    }
}

/// What an installer is for, and what it does.
fn describe(installer: &Installer) -> String {
    let mut parts = Vec::new();
    if installer.ms_deploy.is_some() {
        parts.push("Web Deploy package".to_owned());
    }
    if let Some(component) = &installer.iis_component {
        let name = component.iis70_component_name.as_deref().unwrap_or("IIS");
        parts.push(format!("feature of Windows {name}"));
    }
    for command in installer
        .install_commands
        .iter()
        .flat_map(|commands| commands.iter())
    {
        parts.push(
            match command {
                InstallCommand::Cmdline(_) => "command",
                InstallCommand::MsiInstall(_) => "Windows Installer package",
                InstallCommand::MsuInstall(_) => "Windows update",
                InstallCommand::Unzip(_) => "archive",
                _ => "step",
            }
            .to_owned(),
        );
    }
    parts.dedup();
    let architectures: Vec<&str> = installer
        .architectures
        .iter()
        .map(|architecture| architecture.name())
        .collect();
    if !architectures.is_empty() {
        parts.push(architectures.join(" and "));
    }
    parts.extend(installer.language_id.as_deref().map(str::to_owned));
    parts.join(", ")
}

fn size(octets: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    for (name, unit) in UNITS {
        if octets >= unit {
            let tenths = octets.saturating_mul(10) / unit;
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{octets} octets")
}

/// For a shell: in quotes where it is not plain.
fn argument(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace(['"', '\\', '`', '$', '%'], "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (octets, expected) in [
            (7, "7 octets"),
            (1024, "1.0 KB"),
            (1_600_000, "1.5 MB"),
            (u64::MAX, "1717986918.3 GB"),
        ] {
            assert_eq!(size(octets), expected);
        }
    }

    #[test]
    fn a_command_is_one_that_can_be_pasted() {
        for (id, expected) in [
            ("Python3.12", "Python3.12"),
            ("a b", "\"a b\""),
            ("x\"; rm", "\"x_; rm\""),
            ("$(x)`", "\"_(x)_\""),
        ] {
            assert_eq!(argument(id), expected);
        }
    }
}
