//! Settings → Syslog for an application to mount: as JSON, and as a page.
//!
//! [`SettingsPage`] requires a [`SettingsBackend`], which authorizes each request and persists each
//! action:
//!
//! ```
//! # use axum::Router;
//! use cap_telemetry::names::Actor;
//! use cap_telemetry::settings::{
//!     AccessError, AuditRecord, PersistError, SettingsBackend, SettingsPage,
//! };
//! use cap_telemetry::{Config, Telemetry};
//!
//! struct Product;
//!
//! impl SettingsBackend for Product {
//!     async fn authorize(&self, request: &http::request::Parts) -> Result<Actor, AccessError> {
//!         let session = request.headers.get("cookie").ok_or(AccessError::Unauthenticated)?;
//!         // Find the user of the session. Refuse one who is no administrator.
//! #       let _ = session;
//!         Ok(Actor::user("alice"))
//!     }
//!
//!     async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
//!         // Write the audit row and, for saved settings, the settings.
//! #       let _ = record;
//!         Ok(())
//!     }
//! }
//!
//! let telemetry = Telemetry::start(Config::default())?;
//! let page = SettingsPage::new(telemetry, Product);
//! let app: Router = Router::new().nest("/settings/syslog", page.router());
//! # Ok::<(), cap_telemetry::Error>(())
//! ```
//!
//! | route | effect |
//! |---|---|
//! | `GET /` | returns `settings`, `status`, `warning` and `csrf_token` as JSON |
//! | `PUT /` | saves `settings`; 422 with `errors` by field when one is not valid |
//! | `POST /test` | sends one record with the given settings; returns the result of each stage |
//! | `GET /status` | returns `status` and `warning` |
//! | `GET /page`, `POST /page`, `POST /page-test` | the same as a page that needs no script |
//!
//! # Security
//!
//! - Every request needs an administrator: [`SettingsBackend::authorize`].
//! - A request that changes something must carry the CSRF token, in the header `x-csrf-token` or in
//!   the form. A request from another site is refused.
//! - Five Tests a minute are allowed, one at a time. Each is persisted.
//! - The Content-Security-Policy of the page allows no script but its own file, which refreshes the
//!   status.

mod backend;
mod csrf;
mod extract;
mod field;
mod form;
mod page;
mod rate_limit;
mod routes;
mod service;
mod validation;

pub use backend::{AccessError, Action, AuditRecord, PersistError, SettingsBackend};
pub use csrf::CsrfKey;
pub use field::{Field, FieldError};
pub use form::Form;
pub use routes::SettingsPage;

/// The crate of [`SettingsPage::router`]'s type.
pub use axum;
