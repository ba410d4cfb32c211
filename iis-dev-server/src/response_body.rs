//! The body of a response: octets at hand, or a stream of blocks.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::sink::{BodyReceiver, Truncated};

/// A body for hyper.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// All of it; `None` when it was sent or is empty.
    Whole(Option<Bytes>),
    /// Blocks as they come.
    Stream(BodyReceiver),
    /// The blocks have ended too early.
    Broken,
}

impl ResponseBody {
    pub(crate) fn empty() -> Self {
        Self::Whole(None)
    }

    pub(crate) fn whole(octets: impl Into<Bytes>) -> Self {
        let octets = octets.into();
        Self::Whole((!octets.is_empty()).then_some(octets))
    }

    pub(crate) fn stream(receiver: BodyReceiver) -> Self {
        Self::Stream(receiver)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        let this = self.get_mut();
        match this {
            Self::Whole(octets) => Poll::Ready(octets.take().map(|octets| Ok(Frame::data(octets)))),
            Self::Stream(receiver) => match receiver.poll_recv(context) {
                Poll::Ready(Some(Err(_))) => {
                    // An error makes hyper drop what it has not written yet. It writes while a body has nothing to say, so
                    // the error comes with the next call.
                    *this = Self::Broken;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                other => other.map(|block| block.map(|block| block.map(Frame::data))),
            },
            Self::Broken => {
                // Whoever asks again is told that there is no more.
                *this = Self::Whole(None);
                Poll::Ready(Some(Err(Truncated)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(octets) => {
                SizeHint::with_exact(octets.as_ref().map_or(0, |octets| octets.len() as u64))
            }
            Self::Stream(_) | Self::Broken => SizeHint::default(),
        }
    }
}
