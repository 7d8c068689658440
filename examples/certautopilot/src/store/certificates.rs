//! The table of certificates.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Params, Row, params};

use super::sql::{self, Error};
use super::{Work, inventory};
use crate::certificate::{Certificate, CertificateState, Issued, WrappedKey};

/// Adds a certificate, pending.
pub(crate) fn insert(work: &mut Work<'_>, certificate: &Certificate) -> Result<(), Error> {
    let row = params![
        certificate.id,
        certificate.project,
        certificate.domain,
        certificate.issuer_type,
        certificate.state.as_str(),
        Utc::now().timestamp_millis(),
    ];
    let statement = "INSERT INTO certificates (id, project, domain, issuer_type, status, \
                     created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    change(work, statement, row)
}

/// Stores what was issued, and makes the certificate active.
pub(crate) fn set_issued(work: &mut Work<'_>, id: &str, issued: &Issued) -> Result<(), Error> {
    let row = params![
        id,
        issued.not_after.timestamp_millis(),
        issued.pem,
        issued.fingerprint,
        issued.key.wrapped,
        issued.key.kek_version,
    ];
    let statement = "UPDATE certificates SET status = 'active', not_after = ?2, pem = ?3, \
                     fingerprint = ?4, wrapped_key = ?5, kek_version = ?6, last_error = NULL \
                     WHERE id = ?1";
    change(work, statement, row)
}

pub(crate) fn set_state(
    work: &mut Work<'_>,
    id: &str,
    state: CertificateState,
) -> Result<(), Error> {
    let statement = "UPDATE certificates SET status = ?2 WHERE id = ?1";
    change(work, statement, params![id, state.as_str()])
}

/// Notes why the last attempt was given up.
pub(crate) fn set_last_error(work: &Work<'_>, id: &str, error: &str) -> Result<(), Error> {
    let statement = "UPDATE certificates SET last_error = ?2 WHERE id = ?1";
    sql::run(work, statement, params![id, error])
}

pub(crate) fn find(db: &Connection, id: &str) -> Result<Option<Certificate>, Error> {
    sql::first(db, "SELECT * FROM certificates WHERE id = ?1", [id], read)
}

/// The certificates of a project, oldest first.
pub(crate) fn of_project(db: &Connection, project: &str) -> Result<Vec<Certificate>, Error> {
    let query = "SELECT * FROM certificates WHERE project = ?1 ORDER BY id";
    sql::all(db, query, [project], read)
}

/// The ids and projects of active certificates that expire before `end` and have no renewal
/// waiting or running.
pub(crate) fn due(db: &Connection, end: DateTime<Utc>) -> Result<Vec<(String, String)>, Error> {
    let query = "SELECT id, project FROM certificates WHERE status = 'active' AND not_after < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE certificate_id = certificates.id \
                 AND type = 'renew' AND state IN ('queued', 'running'))";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    sql::all(db, query, [end.timestamp_millis()], read)
}

/// The fingerprints of the certificates that are in use.
pub(crate) fn fingerprints(db: &Connection) -> Result<Vec<String>, Error> {
    let query = "SELECT fingerprint FROM certificates \
                 WHERE fingerprint IS NOT NULL AND status != 'revoked'";
    sql::all(db, query, [], |row| row.get(0))
}

fn change(work: &mut Work<'_>, statement: &str, row: impl Params) -> Result<(), Error> {
    let statement = format!("{statement} RETURNING id, status, issuer_type, not_after");
    if let Some((id, fact)) = sql::first(work, &statement, row, inventory::fact)? {
        work.changed(|inventory| _ = inventory.certificates.insert(id, fact));
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Certificate> {
    let issued = |not_after| {
        let (wrapped, kek_version) = (row.get("wrapped_key")?, row.get("kek_version")?);
        let (pem, fingerprint) = (row.get("pem")?, row.get("fingerprint")?);
        let key = WrappedKey { wrapped, kek_version };
        Ok::<_, rusqlite::Error>(Issued { pem, fingerprint, not_after, key })
    };
    Ok(Certificate {
        id: row.get("id")?,
        project: row.get("project")?,
        domain: row.get("domain")?,
        issuer_type: row.get("issuer_type")?,
        state: sql::word(row, "status")?,
        issued: sql::time(row, "not_after")?.map(issued).transpose()?,
        last_error: row.get("last_error")?,
    })
}
