//! Words of an open label, each given a small number once.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Gives the first `limit` different words the ids 1, 2, …, and every further word [`Interner::OVERFLOW`].
#[derive(Debug)]
pub(crate) struct Interner {
    limit: usize,
    words: RwLock<Ids>,
}

#[derive(Debug, Default)]
struct Ids {
    by_word: HashMap<Box<str>, u32>,
    by_id: Vec<Box<str>>,
}

impl Interner {
    pub(crate) const OVERFLOW: u32 = 0;
    pub(crate) const OVERFLOW_WORD: &str = "_overflow";

    pub(crate) fn new(limit: usize) -> Self {
        Interner {
            limit,
            words: RwLock::default(),
        }
    }

    pub(crate) fn intern(&self, word: &str) -> u32 {
        let known = self.words.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.by_word.get(word) {
            return *id;
        }
        if known.by_id.len() >= self.limit {
            return Self::OVERFLOW;
        }
        drop(known);

        let mut ids = self.words.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = ids.by_word.get(word) {
            return *id;
        }
        if ids.by_id.len() >= self.limit {
            return Self::OVERFLOW;
        }
        ids.by_id.push(word.into());
        let id = u32::try_from(ids.by_id.len()).expect("limits are small");
        ids.by_word.insert(word.into(), id);
        id
    }

    pub(crate) fn word(&self, id: u32) -> String {
        let ids = self.words.read().unwrap_or_else(PoisonError::into_inner);
        match (id as usize).checked_sub(1) {
            None => Self::OVERFLOW_WORD.to_owned(),
            Some(index) => ids.by_id[index].to_string(),
        }
    }
}
