//! `iiswsgi msdeploy test`.

use camino::Utf8PathBuf;

use crate::context::{Context, Format};
use crate::deploy::file;
use crate::deploy::trial::{Trial, find_app};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The application's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
    /// A PasteDeploy INI file in that folder: FILE.ini, or FILE.ini#name [default: `application` of `[tool.iiswsgi]`, else
    /// what web.config has IIS start, else the only INI file]
    #[arg(short, long, value_name = "INI")]
    config: Option<String>,
    /// The WSGI application, as `iiswsgi serve` takes it
    #[arg(long, value_name = "MODULE:CALLABLE", conflicts_with = "config")]
    app: Option<String>,
    /// The path that is requested, with its query
    #[arg(short = 'u', long, visible_alias = "url", value_name = "URL_PATH", default_value = "/", value_parser = parse_path)]
    path: String,
    /// The request's method [default: GET, and POST with a body]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// A header field of the request; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// A file with the request's body
    #[arg(long, value_name = "FILE")]
    body: Option<Utf8PathBuf>,
    /// The status that the answer has to have [default: any below 500]
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..1000))]
    status: Option<u16>,
    /// Show the answer's header fields and body
    #[arg(long)]
    show: bool,
    /// The Python to run it with [default: that of the folder's virtual environment, else the one that runs this command]
    #[arg(long, value_name = "PATH")]
    python: Option<Utf8PathBuf>,
    /// Run it in the interpreter that runs this command
    #[arg(long, hide = true, conflicts_with = "python")]
    in_process: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    if !args.folder.is_dir() {
        return Err(Error::new(format!("`{}` is not a folder", args.folder))
            .help("name the application's folder"));
    }
    let folder = file::canonical(&args.folder)?;
    let named = args.config.as_deref().map(|config| {
        // Whatever the file is called, PasteDeploy reads it.
        if config.starts_with("config:") {
            config.to_owned()
        } else {
            format!("config:{config}")
        }
    });
    let app = match named.or_else(|| args.app.clone()) {
        Some(app) => app,
        None => find_app(&folder, context)?.ok_or_else(|| {
            Error::new(format!("it is not said what the application in `{folder}` is")).help(
                "name it with `--app module:callable` or `--config FILE.ini`, or as `application` in `[tool.iiswsgi]` of pyproject.toml",
            )
        })?,
    };
    let method = if args.body.is_some() { "POST" } else { "GET" };
    let trial = Trial {
        python: args.python.clone(),
        in_process: args.in_process,
        method: args.method.clone().unwrap_or_else(|| method.to_owned()),
        path: args.path.clone(),
        headers: args.headers.clone(),
        body: args.body.clone(),
        status: args.status,
        ..Trial::new(folder, app)
    };
    let tried = trial.run(context)?;
    if context.format == Format::Json {
        context.report(&tried)?;
        return if tried.passed {
            Ok(())
        } else {
            Err(Error::Reported)
        };
    }
    if args.show {
        for (name, value) in &tried.headers {
            context.say(format_args!("{name}: {value}"));
        }
        context.say(format_args!("\n{}", tried.body));
    }
    tried.check(args.status, context)?;
    context.report(&tried)
}

fn parse_path(text: &str) -> std::result::Result<String, String> {
    if text.starts_with('/') && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(
            "write a path from the site's root, percent-encoded, for example /page?name=a%20b"
                .to_owned(),
        )
    }
}

fn parse_header(text: &str) -> std::result::Result<(String, String), String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet))
    };
    match text.split_once(':') {
        Some((name, value))
            if is_name(name.trim()) && !value.chars().any(|sign| sign.is_control()) =>
        {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write `NAME: VALUE`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_sends_is_refused() {
        for path in ["/", "/a%20b?c=d", "//"] {
            assert!(parse_path(path).is_ok(), "{path}");
        }
        for path in ["", "a", "/a b", "/é", "http://host/"] {
            assert!(parse_path(path).is_err(), "{path}");
        }
        assert_eq!(
            parse_header("X-Name : a:b "),
            Ok(("X-Name".to_owned(), "a:b".to_owned()))
        );
        for header in ["X-Name", ": v", "X Name: v", "X: a\r\nY: b"] {
            assert!(parse_header(header).is_err(), "{header:?}");
        }
    }
}
