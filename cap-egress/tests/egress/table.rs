//! One table of hosts as a user may write them, read through [`Host`] and [`Policy`].

mod allowed;
mod denied;
mod refused;

use cap_egress::{DenialClass, Host, Policy};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// An address that may be dialed.
    Allowed,
    /// A name, which is resolved before its addresses are checked.
    Resolved,
    /// An address or a name that the policy refuses.
    Denied(DenialClass),
    /// Not a host, for this reason.
    Refused(&'static str),
}

/// A verdict and the hosts that have it.
type Group = (Verdict, &'static [&'static str]);

fn checked(written: &str, policy: &Policy) -> Result<Verdict, String> {
    let host: Host = written.parse().map_err(|error| format!("{error}"))?;
    let (checked, otherwise) = match host.as_ip() {
        Some(address) => (policy.check(address), Verdict::Allowed),
        None => (policy.check_name(&host.to_string()), Verdict::Resolved),
    };
    Ok(checked.map_or_else(|denial| Verdict::Denied(denial.class()), |()| otherwise))
}

/// Checks every host of a table, with the verdict that `expected` makes of its own.
fn check(table: &[Group], policy: &Policy, expected: impl Fn(Verdict) -> Verdict) {
    let mut wrong = Vec::new();
    for (verdict, hosts) in table {
        let expected = expected(*verdict);
        for written in *hosts {
            match (checked(written, policy), expected) {
                (Err(said), Verdict::Refused(reason)) if said.contains(reason) => {}
                (Ok(verdict), _) if verdict == expected => {}
                (outcome, _) => wrong.push((written, expected, outcome)),
            }
        }
    }
    assert!(wrong.is_empty(), "host, expected, found: {wrong:#?}");
}

#[test]
fn every_row_has_its_verdict_by_default() {
    let tables = [denied::ROWS, allowed::ROWS, refused::ROWS];
    tables.iter().for_each(|table| check(table, &Policy::default(), |own| own));
    let hosts = tables.iter().copied().flatten().map(|(_, hosts)| hosts.len());
    assert!(hosts.sum::<usize>() >= 200);
}

#[test]
fn loopback_and_private_ranges_are_denied_on_request() {
    let policy = Policy::default().with_loopback_denied().with_private_denied();
    check(denied::ROWS, &policy, |own| own);
    check(denied::ON_REQUEST, &policy, |own| own);
    check(denied::ON_REQUEST, &Policy::default(), |_| Verdict::Allowed);
}

#[test]
fn each_of_the_two_settings_denies_its_own_ranges_only() {
    let only =
        |class| move |own| if own == Verdict::Denied(class) { own } else { Verdict::Allowed };
    let (loopback, private) = (DenialClass::Loopback, DenialClass::Private);
    check(denied::ON_REQUEST, &Policy::default().with_loopback_denied(), only(loopback));
    check(denied::ON_REQUEST, &Policy::default().with_private_denied(), only(private));
}
