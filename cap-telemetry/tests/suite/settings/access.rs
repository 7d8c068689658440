//! Who may use the settings page, and what no request can do.

use http::{Method, StatusCode};
use serde_json::json;

use super::stage::{ROUTES, Stage};

const FIELDS: [&str; 9] =
    ["enabled", "host", "port", "transport", "framing", "facility", "hostname", "app_name", "ca"];

#[tokio::test]
async fn without_an_administrator_nothing_is_shown_or_changed() {
    let stage = Stage::new().await;
    for route in ROUTES {
        for (user, expected) in [("", StatusCode::UNAUTHORIZED), ("viewer", StatusCode::FORBIDDEN)]
        {
            let answer = stage.attempt(route.clone(), user, &stage.token, None).await;
            assert_eq!(answer.status, expected, "{route:?} of {user:?}");
            assert!(!answer.body.contains("csrf_token"), "{}", answer.body);
        }
    }
    assert!(stage.is_untouched());
}

#[tokio::test]
async fn without_the_own_token_or_from_another_site_nothing_is_done() {
    let stage = Stage::new().await;
    let of_bob = stage.token_of("bob").await;
    for route in ROUTES.into_iter().filter(|(method, ..)| !method.is_safe()) {
        for token in ["", "00", of_bob.as_str()] {
            let answer = stage.attempt(route.clone(), "alice", token, None).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} {token}");
            assert!(answer.body.contains("CSRF"), "{}", answer.body);
        }
        for from in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let answer = stage.attempt(route.clone(), "alice", &stage.token, Some(from)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} {from:?}");
        }
    }
    assert!(stage.is_untouched());
}

#[tokio::test]
async fn html_in_a_field_never_becomes_part_of_the_page() {
    let stage = Stage::new().await;
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    for field in FIELDS {
        for path in ["/page", "/page-test"] {
            let mut fields = vec![("enabled", "true"), ("host", "127.0.0.1")];
            fields.retain(|(name, _)| *name != field);
            fields.push((field, hostile));
            let answer = stage.post(path, &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(answer.body.matches("<script").count(), 1, "{field}: {}", answer.body);
            assert!(!answer.body.contains("<img"), "{field}: {}", answer.body);
            // A check box shows no text.
            if field != "enabled" {
                assert!(answer.body.contains("&lt;script&gt;"), "{field}");
            }
        }
        let answer = stage
            .json(Method::PUT, "", &json!({ "enabled": true, "host": "relay", field: hostile }))
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
        assert_eq!(answer.headers["content-type"], "application/json");
    }
    // An unknown field is not shown.
    let answer = stage.post("/page", &[("<script>alert(1)</script>", "x")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_metadata_address_is_denied_in_every_spelling() {
    let stage = Stage::new().await;
    for host in [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "fd00:ec2::254",
        "metadata.google.internal",
        "100.100.100.200",
    ] {
        let settings = json!({ "enabled": true, "host": host, "port": 80 });
        for (method, path) in [(Method::PUT, ""), (Method::POST, "/test")] {
            let answer = stage.json(method, path, &settings).await;
            assert_eq!(
                answer.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{host}{path}: {}",
                answer.body
            );
            let error = &answer.json()["errors"][0];
            assert_eq!(error["field"], "host", "{error}");
            assert!(error["message"].as_str().unwrap().contains("egress policy"), "{error}");
        }
    }
    assert!(stage.is_untouched());
}

#[tokio::test]
async fn every_answer_forbids_inline_script_framing_and_sniffing() {
    let stage = Stage::new().await;
    for (method, path, _) in ROUTES {
        for user in ["", "alice"] {
            let answer = stage.send(method.clone(), path, user, "", &[]).await;
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
            assert!(
                policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'")
            );
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
}
