//! What the license allows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A license. The stand-in takes it at its word: a product's would be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct License {
    /// `None` for a perpetual license.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Certificates at most; 0 for any number.
    #[serde(default)]
    pub(crate) cert_limit: u64,
}

impl License {
    /// Whether it allows `usage` certificates at this time.
    pub(crate) fn allows(&self, usage: u64, now: DateTime<Utc>) -> bool {
        let limit = self.cert_limit;
        self.expires_at.is_none_or(|end| now < end) && (limit == 0 || usage <= limit)
    }
}
