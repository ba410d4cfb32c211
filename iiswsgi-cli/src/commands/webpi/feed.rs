//! `iiswsgi webpi feed`.

use std::fmt;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use msdeploy_pkg::sha1;
use python_dist::Field;
use serde::Serialize;
use webpi_feed::{
    FeedInfo, FilePackage, Package, PipInstall, ProductInfo, expand_url_template,
    write_with_template,
};

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::project::Project;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The projects' folders, each with its package
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<Utf8PathBuf>,
    /// The project whose title, author and home page the feed itself has [default: the first]
    #[arg(long, value_name = "DIR")]
    about: Option<Utf8PathBuf>,
    /// Where the packages can be fetched from, with the fields {name}, {version}, {letter}, {title}, {msdeploy_package} and
    /// {msdeploy_package_url}; the last is a file: URL for a local trial [default: msdeploy-url-template in pyproject.toml]
    #[arg(short, long = "msdeploy-url-template", value_name = "TEMPLATE")]
    url_template: Option<String>,
    /// Where to write the feed [default: dist/NAME-VERSION.webpi.xml of that project]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// The folder of each project that has its package
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: Utf8PathBuf,
    /// A handlebars template of your own for the feed
    #[arg(long, value_name = "FILE")]
    template: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct Report {
    /// The feed's file: URL, which WebPI takes as a custom feed.
    url: String,
    path: Utf8PathBuf,
    products: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.url)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let needed = [
        Field::Summary,
        Field::Authors,
        Field::Urls,
        Field::Keywords,
        Field::License,
    ];
    let projects: Vec<Project> = args
        .folders
        .iter()
        .map(|folder| Project::load(folder, &needed, context))
        .collect::<Result<_>>()?;
    let updated = updated(context)?;
    let mut products = Vec::new();
    for project in &projects {
        products.push(package_product(project, args, updated)?);
        products.extend(
            project
                .settings
                .webpi_eggs
                .iter()
                .map(|egg| egg_product(egg, project, updated)),
        );
    }
    let mut seen = std::collections::HashSet::new();
    products.retain(|product| {
        !matches!(product.package, Package::Pip(_)) || seen.insert(product.product_id.clone())
    });

    let named = args
        .about
        .as_ref()
        .map(|folder| Project::load(folder, &needed, context))
        .transpose()?;
    // clap sees to it that there is a first one.
    let about = named
        .as_ref()
        .or_else(|| projects.first())
        .ok_or_else(|| Error::new("no project was named"))?;
    let output = args.output.clone().unwrap_or_else(|| {
        about
            .folder
            .join(&args.dist_dir)
            .join(format!("{}.webpi.xml", about.stem()))
    });
    let mut info = FeedInfo::new(title(about), home_page(about), updated);
    info.author_name = about.author_name().map(str::to_owned);
    info.author_url.clone_from(&about.settings.author_url);
    let template = args
        .template
        .as_deref()
        .map(fs::read_to_string)
        .transpose()?;
    let feed = write_with_template(&info, &products, template.as_deref())
        .map_err(|error| Error::new(format!("cannot write the feed: {error}")))?;
    file::write(&output, feed.as_bytes())?;
    context.say(format_args!(
        "wrote a feed of {} product(s) to `{output}`",
        products.len()
    ));
    context.report(&Report {
        url: file::file_url(&output)?,
        path: output,
        products: products
            .into_iter()
            .map(|product| product.product_id)
            .collect(),
    })
}

fn package_product(project: &Project, args: &Args, updated: i64) -> Result<ProductInfo> {
    let path = project.package_path(&args.dist_dir);
    if !path.is_file() {
        return Err(Error::new(format!(
            "`{path}` does not exist: the feed would have nothing to install"
        ))
        .help(format!(
            "run `iiswsgi msdeploy package {}` first",
            project.folder
        )));
    }
    let template = args.url_template.as_deref().or(project.settings.msdeploy_url_template.as_deref()).ok_or_else(|| {
        Error::new(format!("where `{}` can be fetched from is not known", path.file_name().unwrap_or(path.as_str())))
            .help("give `-u URL-TEMPLATE`, `-u '{msdeploy_package_url}'` for a local trial, or set msdeploy-url-template in `[tool.iiswsgi]`")
    })?;
    let (digest, size_octets) = sha1(fs::File::open(&path)?)?;
    let url = package_url(template, project, &path)?;
    let package = Package::MsDeploy(FilePackage {
        url,
        size_octets,
        sha1: digest.to_string(),
    });
    let mut product = ProductInfo::new(
        project.name.as_str(),
        title(project),
        project.version.as_str(),
        updated,
        package,
    );
    let settings = &project.settings;
    product.summary.clone_from(&project.metadata.summary);
    product.long_summary.clone_from(&project.metadata.summary);
    product.home_page = project.metadata.home_page().map(str::to_owned);
    product.author_name = project.author_name().map(str::to_owned);
    product.author_url.clone_from(&settings.author_url);
    product.license_url.clone_from(&settings.license_url);
    product.display_url.clone_from(&settings.display_url);
    product.help_url.clone_from(&settings.help_url);
    product.published = settings
        .published
        .as_deref()
        .map(webpi_feed::parse_time)
        .transpose()
        .map_err(|error| Error::new(format!("`published`: {error}")))?;
    product.icon_url.clone_from(&settings.icon_url);
    product
        .screenshot_urls
        .extend(settings.screenshot_url.clone());
    product.discovery_file.clone_from(&settings.discovery_file);
    product.dependencies.clone_from(&settings.install_msdeploy);
    product.related.clone_from(&settings.install_webpi);
    product.keywords.clone_from(&project.metadata.keywords);
    Ok(product)
}

/// A distribution that is installed by pip, listed so that packages can depend on it.
fn egg_product(egg: &str, project: &Project, updated: i64) -> ProductInfo {
    let name: String = egg
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || "-_.".contains(*character))
        .collect();
    let mut product = ProductInfo::new(
        name.as_str(),
        name.as_str(),
        "1.0",
        updated,
        Package::Pip(PipInstall::new(egg)),
    );
    product.summary = Some(format!(
        "{name}, installed by pip into the machine's Python"
    ));
    product.author_name = project.author_name().map(str::to_owned);
    product
}

fn package_url(template: &str, project: &Project, path: &Utf8Path) -> Result<String> {
    let file_url = file::file_url(path)?;
    let title = title(project);
    let letter: String = project.name.chars().take(1).collect();
    let fields = [
        ("name", project.name.as_str()),
        ("version", project.version.as_str()),
        ("letter", letter.as_str()),
        ("title", title.as_str()),
        ("msdeploy_package", path.file_name().unwrap_or_default()),
        ("msdeploy_package_url", file_url.as_str()),
    ];
    expand_url_template(template, &fields).map_err(|error| {
        Error::new(error.to_string())
            .help("the template is `-u`, or msdeploy-url-template in `[tool.iiswsgi]`")
    })
}

fn title(project: &Project) -> String {
    project
        .settings
        .title
        .clone()
        .unwrap_or_else(|| project.name.clone())
}

/// A URI for the feed that stays the same from version to version.
fn home_page(project: &Project) -> String {
    let urls = project
        .metadata
        .home_page()
        .or(project.settings.display_url.as_deref());
    urls.map_or_else(
        || format!("urn:python-dist:{}", project.name),
        str::to_owned,
    )
}

/// Seconds since 1970: SOURCE_DATE_EPOCH where it is set, so that the same input gives the same feed, else now.
fn updated(context: &Context) -> Result<i64> {
    let now = || {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs())
    };
    Ok(i64::try_from(context.source_date_epoch()?.unwrap_or_else(now)).unwrap_or(i64::MAX))
}
