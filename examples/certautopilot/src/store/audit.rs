//! The audit log: the primary record of what happened, whatever becomes of its copies.

use std::ops::Bound;

use cap_telemetry::names::{Actor, Severity, closed_enum};
use chrono::{DateTime, SubsecRound as _, Utc};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Error;
use crate::{actor, ids};

closed_enum! {
    /// What is audited.
    #[allow(missing_docs)] // each is its own word
    pub enum EventType: "event type" {
        Login = "auth.login",
        LoginFailed = "auth.login_failed",
        CertRequested = "cert.requested",
        CertIssued = "cert.issued",
        CertRenewed = "cert.renewed",
        CertRenewalFailed = "cert.renewal_failed",
        CertRevoked = "cert.revoked",
        RoleChanged = "member.role_changed",
        RotationStarted = "kek.rotation_started",
        RotationCompleted = "kek.rotation_completed",
        WebhookReceived = "webhook.received",
        JobDeadLettered = "job.dead_lettered",
        JobRequeued = "job.requeued",
        LicenseInstalled = "license.installed",
        SettingsChanged = "settings.syslog_changed",
        SettingsTested = "settings.syslog_tested",
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id, the same in every copy.
    pub id: String,
    /// When, to the millisecond.
    pub time: DateTime<Utc>,
    /// What.
    pub event_type: EventType,
    /// Who.
    pub actor: Actor,
    /// To what, as `kind:id`.
    pub resource: Option<String>,
    /// In which project.
    pub project: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// In a sentence.
    pub summary: String,
    /// Anything else.
    pub params: Vec<(String, String)>,
}

impl Entry {
    /// An entry of severity info that happened now.
    pub fn new(event_type: EventType, actor: Actor, summary: impl Into<String>) -> Self {
        Entry {
            id: ids::new("evt"),
            time: Utc::now().trunc_subsecs(3),
            event_type,
            actor,
            resource: None,
            project: None,
            severity: Severity::Info,
            summary: summary.into(),
            params: Vec::new(),
        }
    }

    /// The certificate it is about.
    #[must_use]
    pub fn certificate(mut self, id: &str) -> Self {
        self.resource = Some(format!("cert:{id}"));
        self
    }

    /// What it is about, as `kind:id`.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The project it happened in.
    #[must_use]
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.project = Some(id.into());
        self
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// A further parameter.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl ToString) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }
}

pub(super) fn insert(connection: &Connection, host: &str, entry: &Entry) -> Result<(), Error> {
    connection.execute(
        "INSERT INTO audit (id, ts, event_type, actor, resource, project, severity, summary, params, host) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            entry.id,
            entry.time.timestamp_millis(),
            entry.event_type.as_str(),
            entry.actor.to_string(),
            entry.resource,
            entry.project,
            entry.severity.as_str(),
            entry.summary,
            serde_json::to_string(&entry.params).map_err(Error::row)?,
            host,
        ],
    )?;
    Ok(())
}

/// At most `limit` entries in the order in which they were committed, from the first, or from the one after that with the id `after`;
/// `None` when that is not there.
///
/// Ids are made before the commit, so their order is another one: a reader that went by it would miss an id that was made before the one
/// it has seen and committed after it.
///
/// # Errors
/// The database's own.
pub fn list(
    connection: &Connection,
    after: Option<&str>,
    limit: u32,
) -> Result<Option<Vec<Entry>>, Error> {
    // Rows are never deleted, so their numbers go up.
    let number = |id| {
        let sql = "SELECT rowid FROM audit WHERE id = ?1";
        let number = connection.query_row(sql, [id], |row| row.get::<_, i64>(0));
        number.optional()
    };
    let Some(after) = after.map_or(Ok(Some(0)), number)? else {
        return Ok(None);
    };
    let mut statement = connection
        .prepare_cached("SELECT * FROM audit WHERE rowid > ?1 ORDER BY rowid LIMIT ?2")?;
    let rows = statement.query_map(params![after, limit], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect::<Result<_, _>>().map(Some)
}

/// At most `limit` entries of one process from the one with the id `from` (or after it, or from the first) to that with the id
/// `to`, in the order in which they were committed. `None` when either is not there.
pub(super) fn between(
    connection: &Connection,
    host: &str,
    from: Bound<&str>,
    to: &str,
    limit: usize,
) -> Result<Option<Vec<Entry>>, Error> {
    // Rows are never deleted, so their numbers go up.
    let number = |id: &str| {
        let sql = "SELECT rowid FROM audit WHERE id = ?1 AND host = ?2";
        let number = connection.query_row(sql, [id, host], |row| row.get::<_, i64>(0));
        number.optional()
    };
    let first = match from {
        Bound::Included(id) => number(id)?,
        Bound::Excluded(id) => number(id)?.map(|number| number + 1),
        Bound::Unbounded => Some(0),
    };
    let (Some(first), Some(last)) = (first, number(to)?) else {
        return Ok(None);
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT * FROM audit WHERE rowid BETWEEN ?1 AND ?2 AND host = ?3 ORDER BY rowid LIMIT ?4",
    )?;
    let rows = statement.query_map(params![first, last, host, limit], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect::<Result<_, _>>().map(Some)
}

fn read(row: &Row<'_>) -> Result<Entry, Error> {
    let word = |column| row.get::<_, String>(column);
    let time = row.get("ts")?;
    Ok(Entry {
        id: word("id")?,
        time: DateTime::from_timestamp_millis(time).ok_or_else(|| Error::row("ts"))?,
        event_type: word("event_type")?.parse().map_err(Error::row)?,
        actor: actor::parse(&word("actor")?).ok_or_else(|| Error::row("actor"))?,
        resource: row.get("resource")?,
        project: row.get("project")?,
        severity: word("severity")?.parse().map_err(Error::row)?,
        summary: word("summary")?,
        params: serde_json::from_str(&word("params")?).map_err(Error::row)?,
    })
}
