//! appcmd's command lines as argument vectors.

use super::escape;
use crate::{EnvironmentVariable, FastCgiApplication};

const SECTION: &str = "-section:system.webServer/fastCgi";

/// The appcmd that commands are meant for: the machine's, or one that edits a given file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appcmd {
    /// `/apphostconfig:`: the applicationHost.config to work on; none, the default, is the machine's. Known since
    /// IIS Express 8.
    pub apphostconfig: Option<String>,
}

impl Appcmd {
    /// The machine's configuration.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            apphostconfig: None,
        }
    }

    /// The configuration in a file of its own, IIS Express's for example.
    #[must_use]
    pub fn for_file(path: impl Into<String>) -> Self {
        Self {
            apphostconfig: Some(path.into()),
        }
    }

    fn command(&self, parts: impl IntoIterator<Item = String>) -> Vec<String> {
        parts
            .into_iter()
            .chain(
                self.apphostconfig
                    .iter()
                    .map(|path| format!("/apphostconfig:{path}")),
            )
            .collect()
    }

    fn set_config(&self, changes: impl IntoIterator<Item = String>) -> Vec<String> {
        let verb = ["set", "config", SECTION].map(str::to_owned);
        let commit = ["/commit:apphost".to_owned()];
        self.command(verb.into_iter().chain(changes).chain(commit))
    }

    /// Adds a FastCGI application with its environment variables; appcmd refuses one that is there already.
    ///
    /// ```
    /// use iis_config::{FastCgiApplication, appcmd::Appcmd};
    ///
    /// let application = FastCgiApplication::new(r"C:\Python\python.exe", "-u app.py");
    /// assert_eq!(
    ///     Appcmd::new().add_fast_cgi_application(&application),
    ///     [
    ///         "set", "config", "-section:system.webServer/fastCgi",
    ///         r"/+[fullPath='C:\Python\python.exe',arguments='-u app.py']", "/commit:apphost",
    ///     ]
    /// );
    /// ```
    #[must_use]
    pub fn add_fast_cgi_application(&self, application: &FastCgiApplication) -> Vec<String> {
        let attributes: Vec<String> = application
            .attributes()
            .iter()
            .filter(|attribute| attribute.name == "arguments" || !attribute.is_default())
            .map(|attribute| format!("{}='{}'", attribute.name, escape(&attribute.value)))
            .collect();
        let add = format!("/+[{}]", attributes.join(","));
        let key = key(application);
        let variables = application
            .environment_variables
            .iter()
            .map(|variable| add_variable(&key, variable));
        self.set_config(core::iter::once(add).chain(variables))
    }

    /// Changes the application of the same key in those attributes that differ from `current`, and its environment
    /// variables; `None` where nothing differs.
    #[must_use]
    pub fn set_fast_cgi_application(
        &self,
        current: &FastCgiApplication,
        application: &FastCgiApplication,
    ) -> Option<Vec<String>> {
        let key = key(current);
        let mut changes: Vec<String> = application
            .attributes()
            .iter()
            .zip(current.attributes())
            .filter(|(asked, current)| asked.value != current.value)
            .map(|(asked, _)| format!("/{key}.{}:{}", asked.name, escape(&asked.value)))
            .collect();
        let gone = missing_from(application, current).map(|variable| {
            format!(
                "/-{key}.environmentVariables.[name='{}']",
                escape(&variable.name)
            )
        });
        changes.extend(gone);
        changes.extend(missing_from(current, application).map(|new| add_variable(&key, new)));
        (!changes.is_empty()).then(|| self.set_config(changes))
    }

    /// Removes the FastCGI application of this key.
    #[must_use]
    pub fn remove_fast_cgi_application(&self, full_path: &str, arguments: &str) -> Vec<String> {
        let key = key(&FastCgiApplication::new(full_path, arguments));
        self.set_config([format!("/-{key}")])
    }

    /// Deletes a site's application, `/name`; with the path `/` the site and all in it.
    #[must_use]
    pub fn delete_application(&self, site: &str, path: &str) -> Vec<String> {
        let (object, name) = if path == "/" {
            ("site", format!("/site.name:{site}"))
        } else {
            ("app", format!("/app.name:{site}{path}"))
        };
        self.command(["delete".to_owned(), object.to_owned(), name])
    }

    /// Lists the FastCGI applications with every attribute, as XML for [`super::parse_answer`].
    #[must_use]
    pub fn list_fast_cgi_applications(&self) -> Vec<String> {
        self.command(["list", "config", SECTION, "/config:*", "/xml"].map(str::to_owned))
    }

    /// Lists the sites with their applications and folders, as XML for [`super::parse_answer`].
    #[must_use]
    pub fn list_sites(&self) -> Vec<String> {
        self.command(["list", "site", "/config:*", "/xml"].map(str::to_owned))
    }
}

/// `[fullPath='…',arguments='…']`: both keys, whatever they are, since appcmd finds no application by one alone.
fn key(application: &FastCgiApplication) -> String {
    format!(
        "[fullPath='{}',arguments='{}']",
        escape(&application.full_path),
        escape(&application.arguments)
    )
}

/// The environment variables of `other` that `application` does not have with the same value.
fn missing_from<'a>(
    application: &'a FastCgiApplication,
    other: &'a FastCgiApplication,
) -> impl Iterator<Item = &'a EnvironmentVariable> {
    other
        .environment_variables
        .iter()
        .filter(|variable| !application.environment_variables.contains(variable))
}

fn add_variable(key: &str, variable: &EnvironmentVariable) -> String {
    format!(
        "/+{key}.environmentVariables.[name='{}',value='{}']",
        escape(&variable.name),
        escape(&variable.value)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn application() -> FastCgiApplication {
        let mut application =
            FastCgiApplication::new(r"C:\it's\python.exe", r#"-u "C:\a b\app.py" 100%"#);
        application.max_instances = 4;
        application.signal_before_terminate = Duration::from_secs(30);
        application.environment_variables = vec![
            EnvironmentVariable::new("PYTHONPATH", r"C:\a,b"),
            EnvironmentVariable::new("X", "%u0041"),
        ];
        application
    }

    const KEY: &str =
        r"[fullPath='C:\it%u0027s\python.exe',arguments='-u %u0022C:\a b\app.py%u0022 100%u0025']";

    #[test]
    fn applications_and_sites_are_deleted_by_name() {
        let deleted =
            |path| Appcmd::for_file("a.config").delete_application("Default Web Site", path);
        assert_eq!(
            deleted("/app"),
            [
                "delete",
                "app",
                "/app.name:Default Web Site/app",
                "/apphostconfig:a.config"
            ]
        );
        assert_eq!(
            deleted("/"),
            [
                "delete",
                "site",
                "/site.name:Default Web Site",
                "/apphostconfig:a.config"
            ]
        );
    }

    #[test]
    fn adds_in_one_command() {
        let arguments = Appcmd::for_file(r"C:\x y\applicationhost.config")
            .add_fast_cgi_application(&application());
        let keys = KEY.trim_end_matches(']');
        assert_eq!(
            arguments,
            [
                "set".to_owned(),
                "config".to_owned(),
                "-section:system.webServer/fastCgi".to_owned(),
                format!("/+{keys},maxInstances='4',signalBeforeTerminateSeconds='30']"),
                format!(r"/+{KEY}.environmentVariables.[name='PYTHONPATH',value='C:\a,b']"),
                format!("/+{KEY}.environmentVariables.[name='X',value='%u0025u0041']"),
                "/commit:apphost".to_owned(),
                r"/apphostconfig:C:\x y\applicationhost.config".to_owned(),
            ]
        );
    }

    #[test]
    fn sets_only_what_differs() {
        let current = application();
        assert_eq!(
            Appcmd::new().set_fast_cgi_application(&current, &current),
            None
        );
        let mut asked = current.clone();
        asked.max_instances = 8;
        asked.monitor_changes_to = r"C:\a.ini".to_owned();
        asked.environment_variables[0].value = "y".to_owned();
        asked.environment_variables.pop();
        let arguments = Appcmd::new()
            .set_fast_cgi_application(&current, &asked)
            .unwrap();
        assert_eq!(
            arguments[3..],
            [
                format!("/{KEY}.maxInstances:8"),
                format!(r"/{KEY}.monitorChangesTo:C:\a.ini"),
                format!("/-{KEY}.environmentVariables.[name='PYTHONPATH']"),
                format!("/-{KEY}.environmentVariables.[name='X']"),
                format!("/+{KEY}.environmentVariables.[name='PYTHONPATH',value='y']"),
                "/commit:apphost".to_owned(),
            ]
        );
    }

    #[test]
    fn removes_by_both_keys_and_lists() {
        assert_eq!(
            Appcmd::new().remove_fast_cgi_application("p", ""),
            [
                "set",
                "config",
                "-section:system.webServer/fastCgi",
                "/-[fullPath='p',arguments='']",
                "/commit:apphost"
            ]
        );
        assert_eq!(
            Appcmd::new().list_fast_cgi_applications(),
            [
                "list",
                "config",
                "-section:system.webServer/fastCgi",
                "/config:*",
                "/xml"
            ]
        );
        assert_eq!(
            Appcmd::for_file("f").list_sites(),
            ["list", "site", "/config:*", "/xml", "/apphostconfig:f"]
        );
    }
}
