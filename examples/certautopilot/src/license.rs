//! What the license allows, and which one holds.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// What a license allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct License {
    /// `None` for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// `None` for any number.
    pub cert_limit: Option<u64>,
}

impl License {
    /// A license as it is written: a limit of 0 allows any number.
    pub(crate) fn new(expires_at: Option<DateTime<Utc>>, cert_limit: u64) -> Self {
        License {
            expires_at,
            cert_limit: Some(cert_limit).filter(|limit| *limit > 0),
        }
    }

    /// Whether it allows `usage` certificates at this time.
    pub(crate) fn allows(&self, usage: u64, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
            && self.cert_limit.is_none_or(|limit| usage <= limit)
    }
}

/// The license that holds now.
#[derive(Debug)]
pub(crate) struct Licensed(Mutex<License>);

impl Licensed {
    pub(crate) fn new(license: License) -> Self {
        Licensed(Mutex::new(license))
    }

    pub(crate) fn now(&self) -> License {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, license: License) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = license;
    }
}
