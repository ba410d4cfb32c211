//! Runs a case against the machines of `fcgi-proto`.

use fcgi_proto::{
    Chunk, Decoder, Error, Fate, Limits, RecordType, RequestId, application, web_server,
};

use super::record::type_name;
use super::step::{Action, Call, Stage};
use super::told::{Told, fault_name};
use super::vector::{Case, Side};

/// Runs a case, its input in pieces of `piece` octets.
///
/// # Errors
/// What was expected and what happened instead, for a person.
pub fn check(case: &Case, piece: usize) -> Result<(), String> {
    let mut machine = Machine::new(case);
    for stage in &case.stages {
        machine
            .check(stage, piece.max(1))
            .map_err(|fault| format!("line {}: {fault}", stage.line))?;
    }
    Ok(())
}

#[derive(Debug)]
enum Machine {
    Application(Box<application::Connection>),
    WebServer(Box<web_server::Connection>),
}

impl Machine {
    fn new(case: &Case) -> Self {
        let limits: Limits = case.limits;
        match case.side {
            Side::Application => {
                let connection = application::Connection::new(case.config, limits);
                Self::Application(Box::new(connection))
            }
            Side::WebServer => {
                let config = web_server::Config::default();
                Self::WebServer(Box::new(web_server::Connection::new(config, limits)))
            }
        }
    }

    fn check(&mut self, stage: &Stage, piece: usize) -> Result<(), String> {
        let (mut told, mut sent) = (Vec::new(), Vec::new());
        match &stage.action {
            Action::Receive(octets) => self.receive(octets, piece, &mut told)?,
            Action::Eof => {
                let result = match self {
                    Self::Application(connection) => connection.handle_eof(),
                    Self::WebServer(connection) => connection.handle_eof(),
                };
                told.extend(result.err().as_ref().map(Told::fault));
            }
            Action::Call { call, id, error } => {
                let found = self.call(call, *id, &mut sent)?.err();
                if found.is_some_and(|found| found.fate() != Fate::Call) {
                    return Err(format!("the connection had failed: {found:?}"));
                }
                let found = found.as_ref().map(fault_name);
                if found != error.as_deref() {
                    return Err(format!(
                        "expected the call to end with {error:?}, found {found:?}"
                    ));
                }
            }
        }
        if let Self::Application(connection) = self {
            connection.take_output(&mut sent);
        }
        if told != stage.told {
            return Err(format!(
                "expected the events {:#?}, found {told:#?}",
                stage.told
            ));
        }
        if sent != stage.sent {
            return Err(format!(
                "expected to be sent\n{}found\n{}",
                outline(&stage.sent),
                outline(&sent)
            ));
        }
        let closes = match self {
            Self::Application(connection) => connection.should_close(),
            Self::WebServer(connection) => connection.should_close(),
        };
        match stage.closes {
            Some(expected) if expected != closes => {
                Err(format!("expected `closes = {expected}`, found {closes}"))
            }
            _ => Ok(()),
        }
    }

    fn receive(&mut self, octets: &[u8], piece: usize, told: &mut Vec<Told>) -> Result<(), String> {
        for mut input in octets.chunks(piece) {
            loop {
                let event = match self.handle_input(&mut input) {
                    Ok(Some(event)) => event,
                    Ok(None) if input.is_empty() => break,
                    Ok(None) => return Err("input was left".to_owned()),
                    Err(error) => {
                        if self.handle_input(&mut input) != Err(error) {
                            return Err(format!("{error} was forgotten"));
                        }
                        told.push(Told::fault(&error));
                        return Ok(());
                    }
                };
                event.join(told);
            }
        }
        Ok(())
    }

    fn handle_input(&mut self, input: &mut &[u8]) -> Result<Option<Told>, Error> {
        Ok(match self {
            Self::Application(connection) => connection
                .handle_input(input)?
                .and_then(Told::of_application),
            Self::WebServer(connection) => connection
                .handle_input(input)?
                .as_ref()
                .and_then(Told::of_web_server),
        })
    }

    /// What the machine makes of a call.
    fn call(
        &mut self,
        call: &Call,
        number: u16,
        out: &mut Vec<u8>,
    ) -> Result<Result<(), Error>, String> {
        let id = RequestId::new(number).unwrap_or(RequestId::MAX);
        let none = || Err(format!("{call:?} is no call of this side"));
        Ok(match self {
            Self::Application(connection) => match call {
                Call::Write(RecordType::STDOUT, data) => connection.stdout(id, data, out),
                Call::Write(RecordType::STDERR, data) => connection.stderr(id, data, out),
                Call::EndRequest { app_status } => {
                    connection.end_request(id, *app_status, out).map(|_| ())
                }
                Call::RejectRequest(status) => {
                    connection.reject_request(id, *status, out).map(|_| ())
                }
                _ => return none(),
            },
            Self::WebServer(connection) => match call {
                Call::Begin(role, keep_conn) => match connection.begin(*role, *keep_conn, out) {
                    Ok(id) if id.number() != number => {
                        return Err(format!("expected the id {number}, found {id}"));
                    }
                    result => result.map(|_| ()),
                },
                Call::Params(pairs) => {
                    connection.params(id, pairs.iter().map(|(n, v)| (n, v)), out)
                }
                Call::Write(RecordType::STDIN, data) => connection.stdin(id, data, out),
                Call::Write(RecordType::DATA, data) => connection.data(id, data, out),
                Call::EndStream(RecordType::STDIN) => connection.stdin_end(id, out),
                Call::EndStream(RecordType::DATA) => connection.data_end(id, out),
                Call::Abort => connection.abort(id, out),
                Call::GetValues => {
                    connection.get_values(out);
                    Ok(())
                }
                _ => return none(),
            },
        })
    }
}

/// Octets as records, one a line.
fn outline(octets: &[u8]) -> String {
    if octets.is_empty() {
        return "  nothing\n".to_owned();
    }
    let (mut decoder, mut input, mut lines) = (Decoder::new(), octets, String::new());
    while let Ok(Some(chunk)) = decoder.next(&mut input) {
        match chunk {
            Chunk::Header(header) => {
                let id = header.request_id.map_or(0, RequestId::number);
                let name = type_name(header.record_type.0);
                lines.push_str(&format!(
                    "  {name}({id}) {} octets, padding {}: ",
                    header.content_length, header.padding_length
                ));
            }
            Chunk::Content(content) => {
                let shown = &content[..content.len().min(64)];
                lines.push_str(&format!("{}", shown.escape_ascii()));
            }
            Chunk::End => lines.push('\n'),
        }
    }
    lines
}
