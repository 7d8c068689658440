//! Faulty expressions with the lint of each, sound expressions, and whole rule files.

use cap_alerts::{Lint, Options, Profile, check, check_file, prometheus_rule, rules_file};

const FAULTY: &str = include_str!("corpus/faulty.txt");
const MESSAGES: &str = include_str!("corpus/messages.txt");
const SOUND: &str = include_str!("corpus/sound.txt");

#[test]
fn the_lint_of_every_faulty_expression_is_found_and_no_other() {
    assert!(FAULTY.lines().count() >= 60);
    for line in FAULTY.lines() {
        let (expr, lint) = line.rsplit_once(" | ").expect("EXPRESSION | LINT");
        let found: Vec<String> =
            check(expr).iter().map(|finding| format!("{:?}", finding.lint)).collect();
        assert_eq!(found, [lint], "{expr}: {:?}", check(expr));
    }
}

#[test]
fn each_mistake_has_its_reason_and_its_suggestion() {
    assert!(MESSAGES.lines().count() >= 22);
    for line in MESSAGES.lines() {
        let (expr, message) = line.split_once(" => ").expect("EXPRESSION => FINDING");
        let found: Vec<String> = check(expr).iter().map(ToString::to_string).collect();
        assert_eq!(found, [message], "{expr}");
    }
}

#[test]
fn nothing_is_found_in_sound_expressions() {
    assert!(SOUND.lines().count() >= 60);
    for expr in SOUND.lines() {
        assert_eq!(check(expr), [], "{expr}");
    }
}

#[test]
fn our_own_files_have_no_finding_in_either_form() {
    let mut options = Options::default();
    options.profile = Profile::Extended;
    for file in [rules_file(&options), prometheus_rule(&options)] {
        assert_eq!(check_file(&file), []);
    }
}

/// The findings in an alert with this expression and a `for` of ten minutes.
fn lints(expr: &str) -> Vec<Lint> {
    let file = format!("groups: [{{rules: [{{alert: A, for: 10m, expr: {expr:?}}}]}}]");
    let found = check_file(&file);
    found.iter().map(|found| found.finding.lint).collect()
}

#[test]
fn one_event_must_stay_in_the_window_for_longer_than_for() {
    for expr in [
        "rate(cap_http_requests_total[5m]) > 0",
        "sum(increase(cap_jobs_dead_letter_total[10m])) > 0",
        // Neither a state nor another event beside the event makes it last.
        "up == 1 and on (job, instance) rate(cap_http_requests_total[5m]) > 0",
        "rate(cap_jobs_retry_total[5m]) > 0 and on (job, instance) up == 1",
        "last_over_time(cap_jobs_queue_depth[10m]) > 100 and on (job, type) sum by (job, type) (rate(cap_jobs_dead_letter_total[5m])) > 0",
        "rate(cap_jobs_dead_letter_total[1h]) > 5 or rate(cap_jobs_dead_letter_total[5m]) > 0",
    ] {
        assert_eq!(lints(expr), [Lint::ShortWindow], "{expr}");
    }
    assert_eq!(
        lints("rate(cap_jobs_retry_total[5m]) > 0 and rate(cap_jobs_dead_letter_total[5m]) > 0"),
        [Lint::ShortWindow, Lint::ShortWindow]
    );
    for expr in [
        "rate(cap_http_requests_total[11m]) > 0",
        "rate(cap_http_requests_total[5m]) > 3",
        "up == 0 unless on (job, instance) rate(cap_http_requests_total[5m]) > 0",
    ] {
        assert_eq!(lints(expr), [], "{expr}");
    }
}

#[test]
fn a_guard_that_there_is_traffic_at_all_is_no_short_window() {
    let quantile = "histogram_quantile(0.99, sum by (job, le) (rate(cap_http_request_duration_seconds_bucket[5m])))";
    let guard = "sum by (job) (rate(cap_http_request_duration_seconds_count[5m])) > 0";
    let share = "sum by (job) (rate(cap_http_requests_total{status=~\"5..\"}[5m])) / sum by (job) (rate(cap_http_requests_total[5m]))";
    for expr in [
        format!("{quantile} > 2 and {guard}"),
        format!("{guard} and {quantile} > 2"),
        format!("({share} > 0.05 and {guard})"),
        format!("({quantile} > 2 or {share} > 0.05) and {guard}"),
    ] {
        assert_eq!(lints(&expr), [], "{expr}");
    }
    // The same rate as the alert's own condition, or beside an alternative that one event
    // satisfies.
    assert_eq!(lints(guard), [Lint::ShortWindow]);
    assert_eq!(
        lints(&format!("({quantile} > 2 or up == 1) and on (job) {guard}")),
        [Lint::ShortWindow]
    );
}

#[test]
fn what_only_a_whole_rule_shows_is_found() {
    let file = r#"
groups:
  - name: mine
    rules:
      - alert: NeverLongEnough
        expr: increase(cap_jobs_dead_letter_total[15m]) > 0
        for: 15m
      - alert: LongEnough
        expr: sum(increase(cap_jobs_dead_letter_total[30m])) > 0
        for: 15m
      - alert: ASustainedRatio
        expr: sum(rate(cap_jobs_retry_total[5m])) / sum(rate(cap_jobs_completed_total[5m])) > 0.5
        for: 15m
      - alert: Gap
        expr: sum by (type) (cap_jobs_queue_depth) > 5
        labels: {team: pki}
        annotations: {summary: "{{ $labels.type }} on {{ $labels.instance }} for {{ $labels.team }}"}
      - alert: AnotherExporter
        expr: node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes < 0.1
        annotations: {summary: "{{ $labels.instance }}"}
      - alert: AnotherExportersTarget
        expr: up{metrics_path="/metrics/cadvisor"} == 0
        annotations: {summary: "{{ $labels.rack }}"}
      - record: job:typo
        expr: sum by (job) (cap_job_queue_depth)
"#;
    let found = check_file(file);
    let found: Vec<_> =
        found.iter().map(|found| (found.rule.as_str(), found.finding.lint)).collect();
    assert_eq!(
        found,
        [
            ("NeverLongEnough", Lint::ShortWindow),
            ("Gap", Lint::TemplateLabel),
            ("job:typo", Lint::UnknownMetric),
        ]
    );
}

#[test]
fn a_text_that_is_no_rule_file_is_one_finding() {
    for text in ["", "kind: Deployment", "groups: 3", "{"] {
        let found = check_file(text);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].finding.message, "not a rule file");
    }
}
