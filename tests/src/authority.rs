//! A private certificate authority, and the certificates that a test needs of it, flawed ones included.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What [`Authority::server`] vouches for.
const NAMES: [&str; 4] = ["localhost", "relay.test", "127.0.0.1", "::1"];

/// A certificate authority that no system trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What is right or wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerCertificate {
    /// For `localhost`, `relay.test`, 127.0.0.1 and ::1.
    Good,
    /// For `other.test` alone.
    WrongName,
    /// It was valid once.
    Expired,
    /// It will be valid one day.
    NotYetValid,
    /// Its own issuer, and not the authority's.
    SelfSigned,
}

/// A certificate with what vouches for it, and its private key.
#[derive(Clone)]
pub struct Identity {
    /// Certificates as PEM.
    pub chain_pem: String,
    /// The key as PKCS#8 PEM.
    pub key_pem: String,
}

impl Authority {
    /// A new one, with a key of its own.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        // Of the same name, one would be taken for a forgery of the other.
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("Test authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut params = params(&name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate"))
    }

    /// Its certificate, for those who shall trust it.
    pub fn ca_pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate and key.
    pub fn server(&self, certificate: ServerCertificate) -> Identity {
        let mut params = params("Test server", &NAMES);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match certificate {
            ServerCertificate::Good => {}
            ServerCertificate::WrongName => {
                params = self::params("Test server", &["other.test"]);
            }
            ServerCertificate::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            ServerCertificate::NotYetValid => params.not_before = date_time_ymd(2990, 1, 1),
            ServerCertificate::SelfSigned => {
                let key = key();
                let certificate = params.self_signed(&key).expect("a certificate");
                return Identity::new(&certificate, &key);
            }
        }
        self.issue(&params)
    }

    /// A client's certificate and key.
    pub fn client(&self, name: &str) -> Identity {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Identity {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Identity::new(&certificate, &key)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Identity {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = &self.chain_pem;
        f.debug_struct("Identity")
            .field("chain_pem", chain)
            .finish_non_exhaustive()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
