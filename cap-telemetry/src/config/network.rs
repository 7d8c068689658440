//! A network in a list of networks and addresses.

use std::net::IpAddr;
use std::str::FromStr;

use cap_egress::IpNet;

/// A network, or an address as the network of that address alone.
pub(super) struct Network(pub(super) IpNet);

#[derive(Debug, thiserror::Error)]
#[error("write a network such as 10.20.0.0/16, or an address")]
pub(super) struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(s: &str) -> Result<Self, ParseNetworkError> {
        let address = s.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| s.parse()).map(Self).map_err(|_| ParseNetworkError)
    }
}
