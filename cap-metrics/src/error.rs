//! Why a registry cannot be scraped beside the catalogue.

/// A registry that cannot be exposed beside the catalogue.
#[derive(Debug, thiserror::Error)]
#[error("the family {family:?}: {problem}")]
pub struct Error {
    family: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Fault(&'static str),
    #[error("the catalogue has a family or a sample of this name; give the registry a prefix")]
    InCatalogue,
    #[error("another registry has a family of this name; give one of the registries a prefix")]
    InOtherRegistry,
    #[error("encoding fails after this family; fix the metric or collector that follows it")]
    NotEncoded,
}

impl Error {
    pub(crate) fn new(family: &str, problem: Problem) -> Self {
        Self { family: family.to_owned(), problem }
    }

    /// Whether a name is there twice, as opposed to a family that is broken in itself.
    pub fn is_clash(&self) -> bool {
        matches!(self.problem, Problem::InCatalogue | Problem::InOtherRegistry)
    }
}
