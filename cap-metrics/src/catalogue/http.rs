//! The methods and status codes of HTTP, as label values.

use cap_names::closed_enum;

use super::values::{HTTP_STATUSES, LabelType, Values};

/// An HTTP status code, or `none` when no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpStatus(pub(crate) u16);

impl HttpStatus {
    /// No response came.
    pub const NONE: Self = Self(0);
    /// A code outside 100–599.
    pub(crate) const OTHER: Self = Self(HTTP_STATUSES as u16 - 1);

    /// The code of a response. A code outside 100–599 (RFC 9110 section 15) is `other`.
    pub fn new(code: u16) -> Self {
        match code {
            100..=599 => Self(code - 99),
            _ => Self::OTHER,
        }
    }

    /// The code, unless it is `none` or `other`.
    pub(crate) fn code(self) -> Option<u16> {
        (self != Self::NONE && self != Self::OTHER).then_some(self.0 + 99)
    }
}

impl LabelType for HttpStatus {
    const VALUES: Values = Values::HttpStatus;
}

closed_enum! {
    /// An HTTP request method; `other` for one that RFC 9110 and RFC 5789 do not define.
    pub enum HttpMethod: "HTTP method" {
        /// GET
        Get = "GET",
        /// HEAD
        Head = "HEAD",
        /// POST
        Post = "POST",
        /// PUT
        Put = "PUT",
        /// DELETE
        Delete = "DELETE",
        /// CONNECT
        Connect = "CONNECT",
        /// OPTIONS
        Options = "OPTIONS",
        /// TRACE
        Trace = "TRACE",
        /// PATCH
        Patch = "PATCH",
        /// Any other method.
        Other = "other",
    }
}

impl HttpMethod {
    /// The method of a request line. Methods are case-sensitive (RFC 9110 section 9.1).
    pub fn of(method: &str) -> Self {
        method.parse().unwrap_or(Self::Other)
    }
}

#[cfg(feature = "http")]
impl From<http::StatusCode> for HttpStatus {
    fn from(code: http::StatusCode) -> Self {
        Self::new(code.as_u16())
    }
}

#[cfg(feature = "http")]
impl From<&http::Method> for HttpMethod {
    fn from(method: &http::Method) -> Self {
        match *method {
            http::Method::GET => Self::Get,
            http::Method::HEAD => Self::Head,
            http::Method::POST => Self::Post,
            http::Method::PUT => Self::Put,
            http::Method::DELETE => Self::Delete,
            http::Method::CONNECT => Self::Connect,
            http::Method::OPTIONS => Self::Options,
            http::Method::TRACE => Self::Trace,
            http::Method::PATCH => Self::Patch,
            _ => Self::Other,
        }
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use cap_names::ClosedEnum;

    use super::*;

    #[test]
    fn the_method_of_a_request_is_the_one_of_its_name() {
        let known = <HttpMethod as ClosedEnum>::VALUES.iter().copied();
        for name in known.chain(["get", "PROPFIND"]) {
            let method = http::Method::from_bytes(name.as_bytes()).expect("a token");
            assert_eq!(HttpMethod::from(&method), HttpMethod::of(name), "{name}");
        }
    }
}
