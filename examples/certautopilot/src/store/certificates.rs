//! The table of certificates.

use cap_telemetry::names::closed_enum;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::inventory::{CertificateFact, Change};
use super::{Error, Work};

closed_enum! {
    /// Where a certificate stands.
    pub enum CertificateState: "certificate state" {
        /// Requested, and not issued yet.
        Pending = "pending",
        /// Issued, and its last renewal did not fail.
        Active = "active",
        /// Past its notAfter. Never stored: it follows from the time.
        Expired = "expired",
        /// Revoked.
        Revoked = "revoked",
        /// Its last renewal was given up.
        RenewalFailed = "renewal_failed",
    }
}

impl CertificateState {
    /// The state at this time of a certificate stored with this state.
    pub fn at(self, not_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match self {
            Self::Active | Self::RenewalFailed if not_after.is_some_and(|end| end <= now) => {
                Self::Expired
            }
            stored => stored,
        }
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its id.
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// The name it is for.
    pub domain: String,
    /// `acme`.
    pub issuer_type: String,
    /// As stored.
    pub state: CertificateState,
    /// What was issued; `None` while pending.
    pub issued: Option<Issued>,
    /// Why the last attempt to issue or renew it was given up.
    pub last_error: Option<String>,
}

/// What an issuer gave out, and the key it is for.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, the certificate first.
    pub pem: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// The private key.
    pub key: SealedKey,
}

/// A private key, encrypted with a data key that is itself wrapped by a key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// The private key under the data key.
    pub sealed: Vec<u8>,
    /// The data key under the KEK.
    pub wrapped: Vec<u8>,
    /// The version of the KEK.
    pub kek_version: u32,
}

const COLUMNS: &str = "id, project, domain, issuer_type, status, not_after, pem, fingerprint, sealed_key, \
                       wrapped_data_key, kek_version, last_error";

/// Adds a certificate, pending.
///
/// # Errors
/// The database's own, as for every function here.
pub fn insert(work: &mut Work<'_>, certificate: &Certificate) -> Result<(), Error> {
    work.execute(
        "INSERT INTO certificates (id, project, domain, issuer_type, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            certificate.id,
            certificate.project,
            certificate.domain,
            certificate.issuer_type,
            certificate.state.as_str(),
            Utc::now().timestamp_millis(),
        ],
    )?;
    changed(work, &certificate.id)
}

/// Stores what was issued, and makes the certificate active.
pub fn set_issued(work: &mut Work<'_>, id: &str, issued: &Issued) -> Result<(), Error> {
    work.execute(
        "UPDATE certificates SET status = 'active', not_after = ?2, pem = ?3, fingerprint = ?4, sealed_key = ?5, \
         wrapped_data_key = ?6, kek_version = ?7, last_error = NULL WHERE id = ?1",
        params![
            id,
            issued.not_after.timestamp_millis(),
            issued.pem,
            issued.fingerprint,
            issued.key.sealed,
            issued.key.wrapped,
            issued.key.kek_version,
        ],
    )?;
    changed(work, id)
}

/// Changes the state.
pub fn set_state(work: &mut Work<'_>, id: &str, state: CertificateState) -> Result<(), Error> {
    let sql = "UPDATE certificates SET status = ?2 WHERE id = ?1";
    work.execute(sql, params![id, state.as_str()])?;
    changed(work, id)
}

/// Notes why the last attempt was given up.
pub fn set_last_error(work: &Work<'_>, id: &str, error: &str) -> Result<(), Error> {
    let sql = "UPDATE certificates SET last_error = ?2 WHERE id = ?1";
    work.execute(sql, params![id, error])?;
    Ok(())
}

/// The certificate with this id.
pub fn find(connection: &Connection, id: &str) -> Result<Option<Certificate>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM certificates WHERE id = ?1");
    connection
        .prepare_cached(&sql)?
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// The certificates of a project, oldest first.
pub fn of_project(connection: &Connection, project: &str) -> Result<Vec<Certificate>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM certificates WHERE project = ?1 ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([project], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

/// The ids and projects of active certificates that expire before `end` and have no renewal waiting or running.
pub fn due(connection: &Connection, end: DateTime<Utc>) -> Result<Vec<(String, String)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, project FROM certificates WHERE status = 'active' AND not_after < ?1 AND NOT EXISTS (SELECT 1 FROM jobs \
         WHERE certificate_id = certificates.id AND type = 'renew' AND state IN ('queued', 'running'))",
    )?;
    let rows = statement.query_map([end.timestamp_millis()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The fingerprints of the certificates that are in use.
pub fn fingerprints(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT fingerprint FROM certificates WHERE fingerprint IS NOT NULL AND status != 'revoked'";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn facts(connection: &Connection) -> Result<Vec<(String, CertificateFact)>, Error> {
    let sql = "SELECT id, status, issuer_type, not_after FROM certificates";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok(fact(row)))?;
    rows.map(|row| row?).collect()
}

fn changed(work: &mut Work<'_>, id: &str) -> Result<(), Error> {
    let sql = "SELECT id, status, issuer_type, not_after FROM certificates WHERE id = ?1";
    let (id, fact) = work.query_row(sql, [id], |row| Ok(fact(row)))??;
    work.changed(Change::Certificate(id, fact));
    Ok(())
}

fn fact(row: &Row<'_>) -> Result<(String, CertificateFact), Error> {
    let fact = CertificateFact {
        state: state(row, "status")?,
        issuer_type: row.get("issuer_type")?,
        not_after: time(row.get("not_after")?),
    };
    Ok((row.get("id")?, fact))
}

fn read(row: &Row<'_>) -> Result<Certificate, Error> {
    let issued = match time(row.get("not_after")?) {
        None => None,
        Some(not_after) => Some(Issued {
            pem: row.get("pem")?,
            fingerprint: row.get("fingerprint")?,
            not_after,
            key: SealedKey {
                sealed: row.get("sealed_key")?,
                wrapped: row.get("wrapped_data_key")?,
                kek_version: row.get("kek_version")?,
            },
        }),
    };
    Ok(Certificate {
        id: row.get("id")?,
        project: row.get("project")?,
        domain: row.get("domain")?,
        issuer_type: row.get("issuer_type")?,
        state: state(row, "status")?,
        issued,
        last_error: row.get("last_error")?,
    })
}

fn state(row: &Row<'_>, column: &str) -> Result<CertificateState, Error> {
    row.get::<_, String>(column)?.parse().map_err(Error::row)
}

fn time(milliseconds: Option<i64>) -> Option<DateTime<Utc>> {
    milliseconds.and_then(DateTime::from_timestamp_millis)
}
