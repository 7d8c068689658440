//! CSRF tokens, and the headers of a browser that show a cross-site request.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use ring::hmac;
use ring::rand::SystemRandom;

/// The key of the CSRF tokens. Replicas behind one address need the same one.
#[derive(Clone)]
pub struct CsrfKey(hmac::Key);

impl CsrfKey {
    /// A random key, for a single process. `None` when the system has no random bytes.
    pub fn random() -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.ok().map(Self)
    }

    /// The key of 32 secret bytes, which replicas share.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A token for an administrator. It is valid for one to two hours.
    pub(super) fn token(&self, actor: &str) -> String {
        let tag = hmac::sign(&self.0, &message(actor, hour()));
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn accepts(&self, actor: &str, token: &str) -> bool {
        let digits = token.as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let tag: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        let now = hour();
        tag.is_some_and(|tag| {
            [now, now.saturating_sub(1)]
                .iter()
                .any(|hour| hmac::verify(&self.0, &message(actor, *hour), &tag).is_ok())
        })
    }
}

impl fmt::Debug for CsrfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfKey(..)")
    }
}

fn message(actor: &str, hour: u64) -> Vec<u8> {
    [&hour.to_be_bytes(), actor.as_bytes()].concat()
}

fn hour() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() / 3600)
}

/// Whether a browser says that a request comes from another site. A client that is no browser sends
/// none of these headers.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, b"same-origin" | b"none");
    }
    let Some(origin) = header(ORIGIN.as_str()) else {
        return false;
    };
    let origin = origin.splitn(2, |byte| *byte == b'/').nth(1);
    let authority = origin.and_then(|rest| rest.strip_prefix(b"/"));
    authority.is_none() || authority != header(HOST.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_its_administrator_alone() {
        let key = CsrfKey::new(&[7; 32]);
        let token = key.token("user:alice");
        assert!(key.accepts("user:alice", &token));
        assert!(CsrfKey::new(&[7; 32]).accepts("user:alice", &token), "replicas");
        assert!(!key.accepts("user:bob", &token));
        assert!(!CsrfKey::new(&[8; 32]).accepts("user:alice", &token));
        for wrong in ["", "0", "zz", "é", &token[1..]] {
            assert!(!key.accepts("user:alice", wrong), "{wrong}");
        }
    }

    #[test]
    fn the_headers_of_a_browser_show_a_cross_site_request() {
        let cross_site = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (http::HeaderName::from_static(name), value.parse().expect("a value"))
            });
            is_cross_site(&headers.collect())
        };
        for fine in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("origin", "https://cap.example"), ("host", "cap.example")],
            &[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")],
        ] {
            assert!(!cross_site(fine), "{fine:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "cap.example")],
            &[("origin", "null"), ("host", "cap.example")],
            &[("origin", "https://cap.example")],
        ] {
            assert!(cross_site(other), "{other:?}");
        }
    }
}
