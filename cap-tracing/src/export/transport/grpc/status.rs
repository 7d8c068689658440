//! The status of a gRPC answer, and when to retry (OTLP specification, OTLP/gRPC Response,
//! Failures).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use prost::Message;

use super::super::answer::printable;
use super::super::failure::{Failure, Retry};
use super::code::Code;

const CODE: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

pub(super) struct Status {
    code: Code,
    message: String,
    retry_delay: Option<Duration>,
}

impl Status {
    /// The status in these headers or trailers, if there is one.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Some(Self {
            code: Code::of(text(CODE)?),
            message: percent_decoded(text(MESSAGE).unwrap_or_default()),
            retry_delay: text(DETAILS).and_then(retry_delay),
        })
    }

    pub(super) fn is_ok(&self) -> bool {
        self.code == Code::Ok
    }

    pub(super) fn into_failure(self) -> Failure {
        let after = self.retry_delay;
        // Without a delay, the cause may be the size of the request, which a retry does not change.
        let exhausted = self.code == Code::ResourceExhausted;
        let retryable = self.code.is_retryable() || exhausted && after.is_some();
        let advice = if exhausted && after.is_none() {
            "; if the request was too large, raise the collector's max_recv_msg_size_mib or lower telemetry.tracing.batch_size"
        } else {
            ""
        };
        Failure {
            class: self.code.class(),
            what: format!("answered {self}{advice}"),
            retry: retryable.then_some(Retry { after }),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if self.message.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", printable(&self.message))
    }
}

/// `google.rpc.Status`, without the fields that are not read.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Reads `grpc-status-details-bin`: base64, with or without padding.
fn retry_delay(details: &str) -> Option<Duration> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let details = Details::decode(&*BASE64.decode(details).ok()?).ok()?;
    let mut any = details.details.into_iter();
    let info = any.find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(&*info.value).ok()?.retry_delay?;
    Some(Duration::new(
        u64::try_from(delay.seconds).unwrap_or(0),
        u32::try_from(delay.nanos).map_or(0, |nanos| nanos.min(999_999_999)),
    ))
}

/// A percent sign that encodes nothing stays.
fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_names::ErrorClass;

    fn status(code: &str, details: Option<&Delay>) -> Status {
        let mut headers = HeaderMap::new();
        headers.insert(CODE, code.parse().expect("a value"));
        headers.insert(MESSAGE, "100%25 full%0A".parse().expect("a value"));
        if let Some(delay) = details {
            let info = RetryInfo { retry_delay: Some(delay.clone()) };
            let details = Details {
                details: vec![Any {
                    type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
                    value: info.encode_to_vec(),
                }],
            };
            let text = base64::prelude::BASE64_STANDARD_NO_PAD.encode(details.encode_to_vec());
            headers.insert(DETAILS, text.parse().expect("a value"));
        }
        Status::of(&headers).expect("a status")
    }

    #[test]
    fn a_code_is_tried_again_as_the_otlp_specification_says() {
        let codes = (0..20).filter(|code| {
            let failure = status(&code.to_string(), None).into_failure();
            failure.retry.is_some()
        });
        assert_eq!(codes.collect::<Vec<_>>(), [1, 4, 10, 11, 14, 15]);
    }

    #[test]
    fn a_code_says_whose_move_it_is() {
        for (code, class) in [
            ("2", ErrorClass::IoTransient),
            ("3", ErrorClass::IoPermanent),
            ("7", ErrorClass::Auth),
            ("8", ErrorClass::IoTransient),
            ("12", ErrorClass::IoPermanent),
            ("13", ErrorClass::IoTransient),
            ("14", ErrorClass::IoTransient),
            ("16", ErrorClass::Auth),
        ] {
            let failure = status(code, None).into_failure();
            assert_eq!(failure.class, class, "{}", failure.what);
        }
    }

    #[test]
    fn an_exhausted_collector_is_asked_again_only_when_it_says_when() {
        let failure = status("8", None).into_failure();
        assert!(failure.retry.is_none());
        assert!(failure.what.contains("batch_size"), "{}", failure.what);

        for (seconds, nanos, expected) in [
            (2, 500_000_000, Duration::from_millis(2500)),
            (0, 0, Duration::ZERO),
            (-3, -1, Duration::ZERO),
            (i64::MAX, i32::MAX, Duration::new(i64::MAX as u64, 999_999_999)),
        ] {
            let failure = status("8", Some(&Delay { seconds, nanos })).into_failure();
            let after = failure.retry.expect("another try").after;
            assert_eq!(after, Some(expected));
        }
    }

    #[test]
    fn what_the_collector_says_is_decoded_and_kept_to_one_line() {
        let failure = status("13", None).into_failure();
        assert_eq!(failure.what, "answered INTERNAL (100% full )");
        assert_eq!(percent_decoded("50% off %zz%"), "50% off %zz%");
        assert!(status("teapot", None).to_string().starts_with("UNKNOWN"));
    }
}
