//! The ways in which the receiver misbehaves on request.

use super::grpc::Code;
use std::net::SocketAddr;
use std::time::Duration;

/// One way not to accept a well-formed export request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this HTTP status and keeps nothing of the request, as a proxy does also for
    /// gRPC.
    Status {
        /// The HTTP status code.
        code: u16,
        /// Sent as `Retry-After`, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// Answers a request over gRPC with this code and keeps nothing of it. A request over HTTP gets
    /// 500.
    Grpc {
        /// The gRPC status code.
        code: Code,
        /// Sent as the delay of a `google.rpc.RetryInfo`.
        retry_after: Option<Duration>,
    },
    /// Answers 307 with a `Location` on another server, and keeps nothing of the request.
    Redirect(SocketAddr),
    /// Accepts all but the last spans of the request, and answers with a partial success.
    Partial {
        /// How many spans are rejected.
        rejected: usize,
    },
    /// Keeps the spans, and closes the connection in the middle of the answer.
    Reset,
    /// Keeps the spans, and answers only after this time.
    Late(Duration),
    /// Keeps nothing and never answers, until the receiver stops.
    Hang,
}

impl Fault {
    /// A status without `Retry-After`.
    pub const fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }
}
