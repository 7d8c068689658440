//! Who may log in, who is logged in, and who sent a request.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use cap_telemetry::names::{Actor, ActorType};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, verify};

use crate::{actor, ids};

/// How long a session lasts.
pub(crate) const SESSION: Duration = Duration::from_secs(3600);
/// Sessions at most; a further one ends the one that would end first.
const SESSIONS: usize = 10_000;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(100_000).expect("not 0");

/// User, salt, and PBKDF2-HMAC-SHA-256 of the password, which for all of them is
/// `correct horse battery staple`. The product has a directory here.
const USERS: [(&str, &[u8], &str); 3] = [
    (
        "alice@example.com",
        b"reference-alice",
        "bbb753f222ca51e323e5011a02b0f5b574449356746999cbea4fa8e15dc800ea",
    ),
    (
        "bob@example.com",
        b"reference-bob",
        "37df1b7e285b157acc96a2c2f7c8946331646dcf1739a6502797258c5753de32",
    ),
    (
        "carol@example.com",
        b"reference-carol",
        "e4359d8b8dd520afb64e738d0cec4cc2a9fd49bfee2e87075c7addf51bd341ee",
    ),
];

/// Whether this is an administrator of the organization. API keys are none.
pub(crate) fn is_admin(actor: &Actor) -> bool {
    actor.kind() == ActorType::User && actor.id() == "alice@example.com"
}

/// Whether the password is this user's. An unknown user takes as long as a known one. This blocks
/// for long.
pub(crate) fn password_is_right(user: &str, password: &str) -> bool {
    let known = USERS.iter().find(|(name, ..)| *name == user);
    let (_, salt, hash) = known.unwrap_or(&USERS[0]);
    let digit = |i: usize| u8::from_str_radix(&hash[i..i + 2], 16).unwrap_or(0);
    let hash: Vec<_> = (0..hash.len()).step_by(2).map(digit).collect();
    let right = verify(
        PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &hash,
    );
    right.is_ok() && known.is_some()
}

/// Why the sender of a request is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unauthenticated {
    #[error("log in and send the token, or name the caller in x-actor")]
    NoCaller,
    #[error("the session is unknown or over: log in again")]
    NoSession,
    #[error("x-actor: write user:ID or api_key:ID")]
    NoActor,
}

/// The users of the sessions, by token, and when each ends.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (String, Instant)>>);

impl Sessions {
    /// Opens a session, and returns its token.
    pub(crate) fn open(&self, user: &str) -> String {
        let token = ids::hex(&ids::random::<[u8; 32]>());
        let mut sessions = self.lock();
        let now = Instant::now();
        sessions.retain(|_, (_, end)| *end > now);
        if sessions.len() >= SESSIONS {
            let first = sessions.iter().min_by_key(|(_, (_, end))| *end);
            if let Some(first) = first.map(|(token, _)| token.clone()) {
                sessions.remove(&first);
            }
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
        let claimed = header("x-actor").ok_or(Unauthenticated::NoCaller)?;
        actor::claimed(claimed).ok_or(Unauthenticated::NoActor)
    }

    /// The same for a page, to which a browser sends the session as a cookie. A cookie may count
    /// only where tokens against forged requests are checked.
    pub(crate) fn caller_of_page(&self, headers: &HeaderMap) -> Result<Actor, Unauthenticated> {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|it| it.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
        match pairs.find_map(|pair| pair.trim().strip_prefix("session=")) {
            Some(token) => self.user(token),
            None => self.caller(headers),
        }
    }

    fn user(&self, token: &str) -> Result<Actor, Unauthenticated> {
        match self.lock().get(token) {
            Some((user, end)) if *end > Instant::now() => Ok(Actor::user(user)),
            _ => Err(Unauthenticated::NoSession),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_user_with_the_right_password_gets_in() {
        let right = "correct horse battery staple";
        assert!(password_is_right("alice@example.com", right));
        assert!(password_is_right("carol@example.com", right));
        assert!(!password_is_right("bob@example.com", "hunter2"));
        assert!(!password_is_right("mallory@example.com", right));
    }

    #[test]
    fn a_token_leads_back_to_its_user() {
        let sessions = Sessions::default();
        let token = sessions.open("alice@example.com");
        assert_eq!(
            sessions.user(&token).unwrap(),
            Actor::user("alice@example.com")
        );
        assert!(sessions.user("guessed").is_err());
    }
}
