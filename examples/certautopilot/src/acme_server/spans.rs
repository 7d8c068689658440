//! The provider's own trace pipe: it is a service like any other, with a name of its own.

use cap_telemetry::egress::{Connector, Guard, Policy, Trust};
use cap_telemetry::trace::{Config, SampleRate, Tracing};

/// `service.name` in the resource of its spans.
pub const SERVICE_NAME: &str = "acme-server";

/// A pipe to the collector at `endpoint`, in which every answer is sampled unless its caller decided otherwise.
///
/// # Errors
/// What is wrong with the endpoint, or with the system's trust store.
pub fn tracing_to(endpoint: &str) -> Result<Tracing, String> {
    let mut config = Config::new(endpoint.parse()?);
    config.sample_rate = SampleRate::ALL;
    config.resource = vec![("service.name".to_owned(), SERVICE_NAME.to_owned())];
    let trust = Trust::system().map_err(|error| error.to_string())?;
    let connector = Connector::new(Guard::new(Policy::default()), trust);
    Tracing::start(config, connector).map_err(|error| error.to_string())
}
