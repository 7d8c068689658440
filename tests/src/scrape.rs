//! A scraper of `/metrics`. It reads strictly and keeps what it read.

pub mod exposition;

use crate::Get;
pub use exposition::{Family, Sample};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a scrape may take; Prometheus' default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One successful scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// Families by name.
    pub families: BTreeMap<String, Family>,
}

impl Scrape {
    /// The value of the series with this name and exactly these labels. The samples of a histogram
    /// have their own names: `…_bucket`, `…_sum`, `…_count`.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let sample = self.samples().find(|sample| {
            sample.name == name
                && sample.labels.len() == labels.len()
                && (labels.iter())
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|is| is == value))
        })?;
        Some(sample.value)
    }

    /// Every sample of every family.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.values().flat_map(|family| &family.samples)
    }
}

/// Why a scrape failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// No answer, or it broke off.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer that is no exposition.
    #[error("status {status}, content type {content_type:?}: {body:.100}")]
    NotMetrics {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
    /// An exposition with an error in it.
    #[error(transparent)]
    Invalid(#[from] exposition::Invalid),
}

/// A scraper of one target. Clones share their history.
#[derive(Clone, Debug)]
pub struct Scraper {
    uri: http::Uri,
    client: Get,
    history: watch::Sender<History>,
}

#[derive(Debug, Default)]
struct History {
    scrapes: Vec<Arc<Scrape>>,
    failures: Vec<ScrapeError>,
}

impl Scraper {
    /// A scraper of that URL, `http://127.0.0.1:PORT/metrics`.
    ///
    /// # Panics
    /// When it is no URL.
    pub fn new(url: &str) -> Self {
        Self {
            uri: url.parse().expect("a URL"),
            client: Get::default(),
            history: watch::Sender::new(History::default()),
        }
    }

    /// Scrapes once and keeps the result.
    ///
    /// # Errors
    /// When no valid exposition comes within ten seconds. [`failures`](Self::failures) keeps it as
    /// well.
    pub async fn scrape(&self) -> Result<Arc<Scrape>, ScrapeError> {
        let result = match tokio::time::timeout(TIMEOUT, self.text()).await {
            Ok(text) => text.and_then(|text| Ok(exposition::parse(&text)?)),
            Err(_) => Err(ScrapeError::NoAnswer(format!("within {TIMEOUT:?}"))),
        }
        .map(|families| Arc::new(Scrape { families }));
        self.history.send_modify(|history| match &result {
            Ok(scrape) => history.scrapes.push(Arc::clone(scrape)),
            Err(error) => history.failures.push(error.clone()),
        });
        result
    }

    /// Scrapes at once and then every `interval`, until the returned guard is stopped or dropped.
    pub fn run_every(&self, interval: Duration) -> Scraping {
        let scraper = self.clone();
        Scraping(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                // A failure is in the history.
                let _ = scraper.scrape().await;
            }
        }))
    }

    /// The scrapes so far.
    pub fn history(&self) -> Vec<Arc<Scrape>> {
        self.history.borrow().scrapes.clone()
    }

    /// Why scrapes failed.
    pub fn failures(&self) -> Vec<ScrapeError> {
        self.history.borrow().failures.clone()
    }

    /// Waits until the last scrape is as wanted. Scrapes nothing itself.
    ///
    /// # Panics
    /// When it is not within `limit`. The message names `what` and has the failures so far.
    pub async fn until(&self, what: &str, limit: Duration, wanted: impl Fn(&Scrape) -> bool) {
        let last = |history: &History| history.scrapes.last().is_some_and(|last| wanted(last));
        let came = crate::holds(&self.history, last, limit).await;
        assert!(came, "{what} did not come within {limit:?}: {:?}", self.failures());
    }

    /// The body of a new scrape, which is not kept.
    ///
    /// # Errors
    /// When there is no answer, or none that is an exposition.
    pub async fn text(&self) -> Result<String, ScrapeError> {
        self.body(exposition::CONTENT_TYPE, exposition::is).await
    }

    /// The same for a scraper that asks for OpenMetrics, which has exemplars.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub async fn open_metrics(&self) -> Result<String, ScrapeError> {
        self.body(exposition::OPEN_METRICS, exposition::is_open_metrics).await
    }

    async fn body(&self, accept: &str, is: fn(&str) -> bool) -> Result<String, ScrapeError> {
        let answer = self.client.get(self.uri.clone(), accept);
        let (head, body) = (answer.await.map_err(ScrapeError::NoAnswer)?).into_parts();
        let content_type = head.headers.get(CONTENT_TYPE);
        let content_type = content_type.map_or("", |value| value.to_str().unwrap_or("?"));
        match String::from_utf8(body.into()) {
            Ok(text) if head.status == StatusCode::OK && is(content_type) => Ok(text),
            text => Err(ScrapeError::NotMetrics {
                status: head.status.as_u16(),
                content_type: content_type.to_owned(),
                body: text.unwrap_or_else(|error| error.to_string()),
            }),
        }
    }
}

/// A scraper at work.
#[derive(Debug)]
#[must_use = "scraping ends when this is dropped"]
pub struct Scraping(JoinHandle<()>);

impl Scraping {
    /// Ends the scraping; when this returns, no request is under way.
    pub async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Scraping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ANY_PORT, Server, bind_to, listen};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// A target that answers every connection with the same bytes.
    async fn target(answer: String) -> (Server, Scraper) {
        let listener = bind_to(ANY_PORT, listen).expect("a port");
        let server = Server::start(listener, None, move |mut stream| {
            let answer = answer.clone();
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .expect("a port");
        let scraper = Scraper::new(&format!("http://{}/metrics", server.addr()));
        (server, scraper)
    }

    fn http(status: &str, content_type: &str, body: &str) -> String {
        let len = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn scrapes_are_kept_and_values_are_found_by_their_exact_labels() {
        let body = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\na_total{x=\"2\",y=\"2\"} 4\n";
        let (_server, scraper) = target(http("200 OK", exposition::CONTENT_TYPE, body)).await;
        let scraping = scraper.run_every(Duration::from_millis(1));
        let any = |scrape: &Scrape| !scrape.families.is_empty();
        scraper.until("a family", TIMEOUT, any).await;
        scraping.stop().await;
        let last = scraper.history().pop().expect("a scrape");
        assert_eq!(last.value("a_total", &[("y", "2"), ("x", "1")]), Some(3.0));
        assert_eq!(last.value("a_total", &[("y", "2")]), None);
        assert_eq!((last.families.len(), last.samples().count()), (1, 2));
    }

    #[tokio::test]
    async fn what_is_not_an_exposition_is_a_failure_that_says_what_came() {
        for (status, content_type, body, expected) in [
            (
                "401 Unauthorized",
                exposition::CONTENT_TYPE,
                "",
                "status 401, content type \"text/plain; version=0.0.4; charset=utf-8\": ",
            ),
            ("200 OK", "text/html", "<html>", "status 200, content type \"text/html\": <html>"),
            (
                "200 OK",
                exposition::CONTENT_TYPE,
                "a_total 1\n",
                "line 1: a sample outside its family: a_total 1",
            ),
        ] {
            let (_server, scraper) = target(http(status, content_type, body)).await;
            let error = scraper.scrape().await.expect_err("not metrics");
            assert_eq!(error.to_string(), expected);
            assert_eq!(scraper.failures().len(), 1);
            assert!(scraper.history().is_empty());
        }
    }

    #[tokio::test]
    async fn a_target_that_is_down_is_a_failure() {
        let (server, scraper) = target(String::new()).await;
        server.stop().await;
        let error = scraper.scrape().await.expect_err("nobody listens");
        assert!(matches!(error, ScrapeError::NoAnswer(_)), "{error}");
    }
}
