//! Why one attempt failed, and whether another may succeed.

use std::error::Error as StdError;
use std::time::Duration;

use cap_names::ErrorClass;

/// Why one attempt failed.
pub(super) struct Failure {
    pub(super) class: ErrorClass,
    pub(super) what: String,
    pub(super) retry: Option<Retry>,
}

/// Another attempt may succeed, after `after` if the collector named a delay.
pub(super) struct Retry {
    pub(super) after: Option<Duration>,
}

impl Failure {
    pub(super) fn permanent(what: impl Into<String>) -> Self {
        Self { class: ErrorClass::IoPermanent, what: what.into(), retry: None }
    }

    /// No answer or only a part of one came. If the guard refused the address, a retry cannot
    /// succeed.
    pub(super) fn no_answer(error: &(dyn StdError + 'static)) -> Self {
        let refused = causes(error)
            .filter_map(|error| error.downcast_ref::<cap_egress::Error>())
            .find(|error| error.is_denied());
        let parts: Vec<_> = causes(error).map(ToString::to_string).collect();
        Self {
            class: refused.map_or(ErrorClass::Network, cap_egress::Error::class),
            what: parts.join(": "),
            retry: refused.is_none().then_some(Retry { after: None }),
        }
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}
