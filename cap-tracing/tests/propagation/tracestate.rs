//! W3C Trace Context level 2, 3.3 Tracestate Header.

use cap_tracing::{Audience, Carrier, Config, SampleRate, Tracer, extract, inject};
use http::HeaderMap;
use opentelemetry::trace::TraceContextExt as _;

use crate::{VALID, headers, passed_on};

/// What is sent for these tracestate headers: as they came if nothing was recorded, and from a
/// child of the span that came.
fn both(states: &[&str]) -> (Option<String>, Option<String>) {
    let mut pairs = vec![("traceparent", VALID)];
    pairs.extend(states.iter().map(|state| ("tracestate", *state)));
    let unchanged = passed_on(&pairs, "tracestate");
    let mut config = Config::new("http://127.0.0.1:9".parse().unwrap());
    config.sample_rate = SampleRate::ALL;
    let guard = cap_egress::Guard::new(cap_egress::Policy::default());
    let connector = cap_egress::Connector::new(guard, cap_egress::Trust::system().unwrap());
    let tracer = Tracer::start(config, connector).unwrap();
    let span = tracer.request(&http::Method::GET, &headers(&pairs)).start();
    let mut out = HeaderMap::new();
    span.inject(&mut out, Audience::ThirdParty);
    // A new trace does not take over this state.
    drop(span);
    tracer.shutdown(std::time::Duration::ZERO);
    let child = out.get("tracestate").map(|value| value.to_str().unwrap().to_owned());
    (unchanged, child)
}

/// The state that a child sends.
fn check(states: &[&str], expected: Option<&str>) {
    assert_eq!(both(states).1.as_deref(), expected, "{states:?}");
}

/// 3.3 Tracestate Header: not read without a valid traceparent. The converse does not hold.
#[test]
fn it_means_nothing_without_traceparent_and_does_not_spoil_it() {
    assert_eq!(passed_on(&[("tracestate", "a=1")], "tracestate"), None);
    let broken = [("traceparent", "00-x"), ("tracestate", "a=1")];
    assert_eq!(passed_on(&broken, "tracestate"), None);
    let pairs = [("traceparent", VALID), ("tracestate", "a")];
    assert_eq!(passed_on(&pairs, "traceparent").as_deref(), Some(VALID));
}

/// 3.3.2 tracestate Header Field Values: several headers are one list, in their order.
#[test]
fn several_headers_are_one_list() {
    check(&["a=1", "b=2,c=3", "d=4"], Some("a=1,b=2,c=3,d=4"));
}

/// 3.3.2: empty members and blanks are allowed and mean nothing. An empty header is not sent on.
#[test]
fn empty_members_are_allowed_and_an_empty_list_is_not_sent() {
    check(&["", "a=1", " ", ",,b=2 ,\t,"], Some("a=1,b=2"));
    check(&["a=1 \t , \t b=2"], Some("a=1,b=2"));
    check(&["", " ,"], None);
}

/// 3.3.2: 32 members at most.
#[test]
fn thirty_two_members_are_allowed_and_no_more() {
    let list = |n: usize| (0..n).map(|n| format!("k{n}=v")).collect::<Vec<_>>();
    check(&[&list(32).join(",")], Some(&list(32).join(",")));
    check(&[&list(33).join(",")], None);
    // Over several headers as well.
    check(&[&list(32).join(","), "one=more"], None);
}

/// 3.3.2.2 list-members: a key, an equals sign and a value. A list with anything else is not sent
/// on.
#[test]
fn one_bad_member_spoils_the_list() {
    for bad in ["a", "a=", "=1", "a=1=2", "a==1", "a =1", "a= 1,b=\u{e9}"] {
        check(&["ok=1", bad], None);
    }
}

/// 3.3.2.2.1 Key: begins with a lower-case letter or a digit, continues with those and `_-*/@`, and
/// has at most 256 characters.
#[test]
fn keys_are_those_of_level_2() {
    let longest = format!("{}=1", "z".repeat(256));
    for key in
        ["a=1", "0=1", "0a_-*/@z=1", "a@b@c=1", "tenant@=1", "a@a-very-long-system-id=1", &longest]
    {
        check(&[key], Some(key));
    }
    for key in ["A=1", "_a=1", "@a=1", "a.b=1", "a b=1", "é=1", "/=1"] {
        check(&[key], None);
    }
    check(&[&format!("z{longest}")], None);
}

/// 3.3.2.2.2 Value: printable ASCII but for `,` and `=`, at most 256 characters. Leading blanks
/// belong to it, trailing ones do not.
#[test]
fn values_are_printable_and_keep_their_leading_blanks() {
    let printable: String = (b' '..=b'~').map(char::from).filter(|c| !",=".contains(*c)).collect();
    let all = format!("a={printable}");
    check(&[&all], Some(&all));
    check(&["a=  1 2  ,b=3"], Some("a=  1 2,b=3"));
    check(&["a=1\t2"], None);
    let longest = format!("a={}", "v".repeat(256));
    check(&[&longest], Some(&longest));
    check(&[&format!("{longest}v")], None);
}

/// 3.3.3 Combined Header Value: of two members with one key, the first is the most recent.
#[test]
fn a_key_stands_once() {
    check(&["congo=2,rojo=1", "congo=1"], Some("congo=2,rojo=1"));
}

/// 3.3.3.1 tracestate Limits: 512 characters are sent on. Beyond, whole members are dropped: those
/// longer than 128 first, then from the end.
#[test]
fn what_is_too_long_loses_whole_entries() {
    let entry = |key: &str, size: usize| format!("{key}={}", "v".repeat(size - key.len() - 1));
    let (a, long, b, c) = (entry("a", 128), entry("long", 129), entry("b", 128), entry("c", 124));
    // 128 + 129 + 128 + 124 and three commas.
    let whole = [&*a, &long, &b, &c].join(",");
    assert_eq!(whole.len(), 512);
    check(&[&whole], Some(&whole));
    check(&[&whole, "d=1"], Some(&[&*a, &b, &c, "d=1"].join(",")));
    let short: Vec<_> = (0..5).map(|n| entry(&format!("k{n}"), 120)).collect();
    check(&[&short.join(",")], Some(&short[..4].join(",")));
}

/// 3.4 Mutating the traceparent Field: with an unchanged traceparent, tracestate stays unchanged.
#[test]
fn an_unchanged_parent_takes_an_unchanged_state_along() {
    for state in ["a=1,b=2", "b@c@d=1 ,, a=2", "a=1,a=2", "0@x@y=1"] {
        assert_eq!(both(&[state]).0.as_deref(), Some(state));
    }
}

/// 3.4: a trace that is restarted does not take over the state.
#[test]
fn a_new_trace_starts_without_a_state() {
    let upstream = extract(&headers(&[("traceparent", VALID), ("tracestate", "a@b@c=1")]));
    let restarted = upstream.with_remote_span_context(opentelemetry::trace::SpanContext::new(
        1.into(),
        2.into(),
        opentelemetry::trace::TraceFlags::SAMPLED,
        false,
        opentelemetry::trace::TraceState::NONE,
    ));
    let mut out = HeaderMap::new();
    inject(&restarted, &mut out, Audience::Internal);
    assert!(out.contains_key("traceparent"));
    assert!(!out.contains_key("tracestate"));
}

/// 3.5 Mutating the tracestate Field: members of other systems keep their order, also in the
/// payload of a job.
#[test]
fn the_order_outlives_a_job() {
    let pairs = [("traceparent", VALID), ("tracestate", "z=1,a@b@c=2,m=3")];
    let carrier = {
        let tracer = Tracer::disabled();
        tracer.request(&http::Method::GET, &headers(&pairs)).start().carrier()
    };
    let json = serde_json::to_string(&carrier).unwrap();
    let carrier: Carrier = serde_json::from_str(&json).unwrap();
    let mut out = HeaderMap::new();
    Tracer::disabled()
        .job("renew", "j1")
        .parent(&carrier)
        .start()
        .inject(&mut out, Audience::Internal);
    assert_eq!(out["tracestate"], "z=1,a@b@c=2,m=3");
}
