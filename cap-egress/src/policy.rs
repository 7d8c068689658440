//! The decision on one address or name: pure, without I/O and without allocation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cap_names::DenialClass;
use ipnet::IpNet;

mod denial;
mod embedded;
mod nat64;
mod table;

pub use denial::Denial;
pub use nat64::Nat64Prefix;
use table::Rule;

/// Which addresses and names may be dialed.
///
/// The default denies, in every embedding, link-local and cloud metadata addresses, addresses that
/// are not unicast, and tunnel prefixes. Private ranges and loopback are allowed, because relays
/// and sidecars have such addresses; each of the two can be denied as well.
///
/// An exemption wins over every denial of an address. If a built-in and a configured rule both
/// apply, the denial names the built-in one.
///
/// ```
/// use cap_egress::{DenialClass, IpNet, Policy};
///
/// let policy = Policy::default().with_denied(vec!["10.0.0.0/8".parse::<IpNet>()?]);
///
/// assert!(policy.check("192.168.4.20".parse()?).is_ok());
/// let denial = policy.check("::ffff:10.1.2.3".parse()?).unwrap_err();
/// assert_eq!(denial.class(), DenialClass::Configured);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    denied: Vec<IpNet>,
    exempt: Vec<IpNet>,
    /// Longest first.
    nat64: Vec<Nat64Prefix>,
    loopback_is_denied: bool,
    private_is_denied: bool,
}

impl Policy {
    /// Denies these ranges in addition to the built-in ones. Replaces ranges given earlier.
    ///
    /// An IPv4 range covers its addresses in every embedding, and `::ffff:10.0.0.0/104` is
    /// `10.0.0.0/8`.
    #[must_use]
    pub fn with_denied(mut self, denied: Vec<IpNet>) -> Self {
        self.denied = denied.into_iter().map(embedded::unmapped).collect();
        self
    }

    /// Allows these ranges even if a rule denies them. Replaces ranges given earlier.
    ///
    /// An IPv4 address inside an IPv6 address is decoded first and then checked as IPv4. Therefore
    /// `169.254.169.254/32` exempts `::ffff:169.254.169.254` too, and no IPv6 range exempts a
    /// denied IPv4 address.
    #[must_use]
    pub fn with_exempt(mut self, exempt: Vec<IpNet>) -> Self {
        self.exempt = exempt;
        self
    }

    /// Names the prefixes that this site's NAT64 translates to IPv4 (RFC 6052). Replaces prefixes
    /// given earlier.
    ///
    /// An address with such a prefix is checked as the IPv4 address inside it, so that no denied
    /// address can be reached through the translator. If prefixes overlap, the longest decides, as
    /// in routing. `64:ff9b::/96` is always known.
    #[must_use]
    pub fn with_nat64(mut self, mut prefixes: Vec<Nat64Prefix>) -> Self {
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.length()));
        self.nat64 = prefixes;
        self
    }

    /// Denies `127.0.0.0/8` and `::1`. Default: allowed.
    #[must_use]
    pub fn with_loopback_denied(mut self) -> Self {
        self.loopback_is_denied = true;
        self
    }

    /// Denies the private ranges (RFC 1918), the shared address space (RFC 6598) and unique local
    /// addresses (RFC 4193). Default: allowed.
    #[must_use]
    pub fn with_private_denied(mut self) -> Self {
        self.private_is_denied = true;
        self
    }

    /// Checks an address that is about to be dialed.
    ///
    /// # Errors
    ///
    /// The denial says which class and which rule refused the address.
    pub fn check(&self, address: IpAddr) -> Result<(), Denial> {
        match address {
            IpAddr::V4(address) => self.check_v4(address),
            IpAddr::V6(address) => self.check_v6(address),
        }
    }

    /// Checks a name before it is resolved. Denied are the names of well-known metadata services,
    /// as defense in depth.
    ///
    /// Letter case and one trailing dot make no difference. No range exempts a name; configure the
    /// address instead.
    ///
    /// # Errors
    ///
    /// The denial has the class [`DenialClass::Name`].
    pub fn check_name(&self, name: &str) -> Result<(), Denial> {
        let name = name.strip_suffix('.').unwrap_or(name);
        match table::NAMES.iter().find(|(denied, _)| name.eq_ignore_ascii_case(denied)) {
            Some((_, rule)) => Err(Denial::new(DenialClass::Name, rule)),
            None => Ok(()),
        }
    }

    fn check_v6(&self, address: Ipv6Addr) -> Result<(), Denial> {
        self.check_as_written(address.into(), table::V6)?;
        match embedded::decode(address, &self.nat64) {
            Some((inner, form)) => {
                self.check_v4(inner).map_err(|denial| denial.written_inside(form))
            }
            None => Ok(()),
        }
    }

    fn check_v4(&self, address: Ipv4Addr) -> Result<(), Denial> {
        self.check_as_written(address.into(), table::V4)
    }

    fn check_as_written(&self, address: IpAddr, rules: &[Rule]) -> Result<(), Denial> {
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        if within(&self.exempt) {
            return Ok(());
        }
        // Built-in rules first: they say more about the address than "an operator denied it".
        let mut broken = rules.iter().filter(|rule| rule.range.contains(&address));
        if let Some(rule) = broken.find(|rule| self.enforces(rule.class, address)) {
            return Err(Denial::new(rule.class, rule.text));
        }
        if within(&self.denied) {
            return Err(Denial::new(DenialClass::Configured, table::CONFIGURED));
        }
        Ok(())
    }

    /// Whether the rules of this class apply to the address.
    ///
    /// Behind a translator that the operator named, the destination is the IPv4 address inside.
    /// Only that one is private or not, and no tunnel hides it.
    fn enforces(&self, class: DenialClass, address: IpAddr) -> bool {
        let translated = || match address {
            IpAddr::V4(_) => false,
            IpAddr::V6(address) => self.nat64.iter().any(|prefix| prefix.contains(address)),
        };
        match class {
            DenialClass::Loopback => self.loopback_is_denied,
            DenialClass::Private => self.private_is_denied && !translated(),
            DenialClass::Tunnel => !translated(),
            _ => true,
        }
    }
}
