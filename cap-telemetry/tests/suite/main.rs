//! The tests of the facade: its configuration, its handle, and the settings page.

mod config;
mod handle;
mod keys;
mod mistakes;
#[cfg(feature = "settings-ui")]
mod settings;
mod support;
