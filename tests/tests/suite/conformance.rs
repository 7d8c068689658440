//! Audit records as readers of others find them: hostile texts in every field, every field equal.

use cap_syslog::Framing;
use cap_tests::conformance::Siem;
use cap_tests::peers::RelaySoftware;
use cap_tests::{conformance, require};

/// `cargo xtask conformance` sends a million events, a tenth of that to SIEMs, and ten thousand to
/// each relay input.
const EVENTS: usize = 10_000;
const PARSED: usize = 3_000;
const RELAYED: usize = 1_000;

#[test]
fn go_syslog_reads_back_every_field_of_hostile_events() {
    let program = require!("go-syslog");
    for (seed, framing) in [(1, Framing::OctetCounting), (2, Framing::Newline)] {
        if let Err(why) = conformance::go_syslog(&program, framing, seed, EVENTS) {
            panic!("{framing:?}: {why}");
        }
    }
}

async fn relay_reads_back_every_field(software: RelaySoftware) {
    let program = require!(software.tool());
    for way in conformance::inputs(software) {
        if let Err(why) = conformance::relay(software, &program, way, 3, RELAYED).await {
            panic!("{software:?}, {way:?}: {why}");
        }
    }
}

#[tokio::test]
async fn rsyslog_reads_back_every_field_over_every_transport() {
    relay_reads_back_every_field(RelaySoftware::Rsyslog).await;
}

#[tokio::test]
async fn syslog_ng_reads_back_every_field_over_every_transport() {
    relay_reads_back_every_field(RelaySoftware::SyslogNg).await;
}

#[test]
fn siem_parsers_read_back_every_field_of_hostile_events() {
    if let Err(why) = conformance::vector(4, PARSED) {
        panic!("{why}");
    }
    let program = require!("siem-parsers");
    for siem in Siem::ALL {
        if let Err(why) = conformance::siem(&program, siem, 4, PARSED) {
            panic!("{why}");
        }
    }
}
