//! Who may log in, who is logged in, and who sent a request.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cap_telemetry::names::{Actor, ActorType};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, verify};

use crate::ids;
use crate::sync::lock;

pub(crate) const SESSION: Duration = Duration::from_secs(3600);
/// Sessions at most; one more ends them all.
const SESSIONS: usize = 10_000;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(100_000).expect("not 0");

/// Users of example.com, and PBKDF2-HMAC-SHA-256 of the password, which for all of them is
/// `correct horse battery staple`. The product has a directory here.
const USERS: [(&str, &str); 3] = [
    ("alice", "u7dT8iLKUeMj5QEaArD1tXREk1Z0aZnL6k-o4V3IAOo"),
    ("bob", "N98bfihbFXrMlqLC98iUYzFkbc8XOaZQJ5cljFdT3jI"),
    ("carol", "5DWdi43VIK-2TnONDOxMwqn9Sb_uLocHXHrd9RvTQe4"),
];

/// Reads `kind:id`, as callers and rows spell an actor; a bare `id` is a user. `None` when the id
/// is empty or holds a control character.
pub(crate) fn actor(text: &str) -> Option<Actor> {
    let (kind, id) = match text.split_once(':') {
        Some((kind, id)) => (kind.parse().ok()?, id),
        None => (ActorType::User, text),
    };
    let plain = !id.is_empty() && !id.chars().any(char::is_control);
    plain.then(|| Actor::new(kind, id))
}

/// Whether this is an administrator of the organization. API keys are none.
pub(crate) fn is_admin(actor: &Actor) -> bool {
    actor.kind() == ActorType::User && actor.id() == "alice@example.com"
}

/// Whether the password is this user's. An unknown user takes as long as a known one. This blocks
/// for long.
pub(crate) fn password_is_right(user: &str, password: &str) -> bool {
    let name = user.strip_suffix("@example.com").unwrap_or_default();
    let known = USERS.iter().find(|(known, _)| *known == name);
    let (name, hash) = known.unwrap_or(&USERS[0]);
    let salt = format!("reference-{name}");
    let hash = BASE64_URL_SAFE_NO_PAD.decode(hash).unwrap_or_default();
    let (salt, password) = (salt.as_bytes(), password.as_bytes());
    let right = verify(PBKDF2_HMAC_SHA256, ITERATIONS, salt, password, &hash);
    right.is_ok() && known.is_some()
}

/// Why the sender of a request is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unauthenticated {
    #[error("log in and send the token, or name the caller in x-actor")]
    MissingCaller,
    #[error("the session is unknown or over: log in again")]
    UnknownSession,
    #[error("x-actor: write user:ID or api_key:ID")]
    InvalidActor,
}

/// The users of the sessions, by token, and when each ends.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (String, Instant)>>);

impl Sessions {
    pub(crate) fn open(&self, user: &str) -> String {
        let token = ids::hex(&ids::random::<[u8; 32]>());
        let mut sessions = lock(&self.0);
        let now = Instant::now();
        sessions.retain(|_, (_, end)| *end > now);
        if sessions.len() >= SESSIONS {
            sessions.clear();
        }
        sessions.insert(token.clone(), (user.to_owned(), now + SESSION));
        token
    }

    /// Who sent a request with these headers: the user of the session whose token is in
    /// `authorization`, or what the proxy in front says in `x-actor`.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Actor, Unauthenticated> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        if let Some(authorization) = header(AUTHORIZATION.as_str()) {
            return self.user(authorization.strip_prefix("Bearer ").unwrap_or_default());
        }
        let claimed = header("x-actor").ok_or(Unauthenticated::MissingCaller)?;
        // Nobody can claim to be a part of the product.
        let actor = actor(claimed).filter(|actor| actor.kind() != ActorType::System);
        actor.ok_or(Unauthenticated::InvalidActor)
    }

    /// The same for a page, to which a browser sends the session as a cookie. A cookie may count
    /// only where tokens against forged requests are checked.
    pub(crate) fn caller_of_page(&self, headers: &HeaderMap) -> Result<Actor, Unauthenticated> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
        match pairs.find_map(|pair| pair.trim().strip_prefix("session=")) {
            Some(token) => self.user(token),
            None => self.caller(headers),
        }
    }

    fn user(&self, token: &str) -> Result<Actor, Unauthenticated> {
        match lock(&self.0).get(token) {
            Some((user, end)) if *end > Instant::now() => Ok(Actor::user(user)),
            _ => Err(Unauthenticated::UnknownSession),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_name_users_and_keys_but_never_the_system() {
        let spelled = |text: &str| {
            let headers = HeaderMap::from_iter([("x-actor".parse().unwrap(), text.parse().ok()?)]);
            Some(Sessions::default().caller(&headers).ok()?.to_string())
        };
        assert_eq!(spelled("user:alice"), Some("user:alice".to_owned()));
        assert_eq!(spelled("alice"), Some("user:alice".to_owned()));
        assert_eq!(spelled("api_key:k1"), Some("api_key:k1".to_owned()));
        for refused in ["system:scheduler", "robot:r2", "user:", "", "a\nb"] {
            assert_eq!(spelled(refused), None, "{refused:?}");
        }
    }
}
