//! Settings → Syslog: who may use it, what it saves, and the Test of a relay.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test names what is missing")]

mod access;
mod probing;
mod saving;
mod stage;
