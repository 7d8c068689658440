//! Settings → Syslog of the reference service in a real browser, against a real relay.

use std::path::PathBuf;
use std::time::Duration;

use cap_telemetry::names::Actor;
use cap_telemetry::syslog::Event;
use cap_telemetry::{Document, Telemetry};
use cap_tests::Authority;
use cap_tests::peers::{Browser, Relay, RelayInput, RelayRecord, RelaySoftware};
use cap_tests::require;
use certautopilot::Service;

const LONG: Duration = Duration::from_secs(30);
/// Small, so that it is soon full.
const BUFFER: u64 = 20;

/// Pictures are kept as output of the test.
fn picture(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("settings-page");
    folder.join(format!("{name}.png"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_up_a_relay_with_a_private_ca() {
    let browser = require!("headless-shell");
    let rsyslog = require!(RelaySoftware::Rsyslog.tool());
    let authority = Authority::new();
    let mut relay =
        Relay::start(RelaySoftware::Rsyslog, &rsyslog, &authority).await.expect("rsyslog");
    // Off, but its buffer is known.
    let gone = RelayInput::OctetCounting;
    let text = format!(
        "instance_name: cap-api-1\nsyslog: {{ enabled: true, host: 127.0.0.1, port: {}, buffer_size: {BUFFER}, grace: 100ms }}\n\
         server: {{ listen: '127.0.0.1:0' }}\n",
        relay.addr(gone).port()
    );
    let mut document = Document::parse("config.yaml", &text, []).expect("YAML");
    let pipelines = cap_telemetry::Config::from_document(&mut document).expect("sound");
    let config = certautopilot::Config::from_document(&mut document).expect("sound");
    document.finish().expect("known keys");
    let telemetry = Telemetry::start(pipelines).expect("started");
    let service = Service::start(config, telemetry.clone()).await.expect("it serves");
    let base = format!("http://{}", service.address());

    let mut page = Browser::start(&browser).await.expect("a browser");
    let url = format!("{base}/settings/syslog/page");

    // Requests without an actor, or of one who is not an administrator, are refused.
    page.open(&url).await.expect("an answer");
    let refused = shown(&mut page, "body").await;
    assert!(refused.contains("log in first"), "{refused}");
    log_in(&mut page, &base, "bob@example.com").await;
    page.open(&url).await.expect("an answer");
    let refused = shown(&mut page, "body").await;
    assert!(refused.contains("only an administrator"), "{refused}");

    log_in(&mut page, &base, "alice@example.com").await;
    let before = page.complaints().len();
    page.open(&url).await.expect("the page");
    snap(&mut page, "1-as-configured").await;

    // An invalid host.
    enter(&mut page, "#host", "https://relay.example").await;
    page.follow("button.primary").await.expect("an answer");
    let wrong = shown(&mut page, "#host-wrong").await;
    assert!(wrong.contains("give the host alone, without a scheme"), "{wrong}");
    assert_eq!(value(&mut page, "#host").await, "https://relay.example");
    snap(&mut page, "2-wrong-host").await;

    // A metadata address.
    enter(&mut page, "#host", "169.254.169.254").await;
    page.follow("button.primary").await.expect("an answer");
    let wrong = shown(&mut page, "#host-wrong").await;
    assert!(wrong.contains("egress policy"), "{wrong}");

    // A host that is one, and where nobody listens: saved, and its status says why nothing arrives.
    let nobody = cap_tests::free_addr().expect("a port").port().to_string();
    enter(&mut page, "#host", "127.0.0.1").await;
    enter(&mut page, "#port", &nobody).await;
    page.follow("button.primary").await.expect("an answer");
    let refused = |text: Option<&str>| text.is_some_and(|text| text.contains("nothing accepts"));
    page.until("#warning", refused).await.expect("a warning");
    snap(&mut page, "2b-nobody-listens").await;

    // TLS with a private CA: without it, a Test says what to do.
    let tls = relay.addr(RelayInput::Tls);
    enter(&mut page, "#host", "127.0.0.1").await;
    enter(&mut page, "#port", &tls.port().to_string()).await;
    enter(&mut page, "#transport", "tcp+tls").await;
    page.follow("button[formaction]").await.expect("an answer");
    let stage = shown(&mut page, "li[data-stage=tls]").await;
    assert!(stage.contains("failed"), "{stage}");
    let hint = shown(&mut page, "#test-hint").await;
    assert!(hint.contains("CA"), "{hint}");
    snap(&mut page, "3-test-without-the-ca").await;

    // With the CA, the relay receives the record that the page shows.
    enter(&mut page, "#ca", &authority.ca_pem()).await;
    page.follow("button[formaction]").await.expect("an answer");
    let stage = shown(&mut page, "li[data-stage=confirmed]").await;
    assert!(stage.contains("ok"), "{stage}");
    let on_page = shown(&mut page, "#test-record").await;
    let came =
        |records: &[RelayRecord]| records.iter().any(|record| record.raw.trim_end() == on_page);
    relay.until(&on_page, LONG, came).await;
    snap(&mut page, "4-test-with-the-ca").await;

    page.follow("button.primary").await.expect("an answer");
    assert_eq!(shown(&mut page, "#saved").await, "Saved, and in force.");
    let relay_now = tls.to_string();
    page.until("[data-status=relay]", |text| text == Some(&relay_now)).await.expect("it moved");
    page.until("[data-status=state]", |text| text == Some("connected")).await.expect("connected");
    snap(&mut page, "5-saved").await;
    // The change itself is in the SIEM's archive.
    let changed = |records: &[RelayRecord]| {
        records.iter().any(|record| {
            record.sd.contains("settings.syslog_changed")
                && record.sd.contains("user:alice@example.com")
        })
    };
    relay.until("the change of the settings", LONG, changed).await;

    // Without a relay the buffer fills, and the page warns without a reload.
    relay.stop().await.expect("it stops");
    page.until("#warning", |text| text.is_some_and(|text| text.contains("not connected")))
        .await
        .expect("a warning");
    for number in 0..3 * BUFFER {
        let event =
            Event::new(format!("evt_{number}"), "auth.login", Actor::user("alice"), "Logged in");
        telemetry.audit(event);
    }
    let warning = page
        .until("#warning", |text| text.is_some_and(|text| text.contains("buffer is full")))
        .await
        .expect("a warning")
        .unwrap_or_default();
    assert!(warning.contains("oldest events are being dropped"), "{warning}");
    snap(&mut page, "6-buffer-full").await;

    relay.start().await.expect("it starts again");
    page.until("#warning", |text| text.is_none()).await.expect("no warning");
    page.until("[data-status=queued]", |text| text == Some("0")).await.expect("delivered");
    snap(&mut page, "7-relay-is-back").await;

    let complaints = &page.complaints()[before..];
    // The answer to a wrong form is a 422, which the browser's log counts as an error.
    let expected = |complaint: &&String| !complaint.contains("status of 422");
    assert_eq!(complaints.iter().filter(expected).collect::<Vec<_>>(), [""; 0]);

    assert!(service.stop().await);
    let stopping = tokio::task::spawn_blocking(move || telemetry.shutdown(LONG));
    let report = stopping.await.expect("no panic");
    let events = report.syslog.expect("it was on");
    assert_eq!(events.enqueued, events.delivered + events.dropped + events.queued);
}

/// As the product's own front would: the session is a cookie that scripts cannot read.
async fn log_in(page: &mut Browser, base: &str, user: &str) {
    page.open(&format!("{base}/healthz")).await.expect("the service");
    let body = serde_json::json!({ "user": user, "password": "correct horse battery staple" });
    let script = format!(
        "fetch('/auth/login', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: {} }}).then(answer => answer.status)",
        serde_json::json!(body.to_string())
    );
    assert_eq!(page.evaluate(&script).await.expect("an answer"), 200);
    let cookies = page.evaluate("document.cookie").await.expect("a text");
    assert_eq!(cookies, "");
}

/// The visible text of an element that is there.
async fn shown(page: &mut Browser, selector: &str) -> String {
    let text = page.text(selector).await.expect("a page");
    text.unwrap_or_else(|| panic!("the page shows no {selector}"))
}

async fn enter(page: &mut Browser, field: &str, text: &str) {
    page.enter(field, text).await.expect("a field");
}

async fn snap(page: &mut Browser, name: &str) {
    page.picture(&picture(name)).await.expect("a picture");
}

async fn value(page: &mut Browser, selector: &str) -> String {
    let script = format!("document.querySelector('{selector}').value");
    let value = page.evaluate(&script).await.expect("a value");
    value.as_str().unwrap_or_default().to_owned()
}
