//! Every kind of span carries what the conventions name, and nothing else.

use std::collections::BTreeSet;

use cap_names::{Actor, ErrorClass};
use cap_tracing::conventions::{AUDIT_EVENT, Attribute, COMMON, SPANS};
use cap_tracing::{ClientLayer, Tracer, current_span};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tower::{Layer as _, ServiceExt as _};

use crate::support::{LONG, collector, tracer};

fn keys(attributes: &[Attribute]) -> BTreeSet<String> {
    let keys = attributes.iter().map(|attribute| attribute.key.to_owned());
    keys.collect()
}

/// One span of each kind, in the order of the conventions, with every attribute.
fn one_of_each(tracer: &Tracer) {
    let request = tracer.request(&Method::POST, &HeaderMap::new()).route("/renew").start();
    let everywhere = || {
        let who = Actor::user("alice");
        current_span()
            .set_org("o1")
            .set_project("p1")
            .set_certificate("c1")
            .set_distribution("d1")
            .set_actor(&who);
        current_span().record_error(ErrorClass::Network, &"no route to host");
        current_span().record_audit_event("cert.renewed", "evt_1");
    };
    request.in_scope(everywhere);
    request.record_status(StatusCode::SERVICE_UNAVAILABLE);
    drop(request);
    let job = tracer.job("renew", "j1").certificate("c1");
    drop(job.distribution("d1").project("p1").start());
    drop(tracer.enqueue("renew", "j1"));
    let uri = Uri::from_static("https://ca.example.com:14000/order");
    let call = tracer.external_call("acme", "new-order", &Method::POST, &uri);
    call.record_status(StatusCode::SERVICE_UNAVAILABLE);
    drop(call);
    let client = tower::service_fn(|_: Request<()>| async {
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok::<_, std::convert::Infallible>(answer)
    });
    let client = ClientLayer::service(tracer.clone(), "issuer").layer(client);
    let request = Request::get("http://issuer:8080/").body(()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(client.oneshot(request)).unwrap();
    drop(tracer.db("INSERT", "jobs"));
    drop(tracer.service_call("policy", "check"));
    drop(tracer.emit_event("cert.renewed", "evt_1"));
}

#[test]
fn each_kind_of_span_is_as_the_conventions_say() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    one_of_each(&tracer);
    tracer.shutdown(LONG);
    let spans = collector.spans();
    assert_eq!(spans.len(), SPANS.len());
    let mut everywhere = BTreeSet::new();
    for (span, convention) in spans.iter().zip(SPANS) {
        assert_eq!(span.kind, convention.kind, "{}", span.name);
        let names = |text: &str| text.split(' ').count();
        assert_eq!(names(&span.name), names(convention.name), "{}", span.name);
        if let Some((first, _)) = convention.name.split_once(" {")
            && !first.contains('{')
        {
            assert!(span.name.starts_with(first), "{}", span.name);
        }
        let carried: BTreeSet<_> = span.attributes.keys().cloned().collect();
        let named = keys(convention.attributes);
        let missing: Vec<_> = named.difference(&carried).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", span.name);
        everywhere.extend(carried.difference(&named).cloned());
        for event in &span.events {
            assert!(event.attributes.keys().eq(&keys(AUDIT_EVENT)), "{event:?}");
        }
    }
    assert_eq!(everywhere, keys(COMMON));
}
