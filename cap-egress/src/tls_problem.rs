//! What went wrong with TLS, in the words of the operator who has to repair it.

use std::{fmt, io};

use cap_names::ErrorClass;
use rustls::{AlertDescription, CertificateError};

use crate::causes::causes;
use crate::trust::{ClientCertificate, SelfSigned};

/// Why a TLS handshake failed or a TLS connection ended, with one thing to do about each.
///
/// In TLS 1.3 a server that requires a client certificate may say so only after the handshake (RFC
/// 8446, 4.4.2.4): the alert comes with the first read. [`TlsProblem::find`] classifies the error
/// of that read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate comes from an authority that is not trusted here.
    UnknownAuthority,
    /// The certificate is its own issuer, and is not trusted here.
    SelfSigned,
    /// The certificate does not contain the name or address of the host.
    WrongName,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The server requires a client certificate, and got none.
    ClientCertificateRequired,
    /// The server does not accept the client certificate.
    ClientCertificateRefused,
    /// The two sides have no protocol version or cipher suite in common.
    Incompatible,
    /// The peer does not speak TLS.
    NotTls,
    /// The server ended the connection during the handshake.
    BrokenOff,
    /// Any other problem; the error's source says which.
    Other,
}

impl TlsProblem {
    /// The problem in one word, for a log field or a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAuthority => "unknown_authority",
            Self::SelfSigned => "self_signed",
            Self::WrongName => "wrong_name",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::ClientCertificateRequired => "client_certificate_required",
            Self::ClientCertificateRefused => "client_certificate_refused",
            Self::Incompatible => "incompatible",
            Self::NotTls => "not_tls",
            Self::BrokenOff => "broken_off",
            Self::Other => "other",
        }
    }

    /// The error class: `Auth` where one side refused the other's certificate, else `Network`.
    pub const fn class(self) -> ErrorClass {
        match self {
            Self::UnknownAuthority
            | Self::SelfSigned
            | Self::WrongName
            | Self::Expired
            | Self::NotYetValid
            | Self::ClientCertificateRequired
            | Self::ClientCertificateRefused => ErrorClass::Auth,
            Self::Incompatible | Self::NotTls | Self::BrokenOff | Self::Other => {
                ErrorClass::Network
            }
        }
    }

    /// What the problem is and what to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "its certificate comes from an unknown authority; add that authority's certificate to the CA setting"
            }
            Self::SelfSigned => {
                "its certificate is self-signed; add that certificate to the CA setting, or, where it is marked as an authority's (CA:TRUE), give the server one that is not"
            }
            Self::WrongName => {
                "its certificate is for another name; connect by a name that the certificate holds"
            }
            Self::Expired => "its certificate has expired; renew it",
            Self::NotYetValid => "its certificate is not valid yet; check the clocks of both hosts",
            Self::ClientCertificateRequired => {
                "it requires a client certificate; set one, with its key"
            }
            Self::ClientCertificateRefused => {
                "it refuses the client certificate; set one that it trusts, and that has not expired"
            }
            Self::Incompatible => {
                "no TLS version or cipher suite is common to both; let it offer TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20"
            }
            Self::NotTls => "the answer is not TLS; check that the server speaks TLS on this port",
            Self::BrokenOff => {
                "the server ended the handshake; check that it speaks TLS on this port, and see its log"
            }
            Self::Other => "TLS failed; see the cause, and the server's log",
        }
    }

    /// The problem of a failed handshake.
    ///
    /// TLS 1.2 has no alert for a missing client certificate: servers send `handshake_failure`,
    /// `bad_certificate`, or nothing at all. When a server requests a certificate, the version and
    /// the cipher suite are already agreed, so these alerts are not about them.
    pub(crate) fn of_handshake(source: &io::Error, certificate: ClientCertificate) -> Self {
        let problem = causes(source)
            .find_map(|error| error.downcast_ref().map(Self::of))
            .unwrap_or(Self::BrokenOff);
        match (problem, certificate) {
            (
                Self::Incompatible | Self::BrokenOff | Self::ClientCertificateRefused,
                ClientCertificate::Missing,
            ) => Self::ClientCertificateRequired,
            (Self::Incompatible, ClientCertificate::Shown) => Self::ClientCertificateRefused,
            (problem, _) => problem,
        }
    }

    pub(crate) fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => Self::of_certificate(problem),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::PeerIncompatible(_) => Self::Incompatible,
            _ => Self::Other,
        }
    }

    fn of_certificate(problem: &CertificateError) -> Self {
        match problem {
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::Other(other) if other.0.is::<SelfSigned>() => Self::SelfSigned,
            _ => Self::Other,
        }
    }

    /// A server's alert about a certificate is about the client's.
    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                Self::ClientCertificateRequired
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            // The certificate's issuer has the right name and another key.
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied => Self::ClientCertificateRefused,
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity => Self::Incompatible,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_handshake_is_read_by_the_client_certificate() {
        use AlertDescription::{BadCertificate, HandshakeFailure, UnknownCA};
        use ClientCertificate::{Missing, NotAskedFor, Shown};
        use TlsProblem::{
            BrokenOff, ClientCertificateRefused as Refused, ClientCertificateRequired as Required,
            Incompatible,
        };
        for (alert, not_asked_for, missing, shown) in [
            (Some(HandshakeFailure), Incompatible, Required, Refused),
            (Some(BadCertificate), Refused, Required, Refused),
            (Some(UnknownCA), Refused, Required, Refused),
            (None, BrokenOff, Required, BrokenOff),
        ] {
            let ended = match alert {
                Some(alert) => io::Error::other(rustls::Error::AlertReceived(alert)),
                None => io::ErrorKind::UnexpectedEof.into(),
            };
            for (certificate, expected) in
                [(NotAskedFor, not_asked_for), (Missing, missing), (Shown, shown)]
            {
                let problem = TlsProblem::of_handshake(&ended, certificate);
                assert_eq!(problem, expected, "{alert:?} {certificate:?}");
            }
        }
    }
}
