//! The resource attributes of a trace: which process it is from.

use std::collections::BTreeMap;

use super::percent;
use crate::document::{Document, pairs};
use crate::error::Error;

const OTEL: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// Attributes of a pod, and the variables that the downward API usually fills for them.
const POD: [(&str, &str); 5] = [
    ("k8s.namespace.name", "POD_NAMESPACE"),
    ("k8s.pod.name", "POD_NAME"),
    ("k8s.pod.uid", "POD_UID"),
    ("k8s.node.name", "NODE_NAME"),
    ("k8s.container.name", "CONTAINER_NAME"),
];

/// The service, its host and, where the variables of [`POD`] are set, its pod.
///
/// `OTEL_RESOURCE_ATTRIBUTES` adds attributes and overrides all of these but the instance, which
/// audit records name as well.
pub(super) fn attributes(
    document: &Document,
    instance: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let mut attributes = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        attributes.insert(key.to_owned(), value.to_owned());
    };
    set("service.name", "certautopilot");
    set("service.version", env!("CARGO_PKG_VERSION"));
    let host = rustix::system::uname();
    set("host.name", &host.nodename().to_string_lossy());
    for (key, variable) in POD {
        if let Some(value) = document.env(variable) {
            set(key, value);
        }
    }
    let given = pairs(document.env(OTEL).unwrap_or_default())
        .map_err(|error| Error::environment(OTEL, error))?;
    for (key, value) in given {
        let value = percent::decoded(&value).ok_or_else(|| {
            Error::environment(OTEL, format!("the value of {key} is not percent-encoded text"))
        })?;
        set(&key, &value);
    }
    if let Some(service) = document.env("OTEL_SERVICE_NAME") {
        set("service.name", service);
    }
    set("service.instance.id", instance);
    Ok(attributes)
}
