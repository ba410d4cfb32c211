//! A machine described in a TOML file: its version of Windows, and what is on it.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;
use spanned_xml::{Problem, Span};
use webpi_feed::Inventory;

use crate::deploy::file;
use crate::error::{Error, Result};

/// The file. What it does not name is not on the machine.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MachineFile {
    /// As `--os` has it.
    pub(crate) os: Option<String>,
    /// As `--arch` has it.
    pub(crate) architecture: Option<String>,
    pub(crate) language: Option<String>,
    /// Products that are installed, whatever their hints say.
    #[serde(default)]
    installed: Vec<String>,
    #[serde(default)]
    msi_products: Vec<String>,
    #[serde(default)]
    msi_patches: Vec<String>,
    /// Environment variables in the paths of files.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Versions by path; empty for a file without one.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Values by name, by key.
    #[serde(default)]
    registry: BTreeMap<String, BTreeMap<String, Data>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Data {
    Text(String),
    Number(i64),
}

impl MachineFile {
    pub(crate) fn read(path: &Utf8Path) -> Result<Self> {
        let source = file::read_source(path)?;
        toml::from_str(source.text()).map_err(|error| {
            let problem = Problem::error("machine-file", error.message().trim().to_owned());
            let problem = match error.span() {
                Some(span) => problem.at(Span {
                    start: span.start,
                    end: span.end,
                }),
                None => problem,
            };
            let help = "a machine is described by `os`, `architecture`, `language`, `installed`, `msi-products`, `msi-patches` and \
                 the tables `environment`, `files` and `registry.'KEY'`";
            Error::problem(problem.help(help), &source)
        })
    }

    pub(crate) fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::default();
        for product in &self.installed {
            inventory.add_product(product);
        }
        for code in &self.msi_products {
            inventory.add_msi_product(code);
        }
        for code in &self.msi_patches {
            inventory.add_msi_patch(code);
        }
        for (name, value) in &self.environment {
            inventory.set_variable(name, value);
        }
        for (path, version) in &self.files {
            inventory.add_file(
                path,
                Some(version.as_str()).filter(|version| !version.is_empty()),
            );
        }
        for (key, values) in &self.registry {
            inventory.add_key(key);
            for (name, data) in values {
                let data = match data {
                    Data::Text(text) => text.clone(),
                    Data::Number(number) => number.to_string(),
                };
                inventory.add_value(key, name, data);
            }
        }
        inventory
    }
}
