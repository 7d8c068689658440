//! What the Python parsers make of both formats, and what a real Prometheus stores of them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cap_metrics::{Format, Metrics};
use cap_tests::peers;

/// Prints the values of `issuer_type`, read back by the parser of the format that is named.
const READ: &str = r#"
import json, sys
text = sys.stdin.buffer.read().decode()
if sys.argv[1] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
samples = [s for family in parse(text) for s in family.samples]
named = [s for s in samples if s.name == "cap_certificates_total"]
print(json.dumps(sorted(s.labels["issuer_type"] for s in named)))
"#;

fn body(metrics: &Metrics, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    metrics.encode(format, &mut out);
    out
}

#[test]
fn hostile_label_values_read_back_through_both_python_parsers() {
    let Some(python) = peers::require("prometheus-client-python") else {
        return;
    };
    let mut hostile: Vec<String> = [
        "",
        "\"",
        "\\",
        "\n",
        "\\n",
        "\0",
        "😀",
        "a\"} 1\n# EOF\nx{y=\"",
        "\r",
        "\u{7f}",
        "{},= #",
    ]
    .map(str::to_owned)
    .to_vec();
    hostile.push("\"\\\n😀".repeat(150_000));
    hostile.sort();
    let metrics = Metrics::new();
    let active = cap_metrics::CertificateStatus::Active;
    metrics
        .certificates()
        .set_inventory(hostile.iter().map(|value| (active, value, 1)));
    for (name, format) in [("openmetrics", Format::OpenMetrics), ("text", Format::Text)] {
        let mut reading = Command::new(&python)
            .args(["-c", READ, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let mut stdin = reading.stdin.take().expect("it is piped");
        stdin
            .write_all(&body(&metrics, format))
            .expect("python reads");
        drop(stdin);
        let output = reading.wait_with_output().expect("python ends");
        assert!(
            output.status.success(),
            "{name}: the parser refuses the body"
        );
        let mut read: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");
        read.sort();
        assert!(
            read == hostile,
            "{name}: the values are not what was recorded"
        );
    }
}
