//! The catalogue and prometheus-client, on both sides of one scrape.
#![cfg(feature = "prometheus-client")]

use std::collections::BTreeSet;
use std::time::Duration;

use cap_metrics::{ExemplarIds, Format, HttpMethod, HttpStatus, Metrics, Outcome};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;

fn recorded() -> Metrics {
    let metrics = Metrics::new();
    metrics.jobs().register(["renew", "a \"b\"\\c\nd"]);
    let http = metrics.http();
    http.record_request(HttpMethod::Get, http.route("/a/{id}"), HttpStatus::new(200));
    let took = Duration::from_millis(70);
    metrics.notifications().record_delivered("mail", Outcome::Success, took);
    metrics.kek().register(["local"]);
    metrics.jobs().set_queue_depth([("renew", 7)]);
    metrics
}

fn text(metrics: &Metrics, format: Format) -> String {
    let mut out = Vec::new();
    metrics.encode(format, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// Name, labels in any order, and value of every sample that only recording changes.
fn samples(text: &str) -> BTreeSet<(String, BTreeSet<String>, u64)> {
    let lines = text.lines().filter(|line| {
        !line.starts_with('#')
            && !line.starts_with("process_")
            && !line.starts_with("cap_telemetry_scrape")
            && !line.starts_with("cap_telemetry_families")
    });
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            // No value here holds `",`, so this splits between labels.
            let labels = labels.trim_end_matches('}').split_inclusive("\",");
            let labels = labels.map(|label| label.trim_end_matches(',').to_owned());
            let value: f64 = value.parse().expect("a number");
            (name.to_owned(), labels.collect(), value.to_bits())
        })
        .collect()
}

#[test]
fn our_openmetrics_is_what_prometheus_client_encodes() {
    let metrics = recorded();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    let mut theirs = String::new();
    prometheus_client::encoding::text::encode(&mut theirs, &registry).expect("a String takes all");
    let ours = samples(&text(&metrics, Format::OpenMetrics));
    assert!(ours.len() > 50);
    assert_eq!(ours, samples(&theirs));
}

#[test]
fn both_formats_have_the_same_series_and_bounds() {
    let metrics = recorded();
    let (plain, open) = (text(&metrics, Format::Text), text(&metrics, Format::OpenMetrics));
    assert_eq!(samples(&plain), samples(&open));
    assert!(open.contains(r#"_bucket{channel_type="mail",le="1.0"} 1"#), "{open}");
    assert!(open.contains("# TYPE cap_jobs_queued counter\n"));
    assert!(plain.contains("# TYPE cap_jobs_queued_total counter\n"));
    assert!(open.ends_with("# EOF\n") && !plain.contains("EOF"));
}

#[test]
fn a_teams_own_metrics_come_out_in_both_formats() {
    let metrics = recorded();
    let (orders, mut registry) = (Counter::<u64>::default(), Registry::with_prefix("acme"));
    registry.register("orders", "Orders", orders.clone());
    metrics.add_registry(registry).expect("no clash");
    orders.inc();
    for (format, header) in [
        (Format::Text, "# TYPE acme_orders_total counter\n"),
        (Format::OpenMetrics, "# TYPE acme_orders counter\n"),
    ] {
        let text = text(&metrics, format);
        assert!(text.contains(header) && text.contains("\nacme_orders_total 1\n"), "{text}");
    }
}

#[test]
fn clashes_and_broken_families_are_errors_with_their_names() {
    let metrics = Metrics::new();
    let registry = |name: &str, help: &str| {
        let mut registry = Registry::default();
        registry.register(name, help, Gauge::<i64>::default());
        registry
    };
    metrics.add_registry(registry("acme_level", "Level")).expect("no clash");
    for (name, help, clash, says) in [
        ("acme_level", "Level", true, "another registry"),
        ("cap_jobs_queued", "Jobs", true, "catalogue"),
        ("cap_jobs_queued_total", "Jobs", true, "catalogue"),
        ("cap_jobs_duration_seconds_count", "Jobs", true, "catalogue"),
        ("acme-level", "Level", false, "letters, digits"),
        ("acme_depth", "two\nlines", false, "line break"),
    ] {
        let error = metrics.add_registry(registry(name, help)).expect_err(name);
        assert_eq!(error.is_clash(), clash, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_collector_that_panics_or_fails_takes_nothing_else_down() {
    #[derive(Debug)]
    struct Broken(std::sync::atomic::AtomicU8);
    impl prometheus_client::collector::Collector for Broken {
        fn encode(
            &self,
            _: prometheus_client::encoding::DescriptorEncoder<'_>,
        ) -> std::fmt::Result {
            match self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => Ok(()),
                1 => Err(std::fmt::Error),
                _ => panic!("a collector's bug"),
            }
        }
    }
    let metrics = recorded();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Broken(0.into())));
    metrics.add_registry(registry).expect("it works once");
    text(&metrics, Format::Text);
    let after = text(&metrics, Format::OpenMetrics);
    assert!(after.contains("cap_telemetry_families_skipped 1\n"), "{after}");
    assert!(after.ends_with("# EOF\n"));
}

#[test]
fn an_exemplar_stays_when_plain_observations_follow() {
    let metrics = Metrics::new();
    let traced = std::sync::atomic::AtomicBool::new(true);
    let ids = ExemplarIds { trace_id: [0xab; 16], span_id: [1; 8] };
    metrics.set_exemplar_source(move || {
        traced.swap(false, std::sync::atomic::Ordering::Relaxed).then_some(ids)
    });
    let took = Duration::from_millis(70);
    for _ in 0..3 {
        metrics.notifications().record_delivered("mail", Outcome::Success, took);
    }
    let open = text(&metrics, Format::OpenMetrics);
    let trace = "abababababababababababababababab";
    let exemplar =
        format!(r#"le="0.1"}} 3 # {{trace_id="{trace}",span_id="0101010101010101"}} 0.07 "#);
    assert!(open.contains(&exemplar), "{open}");
    assert_eq!(open.matches(trace).count(), 1);
    assert!(!text(&metrics, Format::Text).contains(trace));
}
