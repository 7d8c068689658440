//! The table of jobs.

use std::collections::BTreeMap;

use cap_telemetry::names::Actor;
use cap_telemetry::trace::Carrier;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::inventory::Change;
use super::{Error, Work};
use crate::actor;
use crate::task::{JobKind, Task};

/// A row.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does.
    pub task: Task,
    /// The attempt under way, from 1; 0 before the first.
    pub attempt: u32,
    /// When it may run.
    pub run_at: DateTime<Utc>,
    /// The context of whoever asked for it.
    pub carrier: Carrier,
    /// The context of the attempt before this one.
    pub previous: Option<Carrier>,
    /// The project it belongs to.
    pub project: Option<String>,
    /// Who asked for it.
    pub requested_by: Actor,
}

/// Puts a job into the queue.
///
/// # Errors
/// The database's own, as for every function here.
pub fn insert(work: &mut Work<'_>, job: &Job) -> Result<(), Error> {
    let kind = job.task.kind();
    work.execute(
        "INSERT INTO jobs (id, type, payload, state, attempt, run_at, carrier, certificate_id, project, requested_by) \
         VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            job.id,
            kind.as_str(),
            serde_json::to_string(&job.task).map_err(Error::row)?,
            job.attempt,
            job.run_at.timestamp_millis(),
            serde_json::to_string(&job.carrier).map_err(Error::row)?,
            job.task.certificate(),
            job.project,
            job.requested_by.to_string(),
        ],
    )?;
    work.queued(kind);
    work.changed(Change::Waiting(kind));
    Ok(())
}

/// Takes the job that is due longest, and begins its next attempt.
pub fn claim(work: &mut Work<'_>, host: &str, now: DateTime<Utc>) -> Result<Option<Job>, Error> {
    let job = work
        .prepare_cached(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, host = ?2 WHERE id = (SELECT id FROM jobs \
             WHERE state = 'queued' AND run_at <= ?1 ORDER BY run_at, id LIMIT 1) RETURNING *",
        )?
        .query_row(params![now.timestamp_millis(), host], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    if let Some(job) = &job {
        work.changed(Change::Taken(job.task.kind()));
    }
    Ok(job)
}

/// When the next waiting job is due.
pub fn next_due(connection: &Connection) -> Result<Option<DateTime<Utc>>, Error> {
    let sql = "SELECT min(run_at) FROM jobs WHERE state = 'queued'";
    let time: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    Ok(time.and_then(DateTime::from_timestamp_millis))
}

/// The job is done.
pub fn done(work: &Work<'_>, id: &str) -> Result<(), Error> {
    work.execute("UPDATE jobs SET state = 'done' WHERE id = ?1", [id])?;
    Ok(())
}

/// The attempt failed, and the next may begin at `run_at`.
pub fn retry(
    work: &mut Work<'_>,
    job: &Job,
    run_at: DateTime<Utc>,
    attempt: &Carrier,
    error: &str,
) -> Result<(), Error> {
    work.execute(
        "UPDATE jobs SET state = 'queued', run_at = ?2, previous_carrier = ?3, last_error = ?4 WHERE id = ?1",
        params![
            job.id,
            run_at.timestamp_millis(),
            serde_json::to_string(attempt).map_err(Error::row)?,
            error,
        ],
    )?;
    work.changed(Change::Waiting(job.task.kind()));
    Ok(())
}

/// The job is given up.
pub fn dead(work: &Work<'_>, id: &str, error: &str) -> Result<(), Error> {
    let sql = "UPDATE jobs SET state = 'dead', last_error = ?2 WHERE id = ?1";
    work.execute(sql, [id, error])?;
    Ok(())
}

/// Puts the jobs that were running on this host, or on one that is no more, back into the queue; the attempt they lost counts.
/// For a host that starts.
pub fn requeue_running(work: &mut Work<'_>, host: &str) -> Result<usize, Error> {
    requeue(
        work,
        "host = ?1 OR host NOT IN (SELECT host FROM hosts)",
        host,
    )
}

/// Puts the jobs that were running on another host that is no more back into the queue.
pub fn requeue_orphaned(work: &mut Work<'_>, host: &str) -> Result<usize, Error> {
    requeue(
        work,
        "host <> ?1 AND host NOT IN (SELECT host FROM hosts)",
        host,
    )
}

fn requeue(work: &mut Work<'_>, whose: &str, host: &str) -> Result<usize, Error> {
    let kinds = {
        let mut statement = work.prepare(&format!(
            "UPDATE jobs SET state = 'queued' WHERE state = 'running' AND ({whose}) RETURNING type"
        ))?;
        let rows = statement.query_map([host], |row| row.get::<_, String>(0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    for kind in &kinds {
        work.changed(Change::Waiting(kind.parse().map_err(Error::row)?));
    }
    Ok(kinds.len())
}

/// A dead job as an operator sees it.
#[derive(Clone, Debug)]
pub struct Dead {
    /// The job.
    pub job: Job,
    /// Why its last attempt failed.
    pub last_error: Option<String>,
}

/// The jobs that were given up, oldest first, a thousand at most.
pub fn dead_letters(connection: &Connection) -> Result<Vec<Dead>, Error> {
    let sql = "SELECT * FROM jobs WHERE state = 'dead' ORDER BY id LIMIT 1000";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(read(row).and_then(|job| {
            let last_error = row.get("last_error")?;
            Ok(Dead { job, last_error })
        }))
    })?;
    rows.map(|row| row?).collect()
}

/// Puts a job that was given up back into the queue, as if new; `None` when there is no such job.
pub fn revive(work: &mut Work<'_>, id: &str) -> Result<Option<Job>, Error> {
    let job = work
        .prepare_cached(
            "UPDATE jobs SET state = 'queued', attempt = 0, run_at = ?2, host = NULL WHERE id = ?1 AND state = 'dead' \
             RETURNING *",
        )?
        .query_row(params![id, Utc::now().timestamp_millis()], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    if let Some(job) = &job {
        work.queued(job.task.kind());
        work.changed(Change::Waiting(job.task.kind()));
    }
    Ok(job)
}

/// Whether this certificate has a job of this type that waits or runs.
pub fn pending(connection: &Connection, certificate: &str, kind: JobKind) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE certificate_id = ?1 AND type = ?2 \
               AND state IN ('queued', 'running'))";
    Ok(connection.query_row(sql, [certificate, kind.as_str()], |row| row.get(0))?)
}

/// How many jobs there are in each state.
pub fn states(connection: &Connection) -> Result<BTreeMap<String, u32>, Error> {
    let mut statement = connection.prepare("SELECT state, count(*) FROM jobs GROUP BY state")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn waiting(connection: &Connection) -> Result<Vec<(JobKind, u64)>, Error> {
    let sql = "SELECT type, count(*) FROM jobs WHERE state = 'queued' GROUP BY type";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))
    })?;
    rows.map(|row| {
        let (kind, count) = row?;
        Ok((kind.parse().map_err(Error::row)?, u64::from(count)))
    })
    .collect()
}

fn read(row: &Row<'_>) -> Result<Job, Error> {
    let text = |column| row.get::<_, String>(column);
    let run_at = row.get("run_at")?;
    let previous: Option<String> = row.get("previous_carrier")?;
    Ok(Job {
        id: text("id")?,
        task: serde_json::from_str(&text("payload")?).map_err(Error::row)?,
        attempt: row.get("attempt")?,
        run_at: DateTime::from_timestamp_millis(run_at).ok_or_else(|| Error::row("run_at"))?,
        carrier: serde_json::from_str(&text("carrier")?).map_err(Error::row)?,
        previous: previous
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(Error::row)?,
        project: row.get("project")?,
        requested_by: actor::parse(&text("requested_by")?)
            .ok_or_else(|| Error::row("requested_by"))?,
    })
}
