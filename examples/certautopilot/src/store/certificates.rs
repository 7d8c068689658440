//! The table of certificates.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Params, Row, params};

use super::change::{CertificateFact, Change};
use super::error::Error;
use super::sql;
use super::work::Work;
use crate::certificate::{Certificate, CertificateState, Issued, SealedKey};

/// Adds a certificate, pending.
///
/// # Errors
/// The database's own, as for every function here.
pub fn insert(work: &mut Work<'_>, certificate: &Certificate) -> Result<(), Error> {
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
pub fn set_issued(work: &mut Work<'_>, id: &str, issued: &Issued) -> Result<(), Error> {
    let row = params![
        id,
        issued.not_after.timestamp_millis(),
        issued.pem,
        issued.fingerprint,
        issued.key.sealed,
        issued.key.wrapped,
        issued.key.kek_version,
    ];
    let statement = "UPDATE certificates SET status = 'active', not_after = ?2, pem = ?3, \
                     fingerprint = ?4, sealed_key = ?5, wrapped_data_key = ?6, kek_version = ?7, \
                     last_error = NULL WHERE id = ?1";
    change(work, statement, row)
}

/// Changes the state.
pub fn set_state(work: &mut Work<'_>, id: &str, state: CertificateState) -> Result<(), Error> {
    let statement = "UPDATE certificates SET status = ?2 WHERE id = ?1";
    change(work, statement, params![id, state.as_str()])
}

/// Notes why the last attempt was given up.
pub fn set_last_error(work: &Work<'_>, id: &str, error: &str) -> Result<(), Error> {
    let statement = "UPDATE certificates SET last_error = ?2 WHERE id = ?1";
    sql::run(work, statement, params![id, error])?;
    Ok(())
}

/// The certificate with this id.
pub fn find(db: &Connection, id: &str) -> Result<Option<Certificate>, Error> {
    sql::first(db, "SELECT * FROM certificates WHERE id = ?1", [id], read)
}

/// The certificates of a project, oldest first.
pub fn of_project(db: &Connection, project: &str) -> Result<Vec<Certificate>, Error> {
    let query = "SELECT * FROM certificates WHERE project = ?1 ORDER BY id";
    sql::all(db, query, [project], read)
}

/// The ids and projects of active certificates that expire before `end` and have no renewal
/// waiting or running.
pub fn due(db: &Connection, end: DateTime<Utc>) -> Result<Vec<(String, String)>, Error> {
    let query = "SELECT id, project FROM certificates WHERE status = 'active' AND not_after < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE certificate_id = certificates.id \
                 AND type = 'renew' AND state IN ('queued', 'running'))";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    sql::all(db, query, [end.timestamp_millis()], read)
}

/// The fingerprints of the certificates that are in use.
pub fn fingerprints(db: &Connection) -> Result<Vec<String>, Error> {
    let query = "SELECT fingerprint FROM certificates \
                 WHERE fingerprint IS NOT NULL AND status != 'revoked'";
    sql::all(db, query, [], |row| row.get(0))
}

pub(super) fn facts(db: &Connection) -> Result<Vec<(String, CertificateFact)>, Error> {
    let query = "SELECT id, status, issuer_type, not_after FROM certificates";
    sql::all(db, query, [], fact)
}

fn change(work: &mut Work<'_>, statement: &str, row: impl Params) -> Result<(), Error> {
    let statement = format!("{statement} RETURNING id, status, issuer_type, not_after");
    if let Some((id, fact)) = sql::first(work, &statement, row, fact)? {
        work.changed(Change::Certificate(id, fact));
    }
    Ok(())
}

fn fact(row: &Row<'_>) -> rusqlite::Result<(String, CertificateFact)> {
    let fact = CertificateFact {
        state: sql::word(row, "status")?,
        issuer_type: row.get("issuer_type")?,
        not_after: sql::time(row, "not_after")?,
    };
    Ok((row.get("id")?, fact))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Certificate> {
    let issued = |not_after| {
        let key = SealedKey {
            sealed: row.get("sealed_key")?,
            wrapped: row.get("wrapped_data_key")?,
            kek_version: row.get("kek_version")?,
        };
        let (pem, fingerprint) = (row.get("pem")?, row.get("fingerprint")?);
        Ok::<_, rusqlite::Error>(Issued {
            pem,
            fingerprint,
            not_after,
            key,
        })
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
