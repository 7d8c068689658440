//! A denial is logged as a warning, because an HTTP client reports only "network error".

use std::io::Read as _;
use std::sync::Arc;

use cap_egress::{Guard, Policy};

use crate::support::{Script, host, ips};

#[tokio::test]
async fn a_denial_warning_has_class_rule_and_host_but_no_address() {
    let (mut lines, written) = std::io::pipe().unwrap();
    let subscriber =
        tracing_subscriber::fmt().with_writer(Arc::new(written)).with_ansi(false).finish();
    let logging = tracing::subscriber::set_default(subscriber);

    let script = Script::answering([(); 3].map(|()| ips(&["169.254.77.78"])));
    let guard = Guard::builder(Policy::default()).resolver(script).build();
    for _ in 0..3 {
        let refused = guard.connect(&host("relay.example"), 514).await;
        assert!(refused.unwrap_err().is_denied());
    }

    drop(logging);
    let mut logged = String::new();
    lines.read_to_string(&mut logged).unwrap();
    for part in [
        "WARN cap_egress:",
        "class=\"link_local\"",
        "rule=\"169.254.0.0/16 (link-local)\"",
        "host=relay.example",
        "port=514",
    ] {
        assert!(logged.contains(part), "{part} is missing: {logged}");
    }
    assert!(!logged.contains("169.254.77.78"), "{logged}");
    assert_eq!(logged.lines().count(), 1, "the first of three: {logged}");
    let counted: u64 = guard.denials().values().sum();
    assert_eq!(counted, 3);
}
