//! The receivers: our own in this process, or real programs.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use cap_alerts::Options;
use cap_telemetry::trace::Stats;
use certautopilot::acme_server::Call;
use serde_json::Value;

use super::alerts::Alerts;
use super::outcome::{Metrics, Outcome};
use crate::peers::{Collector, Prometheus, Relay, RelayInput, RelaySoftware};
use crate::program;
use crate::{Authority, OtlpReceiver, ReceivedSpan, Scraper, Scraping, SyslogRelay};

const JOB: &str = "certautopilot";
const SCRAPE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);

/// Which kind of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// Ours.
    Embedded,
    /// Prometheus, rsyslog and the OpenTelemetry Collector.
    Peers,
}

pub(super) struct Receivers {
    kind: Kind,
    /// Reads /metrics in both cases. With peers, this is compared with what Prometheus stored.
    scraping: Option<(Scraper, Scraping)>,
}

enum Kind {
    Embedded(Box<Embedded>),
    Peers(Box<Peers>),
}

struct Embedded {
    otlp: OtlpReceiver,
    relay: Option<SyslogRelay>,
    addr: SocketAddr,
    /// The records of relays that went away.
    before: Vec<crate::ReceivedRecord>,
}

struct Peers {
    collector: Collector,
    rsyslog: Relay,
    prometheus: Option<Prometheus>,
}

impl Receivers {
    pub(super) async fn start(with: With) -> io::Result<Self> {
        let kind = match with {
            With::Embedded => {
                let relay = SyslogRelay::start().await?;
                Kind::Embedded(Box::new(Embedded {
                    otlp: OtlpReceiver::start().await?,
                    addr: relay.addr(),
                    relay: Some(relay),
                    before: Vec::new(),
                }))
            }
            With::Peers => Kind::Peers(Box::new(Peers {
                collector: Collector::start(&program("otelcol")?).await?,
                rsyslog: Relay::start(
                    RelaySoftware::Rsyslog,
                    &program(RelaySoftware::Rsyslog.tool())?,
                    &Authority::new(),
                )
                .await?,
                prometheus: None,
            })),
        };
        Ok(Receivers { kind, scraping: None })
    }

    pub(super) fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Embedded(_) => "an OTLP receiver, a syslog relay and a scraper in this process",
            Kind::Peers(_) => "the OpenTelemetry Collector, rsyslog and Prometheus",
        }
    }

    pub(super) fn otlp_endpoint(&self) -> String {
        match &self.kind {
            Kind::Embedded(ours) => ours.otlp.endpoint(),
            Kind::Peers(peers) => peers.collector.endpoint(),
        }
    }

    pub(super) fn relay(&self) -> SocketAddr {
        match &self.kind {
            Kind::Embedded(ours) => ours.addr,
            Kind::Peers(peers) => peers.rsyslog.addr(RelayInput::OctetCounting),
        }
    }

    /// Starts to scrape the service.
    pub(super) async fn scrape(&mut self, service: SocketAddr) -> io::Result<()> {
        let scraper = Scraper::new(&format!("http://{service}/metrics"));
        let scraping = scraper.run_every(SCRAPE);
        self.scraping = Some((scraper, scraping));
        if let Kind::Peers(peers) = &mut self.kind {
            let rules = cap_alerts::rules_file(&Options::default());
            let targets = [&*service.to_string()];
            let prometheus =
                Prometheus::start(&program("prometheus")?, &targets, &rules, SCRAPE).await?;
            // Prometheus sees a counter rise only if it has scraped it before.
            if !prometheus.wait_for("cap_jobs_dead_letter_total", there, PATIENCE).await {
                return Err(io::Error::other("Prometheus did not scrape the service"));
            }
            peers.prometheus = Some(prometheus);
        }
        Ok(())
    }

    pub(super) async fn relay_down(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Embedded(ours) => {
                if let Some(relay) = ours.relay.take() {
                    ours.before.extend(relay.stop().await.records);
                }
                Ok(())
            }
            Kind::Peers(peers) => peers.rsyslog.stop().await,
        }
    }

    pub(super) async fn relay_up(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Embedded(ours) => {
                ours.relay = Some(SyslogRelay::start_on(ours.addr).await?);
                Ok(())
            }
            Kind::Peers(peers) => peers.rsyslog.start().await,
        }
    }

    /// A line about what has arrived so far.
    pub(super) fn progress(&self) -> io::Result<String> {
        let (ids, _) = self.records()?;
        Ok(format!("{} spans and {} audit events received", self.spans()?.len(), ids.len()))
    }

    fn spans(&self) -> io::Result<Vec<ReceivedSpan>> {
        match &self.kind {
            Kind::Embedded(ours) => Ok(ours.otlp.spans()),
            Kind::Peers(peers) => peers.collector.spans(),
        }
    }

    /// The distinct event ids, and the records as the relay read them.
    fn records(&self) -> io::Result<(BTreeSet<String>, Vec<String>)> {
        let mut ids = BTreeSet::new();
        let mut lines = Vec::new();
        match &self.kind {
            Kind::Embedded(ours) => {
                let now = ours.relay.as_ref().map(SyslogRelay::records).unwrap_or_default();
                for received in ours.before.iter().chain(&now) {
                    ids.extend(received.event_id().map(str::to_owned));
                    lines.push(String::from_utf8_lossy(&received.raw).into_owned());
                }
            }
            Kind::Peers(peers) => {
                for received in peers.rsyslog.records()? {
                    ids.extend(received.event_id());
                    lines.push(received.raw);
                }
            }
        }
        Ok((ids, lines))
    }

    /// The last scrape. With Prometheus, waits until it has seen all `audited` events.
    pub(super) async fn metrics(&mut self, audited: usize) -> io::Result<Metrics> {
        let (scraper, scraping) =
            self.scraping.take().ok_or_else(|| io::Error::other("nothing was scraped"))?;
        scraping.stop().await;
        let last = scraper.scrape().await.map_err(io::Error::other)?;
        let mut metrics = Metrics {
            families: last.families.len(),
            series: last.samples().count(),
            failures: scraper.failures().len(),
            alerts: Alerts::of(&last),
            scrape: last,
        };
        if let Kind::Peers(peers) = &self.kind {
            let prometheus = peers
                .prometheus
                .as_ref()
                .ok_or_else(|| io::Error::other("Prometheus did not run"))?;
            let complete = format!("cap_telemetry_audit_events_enqueued_total >= {audited}");
            if !prometheus.wait_for(&complete, there, PATIENCE).await {
                return Err(io::Error::other(format!("Prometheus never saw {complete}")));
            }
            let selector = format!("{{job=\"{JOB}\",__name__=~\"cap_.+\"}}");
            metrics.series = number(&prometheus.query(&format!("count({selector})")).await?);
            let raised = prometheus.alerts().await?;
            let name = |alert: &Value| Some(alert["labels"]["alertname"].as_str()?.to_owned());
            metrics.alerts.raised = Some(raised.iter().filter_map(name).collect());
        }
        Ok(metrics)
    }

    /// Everything that arrived, beside what the service says that it sent.
    pub(super) async fn outcome(
        &self,
        report: &Value,
        primary: Vec<String>,
        metrics: Metrics,
        requests: u64,
        (calls, provider): (Vec<Call>, Stats),
    ) -> io::Result<Outcome> {
        let exported = report["tracing"]["exported"].as_u64().unwrap_or(0) + provider.exported;
        let delivered = report["syslog"]["delivered"].as_u64().unwrap_or(0);
        // A real program may still have to write what it has accepted.
        let arrived = async || {
            let spans = self.spans()?.len() as u64;
            let events = self.records()?.0.len() as u64;
            io::Result::Ok(spans >= exported && events >= delivered)
        };
        let start = std::time::Instant::now();
        while !arrived().await? && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (event_ids, records) = self.records()?;
        Ok(Outcome {
            report: report.clone(),
            primary,
            metrics,
            spans: self.spans()?,
            event_ids,
            records,
            requests,
            calls,
            provider,
        })
    }

    pub(super) async fn stop(self) -> io::Result<()> {
        match self.kind {
            Kind::Embedded(ours) => {
                ours.otlp.stop().await;
                if let Some(relay) = ours.relay {
                    relay.stop().await;
                }
            }
            Kind::Peers(mut peers) => {
                if let Some(prometheus) = peers.prometheus.take() {
                    prometheus.stop().await?;
                }
                peers.rsyslog.stop().await?;
                peers.collector.stop().await?;
            }
        }
        Ok(())
    }
}

/// Whether a query gave any series.
fn there(result: &Value) -> bool {
    result.as_array().is_some_and(|series| !series.is_empty())
}

/// The number of an instant query that gives one.
fn number(result: &Value) -> usize {
    result[0]["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}
