//! Label values as small numbers: the positions of closed values, and interned open values.

use std::borrow::Cow;

use cap_names::ClosedEnum;

use super::intern::Interner;
use crate::catalogue::labels::{self, HttpStatus, open_labels};
use crate::catalogue::{HTTP_STATUSES, LabelType};

/// A label value of a dense family.
pub(crate) trait Label: LabelType + Copy {
    /// How many different ids there are. They run from 0.
    const CARDINALITY: usize;

    fn id(self) -> usize;
    fn word(self, words: &Words) -> Cow<'static, str>;
    /// The value of the overflow series that a series past its family's limit goes into. A closed
    /// label keeps its value.
    fn overflow(self) -> Self {
        self
    }
    /// Whether this is the value of an overflow series.
    fn is_overflow(self) -> bool {
        false
    }
}

impl<T: ClosedEnum> Label for T {
    const CARDINALITY: usize = Self::ALL.len();

    fn id(self) -> usize {
        self.index()
    }

    fn word(self, _: &Words) -> Cow<'static, str> {
        Cow::Borrowed(self.as_str())
    }
}

impl Label for HttpStatus {
    const CARDINALITY: usize = HTTP_STATUSES;

    fn id(self) -> usize {
        self.0 as usize
    }

    fn word(self, _: &Words) -> Cow<'static, str> {
        match self.code() {
            Some(code) => Cow::Owned(code.to_string()),
            None if self == Self::NONE => Cow::Borrowed("none"),
            None => Cow::Borrowed("other"),
        }
    }
}

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident in $field:ident, at most $limit:literal;)+) => {
        $(impl Label for labels::$name {
            const CARDINALITY: usize = $limit + 1;

            #[inline]
            fn id(self) -> usize {
                self.0 as usize
            }

            fn word(self, words: &Words) -> Cow<'static, str> {
                Cow::Owned(words.$field.word(self.0))
            }

            fn overflow(self) -> Self {
                Self(Interner::OVERFLOW)
            }

            fn is_overflow(self) -> bool {
                self.0 == Interner::OVERFLOW
            }
        })+

        /// The values of every open label of one `Metrics`.
        #[derive(Debug)]
        pub(crate) struct Words {
            $($field: Interner,)+
        }

        impl Words {
            pub(crate) fn new() -> Self {
                Self { $($field: Interner::new($limit),)+ }
            }

            $(#[inline]
            pub(crate) fn $field(&self, word: &str) -> labels::$name {
                labels::$name(self.$field.intern(word))
            })+
        }
    };
}

open_labels!(words);

impl Words {
    /// The handle of a route by its pattern, in either spelling.
    #[inline]
    pub(crate) fn route_pattern(&self, pattern: &str) -> labels::Route {
        let normal = |pattern: &str| cap_names::route_pattern(pattern).into();
        labels::Route(self.route.intern_as(pattern, normal))
    }
}
