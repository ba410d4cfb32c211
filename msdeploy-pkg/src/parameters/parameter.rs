//! Parameters, validations and entries.

use spanned_xml::{Problem, Source, Span};

use crate::dotnet_regex::Pattern;
use crate::given::{Origin, environment_name};
use crate::validate::validate;
use crate::xpath::{XPath, XPathFault};

/// The parameters of a package.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameters {
    /// The parameters, in order; names are unique without regard to case.
    pub parameters: Vec<Parameter>,
    /// The file they were read from.
    pub source: Source,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// `name`.
    pub name: String,
    /// The name's place.
    pub name_span: Span,
    /// `friendlyName`: what to call it in a prompt instead.
    pub friendly_name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `<friendlyName culture="…">`.
    pub friendly_names: Vec<Localized>,
    /// `<description culture="…">`.
    pub descriptions: Vec<Localized>,
    /// `defaultValue`, with `{Other Parameter}` still in it.
    pub default_value: Option<String>,
    /// `value`: set by whoever declared it; comes before the default.
    pub value: Option<String>,
    /// Place of `value` or `defaultValue`, else of the name.
    pub value_span: Span,
    /// `tags`, as written.
    pub tags: Vec<String>,
    /// What a value must satisfy.
    pub validations: Vec<Validation>,
    /// Where the value goes.
    pub entries: Vec<ParameterEntry>,
    /// The start tag.
    pub span: Span,
}

/// A text for readers of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Localized {
    /// `culture`, for example `de-DE`; empty where none is given.
    pub culture: String,
    /// The text.
    pub text: String,
}

/// `parameterValidation`: what a value must satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validation {
    /// `AllowEmpty`: the empty value is a value.
    AllowEmpty,
    /// `Boolean`: `True` or `False`, in any case.
    Boolean,
    /// `Enumeration`: one of these, exactly as written; blanks count.
    Enumeration(Vec<String>),
    /// `RegularExpression`: matches anywhere in the value, minding case.
    RegularExpression(Pattern),
}

/// `parameterEntry`: a place that the value goes to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParameterEntry {
    /// `kind` or `type`, with what `match` says for this kind.
    pub kind: EntryKind,
    /// `scope`: the provider's name for `ProviderPath`, the file's path for the kinds that edit files.
    pub scope: Pattern,
    /// `match`, as written.
    pub match_text: String,
    /// Place of `match`, else of the element's name.
    pub match_span: Span,
    /// `tags` of the entry.
    pub tags: Vec<String>,
    /// The start tag.
    pub span: Span,
}

/// What an entry changes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EntryKind {
    /// `ProviderPath`: the path of a provider whose path matches.
    ProviderPath(Pattern),
    /// `TextFile`: every match in a text file.
    TextFile(Pattern),
    /// `TextFilePosition`: a stretch of a text file.
    TextFilePosition(TextPosition),
    /// `XmlFile`: what the path selects in an XML file; the fault where the expression cannot be used.
    XmlFile(Result<XPath, XPathFault>),
    /// `DeploymentObjectAttribute`: attributes of objects in `archive.xml`.
    DeploymentObjectAttribute,
    /// `DestinationBinding`: bindings of the site.
    DestinationBinding,
    /// `DestinationVirtualDirectory`: the physical path of a virtual directory.
    DestinationVirtualDirectory,
    /// Any other kind, as written.
    Other(String),
}

impl EntryKind {
    /// The kind's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::ProviderPath(_) => "ProviderPath",
            Self::TextFile(_) => "TextFile",
            Self::TextFilePosition(_) => "TextFilePosition",
            Self::XmlFile(_) => "XmlFile",
            Self::DeploymentObjectAttribute => "DeploymentObjectAttribute",
            Self::DestinationBinding => "DestinationBinding",
            Self::DestinationVirtualDirectory => "DestinationVirtualDirectory",
            Self::Other(name) => name,
        }
    }

    /// Whether the kind edits files.
    #[must_use]
    pub fn edits_files(&self) -> bool {
        matches!(
            self,
            Self::TextFile(_) | Self::TextFilePosition(_) | Self::XmlFile(_)
        )
    }
}

/// `line;column;count` of a `TextFilePosition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPosition {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters to replace.
    pub count: usize,
}

impl TextPosition {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text
            .split(';')
            .map(|part| part.trim().parse::<usize>().ok());
        let (line, column, count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && line > 0 && column > 0).then_some(Self {
            line,
            column,
            count,
        })
    }
}

/// What to ask a person for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Prompt<'p> {
    /// The parameter's name, by which to give the answer.
    pub name: &'p str,
    /// What to call it.
    pub label: &'p str,
    /// What it is for.
    pub description: Option<&'p str>,
    /// The value that holds without an answer, with `{Other Parameter}` still in it.
    pub default: Option<&'p str>,
    /// The answers allowed, where there is a list of them.
    pub allowed: Option<&'p [String]>,
    /// The answer is `True` or `False`.
    pub boolean: bool,
    /// An empty answer is an answer.
    pub allows_empty: bool,
    /// The answer must not be shown.
    pub secret: bool,
}

impl Parameter {
    /// Whether the parameter has the tag, whatever its case.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
    }

    /// Tagged `Hidden`: a person is not asked for it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.has_tag("Hidden")
    }

    /// Tagged as a password.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        ["Password", "DBUserPassword", "DBAdminPassword"]
            .into_iter()
            .any(|tag| self.has_tag(tag))
    }

    /// Whether the empty value is allowed: by `AllowEmpty`, or because nothing is validated.
    #[must_use]
    pub fn allows_empty(&self) -> bool {
        self.validations.is_empty() || self.validations.contains(&Validation::AllowEmpty)
    }

    /// The values that the enumeration allows, where there is one.
    #[must_use]
    pub fn allowed(&self) -> Option<&[String]> {
        self.validations
            .iter()
            .find_map(|validation| match validation {
                Validation::Enumeration(values) => Some(values.as_slice()),
                _ => None,
            })
    }

    /// The description for a culture such as `de-AT`: of that culture, of its language, else the plain one.
    #[must_use]
    pub fn description_for(&self, culture: &str) -> Option<&str> {
        localized(&self.descriptions, culture).or(self.description.as_deref())
    }

    /// The name to show for a culture, as [`Parameter::description_for`]; the parameter's own name in the end.
    #[must_use]
    pub fn label_for(&self, culture: &str) -> &str {
        localized(&self.friendly_names, culture)
            .or(self.friendly_name.as_deref())
            .unwrap_or(&self.name)
    }

    /// The environment variable that gives the parameter its value: [`ENVIRONMENT_PREFIX`](crate::ENVIRONMENT_PREFIX) and
    /// the name in capitals, with `_` for whatever is not a letter or digit of ASCII: `IISWSGI_PARAM_APPLICATION_PATH`
    /// for `Application Path`.
    #[must_use]
    pub fn environment_variable(&self) -> String {
        environment_name(&self.name)
    }

    /// What is wrong with a value that a person gave, if anything is: whether to ask again.
    ///
    /// ```
    /// use msdeploy_pkg::Parameters;
    /// use spanned_xml::Source;
    ///
    /// let xml = "<parameters><parameter name='Debug'><parameterValidation kind='Boolean'/></parameter></parameters>";
    /// let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml))?;
    /// assert!(parameters.parameters[0].refuses("True").is_none());
    /// assert_eq!(parameters.parameters[0].refuses("yes").unwrap().code, "parameter-value");
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    #[must_use]
    pub fn refuses(&self, value: &str) -> Option<Problem> {
        validate(self, value, &Origin::CommandLine)
    }

    /// What to ask a person for in the culture given; empty for the plain texts.
    #[must_use]
    pub fn prompt(&self, culture: &str) -> Prompt<'_> {
        Prompt {
            name: &self.name,
            label: self.label_for(culture),
            description: self.description_for(culture),
            default: self.value.as_deref().or(self.default_value.as_deref()),
            allowed: self.allowed(),
            boolean: self.validations.contains(&Validation::Boolean),
            allows_empty: self.allows_empty(),
            secret: self.is_secret(),
        }
    }
}

fn localized<'l>(texts: &'l [Localized], culture: &str) -> Option<&'l str> {
    let language = culture.split('-').next().unwrap_or_default();
    [culture, language]
        .into_iter()
        .filter(|wanted| !wanted.is_empty())
        .find_map(|wanted| {
            texts
                .iter()
                .find(|text| text.culture.eq_ignore_ascii_case(wanted))
        })
        .or_else(|| texts.iter().find(|text| text.culture.is_empty()))
        .map(|text| text.text.as_str())
}

impl Parameters {
    /// No parameters, as of a package without a `Parameters.xml`.
    #[must_use]
    pub fn none() -> Self {
        Self {
            parameters: Vec::new(),
            source: Source::from_text("Parameters.xml", ""),
        }
    }

    /// The parameter of this name: exactly, else without regard to case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .or_else(|| {
                self.parameters
                    .iter()
                    .find(|parameter| same_name(&parameter.name, name))
            })
    }

    /// What to ask a person for, in order: every parameter that is not hidden.
    pub fn prompts(&self) -> impl Iterator<Item = Prompt<'_>> + '_ {
        self.parameters
            .iter()
            .filter(|parameter| !parameter.is_hidden())
            .map(|parameter| parameter.prompt(""))
    }
}

/// A name as names are compared: without regard to case.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// Names are the same without regard to case.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a == b || folded(a) == folded(b)
}
