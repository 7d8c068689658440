//! The share of traces to sample.

use std::str::FromStr;

use crate::error::SettingError;

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRate(f64);

impl SampleRate {
    /// Every trace.
    pub const ALL: Self = Self(1.0);

    pub(crate) fn clamped(share: f64) -> Self {
        Self(share.clamp(0.0, 1.0))
    }

    /// The share as a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// One trace in ten.
impl Default for SampleRate {
    fn default() -> Self {
        Self(0.1)
    }
}

impl TryFrom<f64> for SampleRate {
    type Error = SettingError;

    fn try_from(share: f64) -> Result<Self, SettingError> {
        if (0.0..=1.0).contains(&share) {
            return Ok(Self(share));
        }
        Err(SettingError::new(format!("{share} is not a share; write a number from 0 to 1")))
    }
}

impl FromStr for SampleRate {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let share = text.parse::<f64>().ok();
        share.and_then(|share| Self::try_from(share).ok()).ok_or_else(|| {
            SettingError::new(format!("{text:?} is not a share; write a number from 0 to 1"))
        })
    }
}
