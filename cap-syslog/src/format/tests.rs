//! What records look like, and what no input makes of them.

use cap_names::Actor;
use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::config::{Config, RecordSize};

fn config(facility: &str) -> Config {
    let mut config = Config::new("127.0.0.1:601".parse().expect("a relay"));
    config.facility = facility.parse().expect("a facility");
    config.hostname = "cap-api-1".to_owned();
    config
}

fn written(config: &Config, event: &Event) -> String {
    let mut out = Vec::new();
    config.formatter("12345").write(event, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn sample() -> Event {
    saying("Certificate issued for api.example.com")
}

fn saying(summary: &str) -> Event {
    Event::new("...", "cert.issued", Actor::user("alice@example.com"), summary)
        .org("...")
        .project("...")
        .resource("cert:...")
        .time(DateTime::parse_from_rfc3339("2026-04-21T14:23:45.123Z").expect("a time").to_utc())
}

#[test]
fn the_documented_sample_is_reproduced_byte_for_byte() {
    let documented = concat!(
        "<174>1 2026-04-21T14:23:45.123Z cap-api-1 certautopilot 12345 - ",
        r#"[cap@0 event_id="..." event_type="cert.issued" org_id="..." project_id="..." "#,
        r#"actor="user:alice@example.com" resource="cert:..."] Certificate issued for api.example.com"#,
    );
    assert_eq!(written(&config("21"), &sample()), documented);
    let by_default = written(&config("local6"), &sample());
    assert_eq!(by_default, documented.replace("<174>", "<182>"));
}

#[test]
fn control_characters_are_visible_and_quotes_are_escaped() {
    let event = saying("two\nlines\0\u{7f}é").param("note", "a\"b\\c]d\ne");
    let record = written(&config("local6"), &event);
    assert!(record.contains(r#" note="a\"b\\c\]d#012e"]"#), "{record}");
    assert!(record.ends_with("] two#012lines#000#177é"), "{record}");
}

#[test]
fn a_long_record_loses_whole_parameters_before_its_text() {
    let mut config = config("local6");
    config.max_message_size = Some(RecordSize::MIN);
    let event = saying(&"é".repeat(3000))
        .resource("r".repeat(900))
        .param("first", "1".repeat(300))
        .param("second", "2".repeat(600))
        .param("third", "3");
    let record = written(&config, &event);
    assert!(record.len() <= 2048 && record.len() > 2040, "{}", record.len());
    assert!(record.contains(r#"actor="user:alice@example.com" resource="rrr"#), "{record}");
    assert!(record.contains("first=") && !record.contains("second=") && !record.contains("third="));
    assert!(record.ends_with("é...[cut]"), "{record}");

    let record = written(&config, &event.resource("r".repeat(5000)));
    assert!(record.contains(r#"actor="user:alice@example.com"]"#), "{record}");
}

#[test]
fn header_fields_are_reduced_to_printable_ascii() {
    let mut config = config("local6");
    config.hostname = "two words\n".to_owned();
    config.app_name = String::new();
    assert!(written(&config, &sample()).contains("Z two_words_ - 12345 - [cap@0 "));
}

#[test]
fn a_host_name_cannot_end_the_header() {
    let mut config = config("local6");
    config.hostname = "[::1]".to_owned();
    assert!(written(&config, &sample()).contains("Z ___1] certautopilot "));
}

#[test]
fn an_event_as_cef() {
    let mut config = config("local6");
    config.format = Format::Cef;
    config.product_version = "2.4|".to_owned();
    let event = saying("a=b | c")
        .severity(Severity::Critical)
        .param("serial", r"0=\")
        .param("note", "two\nlines\t")
        .param("common_name", "api.example.com")
        .param("issuer", "acme")
        .param("not_after", "2026-07-20T14:23:45Z")
        .param("src", "192.0.2.7")
        .param("spt", "40001");
    let expected = concat!(
        r"<178>1 2026-04-21T14:23:45.123Z cap-api-1 certautopilot 12345 - - ",
        r"CEF:0|CloudNativeWorks|CertAutoPilot|2.4_|cert.issued|a=b \| c|10|rt=1776781425123 externalId=... ",
        r"duser=alice@example.com cs4Label=ActorType cs4=user cs5Label=Organization cs5=... ",
        r"cs1Label=Project cs1=... cs6Label=Resource cs6=cert:... cap_serial=0\=\\ ",
        r"cap_note=two\nlines#011 cs2Label=CN cs2=api.example.com cs3Label=Issuer cs3=acme end=1784557425000 ",
        r"src=192.0.2.7 spt=40001",
    );
    assert_eq!(written(&config, &event), expected);
}

#[test]
fn a_value_of_another_type_than_its_cef_key_gets_its_own_key() {
    let mut config = config("local6");
    config.format = Format::Cef;
    let event = sample().param("src", "::1").param("spt", "http").param("not_after", "soon");
    let record = written(&config, &event);
    assert!(record.ends_with(" cap_src=::1 cap_spt=http cap_not_after=soon"), "{record}");
}

#[test]
fn a_long_summary_is_whole_in_msg_and_an_empty_one_is_the_type() {
    let mut config = config("local6");
    config.format = Format::Cef;
    for (summary, name, msg) in [
        ("|".repeat(128), r"\|".repeat(128), None),
        ("|".repeat(129), r"\|".repeat(124) + CUT_MARK, Some("|".repeat(129))),
        ("é".repeat(129), "é".repeat(124) + CUT_MARK, Some("é".repeat(129))),
        (String::new(), "cert.issued".to_owned(), None),
    ] {
        let record = written(&config, &saying(&summary));
        assert!(record.contains(&format!("|cert.issued|{name}|2|")), "{record}");
        let text = record.split_once(" msg=").map(|(_, text)| text.to_owned());
        assert_eq!(text, msg);
    }
}

#[test]
fn a_cef_record_that_is_too_long_is_not_cut_inside_an_escape() {
    let mut config = config("local6");
    config.format = Format::Cef;
    config.max_message_size = Some(RecordSize::MIN);
    for length in 0..4 {
        let summary = format!("{}{}", "x".repeat(length), "=".repeat(2000));
        let event = saying(&summary).resource("r".repeat(1700));
        let record = written(&config, &event);
        let text = record.split_once(" msg=").expect("a text").1;
        let text = text.strip_suffix("...[cut]").expect("a mark");
        assert_eq!(text.trim_start_matches('x').replace(r"\=", ""), "");
        assert!(record.len() > 2048 - 2 && !record.contains("cs6="));
    }
}

/// Everything that is never left out, at its longest, and escaped to twice its length.
#[test]
fn the_least_size_has_room_for_the_longest_record_and_some_text() {
    for format in [Format::Rfc5424, Format::Cef] {
        let mut config = config("21");
        config.format = format;
        config.max_message_size = Some(RecordSize::MIN);
        let worst = if format == Format::Cef { "|" } else { "]" };
        config.hostname = "h".repeat(300);
        config.app_name = "|".repeat(100);
        config.sd_id = format!("{}@0", "s".repeat(30)).parse().expect("an SD-ID");
        let event = Event::new(
            "\\".repeat(1000),
            worst.repeat(1000),
            Actor::new(cap_names::ActorType::ApiKey, "\\".repeat(1000)),
            "t".repeat(5000),
        )
        .time(DateTime::<chrono::Utc>::MAX_UTC);
        let mut record = Vec::new();
        config.formatter(&"p".repeat(200)).write(&event, &mut record);
        assert_eq!(record.len(), 2048);
        assert!(record.ends_with(&[b"t".repeat(200), b"...[cut]".to_vec()].concat()));
    }
}

/// Text with many special characters. The strings of proptest have no control characters.
fn hostile(longest: usize) -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '\n', '\r', '"', '\\', ']', '\0', ' ', '=', '.', '\u{7f}', '\u{feff}', '😀',
    ]);
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..longest)
        .prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_event_is_one_line_within_the_limit(
        id in hostile(200), kind in hostile(200), actor in hostile(200),
        name in hostile(50), value in hostile(4000), summary in hostile(4000),
    ) {
        let event = Event::new(id, kind, Actor::user(actor), summary)
            .resource(value.clone())
            .param(&name, value);
        let record = written(&config("local6"), &event);
        prop_assert!(record.len() <= 8192);
        prop_assert!(!record.bytes().any(|b| b.is_ascii_control()));
        prop_assert!(record.contains(" actor=\""));
    }
}
