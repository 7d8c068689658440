//! `PUT /projects/:projectId/members/:userId/role`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cap_telemetry::names::{Severity, closed_enum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::input::{Body, InProject};
use super::problem::Problem;
use crate::app::App;
use crate::store::audit::{Entry, EventType};
use crate::store::{self, members};

closed_enum! {
    /// What a member may do in a project. The stand-in records roles and enforces none.
    pub(super) enum Role: "role" {
        /// Everything.
        Admin = "admin",
        /// Request, renew and revoke.
        Operator = "operator",
        /// Look.
        Viewer = "viewer",
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    role: String,
}

pub(super) async fn set_role(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    at: InProject,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Problem> {
    let role: Role = change
        .role
        .parse()
        .map_err(|unknown| Problem::bad_request(format!("{unknown}")))?;
    let body = json!({ "project": at.project, "user": at.id, "role": role.as_str() });
    app.store
        .write("update", "members", move |work| {
            let before = members::set_role(work, &at.project, &at.id, role.as_str())?;
            let summary = format!("{} is now {role} of {}", at.id, at.project);
            let entry = Entry::new(EventType::RoleChanged, actor, summary)
                .resource(format!("user:{}", at.id))
                .project(&at.project)
                .severity(Severity::Warn)
                .param("role", role)
                .param("role_before", before.as_deref().unwrap_or("none"));
            work.record(entry)?;
            Ok::<_, store::Error>(())
        })
        .await?;
    Ok(Json(body))
}
