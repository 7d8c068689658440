//! How far a connect came.

/// How far a connect came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// The host or URI was refused as written; nothing was sent.
    Configuration,
    /// Resolving the name.
    Resolve,
    /// Checking the name and its addresses against the policy; nothing was sent to them.
    Policy,
    /// Opening the TCP connection.
    Connect,
    /// Loading trust, or the TLS handshake.
    Tls,
}

impl Stage {
    /// The stage in one word, for a log field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Resolve => "resolve",
            Self::Policy => "policy",
            Self::Connect => "connect",
            Self::Tls => "tls",
        }
    }
}
