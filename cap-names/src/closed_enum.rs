//! Enums whose values are all known in advance, each with one spelling.

use std::{error, fmt};

/// An enum whose values are all known in advance, each with one spelling on every wire.
///
/// Implement it with [`closed_enum!`](crate::closed_enum), which keeps
/// [`ALL`](ClosedEnum::ALL), [`index`](ClosedEnum::index) and [`as_str`](ClosedEnum::as_str)
/// consistent.
pub trait ClosedEnum: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Every value, in declaration order.
    const ALL: &'static [Self];

    /// The spelling of each value of [`ALL`](ClosedEnum::ALL), in the same order.
    const VALUES: &'static [&'static str];

    /// The position of this value in [`ALL`](ClosedEnum::ALL).
    fn index(self) -> usize;

    /// The one spelling of this value.
    fn as_str(self) -> &'static str {
        Self::VALUES[self.index()]
    }
}

/// The error of parsing a word that is not a value of a [`ClosedEnum`].
///
/// The message lists the values that exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    name: &'static str,
    given: String,
    values: &'static [&'static str],
}

impl UnknownValue {
    /// The error for `given`, where the enum is called `name` and has these `values`.
    pub fn new(name: &'static str, given: &str, values: &'static [&'static str]) -> Self {
        Self { name, given: given.to_owned(), values }
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, given, values } = self;
        write!(f, "unknown {name} {given:?}: use one of {}", values.join(", "))
    }
}

impl error::Error for UnknownValue {}

/// Declares an enum with one spelling per value.
///
/// Implements [`ClosedEnum`], `Display` and `FromStr` for the enum. The literal after the enum's
/// name is what [`UnknownValue`] calls it.
///
/// ```
/// use cap_names::ClosedEnum;
///
/// cap_names::closed_enum! {
///     /// How a delivery ended.
///     pub enum Delivery: "delivery status" {
///         /// It arrived.
///         Success = "success",
///         /// It did not.
///         Failed = "failed",
///     }
/// }
///
/// assert_eq!(Delivery::ALL, [Delivery::Success, Delivery::Failed]);
/// assert_eq!(Delivery::Failed.to_string(), "failed");
/// assert_eq!(
///     "lost".parse::<Delivery>().unwrap_err().to_string(),
///     r#"unknown delivery status "lost": use one of success, failed"#,
/// );
/// ```
#[macro_export]
macro_rules! closed_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $enum:ident: $name:literal {
            $($(#[$value_meta:meta])* $variant:ident = $value:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $enum {
            $($(#[$value_meta])* $variant,)+
        }

        impl $crate::ClosedEnum for $enum {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const VALUES: &'static [&'static str] = &[$($value),+];

            fn index(self) -> usize {
                self as usize
            }
        }

        impl $enum {
            /// The one spelling of this value, on every wire.
            pub fn as_str(self) -> &'static str {
                $crate::ClosedEnum::as_str(self)
            }
        }

        impl ::std::fmt::Display for $enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $enum {
            type Err = $crate::UnknownValue;

            fn from_str(given: &str) -> ::std::result::Result<Self, $crate::UnknownValue> {
                let values = <Self as $crate::ClosedEnum>::VALUES;
                values
                    .iter()
                    .position(|value| *value == given)
                    .map(|index| <Self as $crate::ClosedEnum>::ALL[index])
                    .ok_or_else(|| $crate::UnknownValue::new($name, given, values))
            }
        }
    };
}
