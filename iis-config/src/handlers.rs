//! The section `system.webServer/handlers`: which module gets which request.
//!
//! Attributes and defaults are those of IIS 10's `IIS_schema.xml`, section schema `system.webServer/handlers`. The
//! collection has `mergeAppend="false"`: what a lower level adds stands before what it inherits.

use std::collections::HashSet;

use spanned_xml::{Element, Problem, Span};

use crate::Declared;
use crate::attribute::{AttributeValue, Reader, Uint};

const RESPONSE_BUFFER_LIMIT: Uint =
    Uint::new("responseBufferLimit", 4_194_304, 0, u32::MAX, "bytes");

const ATTRIBUTES: [&str; 11] = [
    "name",
    "path",
    "verb",
    "type",
    "modules",
    "scriptProcessor",
    "resourceType",
    "requireAccess",
    "allowPathInfo",
    "preCondition",
    "responseBufferLimit",
];

const RESOURCE_TYPES: [(&str, ResourceType); 4] = [
    ("File", ResourceType::File),
    ("Directory", ResourceType::Directory),
    ("Either", ResourceType::Either),
    ("Unspecified", ResourceType::Unspecified),
];

const REQUIRE_ACCESS: [(&str, RequireAccess); 5] = [
    ("None", RequireAccess::None),
    ("Read", RequireAccess::Read),
    ("Write", RequireAccess::Write),
    ("Execute", RequireAccess::Execute),
    ("Script", RequireAccess::Script),
];

const DEFAULT_MODULES: &str = "ManagedPipelineHandler";

/// `handlers/add`: requests of some paths and verbs go to some module.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handler {
    /// `name`, the key; case-sensitive.
    pub name: String,
    /// `path`: patterns, separated by commas.
    pub path: String,
    /// `verb`: HTTP methods separated by commas, or `*`.
    pub verb: String,
    /// `type`: the class of a managed handler. Default: none.
    pub type_name: String,
    /// `modules`: the modules that try the request in turn, separated by commas. Default: `ManagedPipelineHandler`.
    pub modules: String,
    /// `scriptProcessor`: for `FastCgiModule`, the FastCGI application's `fullPath|arguments`. Default: none.
    pub script_processor: String,
    /// `resourceType`: what must exist for the handler to be taken. Default: `Unspecified`.
    pub resource_type: ResourceType,
    /// `requireAccess`: the access that `accessPolicy` must grant. Default: `Script`.
    pub require_access: RequireAccess,
    /// `allowPathInfo`: whether `PATH_INFO` is only what follows the script's name. Default: false.
    pub allow_path_info: bool,
    /// `preCondition`: under which worker processes the handler exists, separated by commas. Default: under all.
    pub pre_condition: String,
    /// `responseBufferLimit`: bytes of a response that are gathered before the first is sent. Default: 4194304, which
    /// holds streamed responses back; 0 sends at once.
    pub response_buffer_limit: u32,
}

/// `resourceType`: what must exist where the request's path points to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A file or a directory.
    Either,
    /// Nothing need exist.
    #[default]
    Unspecified,
}

impl ResourceType {
    /// The schema's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Directory => "Directory",
            Self::Either => "Either",
            Self::Unspecified => "Unspecified",
        }
    }
}

/// `requireAccess`: the access that `accessPolicy` must grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RequireAccess {
    /// None.
    None,
    /// Read.
    Read,
    /// Write.
    Write,
    /// Execute.
    Execute,
    /// Script.
    #[default]
    Script,
}

impl RequireAccess {
    /// The schema's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Execute => "Execute",
            Self::Script => "Script",
        }
    }
}

impl Handler {
    /// A handler with the schema's defaults.
    #[must_use]
    pub fn new(name: impl Into<String>, path: impl Into<String>, verb: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            verb: verb.into(),
            type_name: String::new(),
            modules: DEFAULT_MODULES.to_owned(),
            script_processor: String::new(),
            resource_type: ResourceType::default(),
            require_access: RequireAccess::default(),
            allow_path_info: false,
            pre_condition: String::new(),
            response_buffer_limit: RESPONSE_BUFFER_LIMIT.default,
        }
    }

    /// A handler that gives every request to a FastCGI application.
    #[must_use]
    pub fn fast_cgi(name: impl Into<String>, script_processor: impl Into<String>) -> Self {
        Self {
            modules: "FastCgiModule".to_owned(),
            script_processor: script_processor.into(),
            ..Self::new(name, "*", "*")
        }
    }

    /// Whether `FastCgiModule` is among its modules.
    #[must_use]
    pub fn is_fast_cgi(&self) -> bool {
        self.modules
            .split(',')
            .any(|module| module.trim().eq_ignore_ascii_case("FastCgiModule"))
    }

    /// `scriptProcessor` cut at its first `|` into a FastCGI application's `fullPath` and `arguments`.
    #[must_use]
    pub fn script_processor_parts(&self) -> (&str, &str) {
        self.script_processor
            .split_once('|')
            .unwrap_or((&self.script_processor, ""))
    }

    /// The attributes for writing, in the order IIS writes them.
    pub(crate) fn attributes(&self) -> Vec<AttributeValue> {
        vec![
            AttributeValue::required("name", &self.name),
            AttributeValue::required("path", &self.path),
            AttributeValue::required("verb", &self.verb),
            AttributeValue::string("type", &self.type_name, ""),
            AttributeValue::string("modules", &self.modules, DEFAULT_MODULES),
            AttributeValue::string("scriptProcessor", &self.script_processor, ""),
            AttributeValue::string(
                "resourceType",
                self.resource_type.name(),
                ResourceType::default().name(),
            ),
            AttributeValue::string(
                "requireAccess",
                self.require_access.name(),
                RequireAccess::default().name(),
            ),
            AttributeValue::boolean("allowPathInfo", self.allow_path_info, false),
            AttributeValue::string("preCondition", &self.pre_condition, ""),
            RESPONSE_BUFFER_LIMIT.value(self.response_buffer_limit.into()),
        ]
    }

    pub(crate) fn read(element: &Element, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader::new(element, problems);
        let handler = Self {
            name: reader.required("name", true),
            path: reader.required("path", true),
            verb: reader.required("verb", false),
            type_name: reader.string("type", ""),
            modules: reader.string("modules", DEFAULT_MODULES),
            script_processor: reader.string("scriptProcessor", ""),
            resource_type: reader.enumeration(
                "resourceType",
                &RESOURCE_TYPES,
                ResourceType::default(),
            ),
            require_access: reader.enumeration(
                "requireAccess",
                &REQUIRE_ACCESS,
                RequireAccess::default(),
            ),
            allow_path_info: reader.boolean("allowPathInfo", false),
            pre_condition: reader.string("preCondition", ""),
            response_buffer_limit: reader.uint(RESPONSE_BUFFER_LIMIT),
        };
        reader.warn_unknown(&ATTRIBUTES);
        handler
    }
}

/// One `handlers` section: changes to the inherited list, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandlersSection {
    /// `accessPolicy`, flags separated by commas; none where the section leaves it as inherited.
    pub access_policy: Option<String>,
    /// The changes.
    pub changes: Vec<HandlerChange>,
}

/// A child of a `handlers` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerChange {
    /// `<add>`.
    Add(Declared<Handler>),
    /// `<remove name="…">`.
    Remove {
        /// The name of the handler that goes.
        name: String,
        /// The element.
        span: Span,
    },
    /// `<clear>`: all inherited handlers go.
    Clear {
        /// The element.
        span: Span,
    },
}

impl HandlersSection {
    /// The handlers that the section adds.
    pub fn added(&self) -> impl Iterator<Item = &Declared<Handler>> + '_ {
        self.changes.iter().filter_map(|change| match change {
            HandlerChange::Add(handler) => Some(handler),
            _ => None,
        })
    }

    pub(crate) fn read(section: &Element, problems: &mut Vec<Problem>) -> Self {
        let changes = section
            .elements()
            .filter_map(|child| match child.name.as_str() {
                "add" => Some(HandlerChange::Add(Declared::new(
                    Handler::read(child, problems),
                    child,
                ))),
                "remove" => Some(HandlerChange::Remove {
                    name: Reader::new(child, problems).required("name", true),
                    span: child.span,
                }),
                "clear" => Some(HandlerChange::Clear { span: child.span }),
                _ => None,
            })
            .collect();
        Self {
            access_policy: section.value("accessPolicy").map(str::to_owned),
            changes,
        }
    }
}

/// The effective list of handlers at one place, first match first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handlers {
    /// The handlers, in the order they are tried.
    pub list: Vec<Handler>,
    /// `accessPolicy` as last set; the schema's default is `Read`.
    pub access_policy: Option<String>,
}

impl Handlers {
    /// Applies a section of a lower level: `clear` and `remove` first take from what is there, and what it adds comes
    /// before all that is inherited, in the section's order.
    ///
    /// Returns what IIS would refuse, with spans in the section's own file: a handler of a name that is already there.
    /// The later one then takes the earlier one's place.
    pub fn apply(&mut self, section: &HandlersSection) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut added: Vec<Declared<Handler>> = Vec::new();
        // A set of names, so that long lists are searched only for what is in them.
        let mut names: HashSet<String> = self.list.iter().map(|h| h.name.clone()).collect();
        if section.access_policy.is_some() {
            self.access_policy.clone_from(&section.access_policy);
        }
        for change in &section.changes {
            match change {
                HandlerChange::Clear { .. } => {
                    self.list.clear();
                    added.clear();
                    names.clear();
                }
                HandlerChange::Remove { name, .. } => {
                    if names.remove(name) {
                        self.list.retain(|handler| handler.name != *name);
                        added.retain(|handler| handler.name != *name);
                    }
                }
                HandlerChange::Add(handler) => {
                    if !names.insert(handler.name.clone()) {
                        let first = added.iter().find(|other| other.name == handler.name);
                        problems.push(duplicate(handler, first));
                        self.list.retain(|other| other.name != handler.name);
                        added.retain(|other| other.name != handler.name);
                    }
                    added.push(handler.clone());
                }
            }
        }
        self.list
            .splice(0..0, added.into_iter().map(|handler| handler.value));
        problems
    }
}

/// The problem of a name that is there already: in the same section, or inherited.
fn duplicate(handler: &Declared<Handler>, first: Option<&Declared<Handler>>) -> Problem {
    let problem = Problem::error(
        "iis-handler-duplicate",
        format!("the handler `{}` is there twice", handler.name),
    )
    .at(handler.attribute_span("name"));
    match first {
        Some(first) => problem
            .related(first.span, "first here")
            .help("remove one; IIS refuses the section with both"),
        None => problem.help(format!(
            "put <remove name=\"{}\" /> before it: a higher level already has a handler of this name",
            handler.name
        )),
    }
}

impl Handlers {
    /// Whether `accessPolicy` grants an access; without one the schema's default, `Read`, holds.
    #[must_use]
    pub fn grants(&self, access: RequireAccess) -> bool {
        access == RequireAccess::None
            || self
                .access_policy
                .as_deref()
                .unwrap_or("Read")
                .split(',')
                .any(|flag| flag.trim().eq_ignore_ascii_case(access.name()))
    }
}

impl FromIterator<Handler> for Handlers {
    fn from_iter<I: IntoIterator<Item = Handler>>(handlers: I) -> Self {
        Self {
            list: handlers.into_iter().collect(),
            access_policy: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::{Document, Source};

    fn section(xml: &str) -> (HandlersSection, Vec<Problem>) {
        let source = Source::from_text("x", format!("<handlers>{xml}</handlers>"));
        let mut problems = Vec::new();
        let section =
            HandlersSection::read(Document::parse(&source).unwrap().root(), &mut problems);
        (section, problems)
    }

    fn add(name: &str) -> String {
        format!("<add name='{name}' path='*' verb='*'/>")
    }

    /// Applies the sections in turn and names what is left; `!` for each problem.
    fn check(sections: &[String], expected: &str) {
        let mut handlers = Handlers::default();
        let mut found = String::new();
        for xml in sections {
            let (section, problems) = section(xml);
            assert!(problems.is_empty(), "{problems:?}");
            for problem in handlers.apply(&section) {
                assert_eq!(problem.code, "iis-handler-duplicate");
                found.push('!');
            }
        }
        found.extend(handlers.list.iter().map(|handler| handler.name.as_str()));
        assert_eq!(found, expected, "{sections:?}");
    }

    #[test]
    fn lower_levels_come_first() {
        check(&[add("a") + &add("b")], "ab");
        check(&[add("a") + &add("b"), add("c") + &add("d")], "cdab");
        check(
            &[
                add("a") + &add("b"),
                "<remove name='a'/>".to_owned() + &add("c"),
            ],
            "cb",
        );
        check(&[add("a"), "<remove name='A'/>".to_owned()], "a");
        check(&[add("a"), "<remove name='x'/>".to_owned()], "a");
        check(&[add("a"), "<clear/>".to_owned() + &add("c")], "c");
        check(&[add("a"), add("c") + "<clear/>"], "");
        check(
            &[add("a"), "<remove name='a'/>".to_owned() + &add("a")],
            "a",
        );
        check(&[add("a") + &add("b"), add("c") + &add("b")], "!cba");
        check(&[add("a") + &add("b") + &add("a")], "!ba");
        check(&[add("a"), "<other/>".to_owned()], "a");
    }

    #[test]
    fn reads_every_attribute() {
        let (all, problems) = section(
            "<add name='n' path='*.py' verb='GET,HEAD' type='T' modules='FastCgiModule' scriptProcessor='p|a|b'
               resourceType='either' requireAccess='Read' allowPathInfo='true' preCondition='bitness64' responseBufferLimit='0'/>",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let handler = all.added().next().unwrap();
        assert_eq!(handler.resource_type, ResourceType::Either);
        assert_eq!(handler.require_access, RequireAccess::Read);
        assert!(handler.allow_path_info && handler.is_fast_cgi());
        assert_eq!(handler.response_buffer_limit, 0);
        assert_eq!(handler.script_processor_parts(), ("p", "a|b"));
        assert_eq!(
            (handler.type_name.as_str(), handler.pre_condition.as_str()),
            ("T", "bitness64")
        );
        let (least, _) = section("<add name='n' path='*' verb='*'/>");
        assert_eq!(
            least.added().next().unwrap().value,
            Handler::new("n", "*", "*")
        );
    }

    #[test]
    fn says_what_is_missing() {
        let (_, problems) =
            section("<add/><remove/><add name='' path='' verb='' resourceType='x'/>");
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(
            codes,
            [
                "iis-attribute-missing",
                "iis-attribute-missing",
                "iis-attribute-missing",
                "iis-attribute-missing",
                "iis-attribute-empty",
                "iis-attribute-empty",
                "iis-attribute-not-in-enumeration",
            ]
        );
    }

    #[test]
    fn access_policy_grants() {
        for (policy, access, expected) in [
            (None, RequireAccess::Read, true),
            (None, RequireAccess::Script, false),
            (None, RequireAccess::None, true),
            (Some("Read, Script"), RequireAccess::Script, true),
            (Some("read,Execute"), RequireAccess::Execute, true),
            (Some("None"), RequireAccess::Read, false),
        ] {
            let handlers = Handlers {
                access_policy: policy.map(str::to_owned),
                ..Handlers::default()
            };
            assert_eq!(handlers.grants(access), expected, "{policy:?} {access:?}");
        }
    }
}
