//! The types of label values that only metrics have: closed sets of values, and open ones with
//! their limits.

use cap_names::{ErrorClass, closed_enum};

use super::values::{LabelType, Values};

pub(crate) use cap_names::DenialClass;

pub use super::http::{HttpMethod, HttpStatus};

/// Calls `$callback!` with the open labels: the type of each, the field that holds its values, and
/// the most different values.
macro_rules! open_labels {
    ($callback:ident) => {
        $callback! {
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
            /// An operation that an external system offers.
            Endpoint in endpoint, at most 64;
        }
    };
}

pub(crate) use open_labels;

macro_rules! handles {
    ($($(#[$meta:meta])* $name:ident in $field:ident, at most $limit:literal;)+) => {$(
        $(#[$meta])*
        ///
        /// A handle to a value of one [`Metrics`](crate::Metrics). Past the label's limit it stands
        /// for `_overflow`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub(crate) u32);

        impl LabelType for $name {
            const VALUES: Values = Values::Open { limit: $limit };
        }
    )+};
}

open_labels!(handles);

/// A label of an inventory, whose series come and go as whole snapshots. The limit bounds a
/// snapshot.
macro_rules! inventory_labels {
    ($($(#[$meta:meta])* $name:ident, at most $limit:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum $name {}

        impl LabelType for $name {
            const VALUES: Values = Values::Open { limit: $limit };
        }
    )+};
}

inventory_labels! {
    /// A host that holds KEK versions.
    Host, at most 256;
    /// A KEK version.
    Version, at most 64;
    /// The KEK version that a rotation moves to.
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
        /// Its last renewal failed, and no retry follows.
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
    /// The result of an operation: success or failure.
    pub enum Outcome: "outcome" {
        /// It was done.
        Success = "success",
        /// It was not.
        Failed = "failed",
    }
}

impl From<bool> for Outcome {
    fn from(success: bool) -> Self {
        if success { Self::Success } else { Self::Failed }
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
    /// What a distribution target answered: `none`, or the class of its error.
    pub enum TargetResult: "target result" {
        /// No error.
        None = "none",
        /// The target was not reached.
        Network = "network",
        /// The target refused the credentials.
        Auth = "auth",
        /// A retry may help.
        IoTransient = "io_transient",
        /// A retry does not help.
        IoPermanent = "io_permanent",
        /// The input was wrong.
        Validation = "validation",
    }
}

impl From<Option<ErrorClass>> for TargetResult {
    fn from(error: Option<ErrorClass>) -> Self {
        match error {
            None => Self::None,
            Some(ErrorClass::Network) => Self::Network,
            Some(ErrorClass::Auth) => Self::Auth,
            Some(ErrorClass::IoTransient) => Self::IoTransient,
            Some(ErrorClass::IoPermanent) => Self::IoPermanent,
            Some(ErrorClass::Validation) => Self::Validation,
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
