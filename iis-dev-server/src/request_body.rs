//! The body of a request, as it comes or gathered before.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame};

/// A request's body: as it comes, or gathered before.
#[derive(Debug)]
pub(crate) enum RequestBody<B> {
    Streamed(B),
    Gathered(Full<Bytes>),
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        match self.get_mut() {
            Self::Streamed(body) => Pin::new(body)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Interrupted))),
            Self::Gathered(body) => Pin::new(body)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Streamed(body) => body.is_end_stream(),
            Self::Gathered(body) => body.is_end_stream(),
        }
    }
}

/// The client's body broke off.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request's body is incomplete")]
pub(crate) struct Interrupted;
