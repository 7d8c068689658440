//! Durations within bounds.

use std::time::Duration;

use crate::error::SettingError;

/// A duration of at least `MIN_MILLIS` milliseconds and at most a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoundedDuration<const MIN_MILLIS: u64>(Duration);

impl<const MIN_MILLIS: u64> BoundedDuration<MIN_MILLIS> {
    const MIN: Duration = Duration::from_millis(MIN_MILLIS);
    /// Far below what an instant can hold.
    const MAX: Duration = Duration::from_secs(24 * 3600);

    pub(super) const fn known(duration: Duration) -> Self {
        assert!(duration.as_nanos() >= Self::MIN.as_nanos());
        Self(duration)
    }

    /// The duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<const MIN_MILLIS: u64> TryFrom<Duration> for BoundedDuration<MIN_MILLIS> {
    type Error = SettingError;

    fn try_from(duration: Duration) -> Result<Self, SettingError> {
        if duration < Self::MIN {
            let min = Self::MIN;
            let message = format!("{duration:?} is too short; write at least {min:?}");
            return Err(SettingError::new(message));
        }
        if duration > Self::MAX {
            let message = format!("{duration:?} is too long; write at most 24h");
            return Err(SettingError::new(message));
        }
        Ok(Self(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_outside_its_bounds_is_refused_with_the_bound() {
        type Second = BoundedDuration<1000>;
        let day = Duration::from_secs(24 * 3600);
        for (given, message) in [
            (Duration::ZERO, "0ns is too short; write at least 1s"),
            (day + Duration::from_secs(1), "86401s is too long; write at most 24h"),
        ] {
            assert_eq!(
                Second::try_from(given).map_err(|error| error.to_string()),
                Err(message.to_owned())
            );
        }
        assert_eq!(Second::try_from(day).map(Second::get), Ok(day));
        assert!(BoundedDuration::<0>::try_from(Duration::ZERO).is_ok());
        assert!(BoundedDuration::<0>::try_from(Duration::MAX).is_err());
    }
}
