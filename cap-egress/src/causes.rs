//! An error and what caused it.

use std::error::Error;
use std::io;
use std::iter::successors;

/// The error and its sources, outermost first, including those inside an [`io::Error`].
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| {
        // The `source` of an `io::Error` skips the error that it carries.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        }
    })
}
