//! What goes over the wire (RFC 8555, section 7.1), as far as a client needs it.

use serde::{Deserialize, Serialize};

/// Section 7.1.1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    pub(super) new_nonce: String,
    pub(super) new_account: String,
    pub(super) new_order: String,
    pub(super) revoke_cert: String,
}

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identifier {
    /// `dns`
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// A host name.
    pub(super) value: String,
}

/// Section 7.4.
#[derive(Debug, Deserialize)]
pub(super) struct NewOrder {
    pub(super) identifiers: Vec<Identifier>,
}

/// Section 7.1.3.
#[derive(Debug, Serialize)]
pub(super) struct Order {
    /// `pending`, then `ready`, then `valid`.
    pub(super) status: &'static str,
    pub(super) identifiers: [Identifier; 1],
    pub(super) authorizations: [String; 1],
    pub(super) finalize: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<String>,
}

/// Section 7.1.4. Of a wildcard the identifier is the name below it.
#[derive(Debug, Serialize)]
pub(super) struct Authorization {
    pub(super) identifier: Identifier,
    /// `pending`, then `valid`.
    pub(super) status: &'static str,
    pub(super) challenges: [Challenge; 1],
    pub(super) wildcard: bool,
}

/// Section 8.
#[derive(Debug, Serialize)]
pub(super) struct Challenge {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) url: String,
    pub(super) status: &'static str,
    pub(super) token: String,
}

/// Section 7.4: PKCS #10 in base64url.
#[derive(Debug, Deserialize)]
pub(super) struct Finalize {
    pub(super) csr: String,
}

/// Section 7.6: X.509 in base64url.
#[derive(Debug, Deserialize)]
pub(super) struct Revoke {
    pub(super) certificate: String,
}

/// Section 6.7: an error as problem JSON.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    /// `urn:ietf:params:acme:error:…`
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// In a sentence.
    pub(super) detail: String,
    /// The status code again.
    pub(super) status: u16,
}
