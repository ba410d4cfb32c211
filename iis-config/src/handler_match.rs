//! Which handler gets a request, and which FastCGI application the handler means.
//!
//! *IIS configuration reference*, "Handlers `<handlers>`" and "FastCGI Application `<application>`". The order of the
//! list decides: the first handler whose path, verb, resource type and precondition all fit. The documentation leaves
//! corners open; what this module does there is said at [`Handlers::find`].

use core::fmt;

use crate::handlers::{Handler, Handlers, ResourceType};
use crate::{Error, FastCgiApplication};

/// What of a request decides its handler.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The HTTP method.
    pub verb: &'a str,
    /// The path below the application's root, percent-decoded, without the query; it begins with `/`.
    pub path: &'a str,
    /// The worker process that would serve it.
    pub worker_process: WorkerProcess,
}

impl<'a> Request<'a> {
    /// A request to an IIS 10 worker process with its default settings.
    #[must_use]
    pub fn new(verb: &'a str, path: &'a str) -> Self {
        Self {
            verb,
            path,
            worker_process: WorkerProcess::default(),
        }
    }
}

/// What exists where a request's path points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// Nothing.
    Missing,
}

/// What of a worker process `preCondition` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerProcess {
    /// `bitness32` or `bitness64`.
    pub bitness: Bitness,
    /// `classicMode` or `integratedMode`.
    pub pipeline_mode: PipelineMode,
}

/// The width of a worker process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bitness {
    /// 32 bits.
    Bits32,
    /// 64 bits, the default.
    #[default]
    Bits64,
}

/// `managedPipelineMode` of the application pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PipelineMode {
    /// Integrated, the default.
    #[default]
    Integrated,
    /// Classic.
    Classic,
}

impl WorkerProcess {
    /// Whether every condition of a `preCondition` holds. Conditions about the runtime's version hold for v4.0 only,
    /// and unknown ones hold.
    #[must_use]
    pub fn satisfies(&self, pre_condition: &str) -> bool {
        pre_condition
            .split(',')
            .all(|condition| match condition.trim() {
                "bitness32" => self.bitness == Bitness::Bits32,
                "bitness64" => self.bitness == Bitness::Bits64,
                "integratedMode" => self.pipeline_mode == PipelineMode::Integrated,
                "classicMode" => self.pipeline_mode == PipelineMode::Classic,
                other => other
                    .strip_prefix("runtimeVersion")
                    .is_none_or(|version| version == "v4.0"),
            })
    }
}

/// A handler and how it cuts the request's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerMatch<'a> {
    /// The handler.
    pub handler: &'a Handler,
    /// The part of the path that names the script: all of it, except where a pattern matched an earlier segment.
    pub script_path: &'a str,
    /// What follows it; empty, or begins with `/`.
    pub path_info: &'a str,
}

impl Handlers {
    /// The first handler that fits `request`.
    ///
    /// `resource` says what exists at a path below the application's root; it is asked only where a handler's
    /// `resourceType` makes it matter.
    ///
    /// Patterns compare whatever their case, as URLs do in IIS. One without `/` is compared with the last segment of
    /// the path, then with the earlier ones from the left, what follows being path information: `*.php` fits
    /// `/index.php/news`. `*` alone fits everything. One with `/` is compared with the path from the application's
    /// root, and its `*` crosses segments: `static/*`. Verbs compare exactly. A handler whose `resourceType` does not
    /// fit what exists is passed over.
    ///
    /// ```
    /// # use iis_config::{Handler, Handlers, Request, Resource};
    /// let handlers: Handlers =
    ///     [Handler::new("php", "*.php", "GET,HEAD,POST"), Handler::new("all", "*", "*")].into_iter().collect();
    /// let found = handlers.find(&Request::new("GET", "/a/index.php/news"), |_| Resource::Missing).unwrap();
    /// assert_eq!((found.handler.name.as_str(), found.script_path, found.path_info), ("php", "/a/index.php", "/news"));
    /// ```
    pub fn find<'a>(
        &'a self,
        request: &Request<'a>,
        mut resource: impl FnMut(&str) -> Resource,
    ) -> Option<HandlerMatch<'a>> {
        self.list.iter().find_map(|handler| {
            if !accepts_verb(&handler.verb, request.verb)
                || !request.worker_process.satisfies(&handler.pre_condition)
            {
                return None;
            }
            let script_len = handler
                .path
                .split(',')
                .find_map(|pattern| match_path(pattern.trim(), request.path))?;
            let (script_path, path_info) = request.path.split_at_checked(script_len)?;
            let exists = match handler.resource_type {
                ResourceType::Unspecified => true,
                ResourceType::File => resource(script_path) == Resource::File,
                ResourceType::Directory => resource(script_path) == Resource::Directory,
                ResourceType::Either => resource(script_path) != Resource::Missing,
            };
            exists.then_some(HandlerMatch {
                handler,
                script_path,
                path_info,
            })
        })
    }
}

fn accepts_verb(list: &str, verb: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate == verb)
}

/// The length of the part of `path` that `pattern` takes for the script's name.
fn match_path(pattern: &str, path: &str) -> Option<usize> {
    if pattern == "*" {
        return Some(path.len());
    }
    if pattern.contains('/') {
        let pattern = pattern.trim_start_matches('/');
        let below_root = path.strip_prefix('/').unwrap_or(path);
        return wildcard(pattern, below_root).then_some(path.len());
    }
    let last_start = path.rfind('/').map_or(0, |slash| slash + 1);
    if segment_fits(pattern, path.get(last_start..)?) {
        return Some(path.len());
    }
    // An earlier segment names the script only by an extension or a whole name: a pattern such as `*.` or `a*` would
    // take folders for scripts.
    if pattern == "*." || (pattern.contains(['*', '?']) && !pattern.contains('.')) {
        return None;
    }
    let mut end = 0;
    for segment in path.get(..last_start)?.split_inclusive('/') {
        end += segment.len();
        let name = segment.trim_end_matches('/');
        if !name.is_empty() && segment_fits(pattern, name) {
            return Some(end - 1);
        }
    }
    None
}

/// `*.` fits names without an extension.
fn segment_fits(pattern: &str, segment: &str) -> bool {
    if pattern == "*." {
        return !segment.is_empty() && !segment.contains('.');
    }
    wildcard(pattern, segment)
}

/// `*` fits any run of characters and `?` one; letters whatever their case.
fn wildcard(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands and how much it has taken: only the last one ever needs to take more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else {
                    return false;
                };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

/// The FastCGI application that a handler's `scriptProcessor` names: the one whose `fullPath`, or `fullPath|arguments`,
/// is the same text, byte for byte.
///
/// # Errors
///
/// [`Error::ScriptProcessorNotFound`] with the applications that come close, nearest first, and how they differ. IIS
/// says only "`<handler>` scriptProcessor could not be found in `<fastCGI>` application configuration".
///
/// ```
/// # use iis_config::{FastCgiApplication, find_fast_cgi_application};
/// let applications = [FastCgiApplication::new(r"C:\Python\python.exe", "-u app.py")];
/// assert!(find_fast_cgi_application(r"C:\Python\python.exe|-u app.py", &applications).is_ok());
/// let miss = find_fast_cgi_application(r"c:\python\python.exe|-u app.py", &applications).unwrap_err();
/// assert!(miss.to_string().contains("differs only in the case of letters"));
/// ```
pub fn find_fast_cgi_application<'a>(
    script_processor: &str,
    applications: impl IntoIterator<Item = &'a FastCgiApplication>,
) -> Result<&'a FastCgiApplication, Error> {
    let (full_path, arguments) = script_processor
        .split_once('|')
        .unwrap_or((script_processor, ""));
    let mut near_misses = Vec::new();
    for application in applications {
        if application.full_path == full_path && application.arguments == arguments {
            return Ok(application);
        }
        near_misses.extend(NearMiss::between(script_processor, application));
    }
    near_misses.sort_by_key(|miss| miss.difference);
    Err(Error::ScriptProcessorNotFound {
        script_processor: script_processor.to_owned(),
        near_misses,
    })
}

/// An application that a `scriptProcessor` nearly names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// What the `scriptProcessor` would have to be.
    pub expected: String,
    /// In what they differ.
    pub difference: Difference,
    /// Byte offset of the first difference, the same in both.
    pub first_difference: usize,
}

/// In what a `scriptProcessor` and an application's `fullPath|arguments` differ; the slightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Only in the case of letters.
    Case,
    /// Only in `/` against `\`.
    Slashes,
    /// Only in quotes.
    Quotes,
    /// Only in white space.
    WhiteSpace,
    /// In two or more of case, slashes, quotes and white space.
    Spelling,
    /// The program is the same, the arguments are not.
    Arguments,
    /// Only the program's name is the same.
    ProgramName,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Case => "differs only in the case of letters",
            Self::Slashes => "differs only in `/` against `\\`",
            Self::Quotes => "differs only in quotes",
            Self::WhiteSpace => "differs only in white space",
            Self::Spelling => "differs only in spelling: case, slashes, quotes, white space",
            Self::Arguments => "has the same fullPath, but other arguments",
            Self::ProgramName => "has a program of the same name",
        })
    }
}

impl NearMiss {
    fn between(script_processor: &str, application: &FastCgiApplication) -> Option<Self> {
        let expected = application.script_processor();
        let same = |normalise: &dyn Fn(&str) -> String| {
            normalise(script_processor) == normalise(&expected)
        };
        let case = |text: &str| text.to_lowercase();
        let slashes = |text: &str| text.replace('/', "\\");
        let quotes = |text: &str| text.replace('"', "");
        let white_space = |text: &str| {
            let cut: Vec<&str> = text.split('|').map(str::trim).collect();
            cut.join("|")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (full_path, _) = script_processor
            .split_once('|')
            .unwrap_or((script_processor, ""));
        let spelling = |text: &str| white_space(&quotes(&slashes(&case(text))));
        let difference = if same(&case) {
            Difference::Case
        } else if same(&slashes) {
            Difference::Slashes
        } else if same(&quotes) {
            Difference::Quotes
        } else if same(&white_space) {
            Difference::WhiteSpace
        } else if same(&spelling) {
            Difference::Spelling
        } else if spelling(full_path) == spelling(&application.full_path) {
            Difference::Arguments
        } else if !full_path.is_empty()
            && file_name(&spelling(full_path)) == file_name(&spelling(&application.full_path))
        {
            Difference::ProgramName
        } else {
            return None;
        };
        Some(Self {
            first_difference: first_difference(script_processor, &expected),
            expected,
            difference,
        })
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

/// Byte offset of the first character in which two texts differ.
pub(crate) fn first_difference(a: &str, b: &str) -> usize {
    a.char_indices()
        .zip(b.chars())
        .find(|((_, a), b)| a != b)
        .map_or_else(|| a.len().min(b.len()), |((offset, _), _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the script's path that the pattern takes.
    fn check(pattern: &str, path: &str, expected: Option<&str>) {
        let found = match_path(pattern, path).map(|len| &path[..len]);
        assert_eq!(found, expected, "{pattern} {path}");
    }

    #[test]
    fn patterns() {
        check("*", "/", Some("/"));
        check("*", "/a/b.txt", Some("/a/b.txt"));
        check("*.php", "/a/index.php", Some("/a/index.php"));
        check("*.php", "/a/INDEX.PHP", Some("/a/INDEX.PHP"));
        check("*.php", "/a/index.php/news/1", Some("/a/index.php"));
        check("*.php", "/a/index.php/", Some("/a/index.php"));
        check("*.php", "/a/index.phps", None);
        check("*.php", "/", None);
        check("*.", "/a/b", Some("/a/b"));
        check("*.", "/a.b/c.d", None);
        check("*.", "/a/", None);
        check("handler.fcgi", "/handler.fcgi/x", Some("/handler.fcgi"));
        check("handler.fcgi", "/x/handler.fcgi", Some("/x/handler.fcgi"));
        check("hello.js", "/hello.jsx", None);
        check("a*", "/abc", Some("/abc"));
        check("a*", "/abc/x", None);
        check("a?c.x", "/abc.x", Some("/abc.x"));
        check("static/*", "/static/a/b.css", Some("/static/a/b.css"));
        check("/static/*", "/static/a", Some("/static/a"));
        check("static/*", "/other/static/a", None);
        check("*/b/*.c", "/a/b/x.c", Some("/a/b/x.c"));
        check("é*.x", "/Éa.X", Some("/Éa.X"));
        check("", "/a", None);
    }

    #[test]
    fn wildcards_need_no_more_than_a_moment() {
        let text = "a".repeat(10_000);
        assert!(!wildcard(&format!("{}b", "*a".repeat(50)), &text));
    }

    #[test]
    fn order_verb_resource_and_precondition_decide() {
        let mut narrow = Handler::new("narrow", "a.py, *.fcgi", "GET, HEAD");
        narrow.pre_condition = "bitness32".to_owned();
        let mut file = Handler::new("file", "*", "*");
        file.resource_type = ResourceType::File;
        let mut folder = Handler::new("folder", "*", "GET");
        folder.resource_type = ResourceType::Directory;
        let handlers: Handlers = [narrow, file, folder, Handler::new("rest", "*", "GET,POST")]
            .into_iter()
            .collect();
        let find = |verb, path, bitness, exists| {
            let mut request = Request::new(verb, path);
            request.worker_process.bitness = bitness;
            handlers
                .find(&request, |_| exists)
                .map(|found| found.handler.name.clone())
        };
        use Bitness::{Bits32, Bits64};
        for (verb, path, bitness, exists, expected) in [
            ("GET", "/x.fcgi", Bits32, Resource::Missing, Some("narrow")),
            ("GET", "/x.fcgi", Bits64, Resource::Missing, Some("rest")),
            ("POST", "/x.fcgi", Bits32, Resource::Missing, Some("rest")),
            ("get", "/x.fcgi", Bits32, Resource::Missing, None),
            ("PUT", "/x", Bits64, Resource::File, Some("file")),
            ("PUT", "/x", Bits64, Resource::Directory, None),
            ("GET", "/x", Bits64, Resource::Directory, Some("folder")),
        ] {
            assert_eq!(
                find(verb, path, bitness, exists).as_deref(),
                expected,
                "{verb} {path}"
            );
        }
    }

    #[test]
    fn preconditions() {
        let worker = WorkerProcess::default();
        for (condition, expected) in [
            ("", true),
            ("integratedMode", true),
            ("classicMode,runtimeVersionv4.0,bitness64", false),
            ("integratedMode,runtimeVersionv4.0", true),
            ("integratedMode,runtimeVersionv2.0", false),
            ("managedHandler", true),
        ] {
            assert_eq!(worker.satisfies(condition), expected, "{condition}");
        }
    }

    #[test]
    fn near_misses_say_how() {
        let applications = [
            FastCgiApplication::new(r"C:\Other\php.exe", ""),
            FastCgiApplication::new(r"C:\Python\python.exe", r#"-u "C:\a\app.py" serve"#),
        ];
        for (script_processor, expected) in [
            (
                r#"c:\python\python.exe|-u "C:\a\app.py" serve"#,
                Some((Difference::Case, 0)),
            ),
            (
                r#"C:\Python\python.exe|-u "C:/a/app.py" serve"#,
                Some((Difference::Slashes, 27)),
            ),
            (
                r"C:\Python\python.exe|-u C:\a\app.py serve",
                Some((Difference::Quotes, 24)),
            ),
            (
                r#"C:\Python\python.exe|-u  "C:\a\app.py" serve"#,
                Some((Difference::WhiteSpace, 24)),
            ),
            (
                r#"C:\Python\python.exe| -u "C:\a\app.py" serve"#,
                Some((Difference::WhiteSpace, 21)),
            ),
            (
                r"c:\Python\python.exe|-u C:\a\app.py serve",
                Some((Difference::Spelling, 0)),
            ),
            (
                r"C:\Python\python.exe|-u",
                Some((Difference::Arguments, 23)),
            ),
            (r"C:\Python\python.exe", Some((Difference::Arguments, 20))),
            (r"D:\python.exe|-u", Some((Difference::ProgramName, 0))),
            (r"C:\nothing\like.it", None),
            ("", None),
        ] {
            let Err(Error::ScriptProcessorNotFound { near_misses, .. }) =
                find_fast_cgi_application(script_processor, &applications)
            else {
                panic!("{script_processor}");
            };
            let found = near_misses
                .first()
                .map(|miss| (miss.difference, miss.first_difference));
            assert_eq!(found, expected, "{script_processor}");
        }
        for application in &applications {
            let found = find_fast_cgi_application(&application.script_processor(), &applications);
            assert_eq!(found, Ok(application));
        }
    }

    #[test]
    fn the_message_names_the_nearest() {
        let applications = [FastCgiApplication::new("/é/python", "-u")];
        let error = find_fast_cgi_application("/é/python|-U", &applications).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no FastCGI application is registered as `/é/python|-U`; `/é/python|-u` differs only in the case of letters, first at character 12"
        );
        let error = find_fast_cgi_application("x", []).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no FastCGI application is registered as `x`"
        );
    }
}
