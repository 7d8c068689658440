//! Distribution with the module `file`: the certificate and its key are written to a directory,
//! and the certificate is read back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cap_telemetry::metrics::{ExecutionStatus, JobResult, Outcome};

use crate::app::App;
use crate::failure::Failure;
use crate::job::Job;
use crate::{acme, ids};

/// The label of the `module`.
pub(crate) const MODULE: &str = "file";

pub(super) async fn distribute(app: &App, job: &Job) -> Result<JobResult, Failure> {
    let Some(directory) = app.config.distribution.clone() else {
        return Ok(JobResult::Success);
    };
    let row = app.certificate(job).await?;
    let missing = || Failure::invalid("the certificate was never issued");
    let issued = row.issued.ok_or_else(missing)?;
    let (pem, key) = (issued.pem, app.keyring.unwrap(&row.id, &issued.key)?);
    // Neither project ids nor host names hold a separator.
    let name = format!("{}-{}", row.project, row.domain.replacen('*', "wildcard", 1));
    let put =
        move || put(&directory, &name, &pem, &key).map_err(|error| Failure::at(&directory, &error));
    let served = tokio::task::spawn_blocking(put).await.map_err(Failure::transient)?;

    let metrics = app.telemetry.metrics().distribution();
    metrics.record_target_result(MODULE, served.as_ref().err().map(|failure| failure.class));
    let result = served.and_then(|served| {
        metrics.record_validated(served);
        let different = || Failure::transient("what was written reads back differently");
        if served == Outcome::Success { Ok(JobResult::Success) } else { Err(different()) }
    });
    let failed = result.is_err();
    let status = if failed { ExecutionStatus::Failed } else { ExecutionStatus::Success };
    metrics.record_executed(MODULE, status);
    result
}

/// Writes both files, and says whether the certificate can be read back.
fn put(directory: &Path, name: &str, pem: &str, key: &[u8]) -> io::Result<Outcome> {
    fs::create_dir_all(directory)?;
    replace(directory, &format!("{name}.key"), key, 0o600)?;
    replace(directory, &format!("{name}.pem"), pem.as_bytes(), 0o644)?;
    let back = fs::read_to_string(directory.join(format!("{name}.pem")))?;
    Ok(Outcome::from(acme::read(&back) == acme::read(pem)))
}

/// Readers see the old file or the new one, never half of it.
fn replace(directory: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = directory.join(format!(".{name}.{}", ids::new("tmp")));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(name))
}
