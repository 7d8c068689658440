//! Requests as JWS (RFC 8555, sections 6.2 to 6.5): who signed one, and what it says.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ids;

/// Nonces given out and not used; the oldest ones are forgotten.
const NONCES: usize = 10_000;

/// An error of RFC 8555, section 6.7: the status, the end of the type, and the detail.
pub(super) type Refused = (u16, &'static str, String);

/// A request whose signature, nonce and URL are right.
#[derive(Debug)]
pub(super) struct Signed {
    /// The URL of the account that signed it.
    pub(super) account: String,
    payload: Vec<u8>,
}

impl Signed {
    pub(super) fn payload<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_slice(&self.payload).map_err(malformed)
    }
}

/// Account keys, and the nonces that are still good.
#[derive(Debug, Default)]
pub(super) struct Signers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the URL of the account: the uncompressed point.
    accounts: HashMap<String, Vec<u8>>,
    nonces: HashSet<String>,
    oldest: VecDeque<String>,
}

/// Section 6.2: the flattened serialisation.
#[derive(Debug, Deserialize)]
struct Jws {
    protected: String,
    payload: String,
    signature: String,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    nonce: String,
    url: String,
    jwk: Option<Jwk>,
    kid: Option<String>,
}

/// A P-256 key.
#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl Signers {
    pub(super) fn nonce(&self) -> String {
        let nonce = ids::new("nonce");
        let mut state = self.lock();
        if state.oldest.len() == NONCES
            && let Some(oldest) = state.oldest.pop_front()
        {
            state.nonces.remove(&oldest);
        }
        state.nonces.insert(nonce.clone());
        state.oldest.push_back(nonce.clone());
        nonce
    }

    /// A request to `url` by an account that is known.
    pub(super) fn open(&self, url: &str, body: &[u8]) -> Result<Signed, Refused> {
        let (jws, header) = self.parse(url, body)?;
        let account = header
            .kid
            .ok_or_else(|| malformed("a kid is missing: sign with an account"))?;
        let key = self.lock().accounts.get(&account).cloned();
        let unknown = || (400, "accountDoesNotExist", format!("no account {account}"));
        let payload = jws.verified(&key.ok_or_else(unknown)?)?;
        Ok(Signed { account, payload })
    }

    /// A request for an account, whose URL begins with `accounts`: the URL of the account of this key, and whether it is new.
    pub(super) fn register(
        &self,
        url: &str,
        accounts: &str,
        body: &[u8],
    ) -> Result<(String, bool), Refused> {
        let (jws, header) = self.parse(url, body)?;
        let jwk = header
            .jwk
            .ok_or_else(|| malformed("a jwk is missing: sign with the new key"))?;
        let key = jwk.point()?;
        jws.verified(&key)?;
        let thumb = BASE64.encode(digest(&SHA256, &key));
        let account = format!("{accounts}/{thumb}");
        let new = self.lock().accounts.insert(account.clone(), key).is_none();
        Ok((account, new))
    }

    fn parse(&self, url: &str, body: &[u8]) -> Result<(Jws, Header), Refused> {
        let jws: Jws = serde_json::from_slice(body).map_err(malformed)?;
        let header: Header =
            serde_json::from_slice(&decoded(&jws.protected)?).map_err(malformed)?;
        if header.alg != "ES256" {
            let detail = format!("{} is not offered, ES256 is", header.alg);
            return Err((400, "badSignatureAlgorithm", detail));
        }
        if header.url != url {
            let detail = format!("signed for {}, sent to {url}", header.url);
            return Err((401, "unauthorized", detail));
        }
        if !self.lock().nonces.remove(&header.nonce) {
            return Err((400, "badNonce", "not a nonce, or used before".to_owned()));
        }
        Ok((jws, header))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jws {
    fn verified(&self, key: &[u8]) -> Result<Vec<u8>, Refused> {
        let message = format!("{}.{}", self.protected, self.payload);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(message.as_bytes(), &decoded(&self.signature)?)
            .map_err(|_| malformed("the signature is not the key's"))?;
        decoded(&self.payload)
    }
}

impl Jwk {
    fn point(&self) -> Result<Vec<u8>, Refused> {
        if (self.kty.as_str(), self.crv.as_str()) != ("EC", "P-256") {
            let detail = format!("{} {} is not offered, EC P-256 is", self.kty, self.crv);
            return Err((400, "badPublicKey", detail));
        }
        let mut point = vec![4];
        point.extend(decoded(&self.x)?);
        point.extend(decoded(&self.y)?);
        Ok(point)
    }
}

pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Refused> {
    BASE64.decode(text).map_err(malformed)
}

pub(super) fn malformed(what: impl ToString) -> Refused {
    (400, "malformed", what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    const URL: &str = "http://ca.example/new-order";

    struct Client {
        key: EcdsaKeyPair,
        random: SystemRandom,
    }

    impl Client {
        fn new() -> Self {
            let random = SystemRandom::new();
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            let key = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap();
            Client { key, random }
        }

        fn jwk(&self) -> Value {
            let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
            json!({ "kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y) })
        }

        fn sign(&self, header: &Value, payload: &Value) -> Vec<u8> {
            let protected = BASE64.encode(header.to_string());
            let payload = BASE64.encode(payload.to_string());
            let message = format!("{protected}.{payload}");
            let signature = self.key.sign(&self.random, message.as_bytes()).unwrap();
            let signature = BASE64.encode(signature);
            json!({ "protected": protected, "payload": payload, "signature": signature })
                .to_string()
                .into_bytes()
        }
    }

    #[test]
    fn only_what_an_account_signed_for_this_url_with_a_fresh_nonce_is_opened() {
        let signers = Signers::default();
        let (alice, mallory) = (Client::new(), Client::new());
        let header =
            json!({ "alg": "ES256", "nonce": signers.nonce(), "url": URL, "jwk": alice.jwk() });
        let request = alice.sign(&header, &json!({}));
        let (account, new) = signers.register(URL, "acct", &request).unwrap();
        assert!(new);

        let header = |changed: &str, value: &str| {
            let mut header =
                json!({ "alg": "ES256", "nonce": signers.nonce(), "url": URL, "kid": account });
            header[changed] = value.into();
            header
        };
        let order = json!({ "identifiers": [] });
        let good = alice.sign(&header("alg", "ES256"), &order);
        let opened = signers.open(URL, &good).unwrap();
        assert_eq!(opened.account, account);
        assert_eq!(opened.payload::<Value>().unwrap(), order);

        let refused = |body: &[u8]| signers.open(URL, body).unwrap_err().1;
        assert_eq!(refused(&good), "badNonce", "a replay");
        for (key, value, kind) in [
            ("nonce", "made-up", "badNonce"),
            ("url", "http://ca.example/other", "unauthorized"),
            ("kid", "acct/nobody", "accountDoesNotExist"),
            ("alg", "none", "badSignatureAlgorithm"),
        ] {
            let body = alice.sign(&header(key, value), &order);
            assert_eq!(refused(&body), kind, "{key}");
        }
        let forged = mallory.sign(&header("alg", "ES256"), &order);
        assert_eq!(refused(&forged), "malformed");
        assert_eq!(refused(b"{"), "malformed");
    }
}
