//! Route patterns: one spelling for labels, span names and attributes.

use std::borrow::Cow;

/// The `:name` form of a route pattern: `/projects/{projectId}` becomes `/projects/:projectId`, and
/// a catch-all `/{*rest}` becomes `/*rest`.
///
/// A pattern that is already in this form stays as it is.
pub fn route_pattern(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('{') {
        return Cow::Borrowed(pattern);
    }
    let mut written = String::with_capacity(pattern.len());
    for (index, segment) in pattern.split('/').enumerate() {
        if index > 0 {
            written.push('/');
        }
        let name = segment.strip_prefix('{');
        match name.and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                let lead = if name.starts_with('*') { "" } else { ":" };
                written.extend([lead, name]);
            }
            None => written.push_str(segment),
        }
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_become_colons() {
        for (given, expected) in [
            ("/projects/{projectId}/certificates/{id}", "/projects/:projectId/certificates/:id"),
            ("/files/{*path}", "/files/*path"),
            ("/a/:id", "/a/:id"),
            ("/", "/"),
            ("/{a}/", "/:a/"),
            ("/{a", "/{a"),
        ] {
            assert_eq!(route_pattern(given), expected);
        }
    }
}
