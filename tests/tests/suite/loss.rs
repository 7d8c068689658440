//! Nothing is lost on a real relay that dies, whatever it acknowledged. `cargo xtask loss` is the
//! long version.

use std::path::Path;

use cap_tests::loss::{Fault, Outcome, Run};
use cap_tests::peers::RelayInput;
use cap_tests::require;

async fn loses_nothing(fault: Fault, input: RelayInput) {
    let program = require!("rsyslogd");
    let run = Run { fault, input, events: 4000, rate: 4000, buffer: 8000 };
    let outcome = run.run(&program).await.expect("the relay runs");
    assert!(outcome.lost.is_empty(), "{:?}", outcome.lost);
    assert!(outcome.closes(), "{:?}", outcome.report);
    assert_eq!((outcome.report.queued, outcome.report.dropped), (0, 0));
    assert!(outcome.steps_back <= outcome.reconnects, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_relay_misses_nothing_over_tcp() {
    loses_nothing(Fault::Killed, RelayInput::OctetCounting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_relay_misses_nothing_over_tls() {
    loses_nothing(Fault::Terminated, RelayInput::Tls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_relay_misses_nothing_over_tcp() {
    loses_nothing(Fault::Wedged, RelayInput::OctetCounting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_relay_misses_nothing_over_tls() {
    loses_nothing(Fault::Wedged, RelayInput::Tls).await;
}

/// 50,000 events and a buffer of 10,000: the events that the relay misses, and its gap records.
async fn outage_longer_than_the_buffer(rsyslog: &Path, fault: Fault) -> Outcome {
    let run = Run { fault, input: RelayInput::Tls, events: 50_000, rate: 100_000, buffer: 10_000 };
    let outcome = run.run(rsyslog).await;
    let outcome = outcome.expect("the relay runs");
    assert!(outcome.closes(), "{:?}", outcome.report);
    assert_eq!(outcome.report.dropped, 40_000);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_fills_the_gap_of_an_outage_longer_than_the_buffer() {
    let rsyslog = require!("rsyslogd");
    let outcome = outage_longer_than_the_buffer(&rsyslog, Fault::Backfilled).await;
    assert!(outcome.lost.is_empty(), "{}", outcome.lost.len());
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    assert_eq!(outcome.steps_back, 0, "in order");
    assert_eq!(outcome.report.backfilled, 40_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_record_names_what_an_outage_beyond_the_buffer_lost() {
    let rsyslog = require!("rsyslogd");
    let outcome = outage_longer_than_the_buffer(&rsyslog, Fault::LongOutage).await;
    assert!(outcome.lost.iter().copied().eq(0..40_000));
    assert!(outcome.gaps.iter().eq(["gap-40000-e0"]), "{outcome:?}");
}
