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

type Row = (&'static str, Verdict);

fn checked(written: &str, policy: &Policy) -> Result<Verdict, String> {
    let host: Host = written.parse().map_err(|error| format!("{error}"))?;
    let (checked, otherwise) = match host.as_ip() {
        Some(address) => (policy.check(address), Verdict::Allowed),
        None => (policy.check_name(&host.to_string()), Verdict::Resolved),
    };
    Ok(checked.map_or_else(|denial| Verdict::Denied(denial.class()), |()| otherwise))
}

fn check(rows: &[Row], policy: &Policy) {
    let wrong = |(written, expected): &Row| match (checked(written, policy), expected) {
        (Err(said), Verdict::Refused(reason)) if said.contains(reason) => None,
        (Ok(verdict), _) if verdict == *expected => None,
        (outcome, _) => Some(format!("{written:?}: expected {expected:?}, got {outcome:?}")),
    };
    let wrong: Vec<_> = rows.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_has_its_verdict_by_default() {
    let tables = [denied::ROWS, allowed::ROWS, refused::ROWS];
    tables.iter().for_each(|rows| check(rows, &Policy::default()));
    assert!(tables.iter().map(|rows| rows.len()).sum::<usize>() >= 200);
}

#[test]
fn loopback_and_private_ranges_are_denied_on_request() {
    let policy = Policy::default().with_loopback_denied().with_private_denied();
    check(denied::ROWS, &policy);
    check(denied::ON_REQUEST, &policy);
    let allowed: Vec<_> =
        denied::ON_REQUEST.iter().map(|(written, _)| (*written, Verdict::Allowed)).collect();
    check(&allowed, &Policy::default());
}

#[test]
fn each_of_the_two_settings_denies_its_own_ranges_only() {
    let allowed = |class| {
        move |(written, verdict): &Row| match *verdict {
            Verdict::Denied(other) if other != class => (*written, Verdict::Allowed),
            verdict => (*written, verdict),
        }
    };
    let rows = |class| denied::ON_REQUEST.iter().map(allowed(class)).collect::<Vec<_>>();
    check(&rows(DenialClass::Loopback), &Policy::default().with_loopback_denied());
    check(&rows(DenialClass::Private), &Policy::default().with_private_denied());
}
