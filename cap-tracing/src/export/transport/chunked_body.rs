//! The body of an export request, in chunks.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The kernel takes some microseconds for a chunk.
const CHUNK: usize = 8 * 1024;

/// Yields the processor between chunks. If processors are few, sending a whole batch at once would
/// delay every request in progress by more than the time that a request takes.
#[derive(Debug)]
pub(super) struct ChunkedBody {
    left: Bytes,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    /// The first chunk, or the one after a break.
    Chunk,
    /// A break, in which the connection writes the chunk that it has.
    Break,
    /// The connection has written it.
    Yield,
}

impl ChunkedBody {
    pub(super) fn new(body: Bytes) -> Self {
        Self { left: body, next: Next::Chunk }
    }
}

impl Body for ChunkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        match self.next {
            Next::Chunk => {}
            Next::Break => {
                self.next = Next::Yield;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // The export thread is not one of a runtime's, so it may yield to other threads.
            Next::Yield => std::thread::yield_now(),
        }
        self.next = Next::Break;
        let length = self.left.len().min(CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_body_comes_whole_with_a_break_between_chunks() {
        for length in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let whole: Bytes = (0..length).map(|n| n as u8).collect();
            let mut body = ChunkedBody::new(whole.clone());
            let mut context = Context::from_waker(Waker::noop());
            let (mut came, mut breaks) = (Vec::new(), 0);
            loop {
                assert_eq!(body.size_hint().exact(), Some((length - came.len()) as u64));
                assert_eq!(body.is_end_stream(), came.len() == length);
                match Pin::new(&mut body).poll_frame(&mut context) {
                    Poll::Pending => breaks += 1,
                    Poll::Ready(None) => break,
                    Poll::Ready(Some(frame)) => {
                        let piece = frame.ok().and_then(|frame| frame.into_data().ok());
                        let piece = piece.expect("data");
                        assert!(piece.len() <= CHUNK);
                        came.extend(piece);
                    }
                }
            }
            assert_eq!(came, whole);
            assert_eq!(breaks, length.div_ceil(CHUNK).saturating_sub(1), "{length}");
        }
    }
}
