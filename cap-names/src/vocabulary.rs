//! Who acted, how bad it was, and what kind of failure it was.

use std::fmt;

crate::closed_enum! {
    /// The kind of failure: metric label `error_class`, span attribute [`cap.error.class`](crate::keys::ERROR_CLASS).
    pub enum ErrorClass: "error class" {
        /// The peer could not be reached, or the connection broke.
        Network = "network",
        /// The peer refused the credentials or the permission.
        Auth = "auth",
        /// The peer answered that trying again later may help (HTTP 429, 5xx).
        IoTransient = "io_transient",
        /// The peer answered that trying again will not help.
        IoPermanent = "io_permanent",
        /// The input was wrong before anything was sent.
        Validation = "validation",
    }
}

crate::closed_enum! {
    /// Who acted: span attribute [`cap.actor.type`](crate::keys::ACTOR_TYPE), first part of an audit event's actor.
    pub enum ActorType: "actor type" {
        /// A person who logged in.
        User = "user",
        /// A program with an API key.
        ApiKey = "api_key",
        /// The product itself: a scheduler, a job.
        System = "system",
    }
}

crate::closed_enum! {
    /// The severity of an audit event, as the product grades it.
    pub enum Severity: "severity" {
        /// Syslog 2, crit.
        Critical = "critical",
        /// Syslog 3, err.
        Error = "error",
        /// Syslog 4, warning.
        Warn = "warn",
        /// Syslog 6, informational.
        Info = "info",
        /// Syslog 7, debug.
        Debug = "debug",
    }
}

impl Severity {
    /// The numerical code of RFC 5424, section 6.2.1, table 2.
    pub fn code(self) -> u8 {
        match self {
            Severity::Critical => 2,
            Severity::Error => 3,
            Severity::Warn => 4,
            Severity::Info => 6,
            Severity::Debug => 7,
        }
    }
}

/// Who acted: a kind and an opaque identifier, written `user:alice@example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    kind: ActorType,
    id: String,
}

impl Actor {
    /// An actor of the given kind.
    pub fn new(kind: ActorType, id: impl Into<String>) -> Self {
        Actor {
            kind,
            id: id.into(),
        }
    }

    /// A person.
    pub fn user(id: impl Into<String>) -> Self {
        Self::new(ActorType::User, id)
    }

    /// A part of the product.
    pub fn system(part: impl Into<String>) -> Self {
        Self::new(ActorType::System, part)
    }

    /// The kind.
    pub fn kind(&self) -> ActorType {
        self.kind
    }

    /// The identifier, without its kind.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Closed;

    #[test]
    fn severities_map_to_the_syslog_codes() {
        let codes: Vec<_> = Severity::ALL
            .iter()
            .map(|severity| (severity.as_str(), severity.code()))
            .collect();
        assert_eq!(
            codes,
            [
                ("critical", 2),
                ("error", 3),
                ("warn", 4),
                ("info", 6),
                ("debug", 7)
            ]
        );
    }

    #[test]
    fn every_word_parses_back_to_its_value() {
        for class in ErrorClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
        assert!("Network".parse::<ErrorClass>().is_err());
    }

    #[test]
    fn an_actor_is_written_kind_colon_id() {
        assert_eq!(
            Actor::user("alice@example.com").to_string(),
            "user:alice@example.com"
        );
        assert_eq!(
            Actor::new(ActorType::ApiKey, "k1").to_string(),
            "api_key:k1"
        );
    }
}
