//! A setuptools `.egg-info` folder: what setuptools has found out about a distribution.
//!
//! *setuptools documentation*, "The `.egg-info` Directory Layout":
//! <https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html#standard-metadata>.

use crate::{CoreMetadataError, Metadata};

impl Metadata {
    /// Reads the folder's PKG-INFO, and requires.txt, which alone has the dependencies before setuptools 68. All of it is known
    /// then: what is not there the distribution does not have.
    ///
    /// ```
    /// use python_dist::Metadata;
    ///
    /// let pkg_info = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n";
    /// let requires = "pyramid>=2\n\n[:sys_platform == \"win32\"]\ntzdata\n\n[docs]\nsphinx\n";
    /// let metadata = Metadata::from_egg_info(pkg_info, Some(requires))?;
    /// assert_eq!(metadata.dependencies, ["pyramid>=2", "tzdata; sys_platform == \"win32\""]);
    /// # Ok::<(), python_dist::CoreMetadataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Metadata::from_core_metadata`].
    pub fn from_egg_info(
        pkg_info: &str,
        requires_txt: Option<&str>,
    ) -> Result<Self, CoreMetadataError> {
        let mut metadata = Self::from_core_metadata(pkg_info)?;
        if metadata.dependencies.is_empty() {
            metadata.dependencies = requires_txt.map(dependencies).unwrap_or_default();
        }
        Ok(metadata)
    }
}

/// The requirements of no extra: those before the first section, and those of sections that are markers.
fn dependencies(requires_txt: &str) -> Vec<String> {
    let mut dependencies = Vec::new();
    // The section's marker; none inside an extra's.
    let mut marker = Some("");
    for line in requires_txt.lines().map(str::trim) {
        let section = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        if let Some(section) = section {
            marker = section.strip_prefix(':');
        } else if let Some(marker) = marker.filter(|_| !line.is_empty()) {
            dependencies.push(match marker {
                "" => line.to_owned(),
                marker => format!("{line}; {marker}"),
            });
        }
    }
    dependencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_are_no_dependencies() {
        for (text, expected) in [
            ("", &[][..]),
            ("a\n\nb>1 \n", &["a", "b>1"]),
            ("[x]\na\n", &[]),
            (
                "a\n[x:python_version < '3']\nb\n[:os_name == 'nt']\nc\nd\n",
                &["a", "c; os_name == 'nt'", "d; os_name == 'nt'"],
            ),
        ] {
            assert_eq!(dependencies(text), expected, "{text}");
        }
    }
}
