//! The status page for people: one page without scripts and without anything from elsewhere.

use std::fmt::Write as _;

use super::{Status, Worker};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#777;--bad:#c22}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
p{color:var(--soft);margin:.2rem 0}
dl{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));margin:1rem 0}
dl div{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .8rem}
dt{color:var(--soft);font-size:.85rem}dd{font-size:1.3rem;font-variant-numeric:tabular-nums;margin:0}
.bad{color:var(--bad)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:right;white-space:nowrap}
th{color:var(--soft);font-size:.85rem;font-weight:600}
th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}";

pub(super) fn page(status: &Status) -> String {
    let mut page = String::new();
    let tile = |name: &str, value: &str| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    let errors = match status.errors {
        0 => "0".to_owned(),
        errors => format!("<span class=\"bad\">{}</span>", number(errors)),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>iiswsgi status</title>\n\
         <style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>iiswsgi {}</h1>\n<p>Up for {}. Reload the page for new numbers; they \
         come <a href=\"?format=json\">as JSON</a> and <a href=\"?format=prometheus\">for Prometheus</a>, too.</p>\n<dl>\n",
        status.version,
        time(status.uptime_seconds)
    );
    page += &tile("Requests", &number(status.requests));
    page += &tile("Running now", &number(status.in_flight));
    page += &tile("Failed (5xx)", &errors);
    page += &tile("Received", &size(status.request_octets));
    page += &tile("Sent", &size(status.response_octets));
    page += &tile("Worker restarts", &number(status.restarts));
    page += "</dl>\n<h2>Time for a request</h2>\n";
    match &status.seconds {
        None => page += "<p>None has been answered yet.</p>\n",
        Some(seconds) => {
            page += "<dl>\n";
            page += &tile("Mean", &time(seconds.mean));
            page += &tile("Half take up to", &time(seconds.p50));
            page += &tile("90 % take up to", &time(seconds.p90));
            page += &tile("99 % take up to", &time(seconds.p99));
            page += "</dl>\n";
        }
    }
    page += "<h2>Workers</h2>\n";
    if status.workers.is_empty() {
        page += "<p>No worker is running.</p>\n";
    } else {
        page += "<div class=\"wide\">\n<table>\n<thead><tr><th>Process</th><th>State</th><th>Up for</th><th>Requests</th>\
                 <th>Running</th><th>Threads</th><th>Memory</th><th>Restarts</th><th>Generation</th></tr></thead>\n<tbody>\n";
        for worker in &status.workers {
            row(&mut page, worker);
        }
        page += "</tbody>\n</table>\n</div>\n";
    }
    page += "</body>\n</html>\n";
    page
}

fn row(page: &mut String, worker: &Worker) {
    let state = format!("{:?}", worker.state).to_ascii_lowercase();
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td>{state}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        worker.pid,
        time(worker.uptime_seconds),
        number(worker.requests),
        number(worker.in_flight),
        number(worker.threads),
        worker.resident_octets.map_or_else(|| "?".to_owned(), size),
        number(worker.restarts),
        number(worker.generation),
    );
}

/// A number with its thousands apart.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            // A thin space at which no line breaks.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Seconds in the unit that suits.
fn time(seconds: f64) -> String {
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// Octets in the unit that suits.
fn size(octets: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "one digit behind the point is shown"
    )]
    let mut number = octets as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if number < 1024.0 {
            let digits = usize::from(unit != "B");
            return format!("{number:.digits$} {unit}");
        }
        number /= 1024.0;
    }
    format!("{number:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn the_page_has_what_counts() {
        let page = page(&sample());
        for part in [
            "<dt>Requests</dt><dd>100</dd>",
            "<dt>Sent</dt><dd>97.7 KiB</dd>",
            "<span class=\"bad\">2</span>",
            "<td>4242</td><td>serving</td><td>30.0 s</td><td>90</td>",
            "<td>16.6 MiB</td>",
        ] {
            assert!(page.contains(part), "{part}:\n{page}");
        }
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(999), "999");
        for (seconds, text) in [
            (0.000_42, "420 µs"),
            (0.25, "250.0 ms"),
            (59.94, "59.9 s"),
            (600.0, "10 min"),
            (86_400.0, "24.0 h"),
            (864_000.0, "10.0 days"),
        ] {
            assert_eq!(time(seconds), text);
        }
        for (octets, text) in [(0, "0 B"), (1536, "1.5 KiB"), (u64::MAX, "16777216.0 TiB")] {
            assert_eq!(size(octets), text);
        }
    }
}
