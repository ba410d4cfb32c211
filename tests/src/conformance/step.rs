//! The steps of a case: what is done to the machine, and what it has to make of it.

use fcgi_proto::{BeginRequest, Fate, Flags, ProtocolStatus, RecordType, Role, Values};

use super::fields::{Fields, split_pairs};
use super::record::RawRecord;
use super::told::Told;
use super::vector::Side;

/// One action, and everything that has to come of it before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The line of the file where it begins.
    pub line: usize,
    /// What is done.
    pub action: Action,
    /// The events that it must cause, in this order.
    pub told: Vec<Told>,
    /// The octets that it must cause, exactly.
    pub sent: Vec<u8>,
    /// Whether the machine must want the connection closed afterwards.
    pub closes: Option<bool>,
}

/// What is done to a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Octets arrive.
    Receive(Vec<u8>),
    /// The input ends.
    Eof,
    /// The driver calls the machine; `error` is the fault with which that must be refused.
    Call {
        /// The call.
        call: Call,
        /// The request; 0 where there is none.
        id: u16,
        /// The name of the fault.
        error: Option<String>,
    },
}

/// A call of the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// Content for a stream.
    Write(RecordType, Vec<u8>),
    /// The end of a stream; of a Web server only.
    EndStream(RecordType),
    /// The application has answered.
    EndRequest {
        /// What a CGI program would have given to `exit`.
        app_status: u32,
    },
    /// The application does not take the request.
    RejectRequest(ProtocolStatus),
    /// A Web server begins a request; the id of the call is what it must be given.
    Begin(Role, bool),
    /// A Web server's variables.
    Params(Vec<(String, String)>),
    /// A Web server's client has left.
    Abort,
    /// A Web server asks for the application's limits.
    GetValues,
}

/// The steps of a case, each with the number of its line, put together.
pub(super) fn stages(
    side: Side,
    steps: impl IntoIterator<Item = (usize, Fields)>,
    faults: &mut Vec<(usize, String)>,
) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for (line, mut fields) in steps {
        let kinds = ["receive", "call", "eof", "event", "send", "fault", "closes"];
        let mut found = kinds.into_iter().filter(|kind| fields.has(kind));
        let (kind, second) = (found.next(), found.next());
        let (Some(kind), None) = (kind, second) else {
            let kinds = kinds.join("`, `");
            faults.push((line, format!("a step has exactly one of `{kinds}`")));
            continue;
        };
        if let "receive" | "call" | "eof" = kind {
            let action = action(side, kind, &mut fields);
            match (action, stages.last_mut()) {
                (
                    Action::Receive(more),
                    Some(Stage {
                        action: Action::Receive(octets),
                        told,
                        sent,
                        closes: None,
                        ..
                    }),
                ) if told.is_empty() && sent.is_empty() => octets.extend(more),
                (action, _) => stages.push(Stage {
                    line,
                    action,
                    told: Vec::new(),
                    sent: Vec::new(),
                    closes: None,
                }),
            }
        } else if let Some(stage) = stages.last_mut() {
            expectation(kind, &mut fields, stage);
        } else {
            faults.push((line, format!("`{kind}` comes before anything was done")));
            continue;
        }
        let what = format!("this `{kind}`");
        faults.extend(fields.finish(&what).into_iter().map(|fault| (line, fault)));
    }
    stages
}

fn action(side: Side, kind: &str, fields: &mut Fields) -> Action {
    match kind {
        "receive" => Action::Receive(octets("receive", fields)),
        "eof" => {
            fields.flag("eof");
            Action::Eof
        }
        _ => {
            let name = fields.needed_text("call");
            let call = call(side, &name, fields);
            let id = match call {
                Call::GetValues => 0,
                _ => fields.needed_number("id"),
            };
            let error = fields.text("error");
            Action::Call { call, id, error }
        }
    }
}

/// The octets of a record, or of several where `split` says so, or as they are for the type `octets`.
fn octets(key: &str, fields: &mut Fields) -> Vec<u8> {
    let record_type = fields.record_type_or_octets(key);
    let mut out = Vec::new();
    let cut = fields.number::<usize>("cut");
    if let Some(record_type) = record_type {
        let id = fields.number("id").unwrap_or_default();
        let version = fields.number("version").unwrap_or(1);
        let padding = fields.number("padding");
        let reserved = fields.number("reserved").unwrap_or_default();
        let content_length = fields.number("content_length");
        let split = fields.number::<usize>("split").unwrap_or(usize::MAX).max(1);
        let content = body(record_type, fields);
        let pieces: Vec<&[u8]> = match content.len() {
            0 => vec![b""],
            _ => content.chunks(split).collect(),
        };
        for content in pieces {
            let record = RawRecord {
                version,
                record_type,
                id,
                content,
                content_length,
                padding,
                reserved,
            };
            record.write(&mut out);
        }
    } else {
        out = fields.content();
    }
    if let Some(cut) = cut {
        out.truncate(cut);
    }
    out
}

/// The content of a record: the fields of a discrete one by name, unless it is given as octets.
fn body(record_type: u8, fields: &mut Fields) -> Vec<u8> {
    let by_name = !fields.has("text") && !fields.has("hex") && !fields.has("pairs");
    match RecordType(record_type) {
        RecordType::BEGIN_REQUEST if by_name => {
            let role = fields.number("role").unwrap_or(1_u16);
            let flags = fields.number("flags").unwrap_or_default();
            let [high, low] = role.to_be_bytes();
            vec![high, low, flags, 0, 0, 0, 0, 0]
        }
        RecordType::END_REQUEST if by_name => {
            let app_status = fields.number("app_status").unwrap_or(0_u32);
            let protocol_status = fields.number("protocol_status").unwrap_or_default();
            let [a, b, c, d] = app_status.to_be_bytes();
            vec![a, b, c, d, protocol_status, 0, 0, 0]
        }
        RecordType::UNKNOWN_TYPE if by_name => {
            vec![fields.record_type("record_type"), 0, 0, 0, 0, 0, 0, 0]
        }
        _ => fields.content(),
    }
}

fn call(side: Side, name: &str, fields: &mut Fields) -> Call {
    let status = |fields: &mut Fields| ProtocolStatus(fields.needed_number("protocol_status"));
    match (side, name) {
        (Side::Application, "stdout") => Call::Write(RecordType::STDOUT, fields.content()),
        (Side::Application, "stderr") => Call::Write(RecordType::STDERR, fields.content()),
        (Side::Application, "end_request") => Call::EndRequest {
            app_status: fields.number("app_status").unwrap_or_default(),
        },
        (Side::Application, "reject_request") => Call::RejectRequest(status(fields)),
        (Side::WebServer, "begin") => Call::Begin(
            Role(fields.number("role").unwrap_or(1)),
            fields.flag("keep_conn").unwrap_or_default(),
        ),
        (Side::WebServer, "params") => Call::Params(fields.pairs()),
        (Side::WebServer, "stdin") => Call::Write(RecordType::STDIN, fields.content()),
        (Side::WebServer, "data") => Call::Write(RecordType::DATA, fields.content()),
        (Side::WebServer, "stdin_end") => Call::EndStream(RecordType::STDIN),
        (Side::WebServer, "data_end") => Call::EndStream(RecordType::DATA),
        (Side::WebServer, "abort") => Call::Abort,
        (Side::WebServer, "get_values") => Call::GetValues,
        _ => {
            let side = side.name();
            let fault = format!("`call` is `{name}`, which is no call of the {side} side");
            fields.faults.push(fault);
            Call::GetValues
        }
    }
}

fn expectation(kind: &str, fields: &mut Fields, stage: &mut Stage) {
    match kind {
        "send" => stage.sent.extend(octets("send", fields)),
        "closes" => stage.closes = fields.flag("closes"),
        "fault" => {
            let fault = fields.needed_text("fault");
            let offset = fields.number("offset");
            let fate = match fields.needed_text("fate").as_str() {
                "connection" => Fate::Connection,
                "request" => Fate::Request,
                other => {
                    let fault = format!("`fate` is `{other}`, expected `connection` or `request`");
                    fields.faults.push(fault);
                    Fate::Connection
                }
            };
            stage.told.push(Told::Fault {
                fault,
                offset,
                fate,
            });
        }
        _ => {
            let name = fields.needed_text("event");
            match event(&name, fields) {
                Some(told) => stage.told.push(told),
                None => fields
                    .faults
                    .push(format!("`event` is `{name}`, which is none")),
            }
        }
    }
}

fn event(name: &str, fields: &mut Fields) -> Option<Told> {
    let stream = |name: &str| match name {
        "stdin" => Some(RecordType::STDIN),
        "data" => Some(RecordType::DATA),
        "stdout" => Some(RecordType::STDOUT),
        "stderr" => Some(RecordType::STDERR),
        _ => None,
    };
    if let Some(stream) = name.strip_suffix("_end").and_then(stream) {
        let id = fields.needed_number("id");
        return Some(Told::StreamEnd { stream, id });
    }
    if let Some(stream) = stream(name) {
        let (id, data) = (fields.needed_number("id"), fields.content());
        return Some(Told::Content { stream, id, data });
    }
    Some(match name {
        "request" => {
            let id = fields.needed_number("id");
            let role = Role(fields.number("role").unwrap_or(1));
            let flags = Flags(fields.number("flags").unwrap_or_default());
            let params = split_pairs(&fields.content()).unwrap_or_else(|| {
                let fault = "the octets of a request's variables are not whole pairs";
                fields.faults.push(fault.to_owned());
                Vec::new()
            });
            Told::Request {
                id,
                begin: BeginRequest { role, flags },
                params,
            }
        }
        "abort" => Told::Abort {
            id: fields.needed_number("id"),
        },
        "refused" => Told::Refused {
            id: fields.needed_number("id"),
            fault: fields.needed_text("why"),
            offset: Some(fields.needed_number("offset")),
        },
        "end" => Told::End {
            id: fields.needed_number("id"),
            app_status: fields.number("app_status").unwrap_or_default(),
            protocol_status: ProtocolStatus(fields.number("protocol_status").unwrap_or_default()),
        },
        "values" => Told::Values(Values {
            max_conns: fields.number("max_conns"),
            max_reqs: fields.number("max_reqs"),
            mpxs_conns: fields.flag("mpxs_conns"),
        }),
        "unknown_type" => Told::UnknownType(RecordType(fields.record_type("record_type"))),
        _ => return None,
    })
}
