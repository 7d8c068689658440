//! A denial is logged as a warning, because an HTTP client reports only "network error".

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use cap_egress::{Guard, Policy};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Script, host, ips};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_denial_warning_has_class_rule_and_host_but_no_address() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let script = Script::answering([(); 3].map(|()| ips(&["169.254.77.78"])));
    let guard = Guard::builder(Policy::default()).resolver(script).build();
    for _ in 0..3 {
        let refused = guard.connect(&host("relay.example"), 514).await;
        assert!(refused.unwrap_err().is_denied());
    }

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
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
