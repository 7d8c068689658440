//! Issuing and renewing: a new key, a certificate for it, and the jobs that follow.

use cap_telemetry::metrics::JobResult;
use cap_telemetry::names::ErrorClass;

use super::{Tasks, blocking};
use crate::acme::{self, Requested};
use crate::audit::{Entry, EventType};
use crate::certificate::{Certificate, CertificateState, Issued};
use crate::failure::Failure;
use crate::job::{Job, Task, Trigger};
use crate::store::{certificates, jobs};

impl Tasks {
    /// With a trigger it is a renewal.
    pub(super) async fn issue(
        &self,
        job: &Job,
        id: &str,
        trigger: Option<Trigger>,
    ) -> Result<JobResult, Failure> {
        let certificate = self.certificate(id).await?;
        not_revoked(&certificate)?;
        let domain = certificate.domain.clone();
        let request = move || Requested::new(&domain);
        let request = move || request().map_err(|error| Failure::invalid(error.to_string()));
        let Requested { csr, private_key } = blocking(request).await?;
        let pem = self.acme.obtain(&certificate.domain, &csr).await?;
        let (Some(not_after), Some(fingerprint)) = (acme::expiry(&pem), acme::fingerprint(&pem))
        else {
            let message = "the provider did not send a certificate";
            return Err(Failure::new(ErrorClass::IoPermanent, message));
        };

        let (event_type, verb) = match trigger {
            None => (EventType::CertIssued, "issued"),
            Some(_) => (EventType::CertRenewed, "renewed"),
        };
        let (certificate_id, what) = (id.to_owned(), event_type.to_string());
        let distribute = Task::Distribute {
            certificate: id.to_owned(),
        };
        let notify = Task::Notify {
            certificate: certificate_id.clone(),
            what,
        };
        let project = Some(certificate.project.as_str());
        let follow_up =
            [distribute, notify].map(|task| self.queue.prepare(task, project, &job.requested_by));
        let summary = format!("Certificate {verb} for {}", certificate.domain);
        let entry = Entry::new(event_type, job.requested_by.clone(), summary)
            .resource("cert", id)
            .project(project)
            .param("domain", &certificate.domain)
            .param("issuer", &certificate.issuer_type)
            .param("not_after", not_after.to_rfc3339())
            .param("fingerprint", &fingerprint);

        let (keyring, id) = (self.keyring.clone(), certificate_id);
        let store = self.store.write("update", "certificates", move |work| {
            if let Some(now) = certificates::find(work, &id)? {
                not_revoked(&now)?;
            }
            // Inside the transaction, so that a rotation never misses a key that is wrapped but
            // not stored yet.
            let key = keyring.seal(&id, &private_key)?;
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
        });
        store.await?;

        let metrics = self.telemetry.metrics().certificates();
        match trigger {
            None => metrics.record_issued(&certificate.issuer_type),
            Some(trigger) => metrics.record_renewed(&certificate.issuer_type, trigger.into()),
        }
        Ok(JobResult::Success)
    }
}

fn not_revoked(certificate: &Certificate) -> Result<(), Failure> {
    match certificate.state {
        CertificateState::Revoked => Err(Failure::invalid("the certificate was revoked")),
        _ => Ok(()),
    }
}
