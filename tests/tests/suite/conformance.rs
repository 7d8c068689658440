//! Audit records as readers of others find them: hostile texts in every field, every field equal.

use cap_syslog::Framing;
use cap_tests::conformance::Siem;
use cap_tests::peers::RelaySoftware;
use cap_tests::{conformance, peers};

/// `cargo xtask conformance` does a million, a tenth of that through the parsers of SIEMs, and ten thousand through each input of a relay.
const EVENTS: usize = 10_000;
const PARSED: usize = 3_000;
const RELAYED: usize = 1_000;

#[test]
fn every_field_of_hostile_events_is_read_back_by_a_strict_parser_of_others() {
    let Some(program) = peers::require("go-syslog") else {
        return;
    };
    for (seed, framing) in [(1, Framing::OctetCounting), (2, Framing::Newline)] {
        if let Err(why) = conformance::go_syslog(&program, framing, seed, EVENTS) {
            panic!("{framing:?}: {why}");
        }
    }
}

#[tokio::test]
async fn every_field_of_hostile_events_is_read_back_by_real_relays_over_every_transport() {
    for software in RelaySoftware::ALL {
        let Some(program) = peers::require(software.tool()) else {
            continue;
        };
        for way in conformance::inputs(software) {
            if let Err(why) = conformance::relay(software, &program, way, 3, RELAYED).await {
                panic!("{software:?}, {way:?}: {why}");
            }
        }
    }
}

#[test]
fn every_field_of_hostile_events_is_read_back_by_the_parsers_of_siems() {
    if let Err(why) = conformance::vector(4, PARSED) {
        panic!("{why}");
    }
    let Some(program) = peers::require("siem-parsers") else {
        return;
    };
    for siem in Siem::ALL {
        if let Err(why) = conformance::siem(&program, siem, 4, PARSED) {
            panic!("{why}");
        }
    }
}
