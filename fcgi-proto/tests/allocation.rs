//! What the machines allocate: nothing for a request once they are warm, and never more than the limits allow.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod trace;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
use fcgi_proto::strategies::{record, trace, write_records};
use fcgi_proto::{Limits, Params, RecordType, Role, Roles, Values, web_server};
use proptest::collection::vec;
use proptest::prelude::*;
use trace::{KEEP, begin, padded};

/// The system's allocator, which counts for each thread on its own, as tests run at the same time.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn allocated(len: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    LIVE.set(LIVE.get().wrapping_add(len));
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn freed(len: usize) {
    LIVE.set(LIVE.get().wrapping_sub(len));
}

#[expect(unsafe_code, reason = "an allocator can be written in no other way")]
// SAFETY: every call goes to the system's allocator as it came. Counting neither allocates (the counters are constants
// without a destructor) nor touches the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`, and the memory is from `System`.
        unsafe { System.dealloc(octets, layout) }
    }

    unsafe fn realloc(&self, octets: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both exist while the octets are moved.
        allocated(new_size);
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`, and the memory is from `System`.
        unsafe { System.realloc(octets, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The result of `work`, the number of its allocations, and the most octets that it held above what there was.
fn counted<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (allocations, live) = (ALLOCATIONS.get(), LIVE.get());
    PEAK.set(live);
    let result = work();
    (result, ALLOCATIONS.get() - allocations, PEAK.get() - live)
}

/// Thirty variables of some 1.5 KB together, as a Web server sends them.
fn variables() -> Vec<(String, String)> {
    (0..30)
        .map(|n| (format!("HTTP_X_VARIABLE_{n:02}"), "v".repeat(20 + n)))
        .collect()
}

/// Serves what is in `input` and recycles everything.
fn serve(conn: &mut Connection, mut input: &[u8], reply: &[u8], out: &mut Vec<u8>) {
    while let Some(event) = conn.handle_input(&mut input).unwrap() {
        match event {
            Event::Request { id, params, .. } => {
                assert_eq!(params.get(b"HTTP_X_VARIABLE_29").map(<[u8]>::len), Some(49));
                conn.recycle(params);
                conn.stdout(id, reply, out).unwrap();
            }
            Event::StdinEnd { id } => {
                assert_eq!(
                    conn.end_request(id, 0, out),
                    Ok(AfterRequest::KeepConnection)
                );
            }
            _ => {}
        }
    }
    conn.take_output(out);
}

#[test]
fn a_warm_connection_allocates_nothing_on_either_side() {
    let variables = variables();
    let (reply, body) = ([b'r'; 200], [b'b'; 3000]);
    let mut application = Connection::new(Config::default(), Limits::default());
    let mut server = web_server::Connection::new(web_server::Config::default(), Limits::default());
    let (mut to_application, mut to_server) = (Vec::new(), Vec::new());
    let mut exchange = || {
        let out = &mut to_application;
        server.get_values(out);
        let id = server.begin(Role::RESPONDER, true, out).unwrap();
        server
            .params(id, variables.iter().map(|(n, v)| (n, v)), out)
            .unwrap();
        server.stdin(id, &body, out).unwrap();
        server.stdin_end(id, out).unwrap();
        // Pieces that cut headers, pairs and the query.
        for piece in to_application.chunks(100) {
            serve(&mut application, piece, &reply, &mut to_server);
        }
        let (mut octets, mut ends) = (0, 0);
        for mut piece in to_server.chunks(10) {
            while let Some(event) = server.handle_input(&mut piece).unwrap() {
                match event {
                    web_server::Event::Stdout { data, .. } => octets += data.len(),
                    web_server::Event::End { .. } => ends += 1,
                    _ => {}
                }
            }
        }
        assert_eq!((octets, ends), (200, 1));
        to_application.clear();
        to_server.clear();
    };
    exchange();
    let ((), allocations, _) = counted(|| {
        for _ in 0..1000 {
            exchange();
        }
    });
    assert_eq!(allocations, 0);
}

#[test]
fn a_new_connection_allocates_little() {
    let mut octets = Vec::new();
    let mut server = web_server::Connection::new(web_server::Config::default(), Limits::default());
    let id = server.begin(Role::RESPONDER, true, &mut octets).unwrap();
    let variables = variables();
    server
        .params(id, variables.iter().map(|(n, v)| (n, v)), &mut octets)
        .unwrap();
    server.stdin_end(id, &mut octets).unwrap();
    let mut out = Vec::with_capacity(1000);
    let (conn, allocations, peak) = counted(|| {
        let mut conn = Connection::new(Config::default(), Limits::default());
        serve(&mut conn, &octets, b"reply", &mut out);
        conn
    });
    assert!(conn.is_idle());
    // The request, its octets, and an index that doubles from four entries to 32; and the list of recycled buffers.
    assert!(allocations <= 7, "{allocations} allocations");
    assert!(peak < 8 * 1024, "{peak} octets");
}

#[test]
fn announced_lengths_cost_nothing() {
    // 17 octets announce a record of 64 KiB with two strings of 2 GiB in it.
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        vec![1, 4, 0, 1, 0xff, 0xff, 0, 0],
    ]
    .concat();
    let mut conn = Connection::new(Config::default(), Limits::default());
    let (_, _, peak) = counted(|| {
        let mut input = &octets[..];
        assert_eq!(conn.handle_input(&mut input), Ok(None));
        let mut input = &[0xff; 8][..];
        assert!(matches!(
            conn.handle_input(&mut input),
            Ok(Some(Event::Refused { .. }))
        ));
    });
    assert!(peak < 1024, "{peak} octets");
}

#[test]
fn a_flood_of_begins_costs_a_bounded_amount() {
    let mut config = Config::default();
    config.mpxs_conns = true;
    let mut conn = Connection::new(config, Limits::default());
    let octets: Vec<u8> = (1..=u16::MAX)
        .flat_map(|number| begin(number, Role::RESPONDER, KEEP))
        .collect();
    let mut refused = 0;
    let ((), _, peak) = counted(|| {
        for mut input in octets.chunks(4096) {
            while let Some(event) = conn.handle_input(&mut input).unwrap() {
                assert!(matches!(event, Event::Refused { .. }));
                refused += 1;
            }
            conn.consume_output(usize::MAX);
        }
    });
    assert_eq!(refused, usize::from(u16::MAX) - 100);
    assert!(peak < 64 * 1024, "{peak} octets");
}

#[test]
fn recycled_buffers_are_not_hoarded() {
    let mut conn = Connection::new(Config::default(), Limits::default());
    let value = vec![b'v'; 10_000];
    let ((), _, peak) = counted(|| {
        for _ in 0..100 {
            conn.recycle(Params::from_pairs([("NAME", &value)]).unwrap());
        }
    });
    // A connection with one request at a time keeps one, beside the one at hand and its source.
    assert!(peak < 100_000, "{peak} octets");
}

/// Small limits, and the most octets that a machine may hold under them.
fn limits() -> (Limits, usize) {
    let mut limits = Limits::default();
    limits.params_len = 2000;
    limits.params_pairs = 20;
    limits.requests = 4;
    limits.unread_len = 1 << 20;
    limits.replies_len = 1000;
    limits.management_len = 300;
    // A vector that grows holds the old and the new octets at once, the new ones up to twice what is needed. Each
    // request has its octets, an index of 12 octets a pair, and itself; so have the buffers that wait to be used again.
    let params = limits.params_len + 12 * limits.params_pairs + 200;
    let bound = 3 * (2 * limits.requests * params + limits.replies_len + limits.management_len);
    (limits, bound)
}

/// Feeds an application and holds on to nothing. The peak of what it held.
fn peak_of_application(octets: &[u8], limits: Limits) -> usize {
    let mut config = Config::default();
    config.roles = Roles::ALL;
    config.mpxs_conns = true;
    let mut conn = Connection::new(config, limits);
    let ((), _, peak) = counted(|| {
        for mut input in octets.chunks(64) {
            loop {
                match conn.handle_input(&mut input) {
                    Ok(Some(Event::Request { params, .. })) => conn.recycle(params),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    });
    peak
}

/// Feeds a Web server with requests in flight. The peak of what it held.
fn peak_of_web_server(octets: &[u8], limits: Limits) -> usize {
    let mut conn = web_server::Connection::new(web_server::Config::default(), limits);
    conn.set_values(Values {
        mpxs_conns: Some(true),
        ..Values::default()
    });
    for _ in 0..limits.requests {
        conn.begin(Role::RESPONDER, true, &mut Vec::new()).unwrap();
    }
    let ((), _, peak) = counted(|| {
        for mut input in octets.chunks(64) {
            while let Ok(Some(_)) = conn.handle_input(&mut input) {}
        }
    });
    peak
}

proptest! {
    #[test]
    fn noise_stays_within_the_limits(
        octets in vec(any::<u8>(), 0..300),
        records in vec(record(), 0..200),
        trace in trace(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
    ) {
        let (limits, bound) = limits();
        let mut flipped = write_records(&trace.records);
        for (place, bits) in flips {
            let place = place.index(flipped.len());
            flipped[place] ^= bits;
        }
        for octets in [octets, write_records(&records), flipped] {
            prop_assert!(peak_of_application(&octets, limits) <= bound);
            prop_assert!(peak_of_web_server(&octets, limits) <= bound);
        }
    }

    #[test]
    fn the_greediest_requests_stay_within_the_limits(len in 0..4000_usize, pair_len in 2..300_usize) {
        let (limits, bound) = limits();
        let mut octets = Vec::new();
        let name_len = u8::try_from(pair_len % 128).unwrap();
        let pair = [vec![name_len, 0], vec![b'n'; usize::from(name_len)]].concat();
        for number in 1..=6 {
            octets.extend(begin(number, Role::RESPONDER, KEEP));
        }
        for number in 1..=6 {
            let content: Vec<u8> = pair.iter().copied().cycle().take(len).collect();
            octets.extend(padded(RecordType::PARAMS, number, &content, 3));
        }
        octets.extend(padded(RecordType::GET_VALUES, 0, &[0; 300], 0).repeat(2));
        prop_assert!(peak_of_application(&octets, limits) <= bound);
    }
}
