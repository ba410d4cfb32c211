//! Paths that the gateway answers itself: one that says that it is there, and one that shows its numbers.
//!
//! A worker answers them in its turn, like any request: where all threads are busy they wait, as whoever asks has to know.
//! Whoever can reach the site can see them, unless the Web server forbids it.

mod html;
mod prometheus;

use std::time::{Duration, SystemTime};

use fcgi_proto::Params;
use serde::Serialize;

use crate::scoreboard::{Histogram, SlotReading, WorkerState};
use crate::{Head, Scoreboard, iis};

/// Which paths are answered without the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pages {
    /// Answered with status 200 and the text `pong`. Default: none.
    pub ping: Option<String>,
    /// Answered with the gateway's numbers: for people in HTML, as JSON with `?format=json` or a fitting `Accept`, in
    /// Prometheus' text format with `?format=prometheus` or a fitting `Accept`. Default: none.
    pub status: Option<String>,
    /// Where the application is mounted, as far as its operator says.
    pub script_name: Option<String>,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) head: Head,
    pub(crate) body: String,
}

impl Page {
    fn new(content_type: &str, body: String) -> Self {
        let head = Head::new("200 OK")
            .header("Content-Type", content_type)
            .header("Cache-Control", "no-store");
        Self { head, body }
    }
}

impl Pages {
    /// Whether there are any.
    pub(crate) const fn are_on(&self) -> bool {
        self.ping.is_some() || self.status.is_some()
    }

    /// The page that a request asks for; `None` leaves it to the application. Paths count from the site's root.
    pub(crate) fn find(&self, params: &Params, scoreboard: &Scoreboard) -> Option<Page> {
        let url = iis::url_path(params, self.script_name.as_deref());
        let is = |path: &Option<String>| {
            path.as_ref().is_some_and(|path| {
                let rest = path.as_bytes().strip_prefix(&*url.script_name);
                rest == Some(&*url.path_info)
            })
        };
        if is(&self.ping) {
            return Some(Page::new("text/plain; charset=utf-8", "pong\n".to_owned()));
        }
        if !is(&self.status) {
            return None;
        }
        let status = Status::read(scoreboard, SystemTime::now(), resident);
        Some(match Format::of(params) {
            Format::Html => Page::new("text/html; charset=utf-8", html::page(&status)),
            Format::Json => {
                // Numbers and names only: it cannot fail.
                let text = serde_json::to_string_pretty(&status).unwrap_or_default();
                Page::new("application/json", text + "\n")
            }
            Format::Prometheus => Page::new(
                "text/plain; version=0.0.4; charset=utf-8",
                prometheus::text(&status),
            ),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Json,
    Prometheus,
}

impl Format {
    /// What is asked for by the query, else by the header `Accept`, else HTML.
    fn of(params: &Params) -> Self {
        let get = |name: &[u8]| String::from_utf8_lossy(params.get(name).unwrap_or_default());
        let query = match get(b"QUERY_STRING") {
            query if query.is_empty() => {
                String::from_utf8_lossy(iis::query(params.get(b"REQUEST_URI").unwrap_or_default()))
            }
            query => query,
        };
        let named = query
            .split('&')
            .find_map(|field| field.strip_prefix("format="));
        match named {
            Some("json") => return Self::Json,
            Some("prometheus") => return Self::Prometheus,
            Some("html") => return Self::Html,
            _ => {}
        }
        let accept = get(b"HTTP_ACCEPT").to_ascii_lowercase();
        if accept.contains("text/html") {
            Self::Html
        } else if accept.contains("openmetrics") || accept.contains("text/plain") {
            // Prometheus asks for OpenMetrics first and takes its older text format, which has its metrics' names as they are.
            Self::Prometheus
        } else if accept.contains("json") {
            Self::Json
        } else {
            Self::Html
        }
    }
}

/// The numbers at one moment. Its JSON is documented in `docs/gateway.md`.
#[derive(Clone, Debug, Serialize)]
struct Status {
    version: &'static str,
    /// Since the oldest worker began.
    uptime_seconds: f64,
    requests: u64,
    errors: u64,
    in_flight: u64,
    request_octets: u64,
    response_octets: u64,
    restarts: u64,
    /// `None` before the first request has ended.
    seconds: Option<Seconds>,
    workers: Vec<Worker>,
    #[serde(skip)]
    durations: Histogram,
}

/// How long requests take.
#[derive(Clone, Copy, Debug, Serialize)]
struct Seconds {
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
}

/// A worker process.
#[derive(Clone, Debug, Serialize)]
struct Worker {
    slot: usize,
    pid: u32,
    state: WorkerState,
    generation: u64,
    threads: u64,
    uptime_seconds: f64,
    requests: u64,
    in_flight: u64,
    restarts: u64,
    /// Octets of memory that are in use, where the system tells.
    resident_octets: Option<u64>,
    /// Of all workers that the slot has had.
    #[serde(skip)]
    total: SlotReading,
}

impl Status {
    fn read(
        scoreboard: &Scoreboard,
        now: SystemTime,
        resident: impl Fn(u32) -> Option<u64>,
    ) -> Self {
        let age = |since: SystemTime| now.duration_since(since).unwrap_or_default().as_secs_f64();
        let mut status = Self {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: 0.0,
            requests: 0,
            errors: 0,
            in_flight: 0,
            request_octets: 0,
            response_octets: 0,
            restarts: 0,
            seconds: None,
            workers: Vec::new(),
            durations: Histogram::default(),
        };
        for (slot, found) in scoreboard.slots().iter().enumerate() {
            let found = found.read();
            status.requests += found.requests;
            status.errors += found.errors;
            status.request_octets += found.octets_in;
            status.response_octets += found.octets_out;
            status.restarts += found.restarts;
            status.durations.add(&found.durations);
            if found.state == WorkerState::Free {
                continue;
            }
            let uptime = age(found.started);
            status.uptime_seconds = status.uptime_seconds.max(uptime);
            status.in_flight += found.in_flight;
            status.workers.push(Worker {
                slot,
                pid: found.pid,
                state: found.state,
                generation: found.generation,
                threads: found.threads,
                uptime_seconds: uptime,
                requests: found.requests_of_worker,
                in_flight: found.in_flight,
                restarts: found.restarts,
                resident_octets: resident(found.pid),
                total: found,
            });
        }
        status.seconds = Seconds::of(&status.durations);
        status
    }
}

impl Seconds {
    fn of(durations: &Histogram) -> Option<Self> {
        let seconds = |duration: Duration| duration.as_secs_f64();
        let quantile = |part| durations.quantile(part).map(seconds);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of 2 to the 53rd is not reached"
        )]
        let mean = seconds(durations.sum()) / durations.count().max(1) as f64;
        Some(Self {
            mean,
            p50: quantile(0.5)?,
            p90: quantile(0.9)?,
            p99: quantile(0.99)?,
        })
    }
}

/// The memory of a process in use, as Linux tells it.
fn resident(pid: u32) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::scoreboard::Ended;

    /// Two workers and a slot without one, half a minute after they began.
    pub(super) fn sample() -> Status {
        let board = Scoreboard::private_with(3);
        for (slot, requests) in [(0, 90), (1, 10)] {
            let slot = &board.slots()[slot];
            slot.start(4242, 1, 4);
            slot.set_state(WorkerState::Serving);
            for number in 0..requests {
                slot.count_begin();
                slot.count_end(&Ended {
                    status: if number == 0 { 500 } else { 200 },
                    octets_in: 1,
                    octets_out: 1000,
                    duration: Duration::from_millis(number + 1),
                });
            }
        }
        board.slots()[0].count_begin();
        board.slots()[1].count_restart();
        let started = board.slots()[0].read().started;
        Status::read(&board, started + Duration::from_secs(30), |pid| {
            Some(u64::from(pid) * 4096)
        })
    }

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::from_pairs(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn the_numbers_of_all_workers_are_added() {
        let found = serde_json::to_value(sample()).unwrap();
        for (name, number) in [
            ("requests", 100),
            ("errors", 2),
            ("in_flight", 1),
            ("request_octets", 100),
            ("response_octets", 100_000),
            ("restarts", 1),
        ] {
            assert_eq!(found[name], number, "{name}");
        }
        assert_eq!(found["workers"].as_array().unwrap().len(), 2);
        assert_eq!(found["workers"][0]["state"], "serving");
        assert_eq!(found["workers"][0]["resident_octets"], 4242 * 4096);
        let uptime = found["uptime_seconds"].as_f64().unwrap();
        assert!((29.0..=30.0).contains(&uptime), "{uptime}");
        let p90 = found["seconds"]["p90"].as_f64().unwrap();
        assert!((0.080..=0.101).contains(&p90), "{p90}");
    }

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (name, value, expected) in [
            ("QUERY_STRING", "format=json", Format::Json),
            ("QUERY_STRING", "x&format=prometheus", Format::Prometheus),
            ("REQUEST_URI", "/s?format=json", Format::Json),
            ("QUERY_STRING", "format=odd", Format::Html),
            ("HTTP_ACCEPT", prometheus, Format::Prometheus),
            ("HTTP_ACCEPT", browser, Format::Html),
            ("HTTP_ACCEPT", "application/json", Format::Json),
            ("HTTP_ACCEPT", "*/*", Format::Html),
            ("X", "", Format::Html),
        ] {
            assert_eq!(Format::of(&params(&[(name, value)])), expected, "{value}");
        }
    }

    #[test]
    fn only_its_own_paths_are_answered() {
        let mut pages = Pages::default();
        assert!(!pages.are_on());
        pages.ping = Some("/app/ping".to_owned());
        let board = Scoreboard::private();
        for (script_name, path_info, found) in [
            ("", "/app/ping", true),
            ("/app", "/ping", true),
            ("/app", "/app/ping", false),
            ("", "/app/ping/", false),
            ("", "/", false),
        ] {
            let params = params(&[
                ("SCRIPT_NAME", script_name),
                ("PATH_INFO", path_info),
                ("REQUEST_URI", &format!("{script_name}{path_info}?x")),
            ]);
            let page = pages.find(&params, &board);
            assert_eq!(page.is_some(), found, "{script_name} {path_info}");
            if let Some(page) = page {
                assert_eq!(page.body, "pong\n");
            }
        }
    }

    #[test]
    fn the_memory_of_this_process_is_known_on_linux() {
        assert_eq!(
            resident(std::process::id()).is_some_and(|octets| octets > 100_000),
            cfg!(target_os = "linux")
        );
        assert_eq!(resident(0), None);
    }

    #[test]
    fn a_board_without_workers_is_a_page_too() {
        let board = Scoreboard::private();
        let status = Status::read(&board, UNIX_EPOCH, |_| None);
        assert!(html::page(&status).contains("No worker"));
        assert!(prometheus::text(&status).contains("iiswsgi_requests_total 0\n"));
        assert!(serde_json::to_value(&status).unwrap()["seconds"].is_null());
    }
}
