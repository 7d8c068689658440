//! What people and programs ask of the service: the good, the bad, and a relay that goes away.

use std::io;
use std::time::{Duration, Instant};

use certautopilot::Endpoint;
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::receivers::Receivers;
use crate::client::Client;

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// Between two rounds of everyday traffic.
const PACE: Duration = Duration::from_millis(100);

/// The host whose renewal meets two 503 and then succeeds.
pub(super) const FLAKY: &str = "flaky.example.com";
/// The host whose renewal is given up, and whose certificate is about to expire.
const DOOMED: &str = "doomed.example.com";

pub(super) async fn run(
    client: &Client,
    acme: &AcmeServer,
    receivers: &mut Receivers,
    until: Instant,
    say: &impl Fn(&str),
) -> io::Result<()> {
    say("logins: two that succeed, one that does not");
    login(
        client,
        "alice@example.com",
        "correct horse battery staple",
        StatusCode::OK,
    )
    .await?;
    login(
        client,
        "bob@example.com",
        "correct horse battery staple",
        StatusCode::OK,
    )
    .await?;
    login(client, "mallory", "guess", StatusCode::UNAUTHORIZED).await?;

    say("issuing certificates in two projects");
    let short = FaultKind::ValidFor(Duration::from_secs(5 * 24 * 3600));
    acme.inject(
        Fault::new(Endpoint::Finalize, short)
            .identifier(DOOMED)
            .times(1),
    );
    let mut issued = Vec::new();
    for (project, domain) in [
        ("web", "www.example.com"),
        ("web", "shop.example.com"),
        ("web", FLAKY),
        ("api", "api.example.com"),
        ("api", DOOMED),
        ("api", "old.example.com"),
    ] {
        issued.push(issue(client, project, domain).await?);
    }
    for certificate in &issued {
        reaches(client, certificate, "active").await?;
    }
    let path_of = |domain: &str| {
        issued
            .iter()
            .find(|issued| issued.domain == domain)
            .expect("it was issued")
            .path
            .clone()
    };

    say("a renewal for which the provider fails twice and then recovers");
    acme.inject(
        Fault::new(Endpoint::Finalize, FaultKind::Status(503))
            .identifier(FLAKY)
            .times(2),
    );
    let flaky = path_of(FLAKY);
    let before = get(client, &flaky).await?["fingerprint"].clone();
    post(
        client,
        &format!("{flaky}/renew"),
        Value::Null,
        StatusCode::ACCEPTED,
    )
    .await?;
    wait(client, &flaky, "a new certificate", |now| {
        now["fingerprint"] != before
    })
    .await?;

    say("a renewal for which the provider never recovers: a dead letter");
    acme.inject(Fault::new(Endpoint::Finalize, FaultKind::Status(500)).identifier(DOOMED));
    let doomed = path_of(DOOMED);
    post(
        client,
        &format!("{doomed}/renew"),
        Value::Null,
        StatusCode::ACCEPTED,
    )
    .await?;
    wait(client, &doomed, "renewal_failed", |now| {
        now["status"] == "renewal_failed"
    })
    .await?;

    say("a revocation, a role change, a webhook, a KEK rotation");
    post(
        client,
        &format!("{}/revoke", path_of("old.example.com")),
        Value::Null,
        StatusCode::OK,
    )
    .await?;
    let role = json!({ "role": "operator" });
    client
        .call(
            Method::PUT,
            "/projects/web/members/carol/role",
            role,
            StatusCode::OK,
        )
        .await?;
    post(
        client,
        "/webhooks/ticket",
        json!({ "ticket": 1 }),
        StatusCode::ACCEPTED,
    )
    .await?;
    post(client, "/kek/rotations", Value::Null, StatusCode::ACCEPTED).await?;
    audited(client, "kek.rotation_completed").await?;

    say("the relay goes away; logins go on");
    receivers.relay_down().await?;
    for _ in 0..20 {
        login(
            client,
            "alice@example.com",
            "correct horse battery staple",
            StatusCode::OK,
        )
        .await?;
    }
    let queued = status(client).await?["syslog"]["queued"].clone();
    say(&format!(
        "the relay comes back; {queued} events are waiting for it"
    ));
    receivers.relay_up().await?;

    let mut round = 0;
    let mut told = Instant::now();
    loop {
        round += 1;
        login(
            client,
            "alice@example.com",
            "correct horse battery staple",
            StatusCode::OK,
        )
        .await?;
        let certificate = issue(client, "web", &format!("host-{round}.example.com")).await?;
        reaches(client, &certificate, "active").await?;
        get(client, "/projects/web/certificates").await?;
        if Instant::now() >= until {
            break;
        }
        if told.elapsed() > Duration::from_secs(2) {
            told = Instant::now();
            say(&format!(
                "everyday traffic: {round} logins and certificates, {}",
                receivers.progress()?
            ));
        }
        tokio::time::sleep(PACE).await;
    }

    say("waiting for the relay to have everything");
    let start = Instant::now();
    loop {
        let syslog = status(client).await?["syslog"].take();
        if syslog["queued"] == 0 {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!(
                "the relay did not get everything: {syslog}"
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The ids of the service's own audit log.
pub(super) async fn audit_log(client: &Client) -> io::Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map_or("", String::as_str);
        let page = get(client, &format!("/audit?after={after}")).await?;
        let events = page["events"].as_array().cloned().unwrap_or_default();
        if events.is_empty() {
            return Ok(ids);
        }
        ids.extend(
            events
                .iter()
                .filter_map(|event| event["id"].as_str().map(str::to_owned)),
        );
    }
}

struct Issued {
    domain: String,
    path: String,
}

async fn login(
    client: &Client,
    user: &str,
    password: &str,
    expected: StatusCode,
) -> io::Result<()> {
    let body = json!({ "user": user, "password": password });
    client
        .call(Method::POST, "/auth/login", body, expected)
        .await
        .map(drop)
}

async fn issue(client: &Client, project: &str, domain: &str) -> io::Result<Issued> {
    let certificates = format!("/projects/{project}/certificates");
    let made = post(
        client,
        &certificates,
        json!({ "domain": domain }),
        StatusCode::ACCEPTED,
    )
    .await?;
    let id = made["id"]
        .as_str()
        .ok_or_else(|| io::Error::other("a certificate without an id"))?;
    Ok(Issued {
        domain: domain.to_owned(),
        path: format!("{certificates}/{id}"),
    })
}

async fn reaches(client: &Client, certificate: &Issued, status: &str) -> io::Result<()> {
    wait(client, &certificate.path, status, |now| {
        now["status"] == status
    })
    .await
}

async fn wait(
    client: &Client,
    path: &str,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> io::Result<()> {
    let start = Instant::now();
    loop {
        let now = get(client, path).await?;
        if holds(&now) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!(
                "{path} did not come to {what}: {now}"
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn audited(client: &Client, event_type: &str) -> io::Result<()> {
    let holds = |log: &Value| {
        let events = log["events"].as_array();
        events.is_some_and(|events| events.iter().any(|event| event["event_type"] == event_type))
    };
    wait(client, "/audit", event_type, holds).await
}

async fn status(client: &Client) -> io::Result<Value> {
    get(client, "/status").await
}

async fn get(client: &Client, path: &str) -> io::Result<Value> {
    client
        .call(Method::GET, path, Value::Null, StatusCode::OK)
        .await
}

async fn post(client: &Client, path: &str, body: Value, expected: StatusCode) -> io::Result<Value> {
    client.call(Method::POST, path, body, expected).await
}
