//! The demo as a test: every pipeline delivers, and every account closes.

use std::time::Duration;

use cap_tests::demo::{Options, With, run};
use cap_tests::require;

async fn delivers(with: With) {
    let options = Options { lasts: Duration::from_secs(3), with, quiet: true, json: None };
    let outcome = run(&options).await.expect("the demo runs");
    let faults = outcome.faults();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pipeline_delivers_and_every_account_closes() {
    delivers(With::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_rsyslog_and_the_collector_receive_it_all() {
    for program in ["prometheus", "rsyslogd", "otelcol"] {
        require!(program);
    }
    delivers(With::Peers).await;
}
