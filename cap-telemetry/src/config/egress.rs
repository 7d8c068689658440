//! The egress policy.

use cap_egress::{IpNet, Policy};

use super::network::Network;
use crate::document::Document;
use crate::error::Error;

pub(super) fn egress(document: &mut Document) -> Result<Policy, Error> {
    let mut networks = |key: &str| -> Result<Vec<IpNet>, Error> {
        let networks = document.take_list::<Network>(key)?;
        Ok(networks.into_iter().map(|Network(net)| net).collect())
    };
    let mut policy = Policy::default()
        .with_denied(networks("egress.deny")?)
        .with_exempt(networks("egress.allow")?)
        .with_nat64(document.take_list("egress.nat64_prefixes")?);
    if document.take("egress.deny_loopback")?.unwrap_or(false) {
        policy = policy.with_loopback_denied();
    }
    if document.take("egress.deny_private")?.unwrap_or(false) {
        policy = policy.with_private_denied();
    }
    Ok(policy)
}
