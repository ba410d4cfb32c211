//! The server: which resource a request is for.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use msdeploy_pkg::sha1;
use tokio::net::TcpListener;

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::serve::page;
use crate::commands::webpi::serve::query::Query;
use crate::commands::webpi::serve::resource::{Content, Resource, ResourceBody};
use crate::commands::webpi::serve::served_feed::ServedFeed;
use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::error::{Error, Result};

const STYLE: &str = include_str!("style.css");

/// Nothing runs, nothing is loaded but pictures and our own style, and nobody may frame the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' http: https:; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// A feed that is served, read again when its file changes.
#[derive(Debug)]
pub(crate) struct FeedServer {
    /// None for a feed that was fetched once.
    file: Option<Utf8PathBuf>,
    as_is: bool,
    base: String,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    feed: Arc<ServedFeed>,
    /// Length and last change of the file that it was read from.
    version: Option<(u64, SystemTime)>,
    /// Why a newer file could not be read.
    fault: Option<String>,
}

impl FeedServer {
    pub(crate) fn new(fetched: FeedSource, address: SocketAddr, as_is: bool) -> Result<Self> {
        let base = format!("http://{address}");
        let file = fetched.file().cloned();
        let version = file.as_deref().and_then(version);
        let modified = version.map_or_else(SystemTime::now, |(_, modified)| modified);
        let feed = ServedFeed::new(fetched, modified, &base, as_is)?;
        Ok(Self {
            file,
            as_is,
            base,
            current: Mutex::new(Current {
                feed: Arc::new(feed),
                version,
                fault: None,
            }),
        })
    }

    /// The feed as its file is now, and what is wrong with that where it cannot be read: then it is the one before.
    pub(crate) fn current(&self) -> (Arc<ServedFeed>, Option<String>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let version = version(file);
            if version != current.version {
                current.version = version;
                match self.read(file, version) {
                    Ok(feed) => {
                        current.feed = Arc::new(feed);
                        current.fault = None;
                    }
                    Err(error) => current.fault = Some(error.to_string()),
                }
            }
        }
        (Arc::clone(&current.feed), current.fault.clone())
    }

    fn read(&self, file: &Utf8Path, version: Option<(u64, SystemTime)>) -> Result<ServedFeed> {
        let source = crate::deploy::file::read_source(file)?;
        let location = Location::File(file.to_owned());
        let modified = version.map_or_else(SystemTime::now, |(_, modified)| modified);
        ServedFeed::new(
            FeedSource { location, source },
            modified,
            &self.base,
            self.as_is,
        )
    }

    /// The address of the page.
    pub(crate) fn page_url(&self) -> String {
        format!("{}/", self.base)
    }

    /// The address of the feed, for WebPI and `iiswsgi webpi install`.
    pub(crate) fn feed_url(&self) -> String {
        format!("{}{}", self.base, self.current().0.path)
    }

    async fn answer(&self, request: &Request<Incoming>) -> std::io::Result<Response<ResourceBody>> {
        let method = request.method();
        if method != Method::GET && method != Method::HEAD {
            let mut response = message(
                StatusCode::METHOD_NOT_ALLOWED,
                "Only GET and HEAD are answered.",
            );
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Ok(response);
        }
        let (feed, fault) = self.current();
        let path = request.uri().path();
        let resource = match path {
            "/style.css" => Some(made(STYLE.to_owned(), "text/css; charset=utf-8", &feed)?),
            "/" => {
                let query = Query::parse(request.uri().query().unwrap_or_default());
                let text = page::products(&feed, &query, &self.base, fault.as_deref());
                Some(made(text, "text/html; charset=utf-8", &feed)?)
            }
            _ => match path.strip_prefix("/products/") {
                Some(id) => {
                    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
                    page::product(&feed, &id, &self.base)
                        .map(|text| made(text, "text/html; charset=utf-8", &feed))
                        .transpose()?
                }
                None => feed.resources.get(path).cloned(),
            },
        };
        match resource {
            Some(resource) => match resource.respond(method, request.headers()).await {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(message(
                    StatusCode::NOT_FOUND,
                    "The file has been removed since the feed was read.",
                )),
                answered => answered,
            },
            None => Ok(message(
                StatusCode::NOT_FOUND,
                "There is nothing at this address. The products are at the address without a path.",
            )),
        }
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<ResourceBody> {
        let mut response = self.answer(&request).await.unwrap_or_else(|error| {
            tracing::warn!(path = request.uri().path(), %error, "cannot answer");
            message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The file cannot be read.",
            )
        });
        tracing::info!(method = %request.method(), uri = %request.uri(), status = response.status().as_u16());
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ] as [(HeaderName, &'static str); 3]
        {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Answers requests until `stop` is ready; what is being answered then is finished.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            let server = Arc::clone(&self);
            let service = service_fn(move |request| {
                let server = Arc::clone(&server);
                async move { Ok::<_, Infallible>(server.handle(request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection");
                }
            });
        }
        graceful.shutdown().await;
    }
}

/// Listens on an address of this machine; 0 as the port is any.
pub(crate) async fn listen(address: SocketAddr, context: &Context) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        context.say(format_args!(
            "everybody who can reach {address} can fetch the feed and its packages"
        ));
    }
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(format!("cannot listen on {address}: {error}"))
            .help("choose another port with `--port`; 0 is any that is free")
    })
}

fn version(file: &Utf8Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn made(text: String, content_type: &str, feed: &ServedFeed) -> std::io::Result<Resource> {
    let (digest, _) = sha1(text.as_bytes())?;
    let modified = feed.resources.get(&feed.path).map(|feed| feed.modified);
    Ok(Resource {
        content: Content::Made(Bytes::from(text), format!("\"{digest}\"")),
        content_type: content_type.to_owned(),
        modified: modified.unwrap_or(SystemTime::UNIX_EPOCH),
    })
}

fn message(status: StatusCode, text: &str) -> Response<ResourceBody> {
    let mut body = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(body, "{status}\n{text}");
    let mut response = Response::new(ResourceBody::Made(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
