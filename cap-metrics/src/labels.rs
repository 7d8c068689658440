//! The types of label values: closed enums, HTTP status codes, and open words interned within a limit.

use std::borrow::Cow;

use cap_names::{ClosedEnum, closed_enum};

use crate::catalogue::Values;
use crate::storage::Interner;

/// A type that may stand as a label in the catalogue.
pub(crate) trait Label: Copy {
    const VALUES: Values;
    /// How many different ids there are; ids run from 0.
    const CARDINALITY: usize;

    fn id(self) -> usize;
    fn word(self, words: &Words) -> Cow<'static, str>;
    /// The value that a series past its family's limit is folded into; a closed label keeps its own.
    fn folded(self) -> Self;
    /// Whether this is the value of an overflow series.
    fn is_folded(self) -> bool {
        false
    }
}

impl<T: ClosedEnum> Label for T {
    const VALUES: Values = Values::Closed(<T as ClosedEnum>::VALUES);
    const CARDINALITY: usize = T::ALL.len();

    fn id(self) -> usize {
        self.index()
    }

    fn word(self, _: &Words) -> Cow<'static, str> {
        Cow::Borrowed(self.as_str())
    }

    fn folded(self) -> Self {
        self
    }
}

/// Declares the open labels: a handle type each, and the interner that holds its words.
macro_rules! open_labels {
    ($($(#[$meta:meta])* $name:ident in $field:ident, at most $limit:literal;)+) => {
        $(
            $(#[$meta])*
            ///
            /// A handle to a word known to one [`Metrics`](crate::Metrics); past the label's limit it stands for `_overflow`.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name(u32);

            impl Label for $name {
                const VALUES: Values = Values::Open { limit: $limit };
                const CARDINALITY: usize = $limit + 1;

                #[inline]
                fn id(self) -> usize {
                    self.0 as usize
                }

                fn word(self, words: &Words) -> Cow<'static, str> {
                    Cow::Owned(words.$field.word(self.0))
                }

                fn folded(self) -> Self {
                    $name(Interner::OVERFLOW)
                }

                fn is_folded(self) -> bool {
                    self.0 == Interner::OVERFLOW
                }
            }
        )+

        /// The words of every open label of one `Metrics`.
        #[derive(Debug)]
        pub(crate) struct Words {
            $($field: Interner,)+
        }

        impl Words {
            pub(crate) fn new() -> Self {
                Words { $($field: Interner::new($limit),)+ }
            }

            $(#[inline]
            pub(crate) fn $field(&self, word: &str) -> $name {
                $name(self.$field.intern(word))
            })+

            /// A route by its pattern, in whichever spelling.
            #[inline]
            pub(crate) fn route_pattern(&self, pattern: &str) -> Route {
                let normal = |pattern: &str| cap_names::route_pattern(pattern).into();
                Route(self.route.intern_as(pattern, normal))
            }
        }
    };
}

open_labels! {
    /// A route pattern in `:name` form.
    Route in route, at most 256;
    /// A type of job.
    JobType in job_type, at most 32;
    /// A type of issuer: `acme`, `msca`, …
    IssuerType in issuer_type, at most 16;
    /// A distribution module.
    Module in module, at most 64;
    /// A KEK provider.
    KekProvider in kek_provider, at most 8;
    /// A kind of notification channel.
    ChannelType in channel_type, at most 16;
    /// An external system: `acme`, `msca`, a DNS provider, a module.
    Provider in provider, at most 64;
    /// An operation asked of an external system.
    Endpoint in endpoint, at most 64;
}

/// A label of an inventory, whose series come and go as whole snapshots; the limit bounds one snapshot.
macro_rules! inventory_labels {
    ($($(#[$meta:meta])* $name:ident, at most $limit:literal;)+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug)]
            pub(crate) enum $name {}

            impl $name {
                pub(crate) const VALUES: Values = Values::Open { limit: $limit };
            }
        )+
    };
}

inventory_labels! {
    /// A host that holds KEK versions.
    Host, at most 256;
    /// A KEK version.
    Version, at most 64;
    /// The KEK version a rotation moves to.
    Target, at most 64;
    /// A KEK rotation.
    RotationId, at most 64;
    /// A discovery source.
    SourceId, at most 1024;
    /// The version of the process.
    BuildVersion, at most 1;
    /// The source revision of the process.
    BuildRevision, at most 1;
    /// A metric of this catalogue.
    FamilyName, at most 128;
}

/// An HTTP status code, or `none` when no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpStatus(u16);

impl HttpStatus {
    /// No response came.
    pub const NONE: HttpStatus = HttpStatus(0);
    const OTHER: u16 = 501;

    /// The code of a response. A code outside 100–599, which RFC 9110 section 15 does not define, is `other`.
    pub fn new(code: u16) -> Self {
        match code {
            100..=599 => HttpStatus(code - 99),
            _ => HttpStatus(Self::OTHER),
        }
    }
}

impl Label for HttpStatus {
    const VALUES: Values = Values::HttpStatus;
    const CARDINALITY: usize = Self::OTHER as usize + 1;

    fn id(self) -> usize {
        self.0 as usize
    }

    fn word(self, _: &Words) -> Cow<'static, str> {
        match self.0 {
            0 => Cow::Borrowed("none"),
            Self::OTHER => Cow::Borrowed("other"),
            code => Cow::Owned((code + 99).to_string()),
        }
    }

    fn folded(self) -> Self {
        self
    }
}

closed_enum! {
    /// An HTTP request method; one that RFC 9110 and RFC 5789 do not define is folded into `other`.
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
        /// Anything else.
        Other = "other",
    }
}

impl HttpMethod {
    /// The method of a request line; matching is case-sensitive (RFC 9110 section 9.1).
    pub fn of(method: &str) -> Self {
        method.parse().unwrap_or(HttpMethod::Other)
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
            http::Method::GET => HttpMethod::Get,
            http::Method::HEAD => HttpMethod::Head,
            http::Method::POST => HttpMethod::Post,
            http::Method::PUT => HttpMethod::Put,
            http::Method::DELETE => HttpMethod::Delete,
            http::Method::CONNECT => HttpMethod::Connect,
            http::Method::OPTIONS => HttpMethod::Options,
            http::Method::TRACE => HttpMethod::Trace,
            http::Method::PATCH => HttpMethod::Patch,
            _ => HttpMethod::Other,
        }
    }
}

closed_enum! {
    /// How a job ended.
    pub enum JobResult: "job result" {
        /// All of it was done.
        Success = "success",
        /// None of it was done.
        Failed = "failed",
        /// Some of it was done.
        Partial = "partial",
    }
}

closed_enum! {
    /// The state of a certificate in the inventory.
    pub enum CertificateStatus: "certificate status" {
        /// Valid, and its last renewal did not fail.
        Active = "active",
        /// Past its notAfter.
        Expired = "expired",
        /// Revoked.
        Revoked = "revoked",
        /// Its last renewal failed for good.
        RenewalFailed = "renewal_failed",
    }
}

closed_enum! {
    /// The days under which a certificate counts as expiring.
    pub enum ExpiryThreshold: "expiry threshold" {
        /// 7 days.
        D7 = "7",
        /// 14 days.
        D14 = "14",
        /// 30 days.
        D30 = "30",
        /// 90 days.
        D90 = "90",
    }
}

closed_enum! {
    /// What set off a renewal.
    pub enum RenewalTrigger: "renewal trigger" {
        /// The scheduler.
        Scheduled = "scheduled",
        /// A person.
        Manual = "manual",
        /// An API client.
        Api = "api",
    }
}

closed_enum! {
    /// How an operation ended that has no middle way.
    pub enum Outcome: "outcome" {
        /// It was done.
        Success = "success",
        /// It was not.
        Failed = "failed",
    }
}

impl From<bool> for Outcome {
    fn from(success: bool) -> Self {
        if success {
            Outcome::Success
        } else {
            Outcome::Failed
        }
    }
}

closed_enum! {
    /// How a distribution to several targets ended.
    pub enum ExecutionStatus: "distribution status" {
        /// Every target has it.
        Success = "success",
        /// No target has it.
        Failed = "failed",
        /// Some targets have it.
        Partial = "partial",
    }
}

closed_enum! {
    /// What a target of a distribution answered: `none`, or the class of its error.
    pub enum TargetResult: "target result" {
        /// No error.
        None = "none",
        /// Not reached.
        Network = "network",
        /// Refused the credentials.
        Auth = "auth",
        /// Trying again may help.
        IoTransient = "io_transient",
        /// Trying again will not help.
        IoPermanent = "io_permanent",
        /// The input was wrong.
        Validation = "validation",
    }
}

impl From<Option<cap_names::ErrorClass>> for TargetResult {
    fn from(error: Option<cap_names::ErrorClass>) -> Self {
        use cap_names::ErrorClass;
        match error {
            None => TargetResult::None,
            Some(ErrorClass::Network) => TargetResult::Network,
            Some(ErrorClass::Auth) => TargetResult::Auth,
            Some(ErrorClass::IoTransient) => TargetResult::IoTransient,
            Some(ErrorClass::IoPermanent) => TargetResult::IoPermanent,
            Some(ErrorClass::Validation) => TargetResult::Validation,
        }
    }
}

closed_enum! {
    /// The severity of a discovery finding.
    pub enum FindingSeverity: "finding severity" {
        /// Critical.
        Critical = "critical",
        /// High.
        High = "high",
        /// Medium.
        Medium = "medium",
        /// Low.
        Low = "low",
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn the_method_of_a_request_is_the_one_of_its_name() {
        for name in <HttpMethod as ClosedEnum>::VALUES
            .iter()
            .copied()
            .chain(["get", "PROPFIND"])
        {
            let method = http::Method::from_bytes(name.as_bytes()).expect("a token");
            assert_eq!(HttpMethod::from(&method), HttpMethod::of(name), "{name}");
        }
    }
}
