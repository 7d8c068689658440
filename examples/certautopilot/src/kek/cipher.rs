//! AES-256-GCM, bound to the certificate it protects.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Error;

pub(super) const KEY_LENGTH: usize = 32;

/// A key that seals and opens. What it seals is the nonce, then the ciphertext and its tag.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY_LENGTH]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key);
        Cipher(LessSafeKey::new(key.expect("AES-256 takes 32 bytes")))
    }

    /// Nonces are random; one key stays far below the 2³² messages that NIST SP 800-38D allows with such nonces.
    pub(super) fn seal(&self, certificate: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| Error::NoRandomness)?;
        let mut body = plain.to_vec();
        let aad = Aad::from(certificate.as_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
            .map_err(|_| Error::Corrupt(certificate.to_owned()))?;
        Ok([&nonce[..], &body].concat())
    }

    pub(super) fn open(&self, certificate: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let corrupt = || Error::Corrupt(certificate.to_owned());
        let (nonce, body) = sealed.split_first_chunk().ok_or_else(corrupt)?;
        let mut body = body.to_vec();
        let aad = Aad::from(certificate.as_bytes());
        let plain = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body)
            .map_err(|_| corrupt())?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_for_one_certificate_does_not_open_for_another() {
        let cipher = Cipher::new(&[7; KEY_LENGTH]);
        let sealed = cipher.seal("crt_1", b"secret").unwrap();
        assert_eq!(cipher.open("crt_1", &sealed).unwrap(), b"secret");
        assert_eq!(
            cipher.open("crt_2", &sealed),
            Err(Error::Corrupt("crt_2".to_owned()))
        );
        assert!(cipher.open("crt_1", &sealed[..8]).is_err());
    }
}
