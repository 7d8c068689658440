//! The certificate authority: it lives as long as the server.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Certificates are valid this long unless a fault says otherwise.
pub(super) const VALIDITY: Duration = Duration::from_secs(90 * 24 * 3600);

/// Clocks that run behind accept a new certificate.
const BACKDATED: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "Reference service test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(3650 * DAY);
        let pem = params.self_signed(&key)?.pem();
        Ok(Authority {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a request for this host name and no other.
    pub(super) fn sign(
        &self,
        csr: &[u8],
        name: &str,
        valid_for: Duration,
    ) -> Result<String, String> {
        let csr = CertificateSigningRequestParams::from_der(&csr.into());
        let mut csr = csr.map_err(|error| error.to_string())?;
        let asked = &csr.params.subject_alt_names;
        if !matches!(&asked[..], [SanType::DnsName(asked)] if asked.as_str() == name) {
            return Err(format!("the request is not for {name} alone"));
        }
        (csr.params.not_before, csr.params.not_after) = validity(valid_for);
        csr.params.is_ca = IsCa::ExplicitNoCa;
        csr.params.use_authority_key_identifier_extension = true;
        csr.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        csr.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let signed = csr.signed_by(&self.issuer);
        let leaf = signed.map_err(|error| error.to_string())?.pem();
        Ok(leaf + &self.pem)
    }
}

/// From a little before now until this long from now. A function over the type, which is one that rcgen does not export.
fn validity<T: From<SystemTime>>(length: Duration) -> (T, T) {
    let now = SystemTime::now();
    (T::from(now - BACKDATED), T::from(now + length))
}
