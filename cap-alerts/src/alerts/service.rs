//! Alerts on the processes themselves.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-service";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
            "CertAutoPilotDown",
            r#"absent(up{job="$JOB"})
or
max by ($GROUP) (up{job="$JOB"}) == 0"#,
        )
        .for_duration("5m")
        .critical()
        .says(
            "CertAutoPilot cannot be scraped",
            "No replica answers on /metrics. Either the service is down, or Prometheus cannot find or reach it.",
        )
        .runbook(
            "Prometheus has no target of the job, or every scrape of every replica fails.",
            "If the service is down, nothing is renewed, distributed or audited. If only Prometheus cannot reach it, no other \
             alert can fire.",
            [("Targets that are down", r#"up{job="$JOB"} == 0"#)],
            "Read the scrape error on the targets page of Prometheus. An HTML page or a 401 means that a proxy intercepts \
             /metrics: scrape an internal listener instead. Otherwise, find out why the pods do not run.",
        ),
        Definition::extended(
            GROUP,
            "CertAutoPilotReplicaDown",
            r#"max by ($GROUP, instance) (up{job="$JOB"}) == 0"#,
        )
        .for_duration("15m")
        .says(
            "The replica {{ $labels.instance }} cannot be scraped",
            "The replica {{ $labels.instance }} does not answer on /metrics.",
        )
        .runbook(
            "Prometheus knows the replica as a target, and its scrapes fail.",
            "The other replicas carry the load. Data that only this replica has, such as its loaded KEK versions, is missing.",
            [("Replicas that answered within the last hour", r#"max_over_time(up{job="$JOB"}[1h])"#)],
            "Read the replica's log and the scrape error on the targets page. If the replica is gone for good, remove the target.",
        ),
        Definition::extended(
            GROUP,
            "CertMetricsAbsent",
            r#"max by ($GROUP) (max_over_time(up{job="$JOB"}[$WINDOW])) == 1
unless on ($GROUP)
max by ($GROUP) (last_over_time(cap_certificates_total[$WINDOW]))"#,
        )
        .window("10m")
        .for_duration("15m")
        .critical()
        .says(
            "CertAutoPilot is scraped but reports no certificates",
            "Scrapes succeed, but bring no cap_certificates_total. No alert on certificates can fire.",
        )
        .runbook(
            "The targets answer, but without the inventory. Either another program answers on the port, a relabeling rule drops \
             the series, or the product does not publish its inventory.",
            "No alert on certificates can fire.",
            [("Samples of each scrape", r#"scrape_samples_post_metric_relabeling{job="$JOB"}"#)],
            "Fetch /metrics from where Prometheus runs and look for `# HELP cap_certificates_total`. If the line is there, check \
             metric_relabel_configs. If not, read the service's log.",
        ),
    ]
}
