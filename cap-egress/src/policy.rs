//! The decision on one address or name: pure, without I/O, and without allocation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

mod denial;
mod embedded;
mod table;

pub use denial::{Denial, DenialClass};
use table::Rule;

/// Which addresses and names may be dialled.
///
/// The default denies link-local and cloud-metadata addresses in every embedding, addresses that are never a peer, and
/// the tunnel prefixes whose far end cannot be seen. Private ranges and loopback are allowed: relays and sidecars live
/// there.
///
/// ```
/// use cap_egress::{DenialClass, IpNet, Policy};
///
/// let policy = Policy::default().with_denied(vec!["10.0.0.0/8".parse::<IpNet>()?]);
///
/// assert!(policy.judge("192.168.4.20".parse()?).is_ok());
/// let denial = policy.judge("::ffff:10.1.2.3".parse()?).unwrap_err();
/// assert_eq!(denial.class(), DenialClass::Configured);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    denied: Vec<IpNet>,
    exempt: Vec<IpNet>,
}

impl Policy {
    /// Denies these ranges as well as the built-in ones, in place of any range given earlier.
    #[must_use]
    pub fn with_denied(mut self, denied: Vec<IpNet>) -> Self {
        self.denied = denied;
        self
    }

    /// Allows these ranges whatever denies them, in place of any range given earlier.
    ///
    /// An IPv4 address written inside an IPv6 one is decoded first and then judged as IPv4. So `169.254.169.254/32`
    /// exempts `::ffff:169.254.169.254` too, and no IPv6 range exempts an IPv4 address that is denied.
    #[must_use]
    pub fn with_exempt(mut self, exempt: Vec<IpNet>) -> Self {
        self.exempt = exempt;
        self
    }

    /// Judges the address that is about to be dialled.
    ///
    /// # Errors
    ///
    /// The denial says which class and which rule; nothing was sent.
    pub fn judge(&self, address: IpAddr) -> Result<(), Denial> {
        match address {
            IpAddr::V4(address) => self.judge_v4(address),
            IpAddr::V6(address) => self.judge_v6(address),
        }
    }

    /// Judges a name before it is resolved: defence in depth, for the names of well-known metadata services.
    ///
    /// Letter case and one trailing dot make no difference. No range exempts a name; give the address instead.
    ///
    /// # Errors
    ///
    /// The denial has the class [`DenialClass::Name`].
    pub fn judge_name(&self, name: &str) -> Result<(), Denial> {
        let name = name.strip_suffix('.').unwrap_or(name);
        match table::NAMES
            .iter()
            .find(|(denied, _)| name.eq_ignore_ascii_case(denied))
        {
            Some((_, rule)) => Err(Denial::new(DenialClass::Name, rule)),
            None => Ok(()),
        }
    }

    fn judge_v6(&self, address: Ipv6Addr) -> Result<(), Denial> {
        self.judge_as_written(address.into(), table::V6)?;
        match embedded::decode(address) {
            Some((inner, form)) => self
                .judge_v4(inner)
                .map_err(|denial| denial.written_inside(form)),
            None => Ok(()),
        }
    }

    fn judge_v4(&self, address: Ipv4Addr) -> Result<(), Denial> {
        self.judge_as_written(address.into(), table::V4)
    }

    fn judge_as_written(&self, address: IpAddr, rules: &[Rule]) -> Result<(), Denial> {
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        if within(&self.exempt) {
            return Ok(());
        }
        // The built-in rule comes first: it says more about the address than "an operator denied it".
        if let Some(rule) = rules.iter().find(|rule| rule.range.contains(&address)) {
            return Err(Denial::new(rule.class, rule.text));
        }
        if within(&self.denied) {
            return Err(Denial::new(DenialClass::Configured, table::CONFIGURED));
        }
        Ok(())
    }
}
