//! The crate `tokio-fastcgi` over memory.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio_fastcgi::{RequestResult, Requests};

use crate::stream::{Sink, Source};
use crate::{LOOKED_UP, REPLY, Request};

/// A runtime of one thread.
#[derive(Debug)]
pub struct TokioFastcgi {
    runtime: Runtime,
}

impl TokioFastcgi {
    /// A new runtime.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        Ok(Self { runtime })
    }

    /// Serves the request `count` times on one connection; the octets of output, or 0 for a failure.
    #[must_use]
    pub fn serve(&self, request: &Request, count: usize) -> usize {
        let written = AtomicUsize::new(0);
        let source = Source::new(request.octets.clone(), count);
        let served = self.runtime.block_on(async {
            let mut requests = Requests::new(source, Sink::new(&written), 1, 1);
            while let Some(request) = requests.next().await? {
                request
                    .process(|request| async move {
                        black_box(request.get_param(LOOKED_UP));
                        match request.get_stdout().write(&REPLY).await {
                            Ok(_) => RequestResult::Complete(0),
                            Err(_) => RequestResult::Complete(1),
                        }
                    })
                    .await?;
            }
            Ok::<(), tokio_fastcgi::Error>(())
        });
        served.map_or(0, |()| written.load(Ordering::Relaxed))
    }
}
