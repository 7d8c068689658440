//! Our spans at the real OpenTelemetry Collector, over both protocols.

use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_names::ErrorClass;
use cap_tests::ReceivedSpan;
use cap_tests::peers::Collector;
use cap_tests::require;
use cap_tracing::{Compression, Config, SampleRate, Tracer};

const LONG: Duration = Duration::from_secs(30);

fn pipeline(endpoint: &str, compression: Compression) -> Tracer {
    let mut config = Config::new(endpoint.parse().expect("an endpoint"));
    config.sample_rate = SampleRate::ALL;
    config.compression = compression;
    let connector = Connector::new(Guard::new(Policy::default()), Trust::system().expect("roots"));
    Tracer::start(config, connector).expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_arrive_over_http_and_grpc_across_a_collector_restart() {
    let program = require!("otelcol");
    let mut collector = Collector::start(&program).await.expect("it starts");
    for (endpoint, compression, id) in [
        (collector.endpoint(), Compression::Gzip, "http"),
        (collector.grpc_endpoint(), Compression::Gzip, "grpc"),
        (collector.grpc_endpoint(), Compression::None, "plain"),
    ] {
        let tracer = pipeline(&endpoint, compression);
        let job = tracer.job("renew", id).certificate("c1").project("p1");
        let first = job.start();
        first.record_error(ErrorClass::IoTransient, &"the CA answered 503");
        let previous = first.carrier();
        drop(first);
        let ours = |span: &&ReceivedSpan| span.attribute("cap.job.id") == Some(id);
        let count = |spans: &[ReceivedSpan]| spans.iter().filter(ours).count();
        let first = format!("the first span over {endpoint}");
        collector.until(first, LONG, |spans| count(spans) == 1).await;

        collector.stop().await.expect("it stops");
        let second = job.attempt(2).parent(&previous).previous_attempt(&previous);
        drop(second.start());
        collector.start().await.expect("it starts again");
        let second = format!("the second span over {endpoint}");
        collector.until(second, LONG, |spans| count(spans) == 2).await;
        let stats = tokio::task::block_in_place(|| tracer.shutdown(LONG));
        assert_eq!((stats.started, stats.exported, stats.pending), (2, 2, 0), "{stats}");

        let spans = collector.spans().expect("spans");
        let spans: Vec<_> = spans.iter().filter(ours).collect();
        let (first, second) = (spans[0], spans[1]);
        assert_eq!((first.name.as_str(), first.kind), ("job renew", "consumer"));
        assert_eq!(first.error.as_deref(), Some("the CA answered 503"));
        assert_eq!(first.resource["service.name"], "certautopilot");
        let attributes = [
            ("cap.cert.id", "c1"),
            ("cap.error.class", "io_transient"),
            ("cap.job.attempt", "1"),
            ("cap.job.id", id),
            ("cap.job.type", "renew"),
            ("cap.tenant.project_id", "p1"),
        ];
        assert!(
            first
                .attributes
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .eq(attributes),
            "{:?}",
            first.attributes
        );
        assert_eq!(second.parent_span_id.as_ref(), Some(&first.span_id));
        assert_eq!(second.links[0].span_id, first.span_id);
        assert_eq!(second.links[0].trace_id, first.trace_id);
    }
}
