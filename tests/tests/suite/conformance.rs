//! Audit records as readers of others find them: hostile texts in every field, every field equal.

use cap_syslog::Framing;
use cap_tests::{conformance, peers};

/// `cargo xtask conformance` does a million.
const EVENTS: usize = 10_000;

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
