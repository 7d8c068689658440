//! Names that callers give, parsed once.

use serde::Deserialize;

/// A host name, in lower case; the first label may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Domain(String);

/// The id of a project, a user or a webhook: 1 to 64 of `A–Z a–z 0–9 . _ @ -`, and not starting
/// with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Slug(String);

/// A text that is no such name.
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

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
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
        for (text, domain) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.com", Some("api.example.com")),
            ("*.example.com", Some("*.example.com")),
            ("localhost", None),
            ("a..b", None),
            ("*.*.example.com", None),
            ("-a.example.com", None),
            ("../etc/passwd.pem", None),
            ("a.example.com\n", None),
            ("", None),
        ] {
            let parsed = Domain::try_from(text.to_owned()).ok().map(String::from);
            assert_eq!(parsed.as_deref(), domain, "{text:?}");
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
