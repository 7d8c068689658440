//! A new key with its signing request, and what is read from the certificate that comes back.

use chrono::{DateTime, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ring::digest::{SHA256, digest};
use x509_parser::pem::parse_x509_pem;

use crate::ids;

/// A private key, and the request that asks for a certificate for it.
pub(crate) struct Requested {
    /// PKCS #10, in DER.
    pub(crate) csr: Vec<u8>,
    /// PKCS #8, in PEM.
    pub(crate) private_key: Vec<u8>,
}

impl Requested {
    /// Makes a P-256 key and a request for this host name.
    pub(crate) fn new(domain: &str) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([domain.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, domain);
        let csr = params.serialize_request(&key)?.der().to_vec();
        Ok(Self { csr, private_key: key.serialize_pem().into_bytes() })
    }
}

/// When the first certificate of a PEM chain expires; `None` when there is none.
pub(crate) fn expiry(pem: &str) -> Option<DateTime<Utc>> {
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = block.parse_x509().ok()?;
    DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
}

/// SHA-256 of the first certificate of a PEM chain, in hexadecimal; `None` when there is none.
pub(crate) fn fingerprint(pem: &str) -> Option<String> {
    Some(ids::hex(digest(&SHA256, &leaf(pem)?).as_ref()))
}

/// The first certificate of a PEM chain, in DER; `None` when there is none.
pub(crate) fn leaf(pem: &str) -> Option<Vec<u8>> {
    Some(parse_x509_pem(pem.as_bytes()).ok()?.1.contents)
}
