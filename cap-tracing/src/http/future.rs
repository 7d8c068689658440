//! The future of an answer, under the span of its request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cap_names::ErrorClass;
use http::Response;
use pin_project_lite::pin_project;

use crate::span::Span;

pin_project! {
    /// The future of both layers. The span is current while the future is polled, and ends with the
    /// answer. If the caller drops the future before that, the span ends as failed.
    #[derive(Debug)]
    pub struct TraceFuture<F> {
        #[pin]
        inner: F,
        // `None` once the span has ended.
        span: Option<Span>,
    }

    impl<F> PinnedDrop for TraceFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(span) = this.project().span.take() {
                span.record_error(ErrorClass::Network, &"dropped before there was an answer");
            }
        }
    }
}

impl<F> TraceFuture<F> {
    pub(super) fn new(mut span: Span, call: impl FnOnce(&Span) -> F) -> Self {
        // Every poll asks for the context.
        span.materialize();
        Self { inner: call(&span), span: Some(span) }
    }
}

impl<F, R, E> Future for TraceFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = match &*this.span {
            Some(span) => ready!(span.in_scope(|| this.inner.poll(cx))),
            None => ready!(this.inner.poll(cx)),
        };
        if let Some(span) = this.span.take() {
            match &outcome {
                Ok(response) => span.record_status(response.status()),
                Err(_) => span.record_no_answer(),
            }
        }
        Poll::Ready(outcome)
    }
}
