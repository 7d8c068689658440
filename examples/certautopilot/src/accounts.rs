//! Who may log in, and who is.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cap_telemetry::names::{Actor, ActorType};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, verify};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Who administers the organisation. The product has roles here.
const ADMINS: [&str; 1] = ["alice@example.com"];

/// Whether this is an administrator of the organisation. Keys are none.
pub(crate) fn is_admin(actor: &Actor) -> bool {
    actor.kind() == ActorType::User && ADMINS.contains(&actor.id())
}

/// How long a session lasts.
pub(crate) const SESSION: Duration = Duration::from_secs(3600);
/// Sessions at most; past it the one that ends first makes room.
const SESSIONS: usize = 10_000;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(100_000).expect("not 0");

/// User, salt, and PBKDF2-HMAC-SHA-256 of the password, which for all of them is `correct horse battery staple`. The product
/// has a directory here.
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

/// Whether the password is this user's. It takes about as long for a user who does not exist. It takes long: call it where
/// blocking is allowed.
pub(crate) fn password_is_right(user: &str, password: &str) -> bool {
    let known = USERS.iter().find(|(name, ..)| *name == user);
    let (_, salt, hash) = known.unwrap_or(&USERS[0]);
    let right = verify(
        PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &bytes(hash),
    );
    right.is_ok() && known.is_some()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0) as u8;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// The sessions of those who logged in.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (String, Instant)>>);

impl Sessions {
    /// Opens a session, and returns its token; `None` when the system gives no random bytes.
    pub(crate) fn open(&self, user: &str) -> Option<String> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).ok()?;
        let token: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        sessions.retain(|_, (_, end)| *end > now);
        if sessions.len() >= SESSIONS {
            let first = sessions.iter().min_by_key(|(_, (_, end))| *end);
            if let Some(first) = first.map(|(token, _)| token.clone()) {
                sessions.remove(&first);
            }
        }
        sessions.insert(token.clone(), (user.to_owned(), now + SESSION));
        Some(token)
    }

    /// The user of a session that has not ended.
    pub(crate) fn user(&self, token: &str) -> Option<String> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (user, end) = sessions.get(token)?;
        (*end > Instant::now()).then(|| user.clone())
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
        assert!(password_is_right(
            "alice@example.com",
            "correct horse battery staple"
        ));
        assert!(password_is_right(
            "carol@example.com",
            "correct horse battery staple"
        ));
        assert!(!password_is_right("bob@example.com", "hunter2"));
        assert!(!password_is_right(
            "mallory@example.com",
            "correct horse battery staple"
        ));
    }

    #[test]
    fn a_token_leads_back_to_its_user() {
        let sessions = Sessions::default();
        let token = sessions.open("alice@example.com").unwrap();
        assert_eq!(sessions.user(&token).as_deref(), Some("alice@example.com"));
        assert_eq!(sessions.user("guessed"), None);
    }
}
