//! Checking allocates nothing, so that it costs the same under memory pressure as without.

use std::hint::black_box;
use std::net::IpAddr;

use cap_egress::Policy;

#[test]
fn checking_an_address_or_a_name_allocates_nothing() {
    let policy = Policy::default()
        .with_denied(vec!["11.0.0.0/8".parse().unwrap()])
        .with_exempt(vec!["10.1.0.0/16".parse().unwrap()])
        .with_nat64(vec!["2001:db8:64::/48".parse().unwrap()])
        .with_loopback_denied()
        .with_private_denied();
    let addresses = [
        "8.8.8.8",
        "11.1.1.1",
        "10.1.1.1",
        "169.254.169.254",
        "::1",
        "::ffff:169.254.169.254",
        "2001:db8:64:a9fe:a9:fe00::",
        "2606:4700::1111",
    ]
    .map(|address| address.parse::<IpAddr>().unwrap());
    let counted = allocation_counter::measure(|| {
        for address in addresses {
            let _ = black_box(policy.check(address));
        }
        for name in ["Metadata.Google.Internal.", "relay.example"] {
            let _ = black_box(policy.check_name(name));
        }
    });
    assert_eq!(counted.count_total, 0);
}
