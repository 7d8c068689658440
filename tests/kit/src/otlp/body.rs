//! Bodies of answers: whole ones, and those that end before they should.

use bytes::Bytes;
use http::Response;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

pub(super) type Answer = Response<BoxBody<Bytes, io::Error>>;

/// Why a request is refused, and the answer that says so in its protocol.
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) answer: Box<Answer>,
}

pub(super) fn whole(body: impl Into<Bytes>) -> BoxBody<Bytes, io::Error> {
    Full::from(body.into()).map_err(|never| match never {}).boxed()
}

/// A body that ends before it should.
pub(super) enum Cut {
    /// It announces more than it sends. Over HTTP/1, hyper sends the head and closes.
    Short,
    /// It fails: over HTTP/2, hyper sends the head and resets the stream.
    Reset,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(match *self {
            Self::Short => None,
            Self::Reset => Some(Err(io::Error::other("reset"))),
        })
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(2)
    }
}
