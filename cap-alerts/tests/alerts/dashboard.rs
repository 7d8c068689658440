//! The Grafana dashboard: its queries, its panels, and the links of the alerts to it.

use std::collections::BTreeSet;

use cap_alerts::{Options, alerts, check};
use cap_metrics::METRICS;
use serde_json::Value;

use crate::checkout::{text, yaml};

const DASHBOARD: &str = "deploy/grafana/certautopilot.json";

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

#[test]
fn every_query_is_sound_and_follows_the_scrape_interval() {
    let dashboard = yaml(DASHBOARD);
    for panel in list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row") {
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(unit.is_some_and(|unit| !unit.is_empty()), "{panel}");
        assert!(!list(&panel["targets"]).is_empty(), "{panel}");
        for target in list(&panel["targets"]) {
            let expr = target["expr"].as_str().expect("an expression");
            let plain = expr.replace("$__rate_interval", "5m").replace("$__range", "6h");
            let ranges =
                expr.matches("[$__rate_interval]").count() + expr.matches("[$__range]").count();
            assert_eq!(expr.matches('[').count(), ranges, "{expr}");
            assert_eq!(check(&plain), [], "{expr}");
            let narrowed = r#"cluster=~"$cluster", namespace=~"$namespace", job=~"$job""#;
            assert!(expr.contains(narrowed) || expr.contains("certautopilot:"), "{expr}");
        }
    }
}

#[test]
fn panels_have_ids_of_their_own_and_do_not_overlap() {
    let dashboard = yaml(DASHBOARD);
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in list(&dashboard["panels"]) {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{panel}");
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(cells.insert((x, y)), "{panel}");
            }
        }
    }
}

#[test]
fn every_metric_of_the_product_is_on_it() {
    let text = text(DASHBOARD);
    for metric in METRICS {
        let own = ["cap_telemetry_", "process_", "cap_build"];
        let of_the_product = !own.iter().any(|own| metric.name.starts_with(own));
        assert!(!of_the_product || text.contains(metric.name), "{}", metric.name);
    }
}

#[test]
fn alerts_link_to_it_with_each_of_its_variables() {
    let dashboard = yaml(DASHBOARD);
    let variables = list(&dashboard["templating"]["list"]).iter();
    let labels = variables.filter(|variable| variable["type"] == "query").map(|variable| {
        let name = variable["name"].as_str().expect("a name");
        format!("var-{name}={{{{ $labels.{name} | urlquery }}}}")
    });
    let labels: Vec<String> = labels.collect();
    let uid = dashboard["uid"].as_str().expect("a uid");
    for alert in alerts(&Options::default()) {
        assert_eq!(alert.annotations["dashboard_url"], format!("/d/{uid}?{}", labels.join("&")));
    }
}
