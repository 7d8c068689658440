//! Certificates from an ACME provider (RFC 8555), with DNS-01 as the proof.
//!
//! instant-acme speaks the protocol. Its requests go through `outbound`, which guards, traces and
//! measures each one.

use cap_telemetry::names::closed_enum;
use chrono::{DateTime, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ring::digest::{SHA256, digest};
use x509_parser::pem::parse_x509_pem;

use crate::ids;

mod calls;
mod client;

pub(crate) use client::Acme;

/// The label of the `provider` and of the `issuer_type`.
pub(crate) const PROVIDER: &str = "acme";

closed_enum! {
    /// The operations of a provider (RFC 8555, section 7.1), as the label of a call. `Unknown` is
    /// for a URL that no answer had named.
    #[allow(missing_docs)] // the standard describes them
    pub enum Endpoint: "ACME endpoint" {
        Directory = "directory",
        NewNonce = "new-nonce",
        NewAccount = "new-account",
        NewOrder = "new-order",
        Order = "order",
        Authorization = "authorization",
        Challenge = "challenge",
        Finalize = "finalize",
        Certificate = "certificate",
        Revoke = "revoke-cert",
        Unknown = "unknown",
    }
}

/// A new P-256 key (PKCS #8, in PEM), and the request for its certificate (PKCS #10, in DER).
pub(crate) fn request(domain: &str) -> Result<(Vec<u8>, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, domain);
    let csr = params.serialize_request(&key)?.der().to_vec();
    Ok((key.serialize_pem().into_bytes(), csr))
}

/// When the first certificate of a PEM chain expires, and its SHA-256 in hexadecimal; `None` when
/// there is none.
pub(crate) fn read(pem: &str) -> Option<(DateTime<Utc>, String)> {
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let end = block.parse_x509().ok()?.validity().not_after.timestamp();
    let fingerprint = ids::hex(digest(&SHA256, &block.contents).as_ref());
    Some((DateTime::from_timestamp(end, 0)?, fingerprint))
}
