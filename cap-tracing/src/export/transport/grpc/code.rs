//! The status codes of gRPC, and what each means for an export.

use cap_names::{ClosedEnum as _, ErrorClass};

cap_names::closed_enum! {
    /// A status code of gRPC (gRPC, Status codes and their use in gRPC), in the order of the
    /// numbers.
    pub(super) enum Code: "gRPC status code" {
        /// 0.
        Ok = "OK",
        /// 1.
        Cancelled = "CANCELLED",
        /// 2.
        Unknown = "UNKNOWN",
        /// 3.
        InvalidArgument = "INVALID_ARGUMENT",
        /// 4.
        DeadlineExceeded = "DEADLINE_EXCEEDED",
        /// 5.
        NotFound = "NOT_FOUND",
        /// 6.
        AlreadyExists = "ALREADY_EXISTS",
        /// 7.
        PermissionDenied = "PERMISSION_DENIED",
        /// 8.
        ResourceExhausted = "RESOURCE_EXHAUSTED",
        /// 9.
        FailedPrecondition = "FAILED_PRECONDITION",
        /// 10.
        Aborted = "ABORTED",
        /// 11.
        OutOfRange = "OUT_OF_RANGE",
        /// 12.
        Unimplemented = "UNIMPLEMENTED",
        /// 13.
        Internal = "INTERNAL",
        /// 14.
        Unavailable = "UNAVAILABLE",
        /// 15.
        DataLoss = "DATA_LOSS",
        /// 16.
        Unauthenticated = "UNAUTHENTICATED",
    }
}

impl Code {
    /// The code of a `grpc-status` header. A number that gRPC does not define is UNKNOWN.
    pub(super) fn of(header: &str) -> Self {
        let number = header.parse::<usize>().ok();
        let code = number.and_then(|number| Self::ALL.get(number));
        code.copied().unwrap_or(Self::Unknown)
    }

    /// Whether another attempt may succeed (OTLP specification, OTLP/gRPC Response, Failures).
    /// RESOURCE_EXHAUSTED is retryable only with a delay, which is not the code's to say.
    pub(super) fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Cancelled
                | Self::DeadlineExceeded
                | Self::Aborted
                | Self::OutOfRange
                | Self::Unavailable
                | Self::DataLoss
        )
    }

    /// The class of an export that ends with this code, as close as possible to the class of the
    /// HTTP status that means the same.
    pub(super) fn class(self) -> ErrorClass {
        match self {
            Self::PermissionDenied | Self::Unauthenticated => ErrorClass::Auth,
            // An exhausted collector may have room later, whether or not it says when.
            Self::Unknown | Self::Internal | Self::ResourceExhausted => ErrorClass::IoTransient,
            _ if self.is_retryable() => ErrorClass::IoTransient,
            _ => ErrorClass::IoPermanent,
        }
    }
}
