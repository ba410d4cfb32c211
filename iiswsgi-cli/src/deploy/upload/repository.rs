//! Where files are uploaded to, and who uploads them: the command line, the environment, .pypirc, or a person who is asked.

use std::io::{BufRead as _, Write as _};

use camino::Utf8PathBuf;
use fs_err as fs;
use percent_encoding::percent_decode_str;
use python_dist::{Pypirc, PypircRepository};
use url::Url;

use crate::context::Context;
use crate::deploy::upload::credentials::Credentials;
use crate::error::{Error, Result};

/// Where to, and as whom.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Without user name and password, with a slash at its end.
    pub(crate) url: Url,
    pub(crate) credentials: Option<Credentials>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RepositoryArgs {
    /// Where to upload to: a section of .pypirc, or an http: or https: URL [default: TWINE_REPOSITORY_URL, TWINE_REPOSITORY]
    #[arg(short, long, value_name = "NAME|URL")]
    repository: Option<String>,
    /// The user name; the password or token comes from TWINE_PASSWORD, .pypirc or a prompt
    #[arg(short, long, env = "TWINE_USERNAME", value_name = "NAME")]
    username: Option<String>,
    /// The file with repositories and passwords [default: .pypirc in the home folder]
    #[arg(long, value_name = "FILE")]
    config_file: Option<Utf8PathBuf>,
}

impl RepositoryArgs {
    pub(crate) fn resolve(&self, context: &Context) -> Result<Repository> {
        let variable = |name: &str| context.environment.non_empty(name).map(str::to_owned);
        let wanted = self
            .repository
            .clone()
            .or_else(|| variable("TWINE_REPOSITORY_URL"))
            .or_else(|| variable("TWINE_REPOSITORY"))
            .ok_or_else(|| {
                Error::new("no repository is given")
                    .help("name a section of .pypirc or a URL with `--repository`")
            })?;
        let file = self.pypirc(context)?;
        let (url, section) = if wanted.contains("://") {
            let url = address(&wanted)?;
            let is_same = |known: &&PypircRepository| {
                let known = known.repository.as_deref().map(address);
                matches!(known, Some(Ok(known)) if as_folder(&known) == as_folder(&url))
            };
            let section = file.repositories.iter().find(is_same).cloned();
            (url, section)
        } else {
            let section = file.named(&wanted).cloned().ok_or_else(|| {
                let names = file.repositories.iter().map(|known| known.name.as_str());
                let names: Vec<&str> = names.collect();
                Error::new(format!(
                    "`{wanted}` is neither a URL nor a section of .pypirc"
                ))
                .help(if names.is_empty() {
                    "write `[NAME]` with `repository = URL` into .pypirc".to_owned()
                } else {
                    format!("it has: {}", names.join(", "))
                })
            })?;
            let repository = section.repository.as_deref().ok_or_else(|| {
                Error::new(format!("`[{wanted}]` of .pypirc has no `repository`"))
                    .help("write `repository = URL` into it")
            })?;
            (address(repository)?, Some(section))
        };
        let of_url = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
            (!decoded.is_empty()).then_some(decoded)
        };
        let section = section.unwrap_or_default();
        let username = of_url(url.username())
            .or_else(|| self.username.clone())
            .or(section.username);
        let password = url
            .password()
            .and_then(of_url)
            .or_else(|| variable("TWINE_PASSWORD"))
            .or(section.password);
        let url = as_folder(&url);
        let credentials = match (username, password) {
            (None, None) if !context.is_interactive() => None,
            (username, password) => ask(username, password, &url, context)?,
        };
        Ok(Repository { url, credentials })
    }

    fn pypirc(&self, context: &Context) -> Result<Pypirc> {
        let path = if let Some(path) = &self.config_file {
            path.clone()
        } else {
            let home = context.environment.non_empty("HOME");
            let home = home.or_else(|| context.environment.non_empty("USERPROFILE"));
            match home.map(|home| Utf8PathBuf::from(home).join(".pypirc")) {
                Some(path) if path.is_file() => path,
                _ => return Ok(Pypirc::default()),
            }
        };
        let text = fs::read_to_string(&path)?;
        Pypirc::parse(&text).map_err(|error| Error::new(format!("`{path}`: {error}")))
    }
}

/// A person is asked for what is missing; without one, a name without a password is what it is, and a password is a token.
fn ask(
    username: Option<String>,
    password: Option<String>,
    url: &Url,
    context: &Context,
) -> Result<Option<Credentials>> {
    let mut stderr = anstream::stderr();
    let username = match username {
        Some(username) => username,
        None if password.is_none() => {
            write!(
                stderr,
                "User name for {url} [{}]: ",
                Credentials::TOKEN_USER
            )?;
            stderr.flush()?;
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            match line.trim() {
                "" => Credentials::TOKEN_USER.to_owned(),
                name => name.to_owned(),
            }
        }
        None => Credentials::TOKEN_USER.to_owned(),
    };
    let password = match password {
        Some(password) => password,
        None if context.is_interactive() => {
            write!(stderr, "Password or token of {username}: ")?;
            stderr.flush()?;
            rpassword::read_password()?
        }
        None => {
            return Err(Error::new(format!("there is no password for `{username}`"))
                .help("set TWINE_PASSWORD, or write it into .pypirc"));
        }
    };
    Ok(Some(Credentials { username, password }))
}

/// A repository's URL. What is wrong with it is told without showing it, since a password may be in it.
fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .map_err(|error| Error::new(format!("the repository's URL cannot be read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(
            Error::new(format!("`{}` URLs are not for uploading", url.scheme()))
                .help("use an http: or https: URL"),
        );
    }
    Ok(url)
}

/// The URL that files of a folder are below, without user name and password.
pub(crate) fn as_folder(url: &Url) -> Url {
    let mut url = url.clone();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    // They cannot fail where there is a host, which an HTTP URL has.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Host;

    const PYPIRC: &str = "[office]\nrepository = http://127.0.0.1/upload\nusername = jim\npassword = hidden\n[empty]\nusername = a\n";

    fn resolve(repository: &str, variables: &[(&str, &str)]) -> Result<Repository> {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".pypirc"), PYPIRC).unwrap();
        let mut context = Context::new(Vec::new(), Host::native());
        context.format = crate::context::Format::Json;
        context.environment = crate::context::Environment::default();
        let path = home.path().to_str().unwrap();
        context.environment.set("HOME", path);
        for (name, value) in variables {
            context.environment.set(name, *value);
        }
        let args = RepositoryArgs {
            repository: (!repository.is_empty()).then(|| repository.to_owned()),
            username: None,
            config_file: None,
        };
        args.resolve(&context)
    }

    #[test]
    fn what_is_nearest_holds() {
        let token = [("TWINE_PASSWORD", "token")];
        let office = "http://127.0.0.1/upload/";
        for (repository, variables, url, user) in [
            ("office", &[][..], office, Some(("jim", "hidden"))),
            ("office", &token, office, Some(("jim", "token"))),
            (office, &[], office, Some(("jim", "hidden"))),
            (
                "http://a%40b:c@127.0.0.1/upload",
                &token,
                office,
                Some(("a@b", "c")),
            ),
            (
                "http://127.0.0.1/x",
                &token,
                "http://127.0.0.1/x/",
                Some(("__token__", "token")),
            ),
            ("http://127.0.0.1/x", &[], "http://127.0.0.1/x/", None),
            (
                "",
                &[("TWINE_REPOSITORY", "office")],
                office,
                Some(("jim", "hidden")),
            ),
        ] {
            let found = resolve(repository, variables).unwrap();
            assert_eq!(found.url.as_str(), url, "{repository}");
            let found = found.credentials.as_ref();
            let found = found.map(|user| (user.username.as_str(), user.password.as_str()));
            assert_eq!(found, user, "{repository}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_a_password() {
        for (repository, message) in [
            ("", "no repository is given"),
            ("offices", "neither a URL nor a section"),
            ("empty", "has no `repository`"),
            ("ftp://jim:hidden@127.0.0.1/", "`ftp` URLs"),
            ("http://jim:hidden@127.0.0.1:port/", "cannot be read"),
            ("http://jim@127.0.0.1/", "no password for `jim`"),
        ] {
            let error = resolve(repository, &[]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        }
    }
}
