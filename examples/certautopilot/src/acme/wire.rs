//! What goes over the wire, between [`Acme`](super::Acme) and [`AcmeServer`](crate::acme_server::AcmeServer).

use cap_telemetry::names::closed_enum;
use serde::{Deserialize, Serialize};

closed_enum! {
    /// The operations of a provider.
    pub enum Endpoint: "ACME endpoint" {
        /// Where the others are.
        Directory = "directory",
        /// Ask for a certificate.
        NewOrder = "new-order",
        /// Send the signing request.
        Finalize = "finalize",
        /// Download the certificate.
        Certificate = "certificate",
        /// Revoke a certificate.
        Revoke = "revoke-cert",
    }
}

/// RFC 8555, section 7.1.1.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directory {
    /// URL of [`Endpoint::NewOrder`].
    pub new_order: String,
    /// URL of [`Endpoint::Revoke`].
    pub revoke_cert: String,
}

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identifier {
    /// `dns`
    #[serde(rename = "type")]
    pub kind: String,
    /// A host name.
    pub value: String,
}

/// RFC 8555, section 7.4.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewOrder {
    /// One identifier.
    pub identifiers: Vec<Identifier>,
}

/// RFC 8555, section 7.1.3.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderBody {
    /// `ready`, then `valid`.
    pub status: String,
    /// URL of [`Endpoint::Finalize`].
    pub finalize: String,
    /// URL of [`Endpoint::Certificate`], once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// The signing request, in PEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Finalize {
    /// PKCS #10.
    pub csr: String,
}

/// The certificate to revoke, in PEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Revoke {
    /// X.509.
    pub certificate: String,
}

/// RFC 8555, section 6.7: an error as problem JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// `urn:ietf:params:acme:error:…`
    #[serde(rename = "type")]
    pub kind: String,
    /// In a sentence.
    pub detail: String,
    /// The status code again.
    pub status: u16,
}
