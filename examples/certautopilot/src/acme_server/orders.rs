//! Orders under way, what accounts are authorised for, and the certificates that came of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::signed::Refused;
use crate::{acme, ids};

#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    orders: HashMap<String, Order>,
    /// Names that an account has proven to hold.
    authorized: HashSet<Holder>,
    /// Fingerprint to holder of every certificate that is not revoked.
    valid: HashMap<String, Holder>,
}

/// An account and a host name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    pub(super) account: String,
    pub(super) name: String,
}

#[derive(Clone, Debug)]
struct Order {
    holder: Holder,
    pem: Option<String>,
}

impl Orders {
    pub(super) fn open(&self, holder: Holder) -> String {
        let id = ids::new("ord");
        let order = Order { holder, pem: None };
        self.lock().orders.insert(id.clone(), order);
        id
    }

    /// The host name of an order of anybody's.
    pub(super) fn name(&self, id: &str) -> Option<String> {
        Some(self.lock().orders.get(id)?.holder.name.clone())
    }

    /// The host name of an order of this account's, and how far the order is.
    pub(super) fn find(&self, id: &str, account: &str) -> Result<(String, &'static str), Refused> {
        let state = self.lock();
        let order = state.orders.get(id);
        let order = order.filter(|order| order.holder.account == account);
        let order = order.ok_or_else(|| (404, "malformed", "no such order".to_owned()))?;
        let status = match &order.pem {
            Some(_) => "valid",
            None if state.authorized.contains(&order.holder) => "ready",
            None => "pending",
        };
        Ok((order.holder.name.clone(), status))
    }

    /// The account holds the name of the order from now on.
    pub(super) fn authorize(&self, id: &str) {
        let mut state = self.lock();
        if let Some(order) = state.orders.get(id) {
            let holder = order.holder.clone();
            state.authorized.insert(holder);
        }
    }

    pub(super) fn issued(&self, id: &str, pem: String) {
        let mut state = self.lock();
        let State { orders, valid, .. } = &mut *state;
        if let Some(order) = orders.get_mut(id) {
            if let Some(fingerprint) = acme::fingerprint(&pem) {
                valid.insert(fingerprint, order.holder.clone());
            }
            order.pem = Some(pem);
        }
    }

    /// The certificate of an order. An order is over once its certificate was fetched.
    pub(super) fn fetch(&self, id: &str, account: &str) -> Option<String> {
        let mut state = self.lock();
        let order = state.orders.get(id)?;
        let pem = (order.holder.account == account).then(|| order.pem.clone())??;
        state.orders.remove(id);
        Some(pem)
    }

    /// The holder of a certificate that is valid, by its fingerprint.
    pub(super) fn holder(&self, fingerprint: &str) -> Option<Holder> {
        self.lock().valid.get(fingerprint).cloned()
    }

    pub(super) fn revoke(&self, fingerprint: &str) {
        self.lock().valid.remove(fingerprint);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
