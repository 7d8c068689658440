//! The table of jobs.

use cap_telemetry::trace::Carrier;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::Work;
use super::sql::{self, Error};
use crate::job::{Job, JobKind};

pub(crate) fn insert(work: &mut Work<'_>, job: &Job) -> Result<(), Error> {
    let row = params![
        job.id,
        job.kind.as_str(),
        job.detail,
        job.attempt,
        job.run_at.timestamp_millis(),
        serde_json::to_string(&job.carrier)?,
        job.certificate,
        job.project,
        job.requested_by.to_string(),
    ];
    let statement = "INSERT INTO jobs (id, type, detail, state, attempt, run_at, carrier, \
                     certificate_id, project, requested_by) \
                     VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9)";
    sql::run(work, statement, row)?;
    work.queued(job.kind);
    Ok(())
}

/// Takes the job that is due longest, and begins its next attempt.
pub(crate) fn claim(
    work: &mut Work<'_>,
    host: &str,
    now: DateTime<Utc>,
) -> Result<Option<Job>, Error> {
    let statement = "UPDATE jobs SET state = 'running', attempt = attempt + 1, host = ?2 \
                     WHERE id = (SELECT id FROM jobs WHERE state = 'queued' AND run_at <= ?1 \
                     ORDER BY run_at, id LIMIT 1) RETURNING *";
    let job = sql::first(work, statement, params![now.timestamp_millis(), host], read)?;
    if let Some(job) = &job {
        work.waiting(job.kind, -1);
    }
    Ok(job)
}

/// When the next waiting job is due.
pub(crate) fn next_due(db: &Connection) -> Result<Option<DateTime<Utc>>, Error> {
    let query = "SELECT min(run_at) AS due FROM jobs WHERE state = 'queued'";
    Ok(sql::first(db, query, [], |row| sql::time(row, "due"))?.flatten())
}

pub(crate) fn done(work: &Work<'_>, id: &str) -> Result<(), Error> {
    sql::run(work, "UPDATE jobs SET state = 'done' WHERE id = ?1", [id])
}

/// Notes that the attempt with this context failed, and that the next may begin at `run_at`.
pub(crate) fn retry(
    work: &mut Work<'_>,
    job: &Job,
    run_at: DateTime<Utc>,
    attempt: &Carrier,
    error: &str,
) -> Result<(), Error> {
    let statement = "UPDATE jobs SET state = 'queued', run_at = ?2, previous_carrier = ?3, \
                     last_error = ?4 WHERE id = ?1";
    let attempt = serde_json::to_string(attempt)?;
    sql::run(work, statement, params![job.id, run_at.timestamp_millis(), attempt, error])?;
    work.waiting(job.kind, 1);
    Ok(())
}

pub(crate) fn dead(work: &Work<'_>, id: &str, error: &str) -> Result<(), Error> {
    let statement = "UPDATE jobs SET state = 'dead', last_error = ?2 WHERE id = ?1";
    sql::run(work, statement, [id, error])
}

/// Puts the jobs that were running on replicas that are gone back into the queue, and says how
/// many. The attempt that they lost counts.
pub(crate) fn requeue_orphaned(work: &mut Work<'_>) -> Result<usize, Error> {
    let statement = "UPDATE jobs SET state = 'queued' WHERE state = 'running' \
                     AND host NOT IN (SELECT host FROM hosts) RETURNING type";
    let kinds: Vec<JobKind> = sql::all(work, statement, [], |row| sql::word(row, "type"))?;
    for kind in &kinds {
        work.waiting(*kind, 1);
    }
    Ok(kinds.len())
}

/// The jobs that were given up, oldest first, a thousand at most.
pub(crate) fn dead_letters(db: &Connection) -> Result<Vec<Job>, Error> {
    let query = "SELECT * FROM jobs WHERE state = 'dead' ORDER BY id LIMIT 1000";
    sql::all(db, query, [], read)
}

/// Puts a job that was given up back into the queue, as if new; `None` when there is no such job.
pub(crate) fn revive(work: &mut Work<'_>, id: &str) -> Result<Option<Job>, Error> {
    let statement = "UPDATE jobs SET state = 'queued', attempt = 0, run_at = ?2, host = NULL \
                     WHERE id = ?1 AND state = 'dead' RETURNING *";
    let job = sql::first(work, statement, params![id, Utc::now().timestamp_millis()], read)?;
    if let Some(job) = &job {
        work.queued(job.kind);
    }
    Ok(job)
}

/// Whether this certificate has a job of this type that waits or runs.
pub(crate) fn pending(db: &Connection, certificate: &str, kind: JobKind) -> Result<bool, Error> {
    let query = "SELECT 1 FROM jobs WHERE certificate_id = ?1 AND type = ?2 \
                 AND state IN ('queued', 'running')";
    Ok(sql::first(db, query, [certificate, kind.as_str()], |_| Ok(()))?.is_some())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        kind: sql::word(row, "type")?,
        certificate: row.get("certificate_id")?,
        detail: row.get("detail")?,
        attempt: row.get("attempt")?,
        run_at: sql::time(row, "run_at")?.unwrap_or_default(),
        carrier: sql::json(row, "carrier")?.unwrap_or_default(),
        previous: sql::json(row, "previous_carrier")?,
        project: row.get("project")?,
        requested_by: sql::actor(row, "requested_by")?,
        last_error: row.get("last_error")?,
    })
}
