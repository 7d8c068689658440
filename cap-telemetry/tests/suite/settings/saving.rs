//! Saving settings: what is persisted, what takes effect, and the errors by field.

use std::io::Read as _;
use std::time::Duration;

use cap_telemetry::settings::{Action, Form};
use cap_telemetry::syslog::Transport;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::stage::{Product, Stage, relay};
use crate::support::{event, listener};

#[tokio::test]
async fn saved_settings_are_persisted_applied_and_survive_a_restart() {
    let (listener, address) = listener();
    let port = address.port();
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
    assert_eq!(stage.shown().await, shown);
    assert_eq!(
        stage.persisted(),
        [format!("settings.syslog_changed: Syslog forwarding set to 127.0.0.1:{port} over tcp")]
    );
    let actor = stage.product.persisted.lock().unwrap()[0].actor.to_string();
    assert_eq!(actor, "user:alice");

    stage.telemetry.audit(event("evt_1"));
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    let record = String::from_utf8_lossy(&bytes[..count]).into_owned();
    assert!(record.contains("<174>1 ") && record.contains(" here cap-prod "), "{record}");

    let kept = match &stage.product.persisted.lock().unwrap()[0].action {
        Action::Saved(form) => serde_json::to_string(form).unwrap(),
        other => panic!("{other:?}"),
    };
    let again = Stage::new().await;
    serde_json::from_str::<Form>(&kept).unwrap().restore(&again.telemetry).unwrap();
    assert_eq!(again.shown().await, shown);

    settings["enabled"] = false.into();
    settings["facility"] = "local1".into();
    let off = stage.json(Method::PUT, "", &settings).await.json();
    assert_eq!(off["status"], Value::Null);
    assert_eq!(off["settings"]["facility"], "local1", "what is switched off is remembered");
    assert_eq!(stage.persisted()[1], "settings.syslog_changed: Syslog forwarding switched off");
    stage.telemetry.shutdown(Duration::ZERO);
    again.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn saved_settings_leave_other_replicas_their_name() {
    let text = "instance_name: cap-1\nsyslog: { enabled: true, host: 127.0.0.1, port: 9 }";
    let stage = Stage::with(Product::default(), text).await;
    let shown = stage.shown().await;
    let saved = stage.json(Method::PUT, "", &shown).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    let Action::Saved(kept) = stage.product.persisted.lock().unwrap()[0].action.clone() else {
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
async fn settings_without_a_field_stay_as_the_file_has_them() {
    let text =
        "syslog: { enabled: true, host: 127.0.0.1, port: 9, buffer_size: 77, sd_id: cap@32473 }";
    let stage = Stage::with(Product::default(), text).await;
    let answer = stage.json(Method::PUT, "", &relay(10)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let config = stage.telemetry.syslog_config().unwrap();
    assert_eq!(
        (config.relay.port.get(), config.buffer_size.get(), config.sd_id.as_str()),
        (10, 77, "cap@32473")
    );
    stage.telemetry.shutdown(Duration::ZERO);
}

#[tokio::test]
async fn settings_that_are_not_persisted_do_not_take_effect() {
    let product = Product { full: true, ..Product::default() };
    let stage = Stage::with(product, "").await;
    for (method, path) in [(Method::PUT, ""), (Method::POST, "/test")] {
        let answer = stage.json(method, path, &relay(9)).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.body.contains("secret path"), "{}", answer.body);
    }
    assert!(stage.telemetry.syslog().is_none());
}

#[tokio::test]
async fn each_field_has_its_error_beside_it() {
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
        ("port", "0", "\"0\" is not a port: write a number from 1 to 65535, or nothing for 601"),
        ("transport", "tls", "unknown transport \"tls\": write udp, tcp or tcp+tls"),
        ("framing", "crlf", "unknown framing \"crlf\": use one of octet-counting, newline"),
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
        ("ca", "PEM", "only tcp+tls uses it: choose that transport, or leave this empty"),
    ];
    for (field, text, message) in wrong {
        let mut settings = relay(601);
        settings[field] = text.into();
        let answer = stage.json(Method::PUT, "", &settings).await;
        assert_eq!(answer.json()["errors"], json!([{ "field": field, "message": message }]));
    }
    let mut settings = relay(6514);
    settings["transport"] = "tcp+tls".into();
    settings["ca"] = "nonsense".into();
    let answer = stage.json(Method::PUT, "", &settings).await.json();
    assert_eq!(answer["errors"][0]["field"], "ca");
    let page = stage.post("/page", &[("enabled", "perhaps")]).await;
    assert!(page.body.contains("write true or false"), "{}", page.body);
    // All errors at once.
    let all = json!({ "enabled": true, "host": "", "port": "x", "facility": "y" });
    let errors = stage.json(Method::PUT, "", &all).await.json();
    assert_eq!(errors["errors"].as_array().unwrap().len(), 3, "{errors}");
    for (body, status) in [
        (json!({ "hots": "relay" }), StatusCode::BAD_REQUEST),
        (json!({ "host": ["a"] }), StatusCode::BAD_REQUEST),
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(stage.json(Method::PUT, "", &body).await.status, status, "{body}");
    }
}
