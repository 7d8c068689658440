//! Issuing and renewing: a new key, a certificate for it, and what follows from that.

use cap_telemetry::metrics::{JobResult, RenewalTrigger};
use cap_telemetry::names::ErrorClass;

use super::Tasks;
use crate::acme::{self, Requested};
use crate::failure::Failure;
use crate::store::audit::{Entry, EventType};
use crate::store::certificates::{self, Certificate, CertificateState, Issued};
use crate::store::jobs::{self, Job};
use crate::task::{Task, Trigger};

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
        let requested = tokio::task::spawn_blocking(move || Requested::new(&domain))
            .await
            .map_err(|error| Failure::new(ErrorClass::IoTransient, error.to_string()))?
            .map_err(|error| Failure::invalid(error.to_string()))?;
        let Requested { csr, private_key } = requested;
        let pem = self.acme.obtain(&certificate.domain, &csr).await?;
        let (Some(not_after), Some(fingerprint)) =
            (acme::leaf_expiry(&pem), acme::fingerprint(&pem))
        else {
            let what = "the provider sent something else than a certificate";
            return Err(Failure::new(ErrorClass::IoPermanent, what));
        };

        let event_type = match trigger {
            None => EventType::CertIssued,
            Some(_) => EventType::CertRenewed,
        };
        let follow_up = self.follow_up(job, &certificate, event_type);
        let verb = trigger.map_or("issued", |_| "renewed");
        let summary = format!("Certificate {verb} for {}", certificate.domain);
        let entry = Entry::new(event_type, job.requested_by.clone(), summary)
            .certificate(id)
            .project(&certificate.project)
            .param("domain", &certificate.domain)
            .param("issuer", &certificate.issuer_type)
            .param("not_after", not_after.to_rfc3339())
            .param("fingerprint", &fingerprint);

        let (keyring, id) = (self.keyring.clone(), id.to_owned());
        self.store
            .write("update", "certificates", move |work| {
                if let Some(now) = certificates::find(work, &id)? {
                    not_revoked(&now)?;
                }
                // Inside the transaction, so that a rotation never misses a key that was wrapped but not stored yet.
                let key = keyring.seal(&id, &private_key)?;
                let issued = Issued {
                    pem,
                    fingerprint,
                    not_after,
                    key,
                };
                certificates::set_issued(work, &id, &issued)?;
                work.record(entry)?;
                for job in &follow_up {
                    jobs::insert(work, job)?;
                }
                Ok::<_, Failure>(())
            })
            .await?;

        let metrics = self.telemetry.metrics().certificates();
        match trigger {
            None => metrics.record_issued(&certificate.issuer_type),
            Some(trigger) => metrics.record_renewed(&certificate.issuer_type, trigger.into()),
        }
        Ok(JobResult::Success)
    }

    fn follow_up(&self, job: &Job, certificate: &Certificate, what: EventType) -> [Job; 2] {
        let distribute = Task::Distribute {
            certificate: certificate.id.clone(),
        };
        let notify = Task::Notify {
            certificate: certificate.id.clone(),
            what: what.to_string(),
        };
        [distribute, notify].map(|task| {
            let project = Some(certificate.project.as_str());
            self.queue.prepare(task, project, &job.requested_by)
        })
    }
}

fn not_revoked(certificate: &Certificate) -> Result<(), Failure> {
    if certificate.state == CertificateState::Revoked {
        return Err(Failure::invalid("the certificate was revoked"));
    }
    Ok(())
}

impl From<Trigger> for RenewalTrigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Scheduled => RenewalTrigger::Scheduled,
            Trigger::Manual => RenewalTrigger::Manual,
            Trigger::Api => RenewalTrigger::Api,
        }
    }
}
