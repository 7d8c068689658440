//! Names that callers give, parsed once.

use serde::Deserialize;

/// A host name, in lower case; the first label may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Domain(pub(crate) String);

/// The id of a project, a user or a webhook: 1 to 64 of `A–Z a–z 0–9 . _ @ -`, and not starting
/// with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Slug(pub(crate) String);

#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidName {
    #[error("{0:?} is not a host name: write one such as api.example.com or *.example.com")]
    Domain(String),
    #[error("{0:?} is not an id: write 1 to 64 letters, digits and . _ @ -")]
    Slug(String),
}

impl TryFrom<String> for Domain {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let name = text.to_ascii_lowercase();
        let labels = name.strip_prefix("*.").unwrap_or(&name).split('.');
        if name.len() <= 253 && labels.clone().count() >= 2 && labels.clone().all(is_label) {
            Ok(Self(name))
        } else {
            Err(InvalidName::Domain(text))
        }
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        let length = (1..=64).contains(&text.len());
        if length && !text.starts_with('.') && text.bytes().all(known) {
            Ok(Self(text))
        } else {
            Err(InvalidName::Slug(text))
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_and_wildcards_are_domains() {
        let parsed = |text: &str| Domain::try_from(text.to_owned()).ok().map(|it| it.0);
        for text in ["api.example.com", "API.Example.com", "*.example.com"] {
            assert_eq!(parsed(text), Some(text.to_ascii_lowercase()));
        }
        let refused = "localhost a..b *.*.example.com -a.example.com ../etc/passwd.pem";
        for text in refused.split(' ').chain(["a.example.com\n", ""]) {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn ids_cannot_be_paths() {
        let is_id = |text: &str| Slug::try_from(text.to_owned()).is_ok();
        assert!(is_id("p1") && is_id("alice@example.com"));
        for text in ["", "..", "a/b", "a b", "é"] {
            assert!(!is_id(text), "{text:?}");
        }
    }
}
