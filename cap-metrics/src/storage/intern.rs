//! Interning: a small number for each value of an open label.

use std::hash::BuildHasher as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use foldhash::fast::RandomState;

/// Gives the first `limit` different words the ids 1, 2, … and every further word
/// [`Interner::OVERFLOW`]. A known word is found without a lock.
#[derive(Debug)]
pub(crate) struct Interner {
    limit: usize,
    hash: RandomState,
    /// A hash table with open addressing. It is at most half full, and an entry never moves.
    entries: Box<[OnceLock<Entry>]>,
    /// Words by id, and the number of entries. A thread that adds an entry holds this lock.
    words: Mutex<Words>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    id: u32,
    spelled: Box<str>,
}

#[derive(Debug, Default)]
struct Words {
    by_id: Vec<Box<str>>,
    entries: usize,
}

impl Interner {
    pub(crate) const OVERFLOW: u32 = 0;
    pub(crate) const OVERFLOW_WORD: &str = "_overflow";

    pub(crate) fn new(limit: usize) -> Self {
        let interner = Self {
            limit,
            hash: RandomState::default(),
            // Half of the entries hold two spellings of every word.
            entries: (0..(4 * (limit + 1)).next_power_of_two()).map(|_| OnceLock::new()).collect(),
            words: Mutex::default(),
        };
        interner.intern_as(Self::OVERFLOW_WORD, |_| Self::OVERFLOW_WORD.into());
        interner
    }

    #[inline]
    pub(crate) fn intern(&self, word: &str) -> u32 {
        self.intern_as(word, |word| word.into())
    }

    /// The id of a word that has several spellings. `normal` makes the canonical one of them. It is
    /// called until the spelling has an entry.
    #[inline]
    pub(crate) fn intern_as(&self, spelled: &str, normal: impl FnOnce(&str) -> Box<str>) -> u32 {
        let hash = self.hash.hash_one(spelled);
        match self.find(hash, spelled) {
            Ok(id) => id,
            Err(_) => self.add(hash, spelled, normal(spelled)),
        }
    }

    pub(crate) fn word(&self, id: u32) -> String {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.by_id[id as usize].to_string()
    }

    /// The id, or the free entry at which the search ended.
    #[inline]
    fn find(&self, hash: u64, spelled: &str) -> Result<u32, usize> {
        let mask = self.entries.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(entry) = self.entries[at].get() {
            if entry.hash == hash && *entry.spelled == *spelled {
                return Ok(entry.id);
            }
            at = (at + 1) & mask;
        }
        Err(at)
    }

    #[cold]
    fn add(&self, hash: u64, spelled: &str, word: Box<str>) -> u32 {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(id) = self.find(hash, spelled) {
            return id;
        }
        let known = words.by_id.iter().position(|known| *known == word);
        let id = match known {
            Some(id) => id,
            // Id 0 is the overflow word.
            None if words.by_id.len() > self.limit => return Self::OVERFLOW,
            None => {
                words.by_id.push(word);
                words.by_id.len() - 1
            }
        };
        let id = u32::try_from(id).expect("limits are small");
        if words.entries < self.entries.len() / 2
            && let Err(free) = self.find(hash, spelled)
        {
            words.entries += 1;
            let spelled = spelled.into();
            // The entry is free, and only the holder of the lock fills entries.
            let _ = self.entries[free].set(Entry { hash, id, spelled });
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_past_the_limit_and_the_overflow_word_are_the_overflow() {
        let interner = Interner::new(2);
        let ids: Vec<_> =
            ["a", "b", "a", "c", "_overflow", "b"].map(|word| interner.intern(word)).to_vec();
        assert_eq!(ids, [1, 2, 1, 0, 0, 2]);
        assert_eq!(interner.word(2), "b");
        assert_eq!(interner.word(0), "_overflow");
    }

    #[test]
    fn spellings_of_one_word_share_its_id_however_many_there_are() {
        let interner = Interner::new(4);
        let id = |spelled: &str| interner.intern_as(spelled, |s| s.to_ascii_lowercase().into());
        let word = "abcdefghij";
        for upper in 0..1 << word.len() {
            let spelled: String = word
                .char_indices()
                .map(|(n, c)| if upper >> n & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            assert_eq!(id(&spelled), 1);
        }
        assert_eq!(id("other"), 2);
    }
}
