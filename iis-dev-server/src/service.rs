//! What answers the requests of one site.
//!
//! In IIS's order: the path is read, request filtering may refuse it, the path finds its application and virtual
//! directory, the first handler that fits takes the request, and its module answers: `FastCgiModule` through a pool of
//! processes, `StaticFileModule` from the file system. Other modules are not here; a page says so.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::ext::ReasonPhrase;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use iis_config::{FastCgiApplication, Handler, find_fast_cgi_application};
use tokio::sync::{mpsc, oneshot, watch};

use crate::cgi_response::ResponseHead;
use crate::config::{Configuration, Site};
use crate::exchange::{self, Disposition};
use crate::faults::{self, Scene};
use crate::log_file::LogFile;
use crate::pages::Page;
use crate::place::{Place, resource, script_len, script_path};
use crate::pool::{Lease, Pool, PoolFault, Settings};
use crate::refusals;
use crate::reload::{Current, Reloader};
use crate::request_body::{Interrupted, RequestBody};
use crate::request_filtering;
use crate::response_body::ResponseBody;
use crate::sink::{Answer, BodyReceiver};
use crate::spawner::Spawner;
use crate::static_file;
use crate::target::Target;
use crate::variables::{Facts, SERVER_SOFTWARE, variables};
use crate::{Error, Options};

/// Answers requests to the sites of a configuration.
#[derive(Debug)]
pub(crate) struct Service {
    reloader: Reloader,
    options: Options,
    spawner: Spawner,
    pools: Mutex<HashMap<PoolKey, Opened>>,
    /// Held by every process until it is reaped; `None` once the service is closed.
    alive: Mutex<Option<mpsc::Sender<Infallible>>>,
    /// True once the service is closed: requests at work are broken off.
    closed: watch::Sender<bool>,
}

/// IIS keeps the processes in the worker process, so each application pool has its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PoolKey {
    site: u32,
    application_pool: String,
    full_path: String,
    arguments: String,
}

/// A pool, and the reading of the configuration that its settings are known to agree with.
#[derive(Debug)]
struct Opened {
    pool: Arc<Pool>,
    reading: u64,
}

/// Where a request came from and to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints {
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Service {
    pub(crate) fn new(
        configuration: Configuration,
        options: Options,
        alive: mpsc::Sender<Infallible>,
    ) -> Result<Self, Error> {
        Ok(Self {
            reloader: Reloader::new(configuration),
            options,
            spawner: Spawner::start()?,
            pools: Mutex::default(),
            alive: Mutex::new(Some(alive)),
            closed: watch::Sender::new(false),
        })
    }

    /// Ends the processes, and with them the requests at work.
    pub(crate) fn close(&self) {
        self.alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, opened) in pools.drain() {
            opened.pool.close();
        }
        self.closed.send_replace(true);
    }

    /// Answers a request to the site of this name. What cannot be answered becomes a page.
    pub(crate) async fn respond<B>(
        &self,
        site: &str,
        request: Request<B>,
        endpoints: Endpoints,
    ) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let headers = request.headers().clone();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let started = std::time::Instant::now();
        let mut response = match self.answer(site, request, endpoints).await {
            Ok(response) => response,
            Err(page) => page.into_response(&headers),
        };
        response
            .headers_mut()
            .entry(header::SERVER)
            .or_insert(HeaderValue::from_static(SERVER_SOFTWARE));
        tracing::info!(
            site,
            %method,
            %uri,
            status = response.status().as_u16(),
            milliseconds = started.elapsed().as_millis(),
            "answered"
        );
        response
    }

    async fn answer<B>(
        &self,
        site: &str,
        request: Request<B>,
        endpoints: Endpoints,
    ) -> Result<Response<ResponseBody>, Box<Page>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let bad_request = |what: String| {
            Box::new(Page::new(
                StatusCode::BAD_REQUEST,
                "The request's path cannot be served",
                what,
            ))
        };
        let raw = request
            .uri()
            .path_and_query()
            .map_or("*", |target| target.as_str());
        let target = Target::parse(raw).map_err(|error| bad_request(format!("{error}.")))?;
        let path = target.path_text().into_owned();
        request_filtering::check(&path, target.raw_path()).map_err(|refused| {
            Box::new(
                Page::new(
                    StatusCode::NOT_FOUND,
                    "IIS's request filtering refuses this path",
                    format!("{refused}. No application is asked."),
                )
                .fact("Path", &path)
                .remedy(refused.remedy()),
            )
        })?;
        let current = self.reloader.current().map_err(|error| {
            let page = Page::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The configuration has a fault since it was changed",
                "IIS would refuse it (500.19). It is read again when a file changes.",
            );
            Box::new(page.output("What is wrong", &error.to_string()))
        })?;
        let sites = &current.configuration.sites;
        let Some(site) = sites.iter().find(|one| one.definition.name == site) else {
            let what = format!("There is no site `{site}` in the configuration any more.");
            return Err(Box::new(Page::new(
                StatusCode::NOT_FOUND,
                "The site is gone",
                what,
            )));
        };
        let place = Place::of(site, &path)?;

        let handlers = &place.application.handlers;
        let verb = request.method().clone();
        let found = handlers.find(
            &iis_config::Request::new(verb.as_str(), place.path),
            |path| resource(&place.physical(path)),
        );
        let Some(found) = found else {
            return Err(Box::new(refusals::no_handler(&place, &path)));
        };
        let handler = found.handler;
        refusals::check_access(handlers.access_policy.as_deref(), handler)?;
        if handler.is_fast_cgi() {
            let path_info = found.path_info.to_owned();
            return self
                .fast_cgi(
                    &current, &place, handler, &path_info, &target, request, endpoints,
                )
                .await;
        }
        let modules = handler.modules.to_ascii_lowercase();
        if modules.contains("staticfilemodule") {
            let root = Utf8Path::new(&place.resolved.virtual_directory.physical_path);
            let rest = place.resolved.path_in_virtual_directory;
            let served = static_file::serve(
                root,
                rest,
                request.method(),
                request.headers(),
                target.raw_path(),
            );
            return served
                .await
                .map_err(|error| Box::new(refusals::no_file(&error, &place, handler)));
        }
        Err(Box::new(
            Page::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The handler's module is not part of this server",
                format!(
                    "The handler `{}` gives the request to `{}`. This stand-in for IIS has FastCgiModule and \
                     StaticFileModule.",
                    handler.name, handler.modules
                ),
            )
            .fact("Path", &path)
            .remedy("Correct modules=\"…\" of the handler, or remove the handler in web.config."),
        ))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a different thing of one request"
    )]
    async fn fast_cgi<B>(
        &self,
        current: &Current,
        place: &Place<'_>,
        handler: &Handler,
        path_info: &str,
        target: &Target,
        request: Request<B>,
        endpoints: Endpoints,
    ) -> Result<Response<ResponseBody>, Box<Page>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let registered = &current.configuration.fast_cgi;
        let application = find_fast_cgi_application(&handler.script_processor, registered)
            .map_err(|error| {
                Box::new(faults::unregistered_page(
                    handler,
                    place.application,
                    &error,
                ))
            })?;
        let pool = self.pool(current, application, place).map_err(|error| {
            Box::new(Page::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The log of the application cannot be written",
                format!("{error}."),
            ))
        })?;

        let (parts, body) = request.into_parts();
        let (body, content_length) = self.body_with_length(body).await?;
        let params = variables(&Facts {
            method: parts.method.as_str(),
            protocol: protocol(parts.version),
            target,
            headers: &parts.headers,
            content_length,
            remote: endpoints.remote,
            local: endpoints.local,
            site_id: place.site.definition.id,
            application_path: &place.application.path,
            application_root: place.application.physical_path.as_str(),
            document_root: place.document_root(),
            path_translated: place.physical(place.path).as_str(),
            script_filename: place.physical(script_path(place.path, path_info)).as_str(),
            script_len: script_len(&target.path, path_info),
            allow_path_info: handler.allow_path_info,
        });

        let mut scene = Scene {
            handler: handler.name.clone(),
            command_line: pool.settings.launch.command_line(),
            log: pool.log.path().to_owned(),
            gateway_log: Some(gateway_log(&current.configuration, place.site))
                .filter(|log| log.is_file()),
            process: None,
        };
        let mut acquired = pool.acquire().await;
        if matches!(acquired, Err(PoolFault::Stopping)) && !*self.closed.borrow() {
            acquired = self.acquire_again(handler, place).await;
        }
        let lease = acquired.map_err(|fault| Box::new(faults::pool_page(&fault, &scene)))?;
        scene.process = Some((lease.process.pid, String::new()));
        let tail = Arc::clone(&lease.process.tail);
        let (sender, answer) = oneshot::channel();
        let exchange_request = exchange::Request {
            params,
            body,
            head_only: parts.method == hyper::Method::HEAD,
            buffer_len: usize::try_from(handler.response_buffer_limit).unwrap_or(usize::MAX),
            log: Arc::clone(&pool.log),
        };
        let rules = pool.settings.rules;
        // A task of its own: the process must come to the end of the request also when the client leaves.
        let mut closed = self.closed.subscribe();
        tokio::spawn(async move {
            let mut lease = lease;
            let finished = tokio::select! {
                finished = exchange::run(&mut lease.process, exchange_request, rules, sender) => Some(finished),
                _ = closed.wait_for(|closed| *closed) => None,
            };
            let Some((disposition, rest)) = finished else {
                // The pool is closed, so this ends the process as the configuration says.
                lease.release(Disposition::Reuse);
                return;
            };
            lease.release(disposition);
            rest.send().await;
        });
        match answer.await {
            Ok(Answer::Response(head, body)) => Ok(respond(*head, body)),
            Ok(Answer::Fault(fault)) => {
                scene.process = scene.process.map(|(pid, _)| (pid, tail.text()));
                Err(Box::new(faults::exchange_page(&fault, &scene)))
            }
            // The client has left, or the runtime is being shut down: nobody will read it.
            Err(_) => Err(Box::new(client_gone())),
        }
    }

    /// A process for a request whose pool was replaced while it waited, as the settings have changed.
    async fn acquire_again(
        &self,
        handler: &Handler,
        place: &Place<'_>,
    ) -> Result<Lease, PoolFault> {
        let pool = self.reloader.current().ok().and_then(|newest| {
            let registered = &newest.configuration.fast_cgi;
            let application =
                find_fast_cgi_application(&handler.script_processor, registered).ok()?;
            self.pool(&newest, application, place).ok()
        });
        match pool {
            Some(pool) => pool.acquire().await,
            None => Err(PoolFault::Stopping),
        }
    }

    /// The body and its length. A body without a length is gathered, as `CONTENT_LENGTH` cannot be told otherwise and an
    /// application reads as much as it says.
    async fn body_with_length<B>(&self, body: B) -> Result<(RequestBody<B>, u64), Box<Page>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let limit = self.options.max_allowed_content_length;
        let too_large = || {
            Box::new(
                Page::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The request's body is too large",
                    format!("It is longer than {limit} octets, IIS's default limit (IIS: 404.13, maxAllowedContentLength)."),
                )
                .remedy(
                    "Raise maxAllowedContentLength in system.webServer/security/requestFiltering/requestLimits for IIS.",
                ),
            )
        };
        if let Some(len) = body.size_hint().exact() {
            return if len > limit {
                Err(too_large())
            } else {
                Ok((RequestBody::Streamed(body), len))
            };
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let gathered = Limited::new(RequestBody::Streamed(body), limit)
            .collect()
            .await;
        let octets = gathered
            .map_err(|error| {
                if error.is::<Interrupted>() {
                    Box::new(client_gone())
                } else {
                    too_large()
                }
            })?
            .to_bytes();
        let len = octets.len() as u64;
        Ok((RequestBody::Gathered(Full::new(octets)), len))
    }

    /// The pool for a FastCGI application at a place. One whose settings have changed is replaced.
    fn pool(
        &self,
        current: &Current,
        application: &FastCgiApplication,
        place: &Place<'_>,
    ) -> Result<Arc<Pool>, Error> {
        let key = PoolKey {
            site: place.site.definition.id,
            application_pool: place.application.application_pool.clone(),
            full_path: application.full_path.clone(),
            arguments: application.arguments.clone(),
        };
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = pools.get(&key)
            && opened.reading >= current.reading
        {
            return Ok(Arc::clone(&opened.pool));
        }
        let configuration = &current.configuration;
        let settings = Settings::new(
            application,
            place.site,
            place.application,
            configuration,
            &self.options,
        );
        if let Some(opened) = pools.get_mut(&key) {
            if opened.pool.settings == settings {
                opened.reading = current.reading;
                return Ok(Arc::clone(&opened.pool));
            }
            opened
                .pool
                .log
                .note("the settings have changed: the processes are replaced");
            opened.pool.close();
        }
        let alive = self
            .alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let alive = alive.ok_or_else(|| std::io::Error::other("the server is stopping"))?;
        let log = LogFile::open(self.log_path(configuration, application, place))?;
        let pool = Pool::new(settings, log, self.spawner.clone(), alive);
        pools.insert(
            key,
            Opened {
                pool: Arc::clone(&pool),
                reading: current.reading,
            },
        );
        Ok(pool)
    }

    fn log_folder(&self, configuration: &Configuration, site: &Site) -> Utf8PathBuf {
        let folder = self.options.log_folder.clone();
        let folder = folder.unwrap_or_else(|| configuration.root.join("Logs"));
        folder.join(file_name(&site.definition.name))
    }

    /// `Logs/SITE/fastcgi-N-POOL.log`, N counting the entries of the `fastCgi` section.
    fn log_path(
        &self,
        configuration: &Configuration,
        application: &FastCgiApplication,
        place: &Place<'_>,
    ) -> Utf8PathBuf {
        let registered = &configuration.fast_cgi;
        let number = registered
            .iter()
            .position(|one| one == application)
            .map_or(0, |index| index + 1);
        let pool = file_name(&place.application.application_pool);
        self.log_folder(configuration, place.site)
            .join(format!("fastcgi-{number}-{pool}.log"))
    }
}

/// Where iiswsgi's gateway writes its log: it goes by `IIS_USER_HOME` and `IISEXPRESS_SITENAME`.
fn gateway_log(configuration: &Configuration, site: &Site) -> Utf8PathBuf {
    configuration
        .root
        .join("Logs")
        .join(&site.definition.name)
        .join("iiswsgi.log")
}

/// A name that no file system reads as a path.
fn file_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_control() || "/\\:*?\"<>|".contains(c) {
                '_'
            } else {
                c
            }
        })
        .collect();
    if name.chars().all(|c| c == '.') {
        "_".to_owned()
    } else {
        name
    }
}

/// Never shown: there is nobody to read it.
fn client_gone() -> Page {
    Page::new(
        StatusCode::BAD_REQUEST,
        "The request is incomplete",
        "The client left before it had sent all of it.",
    )
}

fn respond(head: ResponseHead, body: Option<BodyReceiver>) -> Response<ResponseBody> {
    let body = body.map_or_else(ResponseBody::empty, ResponseBody::stream);
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    if let Some(reason) = head.reason
        && let Ok(reason) = ReasonPhrase::try_from(reason)
    {
        response.extensions_mut().insert(reason);
    }
    response
}

fn protocol(version: hyper::Version) -> &'static str {
    match version {
        hyper::Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}
