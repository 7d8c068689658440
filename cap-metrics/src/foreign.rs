//! The prometheus-client registries of a team, which are scraped beside the catalogue.

mod family;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::registry::Registry;

use crate::catalogue::{METRICS, SAMPLE_SUFFIXES};
use crate::error::{Error, Problem};
use crate::exposition::{Format, family_name};
use family::families;

/// The registries at one time.
pub(crate) type Registries = Vec<Arc<Registry>>;

/// The registries of one `Metrics`.
#[derive(Default)]
pub(crate) struct Foreign(RwLock<Registries>);

impl Foreign {
    pub(crate) fn registries(&self) -> Registries {
        let registries = self.0.read();
        registries.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a registry whose families are sound and have names of their own.
    pub(crate) fn add(&self, registry: Registry) -> Result<(), Error> {
        let mut registries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = registries.iter().map(|known| encoded(known).text).collect();
        let known: BTreeSet<_> =
            known.iter().flat_map(|text| families(text)).map(|family| family.name).collect();
        let Encoded { text, complete } = encoded(&registry);
        let families = families(&text);
        for family in &families {
            let problem = match family.fault {
                Some(fault) => Problem::Fault(fault),
                None if clashes(family.name) => Problem::InCatalogue,
                None if known.contains(family.name) => Problem::InOtherRegistry,
                None => continue,
            };
            return Err(Error::new(family.name, problem));
        }
        if !complete {
            let last = families.last().map_or("", |family| family.name);
            return Err(Error::new(last, Problem::NotEncoded));
        }
        registries.push(Arc::new(registry));
        Ok(())
    }
}

/// Writes every sound family, and returns how many were left out.
pub(crate) fn write(registries: &Registries, format: Format, out: &mut Vec<u8>) -> u64 {
    let (mut names, mut skipped) = (BTreeSet::new(), 0);
    for registry in registries {
        let Encoded { text, complete } = encoded(registry);
        skipped += u64::from(!complete);
        for family in families(&text) {
            if family.fault.is_some() || clashes(family.name) || names.contains(family.name) {
                skipped += 1;
            } else {
                family.write(format, out);
                names.insert(family.name.to_owned());
            }
        }
    }
    skipped
}

/// The families of a registry as OpenMetrics.
struct Encoded {
    text: String,
    /// Whether all families are there. The encoder stops at one that fails.
    complete: bool,
}

fn encoded(registry: &Registry) -> Encoded {
    let mut text = String::new();
    let encode = || prometheus_client::encoding::text::encode_registry(&mut text, registry);
    let complete = matches!(catch_unwind(AssertUnwindSafe(encode)), Ok(Ok(())));
    if !complete {
        // The family in which the encoder stopped may lack samples.
        text.truncate(text.rfind("# HELP ").unwrap_or(0));
    }
    Encoded { text, complete }
}

/// Whether a family of this name would have samples of the same name as one of the catalogue.
fn clashes(name: &str) -> bool {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    METRICS.iter().any(|metric| {
        let ours = family_name(metric);
        let suffix = ours.strip_prefix(name).or_else(|| name.strip_prefix(ours));
        ours == bare
            || metric.name == name
            || suffix.is_some_and(|suffix| suffix.is_empty() || SAMPLE_SUFFIXES.contains(&suffix))
    })
}
