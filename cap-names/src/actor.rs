//! Who acted.

use std::fmt;

crate::closed_enum! {
    /// The kind of an [`Actor`].
    ///
    /// The value of the span attribute [`cap.actor.type`](crate::attributes::ACTOR_TYPE), and the
    /// first part of an audit event's actor.
    pub enum ActorType: "actor type" {
        /// A person who logged in.
        User = "user",
        /// A program with an API key.
        ApiKey = "api_key",
        /// The product itself: a scheduler, a job.
        System = "system",
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
        Self { kind, id: id.into() }
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

    /// The identifier, without the kind.
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

    #[test]
    fn an_actor_is_written_kind_colon_id() {
        assert_eq!(Actor::user("alice@example.com").to_string(), "user:alice@example.com");
        assert_eq!(Actor::new(ActorType::ApiKey, "k1").to_string(), "api_key:k1");
    }
}
