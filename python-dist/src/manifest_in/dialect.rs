//! The two dialects of MANIFEST.in, and which one a project means.

use core::fmt;

/// Whose MANIFEST.in language it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The standard library's, until Python 3.11: a pattern without a folder matches the end of a
    /// path.
    Distutils,
    /// setuptools': patterns match whole path components, and `**` any number of folders.
    Setuptools,
}

impl Dialect {
    /// The dialect that a project means: distutils' where there is no pyproject.toml and setup.py
    /// imports distutils and not setuptools, setuptools' otherwise.
    ///
    /// ```
    /// use python_dist::manifest_in::Dialect;
    ///
    /// assert_eq!(Dialect::of_project(false, Some("from distutils.core import setup\n")), Dialect::Distutils);
    /// assert_eq!(Dialect::of_project(true, None), Dialect::Setuptools);
    /// ```
    #[must_use]
    pub fn of_project(has_pyproject: bool, setup_py: Option<&str>) -> Self {
        let imports = |text: &str, package: &str| {
            text.lines().any(|line| {
                let mut words = line
                    .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
                    .filter(|word| !word.is_empty());
                let names = match words.next() {
                    Some("import") => words.collect(),
                    Some("from") => words.take(1).collect::<Vec<_>>(),
                    _ => return false,
                };
                names
                    .iter()
                    .any(|name| name.split('.').next() == Some(package))
            })
        };
        match setup_py {
            Some(text)
                if !has_pyproject && imports(text, "distutils") && !imports(text, "setuptools") =>
            {
                Self::Distutils
            }
            _ => Self::Setuptools,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Distutils => "distutils",
            Self::Setuptools => "setuptools",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_dialect() {
        for (pyproject, setup_py, expected) in [
            (
                false,
                Some("from distutils.core import setup"),
                Dialect::Distutils,
            ),
            (false, Some("import os, distutils.core"), Dialect::Distutils),
            (
                true,
                Some("from distutils.core import setup"),
                Dialect::Setuptools,
            ),
            (
                false,
                Some("# distutils\nfrom setuptools import setup"),
                Dialect::Setuptools,
            ),
            (
                false,
                Some(
                    "try:\n    from setuptools import setup\nexcept ImportError:\n    from distutils.core import setup",
                ),
                Dialect::Setuptools,
            ),
            (false, Some("import distutils_extra"), Dialect::Setuptools),
            (false, None, Dialect::Setuptools),
        ] {
            assert_eq!(
                Dialect::of_project(pyproject, setup_py),
                expected,
                "{setup_py:?}"
            );
        }
    }
}
