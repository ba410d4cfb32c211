//! Times; `cargo xtask bench proto` makes tables of them.

#![allow(missing_docs, reason = "criterion's macros")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fcgi_proto_bench::{
    Application, Body, FastcgiClient, Request, Response, TokioFastcgi, WebServer, variables,
};

/// Requests for each call of a peer, so that what it does once for a connection does not count.
const BATCH: usize = 100;

/// Octets of output for each request: 208 on STDOUT, its end, and the end of the request.
const ANSWER_LEN: usize = 208 + 8 + 16;

fn application(criterion: &mut Criterion) {
    let request = Request::new(30, 0);
    let mut group = criterion.benchmark_group("application");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut ours = Application::new();
    assert_eq!(ours.serve(&request, 1), ANSWER_LEN);
    group.bench_function("fcgi-proto", |b| b.iter(|| ours.serve(&request, BATCH)));
    #[cfg(feature = "libfcgi")]
    {
        let mut libfcgi = fcgi_proto_bench::Libfcgi::new();
        assert!(libfcgi.serve(&request, 1) >= ANSWER_LEN);
        group.bench_function("libfcgi", |b| b.iter(|| libfcgi.serve(&request, BATCH)));
    }
    let tokio_fastcgi = TokioFastcgi::new().expect("a runtime");
    assert!(tokio_fastcgi.serve(&request, 1) >= ANSWER_LEN);
    group.bench_function("tokio-fastcgi", |b| {
        b.iter(|| tokio_fastcgi.serve(&request, BATCH));
    });
    group.finish();
}

fn web_server(criterion: &mut Criterion) {
    let (variables, response) = (variables(30), Response::new());
    let mut group = criterion.benchmark_group("web_server");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut ours = WebServer::new();
    assert_eq!(ours.request(&variables, &response, 1), 200);
    group.bench_function("fcgi-proto", |b| {
        b.iter(|| ours.request(&variables, &response, BATCH));
    });
    let client = FastcgiClient::new().expect("a runtime");
    assert_eq!(client.request(&variables, &response, 1), 200);
    group.bench_function("fastcgi-client", |b| {
        b.iter(|| client.request(&variables, &response, BATCH));
    });
    group.finish();
}

fn body(criterion: &mut Criterion) {
    const LEN: usize = 64 * (64 * 1024 - 8);
    let (request, get) = (Request::new(30, LEN), Request::new(30, 0));
    let source = vec![b'b'; LEN];
    let mut target = Vec::with_capacity(2 * LEN);
    let mut ours = Application::new();
    let mut group = criterion.benchmark_group("body");
    group.throughput(Throughput::Bytes(LEN as u64));
    group.bench_function("memcpy", |b| {
        b.iter(|| {
            target.clear();
            target.extend_from_slice(black_box(&source));
            black_box(&target).len()
        });
    });
    assert_eq!(ours.receive(&request, Body::InPlace, &mut target), LEN);
    group.bench_function("in_place", |b| {
        b.iter(|| ours.receive(&request, Body::InPlace, &mut target));
    });
    assert_eq!(ours.receive(&request, Body::Collected, &mut target), LEN);
    group.bench_function("collected", |b| {
        b.iter(|| ours.receive(&request, Body::Collected, &mut target));
    });
    assert!(ours.respond(&get, &source, &mut target) > LEN);
    group.bench_function("framed", |b| {
        b.iter(|| ours.respond(&get, &source, &mut target));
    });
    group.finish();
}

fn parameters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parameters");
    for count in [10, 100, 1_000, 10_000] {
        let request = Request::new(count, 0);
        let mut ours = Application::new();
        assert_eq!(ours.serve(&request, 1), ANSWER_LEN);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| ours.serve(&request, 1));
        });
    }
    group.finish();
}

criterion_group!(benches, application, web_server, body, parameters);
criterion_main!(benches);
