//! Distribution with the module `file`: the certificate and its key are written to a directory, and read back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cap_telemetry::metrics::{ExecutionStatus, JobResult, Outcome};
use cap_telemetry::names::ErrorClass;

use super::Tasks;
use crate::acme;
use crate::failure::Failure;
use crate::store::certificates::{self, Certificate};

/// The label of the `module` that this is.
pub(crate) const MODULE: &str = "file";

impl Tasks {
    pub(super) async fn distribute(&self, id: &str) -> Result<JobResult, Failure> {
        let Some(directory) = self.distribution.clone() else {
            return Ok(JobResult::Success);
        };
        let (keyring, id) = (self.keyring.clone(), id.to_owned());
        let (name, pem, key) = self
            .store
            .read("certificates", move |db| {
                let row = certificates::find(db, &id)?;
                let issued = row.and_then(|row| Some((file_name(&row), row.issued?)));
                let (name, issued) = issued.ok_or_else(|| {
                    Failure::invalid(format!("{id} has no certificate to distribute"))
                })?;
                let key = keyring.open(&id, &issued.key)?;
                Ok::<_, Failure>((name, issued.pem, key))
            })
            .await?;

        let written = tokio::task::spawn_blocking(move || {
            put(&directory, &name, &pem, &key).map_err(|error| failure(&directory, &error))
        });
        let written = written
            .await
            .map_err(|error| Failure::new(ErrorClass::IoTransient, error.to_string()))?;

        let metrics = self.telemetry.metrics().distribution();
        metrics.record_target_result(MODULE, written.as_ref().err().map(|failure| failure.class));
        let served =
            written.inspect_err(|_| metrics.record_executed(MODULE, ExecutionStatus::Failed))?;
        metrics.record_validated(served);
        if served == Outcome::Failed {
            metrics.record_executed(MODULE, ExecutionStatus::Failed);
            let what = "what was written reads back differently";
            return Err(Failure::new(ErrorClass::IoTransient, what));
        }
        metrics.record_executed(MODULE, ExecutionStatus::Success);
        Ok(JobResult::Success)
    }
}

/// Neither project ids nor host names hold a separator; a wildcard should be easy to type.
fn file_name(certificate: &Certificate) -> String {
    let name = certificate.domain.replacen('*', "wildcard", 1);
    format!("{}-{name}", certificate.project)
}

/// Writes both files, and says whether the certificate can be read back.
fn put(directory: &Path, name: &str, pem: &str, key: &[u8]) -> io::Result<Outcome> {
    fs::create_dir_all(directory)?;
    replace(directory, &format!("{name}.key"), key, 0o600)?;
    replace(directory, &format!("{name}.pem"), pem.as_bytes(), 0o644)?;
    let back = fs::read_to_string(directory.join(format!("{name}.pem")))?;
    Ok(Outcome::from(
        acme::fingerprint(&back) == acme::fingerprint(pem),
    ))
}

/// Readers see the old file or the new one, never half of it.
fn replace(directory: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = directory.join(format!(".{name}.{}", crate::ids::new("tmp")));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(name))
}

pub(super) fn failure(directory: &Path, error: &io::Error) -> Failure {
    let class = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorClass::Auth,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorClass::IoPermanent,
        _ => ErrorClass::IoTransient,
    };
    Failure::new(class, format!("{}: {error}", directory.display()))
}
