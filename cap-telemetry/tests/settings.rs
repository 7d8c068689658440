//! Settings → Syslog: who may, what is refused, what is shown.

#![allow(clippy::unwrap_used, reason = "tests say by failing what is missing")]

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use cap_telemetry::names::Actor;
use cap_telemetry::settings::{
    AccessError, Action, AuditRecord, CsrfKey, Form, PersistError, SettingsBackend, SettingsPage,
};
use cap_telemetry::syslog::Transport;
use cap_telemetry::{Config, Document, Telemetry};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tower::ServiceExt as _;

const FIELDS: [&str; 9] = [
    "enabled",
    "host",
    "port",
    "transport",
    "framing",
    "facility",
    "hostname",
    "app_name",
    "ca",
];

/// A product that takes the header `x-user` at its word, and remembers what it was to keep.
#[derive(Clone, Default)]
struct Product {
    kept: Arc<Mutex<Vec<AuditRecord>>>,
    full: bool,
}

impl SettingsBackend for Product {
    async fn authorize(&self, request: &Parts) -> Result<Actor, AccessError> {
        match request
            .headers
            .get("x-user")
            .and_then(|user| user.to_str().ok())
        {
            None => Err(AccessError::Unauthenticated),
            Some("viewer") => Err(AccessError::Forbidden),
            Some(user) => Ok(Actor::user(user)),
        }
    }

    async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
        if self.full {
            return Err("the disk is full: secret path".into());
        }
        self.kept.lock().unwrap().push(record.clone());
        Ok(())
    }
}

struct Stage {
    telemetry: Telemetry,
    product: Product,
    app: Router,
    token: String,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }
}

impl Stage {
    async fn new() -> Self {
        Self::with(Product::default(), "instance_name: here").await
    }

    async fn with(product: Product, text: &str) -> Self {
        let mut document = Document::parse("config.yaml", text, []).unwrap();
        let config = Config::from_document(&mut document).unwrap();
        let telemetry = Telemetry::start(config).unwrap();
        let page =
            SettingsPage::new(telemetry.clone(), product.clone()).csrf_key(CsrfKey::new(&[7; 32]));
        let app = Router::new().nest("/settings/syslog", page.router());
        let mut stage = Stage {
            telemetry,
            product,
            app,
            token: String::new(),
        };
        let shown = stage.send(Method::GET, "", "alice", "", &[]).await.json();
        stage.token = shown["csrf_token"].as_str().unwrap().to_owned();
        stage
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        user: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/settings/syslog{path}"));
        if !user.is_empty() {
            request = request.header("x-user", user);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self
            .app
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Alice's, with her token.
    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-csrf-token", self.token.as_str()),
        ];
        self.send(method, path, "alice", &body.to_string(), &headers)
            .await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &self.token));
        let body = encoded(&fields);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, "alice", &body, &headers)
            .await
    }

    fn kept(&self) -> Vec<String> {
        let kept = self.product.kept.lock().unwrap();
        kept.iter()
            .map(|record| format!("{}: {}", record.event_type(), record.summary()))
            .collect()
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            out.push_str(&format!("%{byte:02X}"));
            out
        })
    };
    let pairs = fields
        .iter()
        .map(|(name, text)| format!("{name}={}", escape(text)));
    pairs.collect::<Vec<_>>().join("&")
}

fn relay(port: u16) -> Value {
    json!({ "enabled": true, "host": "127.0.0.1", "port": port, "transport": "tcp" })
}

/// Method and path of every route, and the body it takes.
const ROUTES: [(Method, &str, &str); 9] = [
    (Method::GET, "", ""),
    (Method::PUT, "", "application/json"),
    (Method::POST, "/test", "application/json"),
    (Method::GET, "/status", ""),
    (Method::GET, "/page", ""),
    (Method::POST, "/page", "application/x-www-form-urlencoded"),
    (
        Method::POST,
        "/page-test",
        "application/x-www-form-urlencoded",
    ),
    (Method::GET, "/page.css", ""),
    (Method::GET, "/page.js", ""),
];

#[tokio::test]
async fn whoever_is_no_administrator_sees_and_changes_nothing() {
    let stage = Stage::new().await;
    for (method, path, content_type) in ROUTES {
        for (user, expected) in [
            ("", StatusCode::UNAUTHORIZED),
            ("viewer", StatusCode::FORBIDDEN),
        ] {
            let body = match content_type {
                "application/json" => relay(601).to_string(),
                _ => encoded(&[
                    ("enabled", "true"),
                    ("host", "127.0.0.1"),
                    ("csrf_token", &stage.token),
                ]),
            };
            let headers = [
                ("content-type", content_type),
                ("x-csrf-token", &stage.token),
            ];
            let answer = stage
                .send(method.clone(), path, user, &body, &headers)
                .await;
            assert_eq!(answer.status, expected, "{method} {path} of {user:?}");
            assert!(!answer.body.contains("csrf_token"), "{}", answer.body);
        }
    }
    assert!(stage.telemetry.syslog().is_none());
    assert_eq!(stage.kept(), [""; 0]);
}

#[tokio::test]
async fn without_the_administrator_s_own_token_or_from_another_site_nothing_is_done() {
    let stage = Stage::new().await;
    let of_bob = stage.send(Method::GET, "", "bob", "", &[]).await.json();
    let of_bob = of_bob["csrf_token"].as_str().unwrap().to_owned();
    for (method, path, content_type) in ROUTES.into_iter().filter(|(method, ..)| !method.is_safe())
    {
        for token in ["", "00", of_bob.as_str()] {
            let body = match content_type {
                "application/json" => relay(601).to_string(),
                _ => encoded(&[
                    ("enabled", "true"),
                    ("host", "127.0.0.1"),
                    ("csrf_token", token),
                ]),
            };
            let headers = [("content-type", content_type), ("x-csrf-token", token)];
            let answer = stage
                .send(method.clone(), path, "alice", &body, &headers)
                .await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{method} {path} {token}"
            );
            assert!(answer.body.contains("CSRF"), "{}", answer.body);
        }
        for from in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let body = match content_type {
                "application/json" => relay(601).to_string(),
                _ => encoded(&[
                    ("enabled", "true"),
                    ("host", "127.0.0.1"),
                    ("csrf_token", &stage.token),
                ]),
            };
            let headers = [
                ("content-type", content_type),
                ("x-csrf-token", &stage.token),
                from,
            ];
            let answer = stage
                .send(method.clone(), path, "alice", &body, &headers)
                .await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{method} {path} {from:?}"
            );
        }
    }
    assert!(stage.telemetry.syslog().is_none());
    assert_eq!(stage.kept(), [""; 0]);
}

#[tokio::test]
async fn html_in_any_field_is_shown_as_it_was_entered_and_never_becomes_a_part_of_the_page() {
    let stage = Stage::new().await;
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    for field in FIELDS {
        for path in ["/page", "/page-test"] {
            let mut fields = vec![("enabled", "true"), ("host", "127.0.0.1")];
            fields.retain(|(name, _)| *name != field);
            fields.push((field, hostile));
            let answer = stage.post(path, &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(
                answer.body.matches("<script").count(),
                1,
                "{field}: {}",
                answer.body
            );
            assert!(!answer.body.contains("<img"), "{field}: {}", answer.body);
            // A box is ticked or not; it has no text to show.
            if field != "enabled" {
                assert!(answer.body.contains("&lt;script&gt;"), "{field}");
            }
        }
        let answer = stage
            .json(
                Method::PUT,
                "",
                &json!({ "enabled": true, "host": "relay", field: hostile }),
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
        assert_eq!(answer.headers["content-type"], "application/json");
    }
    // And what is no field is not shown at all.
    let answer = stage
        .post("/page", &[("<script>alert(1)</script>", "x")])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_metadata_address_is_denied_as_host_in_every_spelling_whether_saved_or_tested() {
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
            assert!(
                error["message"].as_str().unwrap().contains("egress policy"),
                "{error}"
            );
        }
    }
    assert!(stage.telemetry.syslog().is_none());
    assert_eq!(stage.kept(), [""; 0]);
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

#[tokio::test]
async fn what_is_saved_is_kept_first_then_in_force_and_survives_a_restart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stage = Stage::new().await;
    let mut settings = relay(port);
    settings["facility"] = "local5".into();
    settings["app_name"] = "cap-prod".into();
    let answer = stage.json(Method::PUT, "", &settings).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let shown = answer.json()["settings"].clone();
    assert_eq!(
        shown,
        json!({
            "enabled": true, "host": "127.0.0.1", "port": port, "transport": "tcp", "framing": "octet-counting",
            "facility": "local5", "hostname": "", "app_name": "cap-prod", "ca": "",
        })
    );
    assert_eq!(
        stage.send(Method::GET, "", "alice", "", &[]).await.json()["settings"],
        shown
    );
    assert_eq!(
        stage.kept(),
        [format!(
            "settings.syslog_changed: Syslog forwarding set to 127.0.0.1:{port} over tcp"
        )]
    );
    let actor = stage.product.kept.lock().unwrap()[0].actor.to_string();
    assert_eq!(actor, "user:alice");

    stage.telemetry.audit(cap_telemetry::syslog::Event::new(
        "evt_1",
        "t",
        Actor::user("a"),
        "m",
    ));
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    let record = String::from_utf8_lossy(&bytes[..count]).into_owned();
    assert!(
        record.contains("<174>1 ") && record.contains(" here cap-prod "),
        "{record}"
    );

    let kept = match &stage.product.kept.lock().unwrap()[0].action {
        Action::Saved(form) => serde_json::to_string(form).unwrap(),
        other => panic!("{other:?}"),
    };
    let again = Stage::new().await;
    serde_json::from_str::<Form>(&kept)
        .unwrap()
        .restore(&again.telemetry)
        .unwrap();
    assert_eq!(
        again.send(Method::GET, "", "alice", "", &[]).await.json()["settings"],
        shown
    );

    settings["enabled"] = false.into();
    settings["facility"] = "local1".into();
    let off = stage.json(Method::PUT, "", &settings).await.json();
    assert_eq!(off["status"], Value::Null);
    assert_eq!(
        off["settings"]["facility"], "local1",
        "what is switched off is remembered"
    );
    assert_eq!(
        stage.kept()[1],
        "settings.syslog_changed: Syslog forwarding switched off"
    );
    stage.telemetry.shutdown(Duration::ZERO);
    again.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn settings_that_one_replica_showed_and_saved_leave_the_others_their_own_name() {
    let text = "instance_name: cap-1\nsyslog: { enabled: true, host: 127.0.0.1, port: 9 }";
    let stage = Stage::with(Product::default(), text).await;
    let shown = stage.send(Method::GET, "", "alice", "", &[]).await.json()["settings"].clone();
    let saved = stage.json(Method::PUT, "", &shown).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    let Action::Saved(kept) = stage.product.kept.lock().unwrap()[0].action.clone() else {
        panic!("it was saved");
    };
    let other = Stage::with(Product::default(), "instance_name: cap-2").await;
    kept.restore(&other.telemetry).unwrap();
    for (stage, name) in [(&stage, "cap-1"), (&other, "cap-2")] {
        assert_eq!(stage.telemetry.syslog_config().unwrap().hostname, name);
        stage.telemetry.shutdown(Duration::ZERO);
    }
    let named = json!({ "enabled": true, "host": "127.0.0.1", "port": 9, "hostname": "siem-name" });
    let stage = Stage::with(Product::default(), text).await;
    let shown = stage.json(Method::PUT, "", &named).await.json()["settings"].clone();
    assert_eq!(shown["hostname"], "siem-name");
    stage.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn a_client_certificate_outlasts_a_transport_without_tls() {
    let made = rcgen::generate_simple_self_signed(["here".to_owned()]).unwrap();
    let pem = |text: String| serde_json::to_string(&text).unwrap();
    let text = format!(
        "syslog: {{ enabled: true, host: 127.0.0.1, transport: tcp+tls, tls: {{ client_certificate: {}, client_key: {} }} }}",
        pem(made.cert.pem()),
        pem(made.signing_key.serialize_pem()),
    );
    let stage = Stage::with(Product::default(), &text).await;
    for transport in ["tcp", "tcp+tls"] {
        let settings = json!({ "enabled": true, "host": "127.0.0.1", "transport": transport });
        let saved = stage.json(Method::PUT, "", &settings).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    }
    let config = stage.telemetry.syslog_config().unwrap();
    let Transport::Tls(_, tls) = config.transport else {
        panic!("{config:?}");
    };
    assert!(tls.identity.is_some());
    stage.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn what_is_not_on_the_form_stays_as_the_file_has_it() {
    let text =
        "syslog: { enabled: true, host: 127.0.0.1, port: 9, buffer_size: 77, sd_id: cap@32473 }";
    let stage = Stage::with(Product::default(), text).await;
    let answer = stage.json(Method::PUT, "", &relay(10)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let config = stage.telemetry.syslog_config().unwrap();
    assert_eq!(
        (
            config.relay.port.get(),
            config.buffer_size.get(),
            config.sd_id.as_str()
        ),
        (10, 77, "cap@32473")
    );
    stage.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn settings_that_cannot_be_kept_do_not_take_effect_and_the_reason_stays_inside() {
    let product = Product {
        full: true,
        ..Product::default()
    };
    let stage = Stage::with(product, "").await;
    for (method, path) in [(Method::PUT, ""), (Method::POST, "/test")] {
        let answer = stage.json(method, path, &relay(9)).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.body.contains("secret path"), "{}", answer.body);
    }
    assert!(stage.telemetry.syslog().is_none());
}

#[tokio::test]
async fn each_wrong_field_has_its_message_beside_it() {
    let stage = Stage::new().await;
    let wrong = [
        ("enabled", "perhaps", "write true or false"),
        (
            "host",
            "http://relay",
            "the host \"http://relay\" cannot be used: give the host alone, without a scheme or a path",
        ),
        (
            "port",
            "70000",
            "\"70000\" is not a port: write a number from 1 to 65535, or nothing for 601",
        ),
        (
            "port",
            "0",
            "\"0\" is not a port: write a number from 1 to 65535, or nothing for 601",
        ),
        (
            "transport",
            "tls",
            "unknown transport \"tls\": write udp, tcp or tcp+tls",
        ),
        (
            "framing",
            "crlf",
            "unknown framing \"crlf\": use one of octet-counting, newline",
        ),
        (
            "facility",
            "local9",
            "unknown facility \"local9\": write local0 to local7, or a code from 0 to 23",
        ),
        (
            "hostname",
            "a b",
            "write at most 255 printable ASCII characters without spaces (RFC 5424, 6.2)",
        ),
        (
            "app_name",
            "ü",
            "write at most 48 printable ASCII characters without spaces (RFC 5424, 6.2)",
        ),
        (
            "ca",
            "PEM",
            "only tcp+tls uses it: choose that transport, or leave this empty",
        ),
    ];
    for (field, text, message) in wrong {
        let mut settings = relay(601);
        settings[field] = text.into();
        let answer = stage.json(Method::PUT, "", &settings).await;
        assert_eq!(
            answer.json()["errors"],
            json!([{ "field": field, "message": message }])
        );
    }
    let mut settings = relay(6514);
    settings["transport"] = "tcp+tls".into();
    settings["ca"] = "nonsense".into();
    let answer = stage.json(Method::PUT, "", &settings).await.json();
    assert_eq!(answer["errors"][0]["field"], "ca");
    let page = stage.post("/page", &[("enabled", "perhaps")]).await;
    assert!(page.body.contains("write true or false"), "{}", page.body);
    // All at once.
    let all = json!({ "enabled": true, "host": "", "port": "x", "facility": "y" });
    let errors = stage.json(Method::PUT, "", &all).await.json();
    assert_eq!(errors["errors"].as_array().unwrap().len(), 3, "{errors}");
    for (body, status) in [
        (json!({ "hots": "relay" }), StatusCode::BAD_REQUEST),
        (json!({ "host": ["a"] }), StatusCode::BAD_REQUEST),
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(
            stage.json(Method::PUT, "", &body).await.status,
            status,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_test_says_stage_by_stage_how_far_it_came_is_kept_and_has_a_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let stage = Stage::new().await;
    let probe = stage.json(Method::POST, "/test", &relay(port)).await.json();
    assert_eq!(probe["verdict"], "failed");
    assert_eq!(probe["failure"]["cause"], "refused");
    let stages = probe["steps"].as_array().unwrap().iter();
    let stages: Vec<_> = stages.map(|step| step["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["policy", "connect"]);
    assert!(probe["record"].as_str().unwrap().contains("syslog.test"));
    assert!(stage.telemetry.syslog().is_none(), "a Test changes nothing");
    assert_eq!(
        stage.kept(),
        [format!(
            "settings.syslog_tested: Syslog relay 127.0.0.1:{port} tested: failed"
        )]
    );

    let port = port.to_string();
    let fields = [
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("transport", "tcp"),
    ];
    let page = stage.post("/page-test", &fields).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body
            .contains("check the port, and that the relay runs"),
        "{}",
        page.body
    );
    for _ in 2..5 {
        assert_eq!(
            stage.post("/page-test", &fields).await.status,
            StatusCode::OK
        );
    }
    let sixth = stage.json(Method::POST, "/test", &relay(9)).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = sixth.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(
        stage.post("/page-test", &fields).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(stage.kept().len(), 5, "what is refused is not run");
}

#[tokio::test]
async fn a_test_whose_browser_goes_away_is_run_and_kept_all_the_same() {
    let relay_listens = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = relay_listens.local_addr().unwrap().port();
    let stage = Stage::new().await;
    let settings = relay(port);
    let mut asks = Box::pin(stage.json(Method::POST, "/test", &settings));
    let (mut stream, _) = tokio::select! {
        biased;
        _ = &mut asks => panic!("the relay has not said anything yet"),
        connected = relay_listens.accept() => connected.unwrap(),
    };
    drop(asks);
    let mut record = [0; 4096];
    let count = stream.read(&mut record).await.unwrap();
    let record = String::from_utf8_lossy(&record[..count]);
    assert!(record.contains("syslog.test"), "{record}");
    drop(stream);
    let until = Instant::now() + Duration::from_secs(20);
    while stage.kept().is_empty() {
        assert!(Instant::now() < until, "it is not kept");
        tokio::task::yield_now().await;
    }
    assert!(stage.kept()[0].starts_with("settings.syslog_tested: "));
}

#[tokio::test]
async fn without_a_relay_there_is_nothing_to_test_and_a_body_that_is_too_long_is_refused() {
    let stage = Stage::new().await;
    let headers = [("x-csrf-token", stage.token.as_str())];
    let answer = stage
        .send(Method::POST, "/test", "alice", "", &headers)
        .await;
    assert_eq!(answer.json()["errors"][0]["field"], "host");
    let long = json!({ "ca": "x".repeat(70_000) });
    let answer = stage.json(Method::PUT, "", &long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
