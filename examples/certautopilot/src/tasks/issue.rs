//! Issuing and renewing: a new key, a certificate for it, and the jobs that follow.

use cap_telemetry::metrics::{JobResult, RenewalTrigger};
use cap_telemetry::names::ErrorClass;

use crate::acme;
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::certificate::{Certificate, CertificateState, Issued};
use crate::failure::Failure;
use crate::job::{Job, JobKind};
use crate::store::{Work, certificates, jobs};

pub(super) async fn issue(app: &App, job: &Job) -> Result<JobResult, Failure> {
    let renewal = job.kind == JobKind::Renew;
    let certificate = not_revoked(app.certificate(job).await?)?;
    let domain = certificate.domain.clone();
    let (private_key, csr) = tokio::task::spawn_blocking(move || acme::request(&domain))
        .await
        .map_err(Failure::transient)?
        .map_err(|error| Failure::invalid(error.to_string()))?;
    let pem = app.acme.obtain(&certificate.domain, &csr).await?;
    let Some((not_after, fingerprint)) = acme::read(&pem) else {
        let message = "the provider did not send a certificate";
        return Err(Failure::new(ErrorClass::IoPermanent, message));
    };

    let (event_type, verb) = match renewal {
        false => (EventType::CertIssued, "issued"),
        true => (EventType::CertRenewed, "renewed"),
    };
    let (id, project) = (certificate.id, certificate.project);
    let follow_up = [JobKind::Distribute, JobKind::Notify].map(|kind| {
        let job = Job::new(kind, &job.requested_by).about(&id, &project);
        app.enqueue(job.detail(event_type))
    });
    let summary = format!("Certificate {verb} for {}", certificate.domain);
    let entry = Entry::new(event_type, job.requested_by.clone(), summary)
        .resource("cert", &id)
        .project(&*project)
        .param("domain", &certificate.domain)
        .param("issuer", &certificate.issuer_type)
        .param("not_after", not_after.to_rfc3339())
        .param("fingerprint", &fingerprint);

    let keyring = app.keyring.clone();
    let store = move |work: &mut Work<'_>| {
        certificates::find(work, &id)?.map(not_revoked).transpose()?;
        // Inside the transaction, so that a rotation never misses a key that is wrapped but not
        // stored yet.
        let key = keyring.wrap(&id, &private_key)?;
        certificates::set_issued(work, &id, &Issued { pem, fingerprint, not_after, key })?;
        work.record(entry)?;
        for job in &follow_up {
            jobs::insert(work, job)?;
        }
        Ok::<_, Failure>(())
    };
    app.store.write("update", "certificates", store).await?;

    let metrics = app.telemetry.metrics().certificates();
    match renewal {
        false => metrics.record_issued(&certificate.issuer_type),
        true => {
            let trigger = job.detail.as_deref().unwrap_or_default().parse();
            let trigger = trigger.unwrap_or(RenewalTrigger::Scheduled);
            metrics.record_renewed(&certificate.issuer_type, trigger);
        }
    }
    Ok(JobResult::Success)
}

fn not_revoked(certificate: Certificate) -> Result<Certificate, Failure> {
    match certificate.state {
        CertificateState::Revoked => Err(Failure::invalid("the certificate was revoked")),
        _ => Ok(certificate),
    }
}
