//! The table of project members.

use rusqlite::{OptionalExtension as _, params};

use super::{Error, Work};

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
    let before = work
        .query_row(
            "SELECT role FROM members WHERE project = ?1 AND user = ?2",
            [project, user],
            |row| row.get(0),
        )
        .optional()?;
    work.execute(
        "INSERT INTO members (project, user, role) VALUES (?1, ?2, ?3) \
         ON CONFLICT (project, user) DO UPDATE SET role = excluded.role",
        params![project, user, role],
    )?;
    Ok(before)
}
