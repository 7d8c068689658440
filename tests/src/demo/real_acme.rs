//! A certificate from a real ACME server, which a second service requests.

use std::io;

use super::workload::Api;
use crate::Scraper;
use crate::fleet::Fleet;
use crate::peers::Pebble;
use crate::program;

pub(super) async fn issue(say: &impl Fn(&str)) -> io::Result<()> {
    say(
        "a second service, before a real ACME server that refuses good nonces and answers once with 503",
    );
    let pebble = Pebble::start(&program("pebble")?, &program("pebble-challtestsrv")?).await?;
    let mut fleet = Fleet::start(1, &pebble.settings()).await?;
    pebble.refuse_next(1);
    let api = Api(fleet.client(0));
    let path = api.request("web", "*.example.com").await?;
    api.reaches(&path, "active").await?;
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
