//! The host's own trust store, or the public roots if the host has none.

use rustls::RootCertStore;
use rustls_native_certs::CertificateResult;

use crate::Error;
use crate::error::Kind;

pub(super) fn roots() -> Result<RootCertStore, Error> {
    choose(rustls_native_certs::load_native_certs())
}

fn choose(found: CertificateResult) -> Result<RootCertStore, Error> {
    let CertificateResult { certs, errors, .. } = found;
    if certs.is_empty() && errors.is_empty() {
        tracing::debug!(target: "cap_egress", "no system trust store, using the public roots");
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    }
    let mut roots = RootCertStore::empty();
    // Stores contain certificates from before today's rules. One that does not parse can verify
    // nothing anyway.
    let (_, unusable) = roots.add_parsable_certificates(certs);
    if roots.is_empty() {
        let source = errors.into_iter().next();
        return Err(Kind::SystemTrust { source }.into());
    }
    if unusable > 0 || !errors.is_empty() {
        let unreadable = errors.len();
        tracing::debug!(target: "cap_egress", unusable, unreadable, "parts of the system trust store were skipped");
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    use rustls_native_certs::load_certs_from_paths;

    #[test]
    fn a_host_without_a_store_trusts_the_public_roots() {
        let roots = choose(CertificateResult::default()).unwrap();
        assert_eq!(roots.len(), webpki_roots::TLS_SERVER_ROOTS.len());
    }

    #[test]
    fn an_unreadable_store_does_not_fall_back_to_public_roots() {
        let found = load_certs_from_paths(Some(Path::new("no/such/ca-bundle.crt")), None);
        let error = choose(found).unwrap_err();
        assert!(error.is_tls());
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn an_unusable_store_does_not_fall_back_to_public_roots() {
        let mut found = CertificateResult::default();
        found.certs.push(vec![0x30, 0x00].into());
        assert!(choose(found).is_err());
    }
}
