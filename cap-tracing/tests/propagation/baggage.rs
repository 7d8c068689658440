//! W3C Baggage, 3 Baggage HTTP Header Format.

use cap_tracing::{Audience, extract, inject};
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::baggage::BaggageExt as _;

use crate::{VALID, headers, passed_on};

fn check(values: &[&str], expected: Option<&str>) {
    let pairs: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
    let out = passed_on(&pairs, "baggage");
    assert_eq!(out.as_deref(), expected, "{values:?}");
}

fn entry(value: &str, key: &str) -> Option<String> {
    let context = extract(&headers(&[("baggage", value)]));
    let value = context.baggage().get(key)?.as_str().to_owned();
    Some(value)
}

fn encoded(key: &'static str, value: &str) -> String {
    let context =
        opentelemetry::Context::new().with_baggage([KeyValue::new(key, value.to_owned())]);
    let mut out = HeaderMap::new();
    inject(&context, &mut out, Audience::Internal);
    out["baggage"].to_str().unwrap().to_owned()
}

/// 3 Baggage HTTP Header Format: independent of the trace; goes out as it came.
#[test]
fn it_goes_on_unchanged_with_and_without_a_trace() {
    let value = "userId=alice;p;q=1,serverNode=DF%2028,a=%41=b,a=2";
    check(&[value], Some(value));
    let pairs = [("traceparent", VALID), ("baggage", value)];
    assert_eq!(passed_on(&pairs, "baggage").as_deref(), Some(value));
}

/// 3 Baggage HTTP Header Format: several headers are one list.
#[test]
fn several_headers_are_one_list() {
    check(&["a=1", "b=2,c=3"], Some("a=1,b=2,c=3"));
}

/// 3.3.1.1 baggage-string: duplicates keep their order; of the decoded entries the last counts.
#[test]
fn duplicates_keep_their_order() {
    check(&["a=1,b=2,a=3"], Some("a=1,b=2,a=3"));
    assert_eq!(entry("a=1,b=2,a=3", "a").as_deref(), Some("3"));
}

/// 3.3.1.2 key: a token of RFC 7230, section 3.2.6; blanks around it are not part of it.
#[test]
fn keys_are_tokens() {
    for key in ["a b", "a(", "é", "", "\"a\"", "a/b", "a@b", "a["] {
        check(&["ok=1", &format!("{key}=1")], Some("ok=1"));
    }
    let token = "Az09!#$%&'*+-.^_`|~=1";
    check(&[token], Some(token));
    assert_eq!(entry("  a \t= 1 ", "a").as_deref(), Some("1"));
}

/// 3.3.1.3 value: equals signs are the value's own, and it may be empty.
#[test]
fn a_value_may_hold_equals_signs() {
    assert_eq!(entry("k=a=b==", "k").as_deref(), Some("a=b=="));
    assert_eq!(entry("k=", "k").as_deref(), Some(""));
    assert_eq!(encoded("k", "a=b"), "k=a=b");
    check(&["novalue,k=1"], Some("k=1"));
}

/// 3.3.1.3 value: a byte that is no baggage-octet, and the percent sign, are encoded on the way out
/// and decoded on the way in.
#[test]
fn what_needs_it_is_percent_encoded() {
    for (value, text) in [
        ("DF 28", "k=DF%2028"),
        ("Am\u{e9}lie", "k=Am%C3%A9lie"),
        ("100%", "k=100%25"),
        ("%41", "k=%2541"),
        ("a,b;c\\d\"e", "k=a%2Cb%3Bc%5Cd%22e"),
        ("\r\n", "k=%0D%0A"),
        ("x!#$&'()*+-./:<=>?@[]^_`{|}~", "k=x!#$&'()*+-./:<=>?@[]^_`{|}~"),
    ] {
        assert_eq!(encoded("k", value), text);
        assert_eq!(entry(text, "k").as_deref(), Some(value), "{text}");
    }
    for bad in ["k=a b", "k=a\"", "k=a\\", "k=\u{e9}"] {
        check(&["ok=1", bad], Some("ok=1"));
    }
}

/// 3.3.1.3 value: octets that are not UTF-8 become U+FFFD. A percent sign that encodes nothing
/// stays.
#[test]
fn broken_encoding_is_replaced() {
    assert_eq!(entry("k=a%FFb", "k").as_deref(), Some("a\u{fffd}b"));
    assert_eq!(entry("k=100%,j=%4", "k").as_deref(), Some("100%"));
}

/// 3.3.1.4 property: keys, or keys with values, behind semicolons.
#[test]
fn properties_stay_with_their_member() {
    for member in ["k=v;p", "k=v;p;q=1=2;r", "k=v ; p = 1 ;q"] {
        check(&[member], Some(member));
    }
    for bad in ["k=v;", "k=v;;p", "k=v;=1", "k=v;p=a b", "k=v;a b"] {
        check(&["ok=1", bad], Some("ok=1"));
    }
}

/// 3.3.2 Limits: 64 members and 8192 bytes are sent on. Members beyond are dropped whole.
#[test]
fn all_headers_together_have_64_members_and_8192_bytes() {
    let list = |n: usize| (0..n).map(|n| format!("k{n}=v")).collect::<Vec<_>>();
    check(&[&list(64).join(",")], Some(&list(64).join(",")));
    let (front, back) = (list(32).join(","), list(64)[32..].join(","));
    let kept = [&*front, "x=1", &list(63)[32..].join(",")].join(",");
    check(&[&front, "x=1", &back], Some(&kept));
    let (half, rest) = (format!("a={}", "v".repeat(4094)), format!("b={}", "v".repeat(4093)));
    let whole = format!("{half},{rest}");
    assert_eq!(whole.len(), 8192);
    check(&[&half, &rest], Some(&whole));
    // The second is one byte too long and is dropped. The third has room.
    check(&[&half, &format!("{rest}v"), "c=1"], Some(&format!("{half},c=1")));
}

/// 4 Mutating baggage: an entry that the application changes goes out changed.
#[test]
fn a_changed_baggage_goes_out_changed() {
    let context = extract(&headers(&[("baggage", "b=2 ,a=1;p")]));
    let mut entries: Vec<_> = Vec::new();
    for (key, (value, metadata)) in context.baggage() {
        entries.push((key.clone(), (value.clone(), metadata.clone())));
    }
    let mut baggage: opentelemetry::baggage::Baggage = entries.into_iter().collect();
    baggage.insert("c", "3 4");
    let mut out = HeaderMap::new();
    inject(&context.with_baggage(baggage), &mut out, Audience::Internal);
    assert_eq!(out["baggage"], "a=1;p,b=2,c=3%204");
    out.clear();
    inject(&context.with_cleared_baggage(), &mut out, Audience::Internal);
    assert!(out.is_empty());
}

/// 5 Security and 6 Privacy Considerations: third parties receive none.
#[test]
fn third_parties_get_none_and_what_was_there_is_removed() {
    let context = extract(&headers(&[("traceparent", VALID), ("baggage", "tenant=o1")]));
    let mut out =
        headers(&[("baggage", "tenant=o2"), ("tracestate", "stale=1"), ("traceparent", "00-x")]);
    inject(&context, &mut out, Audience::ThirdParty);
    assert_eq!(out, headers(&[("traceparent", VALID)]));
}
