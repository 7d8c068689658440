//! Distribution with the module `file`: the certificate and its key are written to a directory,
//! and the certificate is read back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cap_telemetry::metrics::{ExecutionStatus, JobResult, Outcome};
use cap_telemetry::names::ErrorClass;

use super::{Tasks, blocking};
use crate::acme;
use crate::failure::Failure;
use crate::ids;
use crate::store::certificates;

/// The label of the `module`.
pub(crate) const MODULE: &str = "file";

impl Tasks {
    pub(super) async fn distribute(&self, id: &str) -> Result<JobResult, Failure> {
        let Some(directory) = self.distribution.clone() else {
            return Ok(JobResult::Success);
        };
        let (keyring, id) = (self.keyring.clone(), id.to_owned());
        let load = self.store.read("certificates", move |db| {
            let missing = || Failure::invalid(format!("{id} has no certificate to distribute"));
            let row = certificates::find(db, &id)?.ok_or_else(missing)?;
            let issued = row.issued.ok_or_else(missing)?;
            let key = keyring.open(&id, &issued.key)?;
            // Neither project ids nor host names hold a separator.
            let name = format!(
                "{}-{}",
                row.project,
                row.domain.replacen('*', "wildcard", 1)
            );
            Ok::<_, Failure>((name, issued.pem, key))
        });
        let (name, pem, key) = load.await?;
        let served = blocking(move || {
            put(&directory, &name, &pem, &key).map_err(|error| failure(&directory, &error))
        })
        .await;

        let metrics = self.telemetry.metrics().distribution();
        metrics.record_target_result(MODULE, served.as_ref().err().map(|failure| failure.class));
        if let Ok(served) = served {
            metrics.record_validated(served);
        }
        let failed = match served {
            Ok(Outcome::Success) => {
                metrics.record_executed(MODULE, ExecutionStatus::Success);
                return Ok(JobResult::Success);
            }
            Ok(_) => Failure::transient("what was written reads back differently"),
            Err(failure) => failure,
        };
        metrics.record_executed(MODULE, ExecutionStatus::Failed);
        Err(failed)
    }
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
    let temporary = directory.join(format!(".{name}.{}", ids::new("tmp")));
    let mut options = OpenOptions::new();
    let mut file = options
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
