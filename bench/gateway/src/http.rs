//! A Web server as its clients see it.

use std::io::Read as _;
use std::time::Duration;

use ureq::Agent;

use crate::workload::{Answer, Workload};

/// A client that keeps its connection unless the workload wants a fresh one.
#[derive(Debug)]
pub(crate) struct Client {
    url: String,
    agent: Agent,
    buffer: Vec<u8>,
}

impl Client {
    /// Of the server at `url`, which is put in front of each path.
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            agent: agent(),
            buffer: vec![0; 64 * 1024],
        }
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into()
}

impl super::Client for Client {
    fn request(&mut self, workload: Workload) -> Result<Answer, String> {
        if !workload.keep_conn() {
            self.agent = agent();
        }
        let url = format!("{}{}", self.url, workload.path());
        let response = match workload.body() {
            [] => self.agent.get(&url).call(),
            body => self.agent.post(&url).send(body),
        };
        let mut response = response.map_err(|error| error.to_string())?;
        let mut answer = Answer::new(response.status().as_u16());
        let mut reader = response.body_mut().as_reader();
        loop {
            match reader.read(&mut self.buffer) {
                Ok(0) => return Ok(answer),
                Ok(len) => answer.len += len,
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
