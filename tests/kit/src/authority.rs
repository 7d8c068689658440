//! A private certificate authority, and the good and the flawed certificates that tests need.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The names in a certificate of [`Authority::server`].
const NAMES: [&str; 4] = ["localhost", "relay.test", "127.0.0.1", "::1"];

/// A certificate authority that no system trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate: good, or with one flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerCertificate {
    /// For `localhost`, `relay.test`, 127.0.0.1 and ::1.
    Good,
    /// For `other.test` alone.
    WrongName,
    /// It expired at 2020-01-02.
    Expired,
    /// It is valid from the year 2990 on.
    NotYetValid,
    /// It is its own issuer, and not the authority's.
    SelfSigned,
    /// It is its own issuer and says that it is an authority.
    SelfSignedAuthority,
}

/// A certificate with the chain that vouches for it, and its private key.
#[derive(Clone)]
pub struct Identity {
    /// Certificates as PEM.
    pub chain_pem: String,
    /// The key as PKCS#8 PEM.
    pub key_pem: String,
}

impl Authority {
    /// A new authority with its own key and a name that no other one has.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        // Verifiers look up an issuer by its name: two authorities of one name look like a forgery.
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("Test authority {count}"))
    }

    /// A new authority with this common name.
    pub fn named(name: &str) -> Self {
        Self::with(params(name, &[]))
    }

    /// An authority whose certificate expired at 2020-01-02.
    pub fn expired(name: &str) -> Self {
        let mut params = params(name, &[]);
        params.not_after = date_time_ymd(2020, 1, 2);
        Self::with(params)
    }

    fn with(mut params: CertificateParams) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate"))
    }

    /// The authority's certificate as PEM, for a trust store.
    pub fn ca_pem(&self) -> String {
        self.0.pem()
    }

    /// The authority's private key as PKCS#8 PEM.
    pub fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// The authority as the only trusted root.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a root");
        roots
    }

    /// A server's certificate and key.
    pub fn server(&self, certificate: ServerCertificate) -> Identity {
        let mut params = params("Test server", &NAMES);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match certificate {
            ServerCertificate::Good => {}
            ServerCertificate::WrongName => return self.server_for(&["other.test"]),
            ServerCertificate::Expired => params.not_after = date_time_ymd(2020, 1, 2),
            ServerCertificate::NotYetValid => params.not_before = date_time_ymd(2990, 1, 1),
            ServerCertificate::SelfSigned => return Identity::self_signed(&params),
            ServerCertificate::SelfSignedAuthority => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                return Identity::self_signed(&params);
            }
        }
        self.issue(&params)
    }

    /// A server's certificate for these host names and IP addresses, and its key.
    pub fn server_for(&self, names: &[&str]) -> Identity {
        let mut params = params("Test server", names);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
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
        Self { chain_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    fn self_signed(params: &CertificateParams) -> Self {
        let key = key();
        let certificate = params.self_signed(&key).expect("a certificate");
        Self::new(&certificate, &key)
    }

    /// The certificates and the key as rustls takes them.
    pub fn der(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes());
        (chain.map(|der| der.expect("PEM")).collect(), key.expect("PEM"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = &self.chain_pem;
        f.debug_struct("Identity").field("chain_pem", chain).finish_non_exhaustive()
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
