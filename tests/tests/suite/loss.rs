//! Nothing is lost on a real relay that dies, whatever it had acknowledged. `cargo xtask loss` is the long version.

use cap_tests::loss::{Fault, Run};
use cap_tests::peers::{RelayInput, require};

async fn loses_nothing(fault: Fault, input: RelayInput) {
    let Some(program) = require("rsyslogd") else {
        return;
    };
    let run = Run {
        fault,
        input,
        events: 4000,
        rate: 4000,
        buffer: 8000,
    };
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
