//! Guards for the real programs that read our output. A program ends with its guard.

mod alertmanager;
mod browser;
mod collector;
mod daemon;
mod pebble;
mod process;
mod prometheus;
mod relay;
mod web;

pub use alertmanager::Alertmanager;
pub use browser::Browser;
pub use collector::Collector;
pub use daemon::Daemon;
pub use pebble::Pebble;
pub use process::Process;
pub use prometheus::Prometheus;
pub use relay::{Relay, RelayInput, RelayRecord, RelaySoftware};
pub use web::Web;
