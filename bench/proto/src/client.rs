//! The crate `fastcgi-client` over memory.

use std::hint::black_box;

use fastcgi_client::{Client, Params, Request};
use tokio::runtime::{Builder, Runtime};

use crate::Response;
use crate::stream::{Duplex, Source};

/// A runtime of one thread.
#[derive(Debug)]
pub struct FastcgiClient {
    runtime: Runtime,
}

impl FastcgiClient {
    /// A new runtime.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        Ok(Self { runtime })
    }

    /// Makes a request with these variables and collects the response `count` times on one connection; the octets of
    /// the responses, or 0 for a failure.
    #[must_use]
    pub fn request(
        &self,
        variables: &[(String, String)],
        response: &Response,
        count: usize,
    ) -> usize {
        let stream = Duplex(Source::new(response.octets.clone(), count));
        let received = self.runtime.block_on(async {
            let mut client = Client::new_keep_alive_tokio(stream);
            let mut received = 0;
            for _ in 0..count {
                // The client takes its variables as a map of its own, which is part of its work.
                let mut params = Params::default();
                for (name, value) in variables {
                    params.insert(name.as_str().into(), value.as_str().into());
                }
                let request = Request::new_tokio(params, tokio::io::empty());
                let response = client.execute(request).await?;
                received += black_box(response).stdout.map_or(0, |octets| octets.len());
            }
            Ok::<usize, fastcgi_client::ClientError>(received)
        });
        received.unwrap_or(0)
    }
}
