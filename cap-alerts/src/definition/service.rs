//! Alerts on the processes themselves.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::new(
            "CertAutoPilotDown",
            r#"absent(up{job="$JOB"})
or
max by ($GROUP) (up{job="$JOB"}) == 0"#,
        )
        .hold("5m")
        .critical()
        .says(
            "CertAutoPilot cannot be scraped",
            "No replica answers on /metrics: either the service is down, or Prometheus no longer reaches or finds it.",
        )
        .runbook(
            "Prometheus has no target of the job, or every scrape of every replica fails.",
            "If the service is down, nothing is renewed, distributed or audited. If only the way to it is blocked, no other alert can fire.",
            [("Which targets are down", r#"up{job="$JOB"} == 0"#.into())],
            "Look at the targets page of Prometheus for the scrape's error. An HTML page or a 401 means that a proxy intercepts \
             /metrics: scrape an internal listener instead. Otherwise look at why the pods do not run.",
        ),
        Definition::new(
            "CertAutoPilotReplicaDown",
            r#"max by ($GROUP, instance) (up{job="$JOB"}) == 0"#,
        )
        .hold("15m")
        .says(
            "The replica {{ $labels.instance }} cannot be scraped",
            "The replica {{ $labels.instance }} has not answered on /metrics.",
        )
        .runbook(
            "Prometheus knows the replica as a target, and its scrapes fail.",
            "The others carry its load. What the replica alone knows, such as its loaded KEK versions, is missing.",
            [("When each replica was last there", r#"max_over_time(up{job="$JOB"}[1h])"#.into())],
            "Look at the replica's log and at the scrape's error on the targets page. Remove the target if the replica is gone for good.",
        ),
        Definition::new(
            "CertMetricsAbsent",
            r#"max by ($GROUP) (max_over_time(up{job="$JOB"}[$WINDOW])) == 1
unless on ($GROUP)
max by ($GROUP) (last_over_time(cap_certificates_total[$WINDOW]))"#,
        )
        .past("10m")
        .hold("15m")
        .critical()
        .says(
            "CertAutoPilot is scraped, but tells nothing of its certificates",
            "Scrapes succeed and bring no cap_certificates_total. Every alert on certificates is blind.",
        )
        .runbook(
            "The targets answer, but without the inventory: another program answers on the port, a relabelling rule drops the \
             series, or the inventory is not published.",
            "No alert on certificates can fire.",
            [("What a scrape brings", r#"scrape_samples_post_metric_relabeling{job="$JOB"}"#.into())],
            "Fetch /metrics from where Prometheus runs and look for `# HELP cap_certificates_total`. If it is there, look at \
             metric_relabel_configs; if not, at the service's log.",
        ),
    ]
}
