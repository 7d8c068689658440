//! The workload: requests that succeed, requests that fail, and a relay that goes away.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use certautopilot::Endpoint;
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::receivers::Receivers;
use crate::client::Client;

const PATIENCE: Duration = Duration::from_secs(60);
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
    let api = Api(client);
    say("logins: two that succeed, one that does not");
    api.login("alice@example.com").await?;
    api.login("bob@example.com").await?;
    let wrong = json!({ "user": "mallory", "password": "guess" });
    let refused = StatusCode::UNAUTHORIZED;
    client.call(Method::POST, "/auth/login", wrong, refused).await?;

    say("issuing certificates in two projects");
    let short = FaultKind::ValidFor(Duration::from_secs(5 * 24 * 3600));
    let short = Fault::new(Endpoint::Finalize, short);
    acme.inject(short.identifier(DOOMED).times(1));
    let mut issued = BTreeMap::new();
    for (project, domain) in [
        ("web", "www.example.com"),
        ("web", "shop.example.com"),
        ("web", FLAKY),
        ("api", "api.example.com"),
        ("api", DOOMED),
        ("api", "old.example.com"),
    ] {
        issued.insert(domain, api.request(project, domain).await?);
    }
    for path in issued.values() {
        api.reaches(path, "active").await?;
    }

    say("a renewal for which the provider fails twice and then recovers");
    let refusal = |status| Fault::new(Endpoint::Finalize, FaultKind::Status(status));
    acme.inject(refusal(503).identifier(FLAKY).times(2));
    let flaky = &issued[FLAKY];
    let before = api.get(flaky).await?["fingerprint"].clone();
    api.post(&format!("{flaky}/renew"), Value::Null).await?;
    let is_new = |now: &Value| now["fingerprint"] != before;
    api.wait(flaky, "a new certificate", is_new).await?;

    say("a renewal for which the provider never recovers: a dead letter");
    acme.inject(refusal(500).identifier(DOOMED));
    let doomed = &issued[DOOMED];
    api.post(&format!("{doomed}/renew"), Value::Null).await?;
    api.reaches(doomed, "renewal_failed").await?;

    say("a revocation, a role change, a webhook, a KEK rotation");
    let revoke = format!("{}/revoke", issued["old.example.com"]);
    let (role, member) = (json!({ "role": "operator" }), "/projects/web/members/carol/role");
    for (method, path, body) in [(Method::POST, &*revoke, Value::Null), (Method::PUT, member, role)]
    {
        client.call(method, path, body, StatusCode::OK).await?;
    }
    api.post("/webhooks/ticket", json!({ "ticket": 1 })).await?;
    api.post("/kek/rotations", Value::Null).await?;
    let rotated = |log: &Value| {
        let mut events = log["events"].as_array().into_iter().flatten();
        events.any(|event| event["event_type"] == "kek.rotation_completed")
    };
    api.wait("/audit", "the end of the rotation", rotated).await?;

    say("the relay goes away; logins go on");
    receivers.relay_down().await?;
    for _ in 0..20 {
        api.login("alice@example.com").await?;
    }
    let queued = api.get("/status").await?["syslog"]["queued"].clone();
    say(&format!("the relay comes back; {queued} events are waiting for it"));
    receivers.relay_up().await?;

    let mut round = 0;
    let mut told = Instant::now();
    loop {
        round += 1;
        api.login("alice@example.com").await?;
        let domain = format!("host-{round}.example.com");
        let path = api.request("web", &domain).await?;
        api.reaches(&path, "active").await?;
        api.get("/projects/web/certificates").await?;
        if Instant::now() >= until {
            break;
        }
        if told.elapsed() > Duration::from_secs(2) {
            told = Instant::now();
            let progress = receivers.progress()?;
            say(&format!("everyday traffic: {round} logins and certificates, {progress}"));
        }
        tokio::time::sleep(PACE).await;
    }

    say("waiting for the relay to have everything");
    let is_empty = |status: &Value| status["syslog"]["queued"] == 0;
    api.wait("/status", "an empty queue", is_empty).await
}

/// The ids of the service's own audit log.
pub(super) async fn audit_log(client: &Client) -> io::Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map_or("", String::as_str);
        let page = Api(client).get(&format!("/audit?after={after}")).await?;
        let events = page["events"].as_array().into_iter().flatten();
        let before = ids.len();
        ids.extend(events.filter_map(|event| event["id"].as_str().map(str::to_owned)));
        if ids.len() == before {
            return Ok(ids);
        }
    }
}

/// The requests of the workload, each with the status that it must get.
pub(super) struct Api<'a>(pub(super) &'a Client);

impl Api<'_> {
    async fn get(&self, path: &str) -> io::Result<Value> {
        let answer = self.0.call(Method::GET, path, Value::Null, StatusCode::OK);
        answer.await
    }

    async fn post(&self, path: &str, body: Value) -> io::Result<Value> {
        let answer = self.0.call(Method::POST, path, body, StatusCode::ACCEPTED);
        answer.await
    }

    async fn login(&self, user: &str) -> io::Result<()> {
        let body = json!({ "user": user, "password": "correct horse battery staple" });
        let answer = (self.0).call(Method::POST, "/auth/login", body, StatusCode::OK);
        answer.await.map(drop)
    }

    /// Requests a certificate; its path.
    pub(super) async fn request(&self, project: &str, domain: &str) -> io::Result<String> {
        let certificates = format!("/projects/{project}/certificates");
        let made = self.post(&certificates, json!({ "domain": domain })).await?;
        let id = made["id"].as_str();
        let id = id.ok_or_else(|| io::Error::other("a certificate without an id"))?;
        Ok(format!("{certificates}/{id}"))
    }

    pub(super) async fn reaches(&self, certificate: &str, status: &str) -> io::Result<()> {
        let holds = |now: &Value| now["status"] == status;
        self.wait(certificate, status, holds).await
    }

    async fn wait(&self, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let now = self.get(path).await?;
            if holds(&now) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                let what = format!("{path} did not come to {what} within {PATIENCE:?}: {now}");
                return Err(io::Error::other(what));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
