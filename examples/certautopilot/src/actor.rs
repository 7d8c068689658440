//! Who acts, as callers and rows spell it: `user:alice@example.com`.

use cap_telemetry::names::{Actor, ActorType};

/// Reads `kind:id`; a bare `id` is a user. `None` when the id is empty or holds a control
/// character.
pub(crate) fn parse(text: &str) -> Option<Actor> {
    let (kind, id) = match text.split_once(':') {
        Some((kind, id)) => (kind.parse().ok()?, id),
        None => (ActorType::User, text),
    };
    let plain = !id.is_empty() && !id.chars().any(char::is_control);
    plain.then(|| Actor::new(kind, id))
}

/// Like [`parse`], for a caller's claim: nobody can claim to be a part of the product.
pub(crate) fn claimed(text: &str) -> Option<Actor> {
    parse(text).filter(|actor| actor.kind() != ActorType::System)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_name_users_and_keys_but_never_the_system() {
        let spelled = |text| claimed(text).map(|actor| actor.to_string());
        assert_eq!(spelled("user:alice"), Some("user:alice".to_owned()));
        assert_eq!(spelled("alice"), Some("user:alice".to_owned()));
        assert_eq!(spelled("api_key:k1"), Some("api_key:k1".to_owned()));
        for refused in ["system:scheduler", "robot:r2", "user:", "", "a\nb"] {
            assert_eq!(spelled(refused), None, "{refused:?}");
        }
    }
}
