//! How an application is named on the command line.

/// What an application's name refers to.
///
/// ```
/// use fcgi_gateway::wsgi::AppSpec;
///
/// let spec = AppSpec::parse("site/production.ini#main");
/// assert_eq!(spec, AppSpec::PasteDeploy { uri: "config:site/production.ini".into(), name: Some("main".into()) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppSpec {
    /// An attribute of a module.
    Module {
        /// The module's dotted name.
        module: String,
        /// The attribute, with dots where it is one of another attribute; `None` is `application` or `app`.
        attribute: Option<String>,
        /// Whether the attribute is called without arguments to give the application.
        factory: bool,
    },
    /// A dotted name as wfastcgi's `WSGI_HANDLER` has it: as many names as there are modules, then attributes, and calls
    /// without arguments wherever they are.
    Handler {
        /// The names; at least two.
        parts: Vec<HandlerPart>,
    },
    /// Something that PasteDeploy loads: an INI file or an entry point.
    PasteDeploy {
        /// `config:PATH` or `egg:DISTRIBUTION`.
        uri: String,
        /// The section or entry point; `None` is `main`.
        name: Option<String>,
    },
}

/// A name of [`AppSpec::Handler`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerPart {
    /// Of a module or an attribute.
    pub name: String,
    /// Whether it is called, which a module cannot be.
    pub called: bool,
}

impl HandlerPart {
    fn parse(text: &str) -> Self {
        let (name, called) = text
            .strip_suffix("()")
            .map_or((text, false), |name| (name, true));
        Self {
            name: name.to_owned(),
            called,
        }
    }
}

impl AppSpec {
    /// Reads a name:
    /// - `module:attribute`, `module:attribute.attribute`, `module:factory()`; `module` alone;
    /// - `module.attribute`, `module.factory().attribute()` as wfastcgi's `WSGI_HANDLER` has them;
    /// - `PATH.ini`, `PATH.ini#name`, `config:PATH#name`; a backslash in a path is a slash except on Windows;
    /// - `egg:Distribution`, `egg:Distribution#name`.
    #[must_use]
    pub fn parse(spec: &str) -> Self {
        let spec = spec.trim();
        let (before, name) = spec.split_once('#').map_or((spec, None), |(before, name)| {
            (before, Some(name.to_owned()))
        });
        if before.starts_with("egg:") {
            return Self::PasteDeploy {
                uri: before.to_owned(),
                name,
            };
        }
        let path = before.strip_prefix("config:");
        let is_ini = before.len() > 4
            && before
                .get(before.len() - 4..)
                .is_some_and(|end| end.eq_ignore_ascii_case(".ini"));
        if path.is_some() || is_ini {
            let path = path.unwrap_or(before);
            let path = if cfg!(windows) {
                path.to_owned()
            } else {
                path.replace('\\', "/")
            };
            return Self::PasteDeploy {
                uri: format!("config:{path}"),
                name,
            };
        }
        if !spec.contains(':') && spec.contains('.') {
            return Self::Handler {
                parts: spec.split('.').map(HandlerPart::parse).collect(),
            };
        }
        let (target, factory) = spec
            .strip_suffix("()")
            .map_or((spec, false), |target| (target, true));
        let (module, attribute) = match target.split_once(':') {
            Some((module, attribute)) if !attribute.is_empty() => {
                (module, Some(attribute.to_owned()))
            }
            Some((module, _)) => (module, None),
            None => (target, None),
        };
        Self::Module {
            module: module.to_owned(),
            attribute,
            factory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        let table = [
            ("app", "app", None, false),
            ("app:application", "app", Some("application"), false),
            ("pkg.app:site.wsgi", "pkg.app", Some("site.wsgi"), false),
            ("pkg.app:make()", "pkg.app", Some("make"), true),
            ("app:", "app", None, false),
        ];
        for (spec, module, attribute, factory) in table {
            let expected = AppSpec::Module {
                module: module.to_owned(),
                attribute: attribute.map(str::to_owned),
                factory,
            };
            assert_eq!(AppSpec::parse(spec), expected, "{spec}");
        }
    }

    #[test]
    fn handlers_of_wfastcgi() {
        let table: [(&str, &[(&str, bool)]); 3] = [
            ("app.wsgi_app", &[("app", false), ("wsgi_app", false)]),
            (
                "django.core.wsgi.get_wsgi_application()",
                &[
                    ("django", false),
                    ("core", false),
                    ("wsgi", false),
                    ("get_wsgi_application", true),
                ],
            ),
            (
                " pkg.make().wsgi() ",
                &[("pkg", false), ("make", true), ("wsgi", true)],
            ),
        ];
        for (spec, parts) in table {
            let parts = parts.iter().map(|(name, called)| HandlerPart {
                name: (*name).to_owned(),
                called: *called,
            });
            let expected = AppSpec::Handler {
                parts: parts.collect(),
            };
            assert_eq!(AppSpec::parse(spec), expected, "{spec}");
        }
    }

    #[test]
    fn paste_deploy() {
        let table = [
            ("test.ini", "config:test.ini", None),
            (
                "/srv/site/Test.INI#other",
                "config:/srv/site/Test.INI",
                Some("other"),
            ),
            ("config:conf/x.cfg", "config:conf/x.cfg", None),
            ("config:test.ini#main", "config:test.ini", Some("main")),
            (
                "sub\\test.ini",
                if cfg!(windows) {
                    "config:sub\\test.ini"
                } else {
                    "config:sub/test.ini"
                },
                None,
            ),
            ("egg:iiswsgi#test_app", "egg:iiswsgi", Some("test_app")),
            ("egg:iiswsgi", "egg:iiswsgi", None),
        ];
        for (spec, uri, name) in table {
            let expected = AppSpec::PasteDeploy {
                uri: uri.to_owned(),
                name: name.map(str::to_owned),
            };
            assert_eq!(AppSpec::parse(spec), expected, "{spec}");
        }
    }
}
