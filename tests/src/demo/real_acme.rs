//! A certificate from a real ACME server, which a second service requests.

use std::io;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Scraper;
use crate::fleet::Fleet;
use crate::peers::Pebble;
use crate::program;

const CERTIFICATES: &str = "/projects/web/certificates";
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn issue(say: &impl Fn(&str)) -> io::Result<()> {
    say(
        "a second service, before a real ACME server that refuses good nonces and answers once with 503",
    );
    let pebble = Pebble::start(&program("pebble")?, &program("pebble-challtestsrv")?).await?;
    let mut fleet = Fleet::start(1, &pebble.settings()).await?;
    pebble.refuse_next(1);
    let body = json!({ "domain": "*.example.com" });
    let taken = StatusCode::ACCEPTED;
    let made = fleet
        .call(0, Method::POST, CERTIFICATES, body, taken)
        .await?;
    let path = format!("{CERTIFICATES}/{}", made["id"].as_str().unwrap_or_default());
    let start = Instant::now();
    loop {
        let now = fleet
            .call(0, Method::GET, &path, Value::Null, StatusCode::OK)
            .await?;
        if now["status"] == "active" {
            break;
        }
        if start.elapsed() > PATIENCE {
            let what = format!("Pebble did not issue: {now}\n{}", fleet.logs());
            return Err(io::Error::other(what));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let scraper = Scraper::new(&format!("http://{}/metrics", fleet.targets()[0]));
    let scrape = scraper.scrape().await.map_err(io::Error::other)?;
    let counted = |status: &str| -> f64 {
        let calls = scrape.samples().filter(|sample| {
            let label = |name: &str| sample.labels.get(name).map(String::as_str);
            sample.name == "cap_external_request_duration_seconds_count"
                && label("provider") == Some("acme")
                && label("status") == Some(status)
        });
        calls.map(|sample| sample.value).sum()
    };
    let (nonces, unavailable) = (counted("400"), counted("503"));
    say(&format!(
        "Pebble validated *.example.com in the DNS and issued it, after {nonces} refused nonces and {unavailable} answer of 503"
    ));
    fleet.stop().await?;
    pebble.stop().await
}
