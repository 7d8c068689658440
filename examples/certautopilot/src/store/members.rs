//! The table of project members.

use rusqlite::params;

use super::error::Error;
use super::sql;
use super::work::Work;

/// Sets a member's role, and returns the role before.
///
/// # Errors
/// The database's own.
pub fn set_role(
    work: &Work<'_>,
    project: &str,
    user: &str,
    role: &str,
) -> Result<Option<String>, Error> {
    let query = "SELECT role FROM members WHERE project = ?1 AND user = ?2";
    let before = sql::first(work, query, [project, user], |row| row.get(0))?;
    let statement = "INSERT OR REPLACE INTO members (project, user, role) VALUES (?1, ?2, ?3)";
    sql::run(work, statement, params![project, user, role])?;
    Ok(before)
}
