//! Orders under way, and the certificates that came of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{acme, ids};

#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    orders: HashMap<String, Order>,
    /// Fingerprint to host name of every certificate that is not revoked.
    valid: HashMap<String, String>,
}

#[derive(Clone, Debug)]
struct Order {
    name: String,
    pem: Option<String>,
}

impl Orders {
    pub(super) fn open(&self, name: String) -> String {
        let id = ids::new("ord");
        let order = Order { name, pem: None };
        self.lock().orders.insert(id.clone(), order);
        id
    }

    pub(super) fn name(&self, id: &str) -> Option<String> {
        Some(self.lock().orders.get(id)?.name.clone())
    }

    pub(super) fn issued(&self, id: &str, pem: String) {
        let mut state = self.lock();
        let State { orders, valid } = &mut *state;
        if let Some(order) = orders.get_mut(id) {
            if let Some(fingerprint) = acme::fingerprint(&pem) {
                valid.insert(fingerprint, order.name.clone());
            }
            order.pem = Some(pem);
        }
    }

    /// The certificate of an order. An order is over once its certificate was fetched.
    pub(super) fn fetch(&self, id: &str) -> Option<String> {
        let mut state = self.lock();
        let pem = state.orders.get(id)?.pem.clone()?;
        state.orders.remove(id);
        Some(pem)
    }

    /// The host name of a certificate that is valid.
    pub(super) fn holder(&self, pem: &str) -> Option<String> {
        let fingerprint = acme::fingerprint(pem)?;
        self.lock().valid.get(&fingerprint).cloned()
    }

    pub(super) fn revoke(&self, pem: &str) {
        if let Some(fingerprint) = acme::fingerprint(pem) {
            self.lock().valid.remove(&fingerprint);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
