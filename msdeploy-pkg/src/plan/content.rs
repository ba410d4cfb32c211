//! What a source and a destination hold.

/// A file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContentKind {
    /// `dirPath`.
    Directory,
    /// `filePath`.
    File,
}

impl ContentKind {
    /// Web Deploy's name for such an object.
    #[must_use]
    pub const fn object_name(self) -> &'static str {
        match self {
            Self::Directory => "dirPath",
            Self::File => "filePath",
        }
    }
}

/// A file or folder of a source or a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentObject {
    /// Its path below the tree's root, with forward slashes and without one at the end.
    pub path: String,
    /// File or folder.
    pub kind: ContentKind,
    /// A file's size in octets, in a source after its parameters have been applied.
    pub size: u64,
    /// When it was last written, in seconds since 1970; `None` where that is not known.
    pub modified: Option<i64>,
    /// The CRC-32 of a file's content, in a source after its parameters have been applied; `None` where not known.
    pub crc32: Option<u32>,
    /// In a source: what parameters changed in the file.
    pub parameters: Vec<ParameterChange>,
}

/// A parameter that went into a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ParameterChange {
    /// The parameter's name.
    pub parameter: String,
    /// The entry's kind, for example `TextFile`.
    pub kind: String,
    /// Places that it changed.
    pub places: usize,
}

impl ContentObject {
    /// A file.
    #[must_use]
    pub fn file(path: impl Into<String>, size: u64, modified: Option<i64>) -> Self {
        Self {
            path: path.into(),
            kind: ContentKind::File,
            size,
            modified,
            crc32: None,
            parameters: Vec::new(),
        }
    }

    /// A folder.
    #[must_use]
    pub fn directory(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            kind: ContentKind::Directory,
            size: 0,
            modified: None,
            crc32: None,
            parameters: Vec::new(),
        }
    }

    /// With its content's CRC-32.
    #[must_use]
    pub fn with_crc32(mut self, crc32: u32) -> Self {
        self.crc32 = Some(crc32);
        self
    }

    /// With what parameters changed in it.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Vec<ParameterChange>) -> Self {
        self.parameters = parameters;
        self
    }
}

/// One provider's content beside what is where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentTree {
    /// The provider, for example `iisApp`.
    pub provider: String,
    /// Where it goes, as messages and rules name it, for example `Default Web Site/app` or `C:\app`.
    pub path: String,
    /// What the package holds, in any order. Folders need not be listed.
    pub source: Vec<ContentObject>,
    /// What is there now, in any order.
    pub destination: Vec<ContentObject>,
}

impl ContentTree {
    /// An empty tree.
    #[must_use]
    pub fn new(provider: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            path: path.into(),
            source: Vec::new(),
            destination: Vec::new(),
        }
    }

    /// The path of something below the root as people name it: with the separators of the root's system.
    pub(crate) fn shown(&self, relative: &str) -> String {
        if self.path.starts_with('/') {
            format!("{}/{relative}", self.path.trim_end_matches('/'))
        } else {
            self.absolute(relative)
        }
    }

    /// The whole path of something below the root with backslashes, as Web Deploy's rules match it.
    pub(crate) fn absolute(&self, relative: &str) -> String {
        let root = self.path.trim_end_matches(['/', '\\']);
        format!("{root}\\{}", relative.replace('/', "\\"))
    }
}
