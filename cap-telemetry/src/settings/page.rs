//! The page: the status, the result of the last action, and the form with its errors.

use cap_syslog::{ProbeReport, ProbeStage, ProbeVerdict, Status};
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::field::{Field, FieldError};
use super::form::Form;

pub(super) const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");

/// The result of the request.
pub(super) enum Outcome<'a> {
    /// The request asked for the page alone.
    None,
    Saved,
    Tested(&'a ProbeReport),
    Failed {
        status: StatusCode,
        message: String,
        errors: &'a [FieldError],
    },
}

/// Links are relative, so that the page works wherever it is mounted.
pub(super) fn render(
    token: &str,
    form: &Form,
    status: Option<&Status>,
    outcome: &Outcome<'_>,
) -> Markup {
    let errors = match outcome {
        Outcome::Failed { errors, .. } => *errors,
        _ => &[],
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Settings: Syslog" }
                link rel="stylesheet" href="page.css";
                script src="page.js" defer {}
            }
            body {
                main {
                    h1 { "Syslog" }
                    p.lead { "Every audit event is forwarded to this relay. The audit log itself does not depend on it." }
                    (state(status))
                    (result(outcome))
                    form method="post" action="page" {
                        input type="hidden" name="csrf_token" value=(token);
                        (fields(form, errors))
                        div.buttons {
                            button.primary type="submit" { "Save" }
                            button type="submit" formaction="page-test" { "Test" }
                            span.hint { "Test sends one record with the settings above, saved or not." }
                        }
                    }
                }
            }
        }
    }
}

/// The state of the pipeline. `page.js` refreshes every element with a `data-status`.
fn state(status: Option<&Status>) -> Markup {
    let warning = status.and_then(|status| status.warning.as_deref());
    html! {
        p.warning #warning role="alert" hidden[warning.is_none()] data-status="warning" { (warning.unwrap_or_default()) }
        section.status aria-label="Status" {
            @match status {
                None => p { "Forwarding is switched off." },
                Some(status) => {
                    dl {
                        dt { "State" }
                        dd data-status="state" { (status.state) }
                        dt { "Relay" }
                        dd data-status="relay" { (status.relay.as_deref().unwrap_or("none yet")) }
                        dt { "Buffered" }
                        dd {
                            span data-status="queued" { (status.queued) } " of "
                            span data-status="capacity" { (status.capacity) }
                            " "
                            meter data-meter="queued" min="0" max=(status.capacity) value=(status.queued) high=(status.capacity / 2) {}
                        }
                        dt { "Delivered" }
                        dd data-status="delivered" { (status.delivered) }
                        dt { "Dropped" }
                        dd data-status="dropped" { (status.dropped) }
                        dt { "Last error" }
                        dd data-status="last_error" {
                            (status.last_error.as_ref().map_or("none", |error| error.message.as_str()))
                        }
                    }
                }
            }
        }
    }
}

fn result(outcome: &Outcome<'_>) -> Markup {
    html! {
        @match outcome {
            Outcome::None => {},
            Outcome::Saved => p.saved #saved role="status" { "Saved, and in force." },
            Outcome::Failed { message, .. } => p.failed #failed role="alert" { (message) },
            Outcome::Tested(probe) => (tested(probe)),
        }
    }
}

fn tested(probe: &ProbeReport) -> Markup {
    let failed_at = probe.failure.as_ref().map(|failure| failure.stage);
    let class = if probe.failure.is_some() { "test failed" } else { "test saved" };
    html! {
        section class=(class) #test role="status" aria-label="Test" {
            h2 {
                @match probe.verdict {
                    ProbeVerdict::Confirmed => "The relay accepted the record",
                    ProbeVerdict::Sent => "Sent, not confirmed: UDP does not report whether a datagram arrives",
                    _ => "The test failed",
                }
            }
            p { (probe.relay) " over " (probe.transport) }
            ol.stages {
                @for step in &probe.steps {
                    @let failed = failed_at == Some(step.stage);
                    li class=(if failed { "bad" } else { "good" }) data-stage=(step.stage) {
                        span.stage { (step.stage) }
                        span.result { (if failed { "failed" } else { "ok" }) }
                        span.took { (format!("{:.1} ms", step.took.as_secs_f64() * 1000.0)) }
                    }
                }
            }
            @if let Some(failure) = &probe.failure {
                // Some messages end with the hint, which follows here.
                @let message = failure.message.strip_suffix(failure.hint.as_str()).unwrap_or(&failure.message);
                p #test-message { (message.trim_end_matches([' ', ':', ';'])) "." }
                p.remedy #test-hint { "What to do: " (failure.hint) "." }
            }
            @let written = probe.steps.iter().any(|step| step.stage == ProbeStage::Write);
            h3 { (if written { "The record that was sent" } else { "The record that would have been sent" }) }
            pre #test-record { (probe.record) }
        }
    }
}

fn fields(form: &Form, errors: &[FieldError]) -> Markup {
    let message = |field| {
        errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    };
    let text = |field: Field, label: &str, hint: &str| {
        html! {
            (labeled(field, label, hint, message(field), html! {
                input type="text" id=(field) name=(field) value=(form.text(field)) autocomplete="off" spellcheck="false"
                    aria-invalid[message(field).is_some()] aria-describedby=(format!("{field}-hint"));
            }))
        }
    };
    let choice = |field: Field, label: &str, hint: &str, words: &[&str]| {
        let chosen = form.text(field);
        html! {
            (labeled(field, label, hint, message(field), html! {
                select id=(field) name=(field) {
                    // A facility may be a code, which is not in the list.
                    @if !chosen.is_empty() && !words.contains(&chosen) { option value=(chosen) selected { (chosen) } }
                    @for word in words { option value=(word) selected[*word == chosen] { (word) } }
                }
            }))
        }
    };
    html! {
        div.field.switch {
            input type="checkbox" id="enabled" name="enabled" value="true" checked[form.is_enabled()];
            label for="enabled" { "Forward audit events" }
            @if let Some(message) = message(Field::Enabled) { p.wrong { (message) } }
        }
        div.row {
            (text(Field::Host, "Host", "The relay's name or address."))
            (text(Field::Port, "Port", "Empty: 514 for udp, 601 for tcp, 6514 for tcp+tls."))
        }
        div.row {
            (choice(Field::Transport, "Transport", "Use tcp+tls across networks that you do not control.", &["tcp", "tcp+tls", "udp"]))
            (choice(Field::Framing, "Framing", "newline: for relays that read lines. Not used with udp.", &["octet-counting", "newline"]))
        }
        div.row {
            (choice(Field::Facility, "Facility", "Most filters expect local6.", &["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]))
            (text(Field::AppName, "App name", "APP-NAME of the records."))
            (text(Field::Hostname, "Hostname", "HOSTNAME of the records. Empty: the name of this process."))
        }
        (labeled(Field::Ca, "TLS CA certificate", "CA certificates (PEM), trusted in addition to the system's. Only for tcp+tls.", message(Field::Ca), html! {
            textarea id="ca" name="ca" rows="6" spellcheck="false" autocomplete="off" aria-invalid[message(Field::Ca).is_some()] { (form.text(Field::Ca)) }
        }))
    }
}

fn labeled(field: Field, label: &str, hint: &str, message: Option<&str>, input: Markup) -> Markup {
    html! {
        div.field data-field=(field) {
            label for=(field) { (label) }
            (input)
            p.hint id=(format!("{field}-hint")) { (hint) }
            @if let Some(message) = message { p.wrong id=(format!("{field}-wrong")) { (message) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_names::ClosedEnum as _;

    #[test]
    fn every_field_is_on_the_page() {
        let page = render("token", &Form::default(), None, &Outcome::None).into_string();
        for field in Field::ALL {
            assert!(page.contains(&format!("name=\"{field}\"")), "{field}");
        }
    }

    #[test]
    fn nothing_on_the_page_is_inline() {
        let page = render("token", &Form::default(), None, &Outcome::None).into_string();
        for inline in ["style=", "<style", "javascript:", "onclick=", "onload=", "onsubmit="] {
            assert!(!page.contains(inline), "{inline}: {page}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}
