//! The way of a response from a process to the client's connection.
//!
//! The head is gathered and told as the [`Answer`]; the body's blocks wait here while the client does not take them.

use std::collections::VecDeque;
use std::fmt;

use hyper::body::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::cgi_response::{HeadFault, HeadParser, Pushed, ResponseHead};
use crate::exchange::{Fault, READ_LEN};

/// Octets of a response kept in memory at most, whatever `responseBufferLimit` says.
const BUFFER_LEN_MAX: usize = 64 * 1024 * 1024;

/// Blocks of a response between this module and the client's connection.
const BODY_BLOCKS: usize = 4;

/// The beginning of a response, or why there is none.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The head, and the body unless there is none.
    Response(Box<ResponseHead>, Option<BodyReceiver>),
    /// Why there is no response.
    Fault(Box<Fault>),
}

/// The blocks of a response's body. An error means that the rest is missing.
pub(crate) type BodyReceiver = mpsc::Receiver<Result<Bytes, Truncated>>;

/// The rest of a response is missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the FastCGI application broke off its response")
    }
}

impl std::error::Error for Truncated {}

/// What is left to send to the client when the process is free again.
#[derive(Debug)]
pub(crate) struct Rest {
    sink: Sink,
    truncated: bool,
}

impl Rest {
    pub(crate) fn new(sink: Sink, truncated: bool) -> Self {
        Self { sink, truncated }
    }

    /// Sends it, as fast as the client takes it.
    pub(crate) async fn send(mut self) {
        while !self.sink.queue.is_empty() {
            if matches!(self.sink.advance().await, Advance::Gone) {
                return;
            }
        }
        if let (true, Some(body)) = (self.truncated, self.sink.body) {
            // The receiver is gone only together with the client.
            let _client_gone = body.send(Err(Truncated)).await;
        }
    }
}

/// The way to the client.
#[derive(Debug)]
pub(crate) struct Sink {
    /// Until the head is complete.
    answer: Option<oneshot::Sender<Answer>>,
    /// From then on, if there is a body.
    body: Option<mpsc::Sender<Result<Bytes, Truncated>>>,
    parser: HeadParser,
    queue: VecDeque<Bytes>,
    queued_len: usize,
    buffer_len: usize,
    head_only: bool,
    /// What the application announced, and what it has written of the body.
    content_length: Option<u64>,
    body_len: u64,
    /// Whether output before the head is dropped, as the answer will be another.
    held: bool,
}

#[derive(Debug)]
pub(crate) enum Advance {
    /// A block has gone.
    Sent,
    /// The client is no longer there.
    Gone,
}

impl Sink {
    pub(crate) fn new(answer: oneshot::Sender<Answer>, head_only: bool, buffer_len: usize) -> Self {
        Self {
            answer: Some(answer),
            body: None,
            parser: HeadParser::default(),
            queue: VecDeque::new(),
            queued_len: 0,
            buffer_len: buffer_len.clamp(READ_LEN, BUFFER_LEN_MAX),
            head_only,
            content_length: None,
            body_len: 0,
            held: false,
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.queued_len < self.buffer_len
    }

    /// Takes octets of `FCGI_STDOUT`.
    pub(crate) fn stdout(&mut self, data: &[u8]) {
        if self.answer.is_none() {
            if self.body.is_some() {
                self.enqueue(Bytes::copy_from_slice(data));
            }
            return;
        }
        if self.held {
            return;
        }
        match self.parser.push(data) {
            Ok(Pushed::Incomplete) => {}
            Ok(Pushed::Complete(head, body)) => {
                for name in &head.dropped {
                    tracing::warn!(
                        name,
                        "a header of one connection is left out of the response"
                    );
                }
                let bodiless = self.head_only || matches!(head.status.as_u16(), 204 | 205 | 304);
                let receiver = if bodiless {
                    None
                } else {
                    let (sender, receiver) = mpsc::channel(BODY_BLOCKS);
                    self.body = Some(sender);
                    self.content_length = head.content_length();
                    Some(receiver)
                };
                self.answer(Answer::Response(head, receiver));
                if self.body.is_some() && !body.is_empty() {
                    self.enqueue(body.into());
                }
            }
            Err(fault) => self.head_fault(fault),
        }
    }

    /// The request has ended well for FastCGI. What is odd about the response is for the log.
    pub(crate) fn end(&mut self) -> Option<String> {
        if self.answer.is_some() {
            let fault = self.parser.ended();
            self.head_fault(fault);
        }
        let announced = self.content_length?;
        let written = self.body_len;
        let differs = self.body.is_some() && announced != written;
        differs.then(|| {
            format!("a response has a Content-Length of {announced} and a body of {written} octets")
        })
    }

    fn head_fault(&mut self, fault: HeadFault) {
        let excerpt = self.parser.excerpt();
        self.fault(Fault::Head { fault, excerpt });
    }

    /// Answers with a fault, if nothing was answered yet.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.answer(Answer::Fault(Box::new(fault)));
    }

    fn answer(&mut self, answer: Answer) {
        if let Some(sender) = self.answer.take() {
            // A client that has left is noticed elsewhere.
            let _client_gone = sender.send(answer);
        }
    }

    /// Holds the response back in favour of another; whether it is not too late for that.
    pub(crate) fn hold(&mut self) -> bool {
        self.held = self.answer.is_some();
        self.held
    }

    fn enqueue(&mut self, block: Bytes) {
        self.queued_len += block.len();
        self.body_len += block.len() as u64;
        self.queue.push_back(block);
    }

    /// Whether the head has gone and a body follows.
    pub(crate) fn has_begun(&self) -> bool {
        self.body.is_some()
    }

    /// Drops what is there and what will come.
    pub(crate) fn close(&mut self) {
        self.answer = None;
        self.body = None;
        self.queue.clear();
        self.queued_len = 0;
    }

    /// Passes a block on, or notices that the client has left. Nothing is lost if the future is dropped.
    pub(crate) async fn advance(&mut self) -> Advance {
        if let Some(answer) = &mut self.answer {
            answer.closed().await;
            return Advance::Gone;
        }
        let Some(body) = &self.body else {
            return std::future::pending().await;
        };
        if self.queue.is_empty() {
            body.closed().await;
            return Advance::Gone;
        }
        let Ok(permit) = body.reserve().await else {
            return Advance::Gone;
        };
        if let Some(block) = self.queue.pop_front() {
            self.queued_len -= block.len();
            permit.send(Ok(block));
        }
        Advance::Sent
    }
}
