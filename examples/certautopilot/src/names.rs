//! Names that callers give, parsed once: what is not a name goes no further.

use std::str::FromStr;

use serde::Deserialize;

/// A host name, in lower case; the first label may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Domain(String);

/// The id of a project, a user or a webhook: 1 to 64 of `A–Z a–z 0–9 . _ @ -`, and not starting with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Slug(String);

impl Domain {
    /// The name, owned.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Slug {
    /// The id, owned.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for Domain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        let labels: Vec<_> = name
            .strip_prefix("*.")
            .unwrap_or(&name)
            .split('.')
            .collect();
        let valid =
            name.len() <= 253 && labels.len() >= 2 && labels.iter().all(|label| is_label(label));
        if valid {
            Ok(Domain(name))
        } else {
            Err(format!(
                "{text:?} is not a host name: write one such as api.example.com or *.example.com"
            ))
        }
    }
}

impl FromStr for Slug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let valid = (1..=64).contains(&text.len())
            && !text.starts_with('.')
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._@-".contains(&b));
        if valid {
            Ok(Slug(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not an id: write 1 to 64 letters, digits and . _ @ -"
            ))
        }
    }
}

impl TryFrom<String> for Domain {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for Slug {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
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
            let parsed = text.parse::<Domain>().ok();
            assert_eq!(
                parsed.map(Domain::into_string).as_deref(),
                domain,
                "{text:?}"
            );
        }
    }

    #[test]
    fn ids_cannot_be_paths() {
        assert!("p1".parse::<Slug>().is_ok());
        assert!("alice@example.com".parse::<Slug>().is_ok());
        for text in ["", "..", "a/b", "a b", "é"] {
            assert!(text.parse::<Slug>().is_err(), "{text:?}");
        }
    }
}
