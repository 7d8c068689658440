//! Why a registry cannot stand beside the catalogue.

/// A registry that cannot be exposed beside the catalogue.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error(
        "the registry: encoding it fails at the family after {after:?}; scraping it would fail each time"
    )]
    Encode { after: String },
    #[error("the family {family:?}: {fault}")]
    Fault { family: String, fault: &'static str },
    #[error(
        "the family {family:?} has a name, or a sample's name, of the catalogue; give it another prefix"
    )]
    Catalogue { family: String },
    #[error("the family {family:?} is in another registry already; give one of them a prefix")]
    Twice { family: String },
}

impl Error {
    /// Whether a name is there twice, and not something broken in itself.
    pub fn is_clash(&self) -> bool {
        matches!(self.0, Kind::Catalogue { .. } | Kind::Twice { .. })
    }
}
