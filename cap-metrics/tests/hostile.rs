//! For any label value, the body has one sample a line and the value reads back.

use cap_metrics::Metrics;
use proptest::prelude::*;

/// The value of `issuer_type` in a line of the text format, unescaped.
fn read_back(line: &str) -> Option<String> {
    let rest = line.split_once("issuer_type=\"")?.1;
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return (chars.as_str() == "} 1").then_some(value),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            c => value.push(c),
        }
    }
}

/// Text with many characters that the formats escape. proptest's own strings have no control
/// characters.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '\n', '\r', '"', '\\', '\0', '{', '}', ',', '=', ' ', '#', '\u{7f}', '😀',
    ]);
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..64).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn any_label_value_round_trips(value in hostile()) {
        let metrics = Metrics::new();
        metrics.certificates().record_issued(&value);
        let text = metrics.render();
        let lines: Vec<_> = text
            .split('\n')
            .filter(|line| line.starts_with("cap_certificates_issued_total"))
            .collect();
        prop_assert_eq!(lines.len(), 1);
        prop_assert_eq!(read_back(lines[0]), Some(value));
    }
}
