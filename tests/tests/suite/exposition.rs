//! The Python parsers read both formats, with hostile text in label values.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cap_metrics::{CertificateStatus, Format, Metrics};
use cap_tests::require;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Reads bodies, each after a line with its length. Prints for each a line with the values of
/// `issuer_type` and the names of the families, as the parser of the named format reads them.
const READ: &str = r#"
import json, sys
if sys.argv[1] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
while length := sys.stdin.buffer.readline():
    text = sys.stdin.buffer.read(int(length)).decode()
    try:
        families = list(parse(text))
        samples = [s for family in families for s in family.samples]
        values = [s.labels["issuer_type"] for s in samples if s.name == "cap_certificates_total"]
        answer = {"values": sorted(values), "families": [family.name for family in families]}
    except Exception as error:
        answer = {"refused": repr(error)[:300]}
    print(json.dumps(answer), flush=True)
"#;

/// A parser at work, which reads one body after another.
struct Parser {
    format: Format,
    python: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// The families of a body in which nothing is hostile.
    families: serde_json::Value,
}

impl Parser {
    fn start(python: &Path, format: Format) -> Self {
        let name = match format {
            Format::OpenMetrics => "openmetrics",
            Format::Text => "text",
        };
        let mut python = Command::new(python)
            .args(["-c", READ, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let stdin = python.stdin.take().expect("it is piped");
        let stdout = BufReader::new(python.stdout.take().expect("it is piped"));
        let mut parser =
            Parser { format, python, stdin, stdout, families: serde_json::Value::Null };
        let read = parser.read(&inventory(&["acme".to_owned()]));
        parser.families = read.expect("a plain body")["families"].take();
        parser
    }

    fn read(&mut self, metrics: &Metrics) -> Result<serde_json::Value, String> {
        let mut body = Vec::new();
        metrics.encode(self.format, &mut body);
        writeln!(self.stdin, "{}", body.len()).expect("python reads");
        self.stdin.write_all(&body).expect("python reads");
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).expect("python answers");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        match answer.get("refused") {
            Some(error) => Err(format!("{:?}: the parser refuses it: {error}", self.format)),
            None => Ok(answer),
        }
    }

    /// Whether the body with these values reads back as these values, with the families of any
    /// other.
    fn check(&mut self, values: &[String]) -> Result<(), String> {
        let mut read = self.read(&inventory(values))?;
        let mut expected = values.to_vec();
        expected.sort();
        expected.dedup();
        // Not shown whole: a value may be a megabyte.
        if read["values"] != serde_json::json!(expected) {
            return Err(format!("{:?}: the values differ", self.format));
        }
        let families = read["families"].take();
        if families != self.families {
            return Err(format!("{:?}: other families: {families}", self.format));
        }
        Ok(())
    }

    /// One for each format.
    fn both(python: &Path) -> [Self; 2] {
        [Format::OpenMetrics, Format::Text].map(|format| Parser::start(python, format))
    }

    fn stop(self) {
        let Parser { mut python, stdin, .. } = self;
        drop(stdin);
        assert!(python.wait().expect("python ends").success());
    }
}

fn inventory(values: &[String]) -> Metrics {
    let metrics = Metrics::new();
    let active = CertificateStatus::Active;
    let inventory = values.iter().map(|value| (active, value, 1));
    metrics.certificates().set_inventory(inventory);
    metrics
}

#[test]
fn hostile_label_values_read_back_through_both_python_parsers() {
    let mut parsers = Parser::both(&require!("prometheus-client-python"));
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
    // The parser's time grows with the square of the escapes in a value, so the megabyte has few.
    let escapes = "\"\\\n😀".repeat(20_000);
    let plain = "plain 😀, {}=# ".repeat(65_000);
    assert!(plain.len() > 1 << 20);
    hostile.push(format!("\\{plain}\n\""));
    hostile.push(escapes);
    for parser in &mut parsers {
        parser.check(&hostile).expect("they read back");
    }
    parsers.into_iter().for_each(Parser::stop);
}

/// Text in which what a format trips over is common, a few values of up to a megabyte among them.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '\n', '\r', '"', '\\', '\0', '{', '}', ',', '=', ' ', '#', '\t', '\u{7f}', '\u{85}',
        '\u{2028}', '\u{feff}', '😀',
    ]);
    let short = prop::collection::vec(prop_oneof![special, any::<char>()], 0..64);
    let short = short.prop_map(String::from_iter).boxed();
    // The repeated part has no escapes, for the parsers' sake; its ends may have some.
    let plain = |part: &String| part.replace(['\n', '"', '\\'], "");
    let long = (short.clone(), 1_usize..1 << 20).prop_map(move |(part, up_to)| {
        let plain = plain(&part);
        let times = up_to.checked_div(plain.len()).unwrap_or(0);
        format!("{part}{}{part}", plain.repeat(times))
    });
    prop_oneof![150 => short, 1 => long]
}

#[test]
fn any_label_values_read_back_through_both_python_parsers() {
    let mut parsers = Parser::both(&require!("prometheus-client-python"));
    let mut runner = TestRunner::new(Config {
        cases: 64,
        // Each step costs two bodies.
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let values = prop::collection::vec(hostile(), 1..12);
    let parsers_ref = std::cell::RefCell::new(&mut parsers);
    let result = runner.run(&values, |values| {
        for parser in parsers_ref.borrow_mut().iter_mut() {
            parser.check(&values).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{:.2000}", error.to_string());
    }
    parsers.into_iter().for_each(Parser::stop);
}
