//! The values that a label may have.

use cap_names::ClosedEnum;

/// The values that a label may have.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Values {
    /// One of these values.
    Closed(&'static [&'static str]),
    /// An HTTP status code, `none` without a response, `other` outside 100–599.
    HttpStatus,
    /// Any value. Past `limit` different ones, `_overflow` stands for the rest.
    Open {
        /// The most different values.
        limit: usize,
    },
}

/// The codes 100 to 599, `none` and `other`.
pub(crate) const HTTP_STATUSES: usize = 502;

impl Values {
    /// Whether a series may carry this value.
    pub fn allows(&self, value: &str) -> bool {
        match self {
            Self::Closed(values) => values.contains(&value),
            Self::HttpStatus => {
                matches!(value, "none" | "other")
                    || value.len() == 3
                        && value.parse().is_ok_and(|code: u16| (100..=599).contains(&code))
            }
            Self::Open { .. } => true,
        }
    }

    /// How many different values a label has at most, without `_overflow`.
    pub(crate) fn limit(&self) -> usize {
        match self {
            Self::Closed(values) => values.len(),
            Self::HttpStatus => HTTP_STATUSES,
            Self::Open { limit } => *limit,
        }
    }
}

/// A type whose values the catalogue allows in a label.
pub(crate) trait LabelType {
    const VALUES: Values;
}

impl<T: ClosedEnum> LabelType for T {
    const VALUES: Values = Values::Closed(<T as ClosedEnum>::VALUES);
}
