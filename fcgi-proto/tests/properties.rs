//! What holds for every input: see the name of each test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod trace;

use fcgi_proto::application::{self, AfterRequest};
use fcgi_proto::strategies::{Record, mutated_trace, pairs, record, request, trace, write_records};
use fcgi_proto::web_server;
use fcgi_proto::{
    BeginRequest, Chunk, Decoder, EndRequest, Fate, Header, Length, Limits, Params, ProtocolStatus,
    RecordType, RequestId, Roles, Values, frames, name_values, write_name_value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use trace::{Told, feed, feed_all, receive_all};

/// Cuts `octets` into pieces of these lengths, in turn.
fn cut<'i>(octets: &'i [u8], lengths: &[usize]) -> Vec<&'i [u8]> {
    let (mut rest, mut pieces) = (octets, Vec::new());
    for len in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, next) = rest.split_at((*len).clamp(1, rest.len()));
        pieces.push(piece);
        rest = next;
    }
    pieces
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        vec(1..40_usize, 1..10),
        vec(1..2000_usize, 1..10)
    ]
}

/// The records in `octets`.
fn decoded(pieces: &[&[u8]]) -> Vec<Record> {
    let (mut decoder, mut records) = (Decoder::new(), Vec::<Record>::new());
    for mut input in pieces.iter().copied() {
        while let Some(chunk) = decoder.next(&mut input).unwrap() {
            match chunk {
                Chunk::Header(Header {
                    record_type,
                    request_id,
                    padding_length,
                    ..
                }) => {
                    records.push(Record {
                        record_type,
                        request_id,
                        content: vec![],
                        padding_length,
                    });
                }
                Chunk::Content(content) => records.last_mut().unwrap().content.extend(content),
                Chunk::End => {}
            }
        }
    }
    assert!(decoder.is_between_records());
    records
}

/// What one request is told as, in its own order.
fn of_request(told: &[Told], number: u16) -> Vec<Told> {
    let mut own = Vec::new();
    for event in told {
        let id = match event {
            Told::Request { id, .. } => *id,
            Told::Stdin(id, _) | Told::StdinEnd(id) | Told::Data(id, _) | Told::DataEnd(id) => *id,
            other => panic!("{other:?}"),
        };
        if id == number {
            trace::tell(&mut own, event.clone());
        }
    }
    own
}

/// What this request should be told as.
fn expected(id: RequestId, request: &fcgi_proto::strategies::Request) -> Vec<Told> {
    let (id, params) = (id.number(), request.params.clone());
    let begin = BeginRequest {
        role: request.role,
        flags: request.flags,
    };
    let mut told = vec![Told::Request { id, begin, params }];
    if !request.stdin.is_empty() {
        told.push(Told::Stdin(id, request.stdin.clone()));
    }
    told.push(Told::StdinEnd(id));
    if request.role == fcgi_proto::Role::FILTER {
        if !request.data.is_empty() {
            told.push(Told::Data(id, request.data.clone()));
        }
        told.push(Told::DataEnd(id));
    }
    told
}

/// Limits that noise reaches.
fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.params_len = 500;
    limits.params_pairs = 5;
    limits.name_len = 50;
    limits.value_len = 100;
    limits.requests = 3;
    limits.unread_len = 2000;
    limits.replies_len = 200;
    limits.management_len = 100;
    limits
}

proptest! {
    #[test]
    fn headers_survive(octets in any::<[u8; 8]>()) {
        let mut octets = octets;
        octets[0] = 1;
        octets[7] = 0;
        prop_assert_eq!(Header::decode(octets).unwrap().encode(), octets);
    }

    #[test]
    fn bodies_survive(role: u16, flags: u8, app_status: u32, status: u8) {
        let begin = BeginRequest { role: fcgi_proto::Role(role), flags: fcgi_proto::Flags(flags) };
        prop_assert_eq!(BeginRequest::decode(begin.encode()), begin);
        let end = EndRequest { app_status, protocol_status: ProtocolStatus(status) };
        prop_assert_eq!(EndRequest::decode(end.encode()), end);
    }

    #[test]
    fn lengths_survive_in_their_shortest_form(len in 0..=0x7fff_ffff_usize) {
        let length = Length::new(len).unwrap();
        let octets = length.encode();
        let encoded = &octets[..length.encoded_len()];
        prop_assert_eq!(encoded.len(), if len < 128 { 1 } else { 4 });
        prop_assert_eq!(Length::decode(encoded), Some((length, encoded.len())));
    }

    #[test]
    fn records_survive_every_cut(records in vec(record(), 0..20), cuts in cuts()) {
        let octets = write_records(&records);
        prop_assert_eq!(decoded(&cut(&octets, &cuts)), records);
    }

    #[test]
    fn streams_survive_framing(content in vec(any::<u8>(), 0..10), repeat in 0..20_000_usize) {
        let content = content.repeat(repeat);
        let mut octets = Vec::new();
        frames(RecordType::STDOUT, RequestId::MAX, &content).write(&mut octets);
        prop_assert_eq!(octets.len() % 8, 0);
        prop_assert_eq!(octets.len(), frames(RecordType::STDOUT, RequestId::MAX, &content).encoded_len());
        let records = decoded(&[&octets]);
        prop_assert!(records.iter().all(|record| !record.content.is_empty()));
        let contents: Vec<_> = records.iter().map(|record| &record.content[..]).collect();
        prop_assert_eq!(contents.concat(), content);
    }

    #[test]
    fn pairs_survive(pairs in pairs()) {
        let mut octets = Vec::new();
        for (name, value) in &pairs {
            write_name_value(name, value, &mut octets).unwrap();
        }
        let found: Result<Vec<_>, _> = name_values(&octets).collect();
        let expected: Vec<_> = pairs.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        prop_assert_eq!(found.unwrap(), &expected[..]);
        let params = Params::from_pairs(pairs.iter().map(|(n, v)| (n, v))).unwrap();
        prop_assert_eq!(params.iter().collect::<Vec<_>>(), &expected[..]);
        for (name, _) in &expected {
            let last = expected.iter().rev().find(|(found, _)| found == name).map(|(_, v)| *v);
            prop_assert_eq!(params.get(name), last);
        }
    }

    #[test]
    fn a_trace_is_told_as_its_requests_for_every_cut(trace in trace(), cuts in cuts()) {
        let octets = write_records(&trace.records);
        let mut conn = trace::multiplexing();
        let told = feed_all(&mut conn, cut(&octets, &cuts));
        prop_assert_eq!(conn.handle_eof(), Ok(()));
        prop_assert_eq!(conn.pending_output(), b"");
        for (id, request) in &trace.requests {
            prop_assert_eq!(of_request(&told, id.number()), expected(*id, request));
        }
        prop_assert_eq!(told, feed(&mut trace::multiplexing(), &octets));
        prop_assert_eq!(conn.active_requests().count(), trace.requests.len());
    }

    #[test]
    fn a_fault_is_found_where_it_is_for_every_cut(mutated in mutated_trace(), cuts in cuts()) {
        let mut conn = trace::multiplexing();
        let mut told = feed_all(&mut conn, cut(&mutated.octets, &cuts));
        prop_assert_eq!(&told, &feed(&mut trace::multiplexing(), &mutated.octets));
        let error = mutated.error;
        match (error.fate(), mutated.request_id) {
            (Fate::Connection, None) => {
                prop_assert_eq!(conn.handle_eof(), Err(error));
                prop_assert_eq!(conn.pending_output(), b"");
            }
            (Fate::Request, Some(id)) => {
                let refused = Told::Refused(id.number(), error);
                prop_assert!(told.contains(&refused));
                told.retain(|event| *event != refused);
                let body = error.answer().unwrap();
                let end = trace::end(id.number(), body.app_status, body.protocol_status);
                prop_assert_eq!(conn.pending_output(), end);
                // The others are undisturbed.
                for (other, request) in &mutated.trace.requests {
                    let expected = if *other == id { vec![] } else { expected(*other, request) };
                    prop_assert_eq!(of_request(&told, other.number()), expected);
                }
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn records_that_mean_nothing_change_nothing(
        trace in trace(),
        strays in vec((record(), any::<prop::sample::Index>()), 1..10),
        cuts in cuts(),
    ) {
        let expected = feed(&mut trace::multiplexing(), &write_records(&trace.records));
        let mut records = trace.records;
        for (mut stray, place) in strays {
            // An id that the trace does not use, or a type that nobody knows.
            match (stray.request_id, stray.record_type) {
                (Some(_), RecordType::BEGIN_REQUEST) => stray.record_type = RecordType(0),
                (Some(_), _) => stray.request_id = RequestId::new(1000),
                (None, _) => {
                    stray.request_id = RequestId::new(1);
                    stray.record_type = RecordType(100 | stray.record_type.0);
                }
            }
            records.insert(place.index(records.len() + 1), stray);
        }
        let mut conn = trace::multiplexing();
        let octets = write_records(&records);
        prop_assert_eq!(feed_all(&mut conn, cut(&octets, &cuts)), expected);
        prop_assert_eq!(conn.pending_output(), b"");
    }

    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..400), cuts in cuts()) {
        let pieces = cut(&octets, &cuts);
        feed_all(&mut trace::multiplexing(), pieces.iter().copied());
        receive_all(&mut busy_web_server(Limits::default()), pieces.iter().copied());
        let _ = name_values(&octets).count();
    }

    #[test]
    fn no_records_panic_and_every_cut_ends_alike(
        records in vec(record(), 0..60),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cuts in cuts(),
        mpxs_conns: bool,
    ) {
        let mut octets = write_records(&records);
        for (place, bits) in flips {
            if !octets.is_empty() {
                let place = place.index(octets.len());
                octets[place] ^= bits;
            }
        }
        for limits in [tight(), Limits::default()] {
            let mut config = application::Config::default();
            config.roles = Roles::ALL;
            config.mpxs_conns = mpxs_conns;
            let mut whole = application::Connection::new(config, limits);
            let mut in_pieces = application::Connection::new(config, limits);
            let told = feed(&mut whole, &octets);
            prop_assert_eq!(feed_all(&mut in_pieces, cut(&octets, &cuts)), told);
            prop_assert_eq!(in_pieces.pending_output(), whole.pending_output());
            prop_assert!(whole.pending_output().len() <= limits.replies_len);
            prop_assert!(whole.active_requests().count() <= limits.requests.max(1));

            let mut whole = busy_web_server(limits);
            let mut in_pieces = busy_web_server(limits);
            let told = trace::receive(&mut whole, &octets);
            prop_assert_eq!(receive_all(&mut in_pieces, cut(&octets, &cuts)), told);
        }
    }

    #[test]
    fn both_sides_agree_over_a_link_that_cuts_and_delays(
        plans in vec(plan(), 1..6),
        steps in vec((0..4_u8, any::<u16>()), 1..60),
        mpxs_conns: bool,
        params_content_len in prop_oneof![Just(65_528_usize), 1..100_usize],
    ) {
        let mut link = Link::new(plans, mpxs_conns, params_content_len);
        for (action, amount) in steps {
            link.step(action, usize::from(amount));
        }
        link.settle();
        link.check();
    }
}

/// A Web server with three requests in flight.
fn busy_web_server(limits: Limits) -> web_server::Connection {
    let mut conn = web_server::Connection::new(web_server::Config::default(), limits);
    conn.set_values(Values {
        mpxs_conns: Some(true),
        ..Values::default()
    });
    for _ in 0..3 {
        conn.begin(fcgi_proto::Role::RESPONDER, true, &mut Vec::new())
            .unwrap();
    }
    conn
}

/// A request and what becomes of it.
#[derive(Clone, Debug)]
struct Plan {
    request: fcgi_proto::strategies::Request,
    /// What the application writes, to STDERR where the first is true.
    output: Vec<(bool, Vec<u8>)>,
    app_status: u32,
    /// The application answers without waiting for STDIN and DATA.
    early: bool,
    /// The Web server aborts after that many steps of sending.
    abort_after: Option<usize>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let output = vec((any::<bool>(), vec(any::<u8>(), 0..100)), 0..6);
    let abort_after = proptest::option::weighted(0.2, 0..5_usize);
    (request(), output, any::<u32>(), any::<bool>(), abort_after).prop_map(
        |(request, output, app_status, early, abort_after)| {
            // A Filter may not write before the end of STDIN.
            let early = early && request.role != fcgi_proto::Role::FILTER;
            Plan {
                request,
                output,
                app_status,
                early,
                abort_after,
            }
        },
    )
}

/// What one side knows of one request.
#[derive(Debug, Default)]
struct Progress {
    id: Option<RequestId>,
    /// Steps of writing taken.
    steps: usize,
    stdin: Vec<u8>,
    data: Vec<u8>,
    input_complete: bool,
    aborted: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    ended: Option<(u32, ProtocolStatus)>,
    params: Option<Params>,
}

/// Both machines and the octets on their way.
struct Link {
    plans: Vec<Plan>,
    web_server: web_server::Connection,
    application: application::Connection,
    to_application: Vec<u8>,
    to_web_server: Vec<u8>,
    /// Of each plan, at the Web server.
    sent: Vec<Progress>,
    /// Of each plan, at the application.
    served: Vec<Progress>,
}

impl Link {
    fn new(plans: Vec<Plan>, mpxs_conns: bool, params_content_len: usize) -> Self {
        let mut config = trace::multiplexing_config();
        config.mpxs_conns = mpxs_conns;
        let mut server_config = web_server::Config::default();
        server_config.params_content_len = params_content_len;
        let mut web_server = web_server::Connection::new(server_config, Limits::default());
        let mut to_application = Vec::new();
        web_server.get_values(&mut to_application);
        Self {
            web_server,
            application: application::Connection::new(config, Limits::default()),
            to_application,
            to_web_server: Vec::new(),
            sent: plans.iter().map(|_| Progress::default()).collect(),
            served: plans.iter().map(|_| Progress::default()).collect(),
            plans,
        }
    }

    /// One step, if there is something to do. Whether there was.
    fn step(&mut self, action: u8, amount: usize) -> bool {
        match action {
            0 => self.send(amount),
            1 => self.deliver_to_application(amount),
            2 => self.deliver_to_web_server(amount),
            _ => self.serve(amount),
        }
    }

    /// Goes on until there is nothing to do.
    fn settle(&mut self) {
        let mut amount = 7;
        while (0..4).fold(false, |busy, action| self.step(action, amount) | busy) {
            amount = amount * 5 % 997;
        }
    }

    /// The Web server begins a request or takes a step with one.
    fn send(&mut self, choice: usize) -> bool {
        let out = &mut self.to_application;
        if let Some(index) = self.sent.iter().position(|sent| sent.id.is_none())
            && choice.is_multiple_of(2)
            && let Ok(id) = self
                .web_server
                .begin(self.plans[index].request.role, true, out)
        {
            self.sent[index].id = Some(id);
            return true;
        }
        let active: Vec<_> = (0..self.sent.len())
            .filter(|index| {
                let sent = &self.sent[*index];
                sent.id.is_some() && sent.ended.is_none() && !sent.aborted && sent.steps < 6
            })
            .collect();
        if active.is_empty() {
            // The choice may have been odd where something could have begun.
            return choice % 2 == 1 && self.send(choice + 1);
        }
        let index = active[choice / 2 % active.len()];
        let (plan, sent) = (&self.plans[index], &mut self.sent[index]);
        let (id, request) = (sent.id.unwrap(), &plan.request);
        if plan.abort_after == Some(sent.steps) {
            sent.aborted = true;
            self.web_server.abort(id, out).unwrap();
            return true;
        }
        let is_filter = request.role == fcgi_proto::Role::FILTER;
        match sent.steps {
            0 => {
                let pairs = request.params.iter().map(|(n, v)| (n, v));
                self.web_server.params(id, pairs, out).unwrap();
            }
            1 => self
                .web_server
                .stdin(id, &request.stdin[..request.stdin.len() / 2], out)
                .unwrap(),
            2 => self
                .web_server
                .stdin(id, &request.stdin[request.stdin.len() / 2..], out)
                .unwrap(),
            3 => self.web_server.stdin_end(id, out).unwrap(),
            4 if is_filter => self.web_server.data(id, &request.data, out).unwrap(),
            5 if is_filter => self.web_server.data_end(id, out).unwrap(),
            _ => {}
        }
        sent.steps += 1;
        true
    }

    /// The application takes a step with a request.
    fn serve(&mut self, choice: usize) -> bool {
        let ready: Vec<_> = (0..self.served.len())
            .filter(|index| {
                let served = &self.served[*index];
                let may = served.input_complete || served.aborted || self.plans[*index].early;
                served.id.is_some() && served.ended.is_none() && may
            })
            .collect();
        if ready.is_empty() {
            return false;
        }
        let index = ready[choice % ready.len()];
        let (plan, served) = (&self.plans[index], &mut self.served[index]);
        let (id, out) = (served.id.unwrap(), &mut self.to_web_server);
        match plan.output.get(served.steps) {
            Some((is_error, data)) if !served.aborted => {
                if *is_error {
                    self.application.stderr(id, data, out).unwrap();
                    served.stderr.extend(data);
                } else {
                    self.application.stdout(id, data, out).unwrap();
                    served.stdout.extend(data);
                }
                served.steps += 1;
            }
            _ => {
                let after = self
                    .application
                    .end_request(id, plan.app_status, out)
                    .unwrap();
                assert_eq!(after, AfterRequest::KeepConnection);
                served.ended = Some((plan.app_status, ProtocolStatus::REQUEST_COMPLETE));
            }
        }
        true
    }

    fn deliver_to_application(&mut self, amount: usize) -> bool {
        use application::Event;
        let octets: Vec<u8> = {
            let len = amount.min(self.to_application.len());
            self.to_application.drain(..len).collect()
        };
        let mut input = &octets[..];
        while let Some(event) = self.application.handle_input(&mut input).unwrap() {
            match event {
                Event::Request { id, begin, params } => {
                    // Requests arrive in the order in which they were begun only without multiplexing.
                    let index = self.index_at_web_server(id);
                    let request = &self.plans[index].request;
                    assert_eq!(begin.role, request.role);
                    let served = &mut self.served[index];
                    assert!(served.id.is_none());
                    served.id = Some(id);
                    served.params = Some(params);
                }
                Event::Stdin { id, data } => self.served_by(id).stdin.extend(data),
                Event::StdinEnd { id } => {
                    let index = self.index_at_application(id);
                    self.served[index].input_complete =
                        self.plans[index].request.role != fcgi_proto::Role::FILTER;
                }
                Event::Data { id, data } => self.served_by(id).data.extend(data),
                Event::DataEnd { id } => self.served_by(id).input_complete = true,
                Event::Abort { id } => self.served_by(id).aborted = true,
                other => panic!("{other:?}"),
            }
        }
        assert!(input.is_empty());
        self.application.take_output(&mut self.to_web_server);
        !octets.is_empty()
    }

    fn deliver_to_web_server(&mut self, amount: usize) -> bool {
        use web_server::Event;
        let octets: Vec<u8> = {
            let len = amount.min(self.to_web_server.len());
            self.to_web_server.drain(..len).collect()
        };
        let mut input = &octets[..];
        while let Some(event) = self.web_server.handle_input(&mut input).unwrap() {
            match event {
                Event::Stdout { id, data } => self.sent_as(id).stdout.extend(data),
                Event::Stderr { id, data } => self.sent_as(id).stderr.extend(data),
                Event::StdoutEnd { .. } | Event::StderrEnd { .. } => {}
                Event::End {
                    id,
                    app_status,
                    protocol_status,
                } => {
                    self.sent_as(id).ended = Some((app_status, protocol_status));
                }
                Event::Values(values) => {
                    let config = trace::multiplexing_config();
                    assert_eq!(values.max_conns, Some(config.max_conns));
                    assert!(values.mpxs_conns.is_some());
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(input.is_empty());
        !octets.is_empty()
    }

    /// The plan whose request has this id at the Web server and has not ended there.
    fn index_at_web_server(&self, id: RequestId) -> usize {
        self.sent
            .iter()
            .position(|sent| sent.id == Some(id) && sent.ended.is_none())
            .unwrap()
    }

    /// The plan whose request has this id at the application and has not ended there.
    fn index_at_application(&self, id: RequestId) -> usize {
        let active = |served: &Progress| served.id == Some(id) && served.ended.is_none();
        self.served.iter().position(active).unwrap()
    }

    fn served_by(&mut self, id: RequestId) -> &mut Progress {
        let index = self.index_at_application(id);
        &mut self.served[index]
    }

    fn sent_as(&mut self, id: RequestId) -> &mut Progress {
        let index = self.index_at_web_server(id);
        &mut self.sent[index]
    }

    /// Every request has ended, and both sides saw the same of it.
    fn check(&self) {
        assert!(self.application.is_idle());
        assert_eq!(self.web_server.active_requests().count(), 0);
        for ((plan, sent), served) in self.plans.iter().zip(&self.sent).zip(&self.served) {
            let request = &plan.request;
            let Some(params) = &served.params else {
                // Aborted before it was known: the machine has ended it.
                assert!(sent.aborted);
                assert_eq!(sent.ended, Some((0, ProtocolStatus::REQUEST_COMPLETE)));
                continue;
            };
            let pairs: Vec<_> = params
                .iter()
                .map(|(n, v)| (n.to_vec(), v.to_vec()))
                .collect();
            assert_eq!(pairs, request.params);
            assert!(request.stdin.starts_with(&served.stdin));
            assert!(request.data.starts_with(&served.data));
            if !plan.early && !sent.aborted {
                assert_eq!(
                    (&served.stdin, &served.data),
                    (&request.stdin, &request.data)
                );
            }
            assert_eq!(
                (&sent.stdout, &sent.stderr),
                (&served.stdout, &served.stderr)
            );
            assert_eq!(sent.ended, served.ended);
            assert_eq!(sent.ended.unwrap().0, plan.app_status);
        }
    }
}
