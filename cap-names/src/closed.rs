//! Closed sets of words: enums whose every value has one spelling.

use std::{error, fmt};

/// An enum whose values are all known in advance and each have one wire spelling.
///
/// Implement it with [`closed_enum!`](crate::closed_enum), which keeps [`ALL`](Closed::ALL), [`index`](Closed::index) and
/// [`as_str`](Closed::as_str) consistent.
pub trait Closed: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Every value, in declaration order.
    const ALL: &'static [Self];

    /// The spelling of [`ALL`](Closed::ALL), in the same order.
    const WORDS: &'static [&'static str];

    /// The position of this value in [`ALL`](Closed::ALL).
    fn index(self) -> usize;

    /// The one spelling of this value, on every wire.
    fn as_str(self) -> &'static str {
        Self::WORDS[self.index()]
    }
}

/// A word that is not in a closed set. Its message lists the words that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    what: &'static str,
    word: String,
    known: &'static [&'static str],
}

impl Unknown {
    /// Names the set (`what`), the word that is not in it, and the words that are.
    pub fn new(what: &'static str, word: &str, known: &'static [&'static str]) -> Self {
        Unknown {
            what,
            word: word.to_owned(),
            known,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown {} {:?}: use one of {}",
            self.what,
            self.word,
            self.known.join(", ")
        )
    }
}

impl error::Error for Unknown {}

/// Declares an enum with one spelling per value, and implements [`Closed`], `Display` and `FromStr` for it.
///
/// ```
/// use cap_names::Closed;
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
        $vis:vis enum $name:ident: $what:literal {
            $($(#[$value_meta:meta])* $value:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[$value_meta])* $value,)+
        }

        impl $crate::Closed for $name {
            const ALL: &'static [Self] = &[$($name::$value),+];
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn index(self) -> usize {
                self as usize
            }
        }

        impl $name {
            /// The one spelling of this value, on every wire.
            pub fn as_str(self) -> &'static str {
                $crate::Closed::as_str(self)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Unknown;

            fn from_str(word: &str) -> ::std::result::Result<Self, $crate::Unknown> {
                <Self as $crate::Closed>::WORDS
                    .iter()
                    .position(|known| *known == word)
                    .map(|index| <Self as $crate::Closed>::ALL[index])
                    .ok_or_else(|| $crate::Unknown::new($what, word, <Self as $crate::Closed>::WORDS))
            }
        }
    };
}
