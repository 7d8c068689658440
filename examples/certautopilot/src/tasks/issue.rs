//! Issuing and renewing: a new key, a certificate for it, and the jobs that follow.

use cap_telemetry::metrics::JobResult;
use cap_telemetry::names::ErrorClass;

use crate::acme::{self, Requested};
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::certificate::{Certificate, CertificateState, Issued};
use crate::failure::Failure;
use crate::job::{Job, Task, Trigger};
use crate::queue;
use crate::store::{Work, certificates, jobs};

/// With a trigger it is a renewal.
pub(super) async fn issue(
    app: &App,
    job: &Job,
    id: &str,
    trigger: Option<Trigger>,
) -> Result<JobResult, Failure> {
    let certificate = app.certificate(id).await?;
    let certificate = not_revoked(certificate)?;
    let domain = certificate.domain.clone();
    let requested = tokio::task::spawn_blocking(move || Requested::new(&domain)).await;
    let requested = requested.map_err(Failure::transient)?;
    let requested = requested.map_err(|error| Failure::invalid(error.to_string()))?;
    let pem = app.acme.obtain(&certificate.domain, &requested.csr).await?;
    let (Some(not_after), Some(fingerprint)) = (acme::expiry(&pem), acme::fingerprint(&pem)) else {
        let message = "the provider did not send a certificate";
        return Err(Failure::new(ErrorClass::IoPermanent, message));
    };

    let (event_type, verb) = match trigger {
        None => (EventType::CertIssued, "issued"),
        Some(_) => (EventType::CertRenewed, "renewed"),
    };
    let (id, project) = (certificate.id, Some(certificate.project.as_str()));
    let distribute = Task::Distribute {
        certificate: id.clone(),
    };
    let notify = Task::Notify {
        certificate: id.clone(),
        what: event_type.to_string(),
    };
    let follow_up =
        [distribute, notify].map(|task| queue::prepare(app, task, project, &job.requested_by));
    let summary = format!("Certificate {verb} for {}", certificate.domain);
    let entry = Entry::new(event_type, job.requested_by.clone(), summary)
        .resource("cert", &id)
        .project(project)
        .param("domain", &certificate.domain)
        .param("issuer", &certificate.issuer_type)
        .param("not_after", not_after.to_rfc3339())
        .param("fingerprint", &fingerprint);

    let keyring = app.keyring.clone();
    let store = move |work: &mut Work<'_>| {
        certificates::find(work, &id)?
            .map(not_revoked)
            .transpose()?;
        // Inside the transaction, so that a rotation never misses a key that is wrapped but not
        // stored yet.
        let key = keyring.wrap(&id, &requested.private_key)?;
        certificates::set_issued(
            work,
            &id,
            &Issued {
                pem,
                fingerprint,
                not_after,
                key,
            },
        )?;
        work.record(entry)?;
        for job in &follow_up {
            jobs::insert(work, job)?;
        }
        Ok::<_, Failure>(())
    };
    app.store.write("update", "certificates", store).await?;

    let metrics = app.telemetry.metrics().certificates();
    match trigger {
        None => metrics.record_issued(&certificate.issuer_type),
        Some(trigger) => metrics.record_renewed(&certificate.issuer_type, trigger.into()),
    }
    Ok(JobResult::Success)
}

fn not_revoked(certificate: Certificate) -> Result<Certificate, Failure> {
    match certificate.state {
        CertificateState::Revoked => Err(Failure::invalid("the certificate was revoked")),
        _ => Ok(certificate),
    }
}
