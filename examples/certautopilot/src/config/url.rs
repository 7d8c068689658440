//! A URL that can be called.

use std::str::FromStr;

use axum::http::Uri;

/// An `http` or `https` URL without a userinfo part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(pub Uri);

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A password may stand in it, so it is not repeated.
        if text.contains('@') {
            return Err("a URL with a user or password is not taken".to_owned());
        }
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let scheme = uri.scheme_str();
            matches!(scheme, Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        uri.map(HttpUrl)
            .ok_or_else(|| format!("{text:?} is not a URL: write one such as https://host/path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_with_a_host_and_without_secrets_are_taken() {
        assert!(
            "http://127.0.0.1:14000/directory"
                .parse::<HttpUrl>()
                .is_ok()
        );
        for text in ["ftp://a/", "/directory", "host:80", "http://u:secret@host/"] {
            let error = text.parse::<HttpUrl>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
