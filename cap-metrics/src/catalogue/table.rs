//! The declaration of every metric, as a macro that hands the table to another macro.

/// Calls `$callback!` with the table.
///
/// A metric is `instrument field = "name" {label: Type, …} [in BUCKETS] "help";` in the block of
/// its group. The instrument is `counter`, `histogram` or `gauge` where the product records events,
/// `inventory` where it sets a gauge as a whole, and `mirror` where it copies a counter that
/// something else counts.
macro_rules! metrics {
    ($callback:ident) => { $callback! {
    /// HTTP requests served.
    http Http = "HTTP" {
        counter requests = "cap_http_requests_total"
            {method: HttpMethod, path: Route, status: HttpStatus}
            "HTTP requests answered, by route pattern and status code";
        histogram duration = "cap_http_request_duration_seconds"
            {method: HttpMethod, path: Route} in SECONDS
            "Time from the request's head to the end of the response body";
        gauge in_flight = "cap_http_in_flight_requests" {}
            "HTTP requests being answered now";
    }
    /// The job queue.
    jobs Jobs = "Job queue" {
        counter queued = "cap_jobs_queued_total" {type: JobType}
            "Jobs put into the queue";
        counter completed = "cap_jobs_completed_total" {type: JobType, result: JobResult}
            "Job attempts that ended, by result";
        counter retry = "cap_jobs_retry_total" {type: JobType}
            "Job attempts that failed and will be retried";
        counter dead_letter = "cap_jobs_dead_letter_total" {type: JobType}
            "Jobs given up after their last attempt";
        histogram duration = "cap_jobs_duration_seconds" {type: JobType} in JOB_SECONDS
            "Run time of one job attempt";
        inventory queue_depth = "cap_jobs_queue_depth" {type: JobType}
            "Jobs waiting in the queue";
    }
    /// The certificate inventory.
    certificates Certificates = "Certificates" {
        inventory total = "cap_certificates_total"
            {status: CertificateStatus, issuer_type: IssuerType}
            "Certificates in the inventory";
        inventory expiring = "cap_certificates_expiring_in_days" {threshold: ExpiryThreshold}
            "Unexpired certificates with fewer days left than the threshold (cumulative)";
        counter issued = "cap_certificates_issued_total" {issuer_type: IssuerType}
            "Certificates issued for the first time";
        counter renewed = "cap_certificates_renewed_total"
            {issuer_type: IssuerType, trigger: RenewalTrigger}
            "Certificates renewed";
    }
    /// Pushing certificates to targets.
    distribution Distribution = "Distribution" {
        counter executions = "cap_distribution_executions_total"
            {module: Module, status: ExecutionStatus}
            "Distribution runs that ended";
        counter target_result = "cap_distribution_target_result_total"
            {module: Module, error_class: TargetResult}
            "Answers of distribution targets, error_class none for success";
        counter fanout = "cap_distribution_fanout_total" {}
            "Distributions split into child runs";
        gauge fanout_children = "cap_distribution_fanout_children_active" {}
            "Child runs of distributions under way now";
        counter validation = "cap_distribution_validation_total" {status: Outcome}
            "Checks that a target serves what was pushed to it";
    }
    /// Key-encryption keys.
    kek Kek = "KEK / encryption" {
        inventory loaded_versions = "cap_kek_process_loaded_versions" {host: Host, version: Version}
            "1 where the host has the KEK version loaded, 0 otherwise";
        inventory current_version = "cap_kek_process_current_version" {host: Host}
            "KEK version that the host encrypts with";
        inventory laggards = "cap_kek_cluster_laggards_total" {target: Target}
            "Hosts that do not have the target KEK version loaded; the cluster is not ready while this is above 0";
        inventory rotation_active = "cap_kek_rotation_active" {rotation_id: RotationId}
            "1 while the rotation runs";
        inventory rotation_progress = "cap_kek_rotation_progress_ratio" {rotation_id: RotationId}
            "Share of the rotation that is done, 0 to 1";
        counter wrap = "cap_kek_wrap_total" {provider: KekProvider, result: Outcome}
            "Data keys wrapped";
        counter unwrap = "cap_kek_unwrap_total" {provider: KekProvider, result: Outcome}
            "Data keys unwrapped";
    }
    /// Notifications sent.
    notifications Notifications = "Notifications" {
        counter delivery = "cap_notification_delivery_total"
            {channel_type: ChannelType, status: Outcome}
            "Notifications delivered or given up";
        histogram delivery_duration = "cap_notification_delivery_duration_seconds"
            {channel_type: ChannelType} in SECONDS
            "Time that one delivery took";
    }
    /// Certificates found on the network.
    discovery Discovery = "Discovery" {
        inventory sources = "cap_discovery_sources_total" {}
            "Discovery sources configured";
        inventory endpoints = "cap_discovery_endpoints_total" {source_id: SourceId}
            "Endpoints that the source found in its last run";
        inventory findings = "cap_discovery_findings_open" {severity: FindingSeverity}
            "Findings not yet resolved";
    }
    /// Calls to external systems.
    external External = "External calls" {
        histogram duration = "cap_external_request_duration_seconds"
            {provider: Provider, endpoint: Endpoint, status: HttpStatus} in SECONDS
            "Time of one call to an external system, status none when no response came";
        counter requests = "cap_external_request_total"
            {provider: Provider, endpoint: Endpoint, result: Outcome}
            "Calls to external systems";
    }
    /// The product's license.
    license License = "License" {
        inventory valid = "cap_license_valid" {}
            "1 while the license is valid, 0 when it is invalid or expired";
        inventory expires_in = "cap_license_expires_in_seconds" {}
            "Seconds until the license expires, negative afterwards; absent for a perpetual license";
        inventory cert_usage = "cap_license_cert_usage" {}
            "Certificates that count against the license";
        inventory cert_limit = "cap_license_cert_limit" {}
            "Certificates that the license allows, 0 for unlimited";
    }
    /// The health of the pipelines themselves, beyond the source's metrics.
    pipelines Pipelines = "Telemetry pipelines" {
        mirror spans_started = "cap_telemetry_spans_started_total" {}
            "Sampled spans started";
        mirror spans_exported = "cap_telemetry_spans_exported_total" {}
            "Spans that the collector accepted";
        mirror spans_rejected = "cap_telemetry_spans_rejected_total" {}
            "Spans that the collector refused";
        mirror spans_dropped = "cap_telemetry_spans_dropped_total" {}
            "Spans dropped because the export queue was full";
        mirror spans_failed = "cap_telemetry_spans_failed_total" {}
            "Spans given up after export failed";
        inventory spans_pending = "cap_telemetry_spans_pending" {}
            "Spans open, queued or being exported";
        mirror audit_enqueued = "cap_telemetry_audit_events_enqueued_total" {}
            "Audit events handed to the syslog forwarder";
        mirror audit_delivered = "cap_telemetry_audit_events_delivered_total" {}
            "Audit events delivered to the relay";
        mirror audit_dropped = "cap_telemetry_audit_events_dropped_total" {}
            "Audit events dropped, oldest first, because the buffer was full";
        mirror audit_quarantined = "cap_telemetry_audit_events_quarantined_total" {}
            "Audit events quarantined because the relay repeatedly closed the connection on them";
        inventory audit_queued = "cap_telemetry_audit_events_queued" {}
            "Audit events in the buffer, unsent or not yet acknowledged";
        inventory syslog_connected = "cap_telemetry_syslog_connected" {}
            "1 while a relay is connected";
        mirror egress_denied = "cap_telemetry_egress_denied_total" {class: DenialClass}
            "Outbound connections refused by the egress policy";
        inventory scrape_duration = "cap_telemetry_scrape_duration_seconds" {}
            "Time to render the previous scrape";
        mirror series_folded = "cap_telemetry_series_folded_total" {family: FamilyName}
            "Recordings that went into an overflow series, because their family or one of its labels was full";
        inventory families_skipped = "cap_telemetry_families_skipped" {}
            "Families of registries beside the catalogue that the last scrape left out because they break the format";
    }
    /// The process, beyond the commissioned metrics.
    process Process = "Process" {
        inventory build = "cap_build_info" {version: BuildVersion, revision: BuildRevision}
            "1, with the version and the source revision of the process";
        mirror cpu = "process_cpu_seconds_total" {}
            "User and system CPU time spent";
        inventory open_fds = "process_open_fds" {}
            "Open file descriptors";
        inventory max_fds = "process_max_fds" {}
            "Limit on open file descriptors";
        inventory virtual_memory = "process_virtual_memory_bytes" {}
            "Virtual memory";
        inventory max_virtual_memory = "process_virtual_memory_max_bytes" {}
            "Limit on virtual memory; absent if there is none";
        inventory resident_memory = "process_resident_memory_bytes" {}
            "Resident memory";
        inventory threads = "process_threads" {}
            "Threads of the process";
        inventory start_time = "process_start_time_seconds" {}
            "When the process started, in seconds since 1970";
    }
    } };
}

pub(crate) use metrics;
