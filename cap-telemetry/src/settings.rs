//! Settings → Syslog, for a product to mount: JSON for its own interface, and a page for one that has none.
//!
//! [`SettingsPage`] wants a [`SettingsBackend`], which says who is an administrator and keeps what one did; there is no way to build the
//! router without. Mount it where the product likes:
//!
//! ```
//! # use axum::Router;
//! use cap_telemetry::names::Actor;
//! use cap_telemetry::settings::{AuditRecord, AccessError, SettingsBackend, PersistError, SettingsPage};
//! use cap_telemetry::{Config, Telemetry};
//!
//! struct Product;
//!
//! impl SettingsBackend for Product {
//!     async fn authorize(&self, request: &http::request::Parts) -> Result<Actor, AccessError> {
//!         let session = request.headers.get("cookie").ok_or(AccessError::Unauthenticated)?;
//!         // Who is it, and what may they do?
//! #       let _ = session;
//!         Ok(Actor::user("alice"))
//!     }
//!
//!     async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
//!         // Write the audit row and, with it, the settings that are to survive a restart.
//! #       let _ = act;
//!         Ok(())
//!     }
//! }
//!
//! let telemetry = Telemetry::start(Config::default())?;
//! let app: Router = Router::new().nest("/settings/syslog", SettingsPage::new(telemetry, Product).router());
//! # Ok::<(), cap_telemetry::Error>(())
//! ```
//!
//! | | |
//! |---|---|
//! | `GET /` | `settings`, `status`, `warning` and the `csrf_token` as JSON |
//! | `PUT /` | saves `settings`; 422 with `errors` by field where one cannot be |
//! | `POST /test` | sends one record with the given settings, and says stage by stage how far it came |
//! | `GET /status` | `status` and `warning` alone |
//! | `GET /page`, `POST /page`, `POST /page-test` | the same as a page with a form, which needs no script |
//!
//! Every request is an administrator's or refused. What changes something carries the CSRF token, in `x-csrf-token` or the form, and does
//! not come from another site. Five Tests a minute are run, one at a time, each of them kept. The page's policy allows no script
//! but its own file, which only refreshes the status.

mod backend;
mod csrf;
mod extract;
mod form;
mod page;
mod rate_limit;
mod routes;
mod service;

pub use backend::{AccessError, Action, AuditRecord, PersistError, SettingsBackend};
pub use csrf::CsrfKey;
pub use form::{Field, FieldError, Form};
pub use routes::SettingsPage;
