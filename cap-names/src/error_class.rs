//! The class of an error.

crate::closed_enum! {
    /// The kind of a failure.
    ///
    /// The value of the metric label `error_class` and of the span attribute
    /// [`cap.error.class`](crate::attributes::ERROR_CLASS).
    pub enum ErrorClass: "error class" {
        /// The peer could not be reached, or the connection broke.
        Network = "network",
        /// The peer refused the credentials or the permission.
        Auth = "auth",
        /// The peer answered that a later try may succeed.
        IoTransient = "io_transient",
        /// The peer answered that no later try will succeed.
        IoPermanent = "io_permanent",
        /// The input or the configuration was wrong; nothing was sent.
        Validation = "validation",
    }
}

impl ErrorClass {
    /// The class of an HTTP response's status code (RFC 9110, section 15).
    ///
    /// | status | class |
    /// |---|---|
    /// | below 400 | none: the response is no error |
    /// | 401, 403 | `Auth` |
    /// | 429 | `IoTransient` |
    /// | other 4xx | `IoPermanent` |
    /// | 500 and above | `IoTransient` |
    ///
    /// A status past 599 counts as 5xx, as RFC 9110 asks of a client.
    pub const fn from_http_status(status: u16) -> Option<Self> {
        match status {
            ..=399 => None,
            401 | 403 => Some(Self::Auth),
            429 | 500.. => Some(Self::IoTransient),
            _ => Some(Self::IoPermanent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClosedEnum as _;

    #[test]
    fn every_value_parses_back() {
        for class in ErrorClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
        assert!("Network".parse::<ErrorClass>().is_err());
    }

    #[test]
    fn an_http_status_has_a_class_from_400_on() {
        use ErrorClass::{Auth, IoPermanent, IoTransient};
        for (statuses, class) in [
            (&[0, 100, 200, 204, 302, 304, 399][..], None),
            (&[401, 403], Some(Auth)),
            (&[400, 402, 404, 413, 428, 430, 499], Some(IoPermanent)),
            (&[429, 500, 501, 503, 599, 600, 999], Some(IoTransient)),
        ] {
            for status in statuses {
                assert_eq!(ErrorClass::from_http_status(*status), class, "{status}");
            }
        }
    }
}
