//! How many events the buffer holds, and how long a record may be.

use crate::error::SettingError;

/// Events in the buffer at most, 1 to 10,000,000. Default: 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BufferSize(usize);

impl BufferSize {
    const MAX: usize = 10_000_000;

    /// The number of events.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for BufferSize {
    fn default() -> Self {
        Self(10_000)
    }
}

impl TryFrom<usize> for BufferSize {
    type Error = SettingError;

    fn try_from(events: usize) -> Result<Self, SettingError> {
        match events {
            0 => Err(SettingError::new("0 would drop every event; write at least 1")),
            1..=Self::MAX => Ok(Self(events)),
            _ => Err(SettingError::new(format!(
                "{events} events do not fit into memory; write at most {}",
                Self::MAX
            ))),
        }
    }
}

/// Bytes of a record at most, 2048 to 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordSize(usize);

impl RecordSize {
    /// The smallest size that holds the longest header, the mandatory fields and some text.
    pub(crate) const MIN: Self = Self(2048);
    pub(super) const STREAM: Self = Self(8192);
    /// A buffer full of longer records would not fit into memory.
    pub(super) const MAX: Self = Self(16 * 1024 * 1024);
    /// The largest payload of a UDP datagram over IPv4.
    pub(super) const MAX_DATAGRAM: Self = Self(65_507);

    /// The number of bytes.
    pub const fn get(self) -> usize {
        self.0
    }

    pub(super) fn at_most(bytes: usize, max: Self) -> Result<Self, SettingError> {
        let (min, max) = (Self::MIN.0, max.0);
        if bytes < min {
            let message = format!("{bytes} is too small; write at least {min}");
            return Err(SettingError::new(message));
        }
        if bytes > max {
            let message = format!("{bytes} is too large; write at most {max}");
            return Err(SettingError::new(message));
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<usize> for RecordSize {
    type Error = SettingError;

    fn try_from(bytes: usize) -> Result<Self, SettingError> {
        Self::at_most(bytes, Self::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_cannot_work_is_refused_with_what_to_write() {
        for (events, advice) in [(0, "write at least 1"), (usize::MAX, "write at most 10000000")] {
            let error = BufferSize::try_from(events).expect_err(advice).to_string();
            assert!(error.contains(advice), "{error}");
        }
        for (bytes, advice) in [
            (0, "write at least 2048"),
            (2047, "write at least 2048"),
            (16 * 1024 * 1024 + 1, "write at most 16777216"),
        ] {
            let error = RecordSize::try_from(bytes).expect_err(advice).to_string();
            assert!(error.contains(advice), "{error}");
        }
        for (events, bytes) in [(1, 2048), (10_000_000, 16 * 1024 * 1024)] {
            assert_eq!(BufferSize::try_from(events).map(BufferSize::get), Ok(events));
            assert_eq!(RecordSize::try_from(bytes).map(RecordSize::get), Ok(bytes));
        }
    }
}
