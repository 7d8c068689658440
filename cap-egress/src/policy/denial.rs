//! Why the policy refused an address or a name, without the address itself.

use std::fmt;

use cap_names::DenialClass;

/// A refusal by the [`Policy`](crate::Policy): the class, the rule, and what to set to allow the
/// connection.
///
/// A denial contains no address that a name resolved to, so it can be shown to the user who
/// configured the name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Denial {
    class: DenialClass,
    rule: &'static str,
    form: Option<&'static str>,
}

impl Denial {
    pub(super) const fn new(class: DenialClass, rule: &'static str) -> Self {
        Self { class, rule, form: None }
    }

    pub(super) const fn written_inside(mut self, form: &'static str) -> Self {
        self.form = Some(form);
        self
    }

    /// The kind of rule that refused.
    pub const fn class(&self) -> DenialClass {
        self.class
    }

    /// The rule that refused: the prefix or name, and what it is.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, rule, form } = self;
        write!(f, "denied as {class}: {rule}")?;
        if let Some(form) = form {
            write!(f, ", written inside {form}")?;
        }
        let address = match form {
            Some(_) => "the IPv4 address",
            None => "the address",
        };
        f.write_str("; if this is wanted, ")?;
        match class {
            DenialClass::Name => {
                return f.write_str(
                    "give the address instead of the name and list it in `egress.allow`",
                );
            }
            _ => write!(f, "list {address} in `egress.allow`")?,
        }
        f.write_str(match class {
            DenialClass::Configured => ", or take the range out of `egress.deny`",
            DenialClass::Loopback => ", or set `egress.deny_loopback` to false",
            DenialClass::Private => ", or set `egress.deny_private` to false",
            DenialClass::Tunnel => {
                ", or, if it is a NAT64 translator's, the translator's prefix in `egress.nat64_prefixes`"
            }
            _ => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_class_rule_and_setting_for_each_class() {
        let list = "list the address in `egress.allow`";
        for (class, advice) in [
            (DenialClass::LinkLocal, list.to_owned()),
            (DenialClass::Metadata, list.to_owned()),
            (DenialClass::NotUnicast, list.to_owned()),
            (
                DenialClass::Tunnel,
                format!(
                    "{list}, or, if it is a NAT64 translator's, the translator's prefix in `egress.nat64_prefixes`"
                ),
            ),
            (DenialClass::Configured, format!("{list}, or take the range out of `egress.deny`")),
            (
                DenialClass::Name,
                "give the address instead of the name and list it in `egress.allow`".to_owned(),
            ),
            (DenialClass::Loopback, format!("{list}, or set `egress.deny_loopback` to false")),
            (DenialClass::Private, format!("{list}, or set `egress.deny_private` to false")),
        ] {
            assert_eq!(
                Denial::new(class, "an example").to_string(),
                format!("denied as {class}: an example; if this is wanted, {advice}")
            );
        }
    }

    #[test]
    fn a_denied_embedded_address_advises_listing_its_ipv4_form() {
        let denial = Denial::new(DenialClass::Metadata, "192.0.2.1/32 (an example)");
        assert_eq!(
            denial.written_inside("::ffff:0:0/96 (IPv4-mapped)").to_string(),
            "denied as metadata: 192.0.2.1/32 (an example), written inside ::ffff:0:0/96 (IPv4-mapped); \
             if this is wanted, list the IPv4 address in `egress.allow`"
        );
    }
}
