//! What the groups record into and a scrape reads: the instruments of one `Metrics`, and what a
//! scrape asks first.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::exemplar::ExemplarIds;
use crate::families::Families;
#[cfg(feature = "prometheus-client")]
use crate::foreign::Foreign;
use crate::storage::Words;

/// The state behind one `Metrics`.
pub(crate) struct Registry {
    pub(crate) words: Arc<Words>,
    pub(crate) families: Families,
    #[cfg(feature = "prometheus-client")]
    pub(crate) foreign: Foreign,
    before_scrape: RwLock<Vec<Hook>>,
    exemplar_source: OnceLock<ExemplarSource>,
}

type ExemplarSource = Box<dyn Fn() -> Option<ExemplarIds> + Send + Sync>;

type Hook = Arc<dyn Fn(&Arc<Registry>) + Send + Sync>;

thread_local! {
    /// Whether this thread is calling hooks.
    static CALLING: Cell<bool> = const { Cell::new(false) };
}

impl Registry {
    pub(crate) fn new(family_limit: usize) -> Self {
        let words = Arc::new(Words::new());
        Self {
            families: Families::new(&words, family_limit),
            words,
            #[cfg(feature = "prometheus-client")]
            foreign: Foreign::default(),
            before_scrape: RwLock::default(),
            exemplar_source: OnceLock::new(),
        }
    }

    /// Sets what [`exemplar_ids`](Self::exemplar_ids) asks. Only the first call has an effect.
    pub(crate) fn set_exemplar_source(&self, source: ExemplarSource) {
        let _ = self.exemplar_source.set(source);
    }

    /// The trace that the calling thread is in.
    pub(crate) fn exemplar_ids(&self) -> Option<ExemplarIds> {
        self.exemplar_source.get()?()
    }

    pub(crate) fn add_hook(&self, hook: Hook) {
        self.before_scrape.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Calls the hooks. A hook that panics is skipped, and one that renders does not call itself.
    pub(crate) fn call_hooks(self: &Arc<Self>) {
        let hooks = self.before_scrape.read().unwrap_or_else(PoisonError::into_inner).clone();
        if CALLING.replace(true) {
            return;
        }
        for hook in hooks {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(self)));
        }
        CALLING.set(false);
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
