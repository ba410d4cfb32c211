//! Prometheus' text-based exposition format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{Display, Write as _};
use std::time::UNIX_EPOCH;

use super::Status;
use crate::scoreboard::WorkerState;

/// All metrics.
pub(super) fn text(status: &Status) -> String {
    let mut text = Text::default();
    text.family("info", "gauge", "The version of iiswsgi.");
    text.sample("info", &[("version", &status.version)], 1);
    for (name, kind, help, value) in [
        (
            "requests_total",
            "counter",
            "Requests answered.",
            status.requests,
        ),
        (
            "request_errors_total",
            "counter",
            "Requests answered with a status of 500 and above.",
            status.errors,
        ),
        (
            "requests_in_flight",
            "gauge",
            "Requests that are running, the one for this page included.",
            status.in_flight,
        ),
        (
            "request_body_bytes_total",
            "counter",
            "Octets of request bodies that applications have read.",
            status.request_octets,
        ),
        (
            "response_body_bytes_total",
            "counter",
            "Octets of response bodies.",
            status.response_octets,
        ),
        (
            "worker_restarts_total",
            "counter",
            "Workers started in place of one that had ended.",
            status.restarts,
        ),
    ] {
        text.family(name, kind, help);
        text.sample(name, &[], value);
    }

    let (name, durations) = ("request_duration_seconds", &status.durations);
    text.family(name, "histogram", "How long requests took.");
    let bucket = format!("{name}_bucket");
    for (below, count) in durations.cumulative() {
        text.sample(&bucket, &[("le", &below.as_secs_f64())], count);
    }
    text.sample(&bucket, &[("le", &"+Inf")], durations.count());
    text.sample(&format!("{name}_sum"), &[], durations.sum().as_secs_f64());
    text.sample(&format!("{name}_count"), &[], durations.count());

    text.family("workers", "gauge", "Worker processes by state.");
    for (state, label) in [
        (WorkerState::Starting, "starting"),
        (WorkerState::Serving, "serving"),
        (WorkerState::Draining, "draining"),
    ] {
        let workers = status.workers.iter().filter(|worker| worker.state == state);
        text.sample("workers", &[("state", &label)], workers.count());
    }
    text.family(
        "worker_requests_total",
        "counter",
        "Requests answered by all workers that the slot has had.",
    );
    for worker in &status.workers {
        let slot: [(&str, &dyn Display); 1] = [("slot", &worker.slot)];
        text.sample("worker_requests_total", &slot, worker.total.requests);
    }
    text.family(
        "worker_start_time_seconds",
        "gauge",
        "When the worker began, in seconds since 1970.",
    );
    for worker in &status.workers {
        let since = worker.total.started.duration_since(UNIX_EPOCH);
        text.sample(
            "worker_start_time_seconds",
            &[("slot", &worker.slot)],
            since.unwrap_or_default().as_secs_f64(),
        );
    }
    text.family(
        "worker_resident_memory_bytes",
        "gauge",
        "Memory of the worker that is in use.",
    );
    for worker in &status.workers {
        if let Some(octets) = worker.resident_octets {
            text.sample(
                "worker_resident_memory_bytes",
                &[("slot", &worker.slot)],
                octets,
            );
        }
    }
    text.0
}

#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = write!(
            self.0,
            "# HELP iiswsgi_{name} {help}\n# TYPE iiswsgi_{name} {kind}\n"
        );
    }

    /// The labels' values are numbers and words, which need no escaping.
    fn sample(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let _ = write!(self.0, "iiswsgi_{name}");
        for (index, (label, value)) in labels.iter().enumerate() {
            let sign = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{sign}{label}=\"{value}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn every_sample_is_of_a_family_and_histograms_add_up() {
        let text = text(&sample());
        let mut family = String::new();
        let mut counts = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                rest.split_once(' ').unwrap().0.clone_into(&mut family);
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(&family), "{line} in {family}");
            let value: f64 = value.parse().unwrap();
            if name.starts_with("iiswsgi_request_duration_seconds_bucket") {
                counts.push(value);
            }
        }
        assert!(
            counts.is_sorted() && counts.last() == Some(&100.0),
            "{counts:?}"
        );
        for line in [
            "iiswsgi_requests_total 100",
            "iiswsgi_request_errors_total 2",
            "iiswsgi_request_duration_seconds_bucket{le=\"0.131072\"} 100",
            "iiswsgi_request_duration_seconds_count 100",
            "iiswsgi_workers{state=\"serving\"} 2",
            "iiswsgi_worker_requests_total{slot=\"1\"} 10",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
    }
}
