//! cap-egress and cap-metrics know nothing of each other, and still speak of denials in the same words.

use cap_egress::DenialClass;

#[test]
fn every_class_of_denial_has_a_series() {
    for class in DenialClass::ALL {
        let known = class.as_str().parse::<cap_metrics::DenialClass>();
        assert!(known.is_ok(), "{class} is counted nowhere");
    }
}
