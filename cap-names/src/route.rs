//! Route patterns: one spelling for labels, span names and attributes.

/// `/projects/{projectId}` as `/projects/:projectId`, and a catch-all `/{*rest}` as `/*rest`. A pattern in this form already
/// stays as it is.
pub fn route_pattern(pattern: &str) -> String {
    let segments: Vec<_> = pattern
        .split('/')
        .map(|segment| {
            match segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                Some(name) if name.starts_with('*') => name.to_owned(),
                Some(name) => format!(":{name}"),
                None => segment.to_owned(),
            }
        })
        .collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_become_colons() {
        for (given, expected) in [
            (
                "/projects/{projectId}/certificates/{id}",
                "/projects/:projectId/certificates/:id",
            ),
            ("/files/{*path}", "/files/*path"),
            ("/a/:id", "/a/:id"),
            ("/", "/"),
        ] {
            assert_eq!(route_pattern(given), expected);
        }
    }
}
