//! Serves a number of requests, or makes them, for counting instructions: `requests IMPLEMENTATION COUNT`.

use std::process::ExitCode;

use fcgi_proto_bench::{
    Application, FastcgiClient, Request, Response, TokioFastcgi, WebServer, variables,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [implementation, count] = &arguments[..] else {
        return ExitCode::from(2);
    };
    let Ok(count) = count.parse() else {
        return ExitCode::from(2);
    };
    let (request, response, variables) = (Request::new(30, 0), Response::new(), variables(30));
    let octets = match implementation.as_str() {
        "fcgi-proto" => Application::new().serve(&request, count),
        "tokio-fastcgi" => TokioFastcgi::new().map_or(0, |peer| peer.serve(&request, count)),
        #[cfg(feature = "libfcgi")]
        "libfcgi" => fcgi_proto_bench::Libfcgi::new().serve(&request, count),
        "web-server" => WebServer::new().request(&variables, &response, count),
        "fastcgi-client" => {
            FastcgiClient::new().map_or(0, |peer| peer.request(&variables, &response, count))
        }
        _ => return ExitCode::from(2),
    };
    // Each answer is 200 octets, and its records are more.
    if octets >= count * 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
