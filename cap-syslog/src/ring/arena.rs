//! Memory for texts that leave in the order in which they came.

use std::collections::VecDeque;

/// Bytes of a page.
const PAGE: usize = 64 * 1024;
/// The longest text in a page. Longer texts have their own memory, so that little of a page is
/// wasted.
pub(super) const LONGEST: usize = PAGE / 16;
/// Free pages that are kept: 2 MiB.
const KEPT: usize = 32;
/// Bytes of a usual event.
const USUAL: usize = 512;

/// Each text is copied to where the one before it ends. With an allocation for each text, every
/// cache line of it would miss when it is written and again when it is read, and those misses are
/// most of what an event costs.
#[derive(Debug)]
pub(super) struct Arena {
    pages: VecDeque<Page>,
    /// The number of the first page.
    first: u64,
    spare: Vec<Page>,
}

#[derive(Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    /// Texts in this page that have not left.
    held: usize,
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    page: u64,
    start: usize,
    end: usize,
}

impl Arena {
    /// An arena with memory for `count` usual texts, up to the pages that it keeps.
    pub(super) fn with_room_for(count: usize) -> Self {
        let pages = (count * USUAL).div_ceil(PAGE).min(KEPT);
        Self {
            pages: VecDeque::with_capacity(pages),
            first: 0,
            spare: (0..pages).map(|_| Page::new()).collect(),
        }
    }

    /// Adds a text of at most [`LONGEST`] bytes.
    pub(super) fn push(&mut self, text: &[u8]) -> Place {
        let last = self.pages.back();
        if last.is_none_or(|page| page.bytes.len() + text.len() > PAGE) {
            self.pages.push_back(self.spare.pop().unwrap_or_else(Page::new));
        }
        let index = self.pages.len() - 1;
        let page = &mut self.pages[index];
        let start = page.bytes.len();
        page.bytes.extend_from_slice(text);
        page.held += 1;
        Place { page: self.first + index as u64, start, end: page.bytes.len() }
    }

    pub(super) fn get(&self, place: Place) -> &[u8] {
        let page = &self.pages[(place.page - self.first) as usize];
        &page.bytes[place.start..place.end]
    }

    /// Removes the first text. Returns a page that is to be freed.
    pub(super) fn pop(&mut self) -> Option<Page> {
        let page = self.pages.front_mut()?;
        page.held -= 1;
        if page.held > 0 {
            return None;
        }
        // The page is empty. If it is the only one, the next text goes into it.
        page.bytes.clear();
        if self.pages.len() == 1 {
            return None;
        }
        self.first += 1;
        let page = self.pages.pop_front()?;
        if self.spare.len() == KEPT {
            return Some(page);
        }
        self.spare.push(page);
        None
    }
}

impl Page {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(PAGE), held: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text is added, or so many are removed.
    #[derive(Clone, Debug)]
    enum Step {
        Push(u8, usize),
        Pop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            45 => (any::<u8>(), 0..=LONGEST).prop_map(|(byte, length)| Step::Push(byte, length)),
            15 => (1_usize..4).prop_map(Step::Pop),
            1 => Just(Step::Pop(usize::MAX)),
        ]
    }

    proptest! {
        #[test]
        fn texts_that_have_not_left_are_unchanged(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut arena, mut known) = (Arena::with_room_for(0), VecDeque::new());
            for step in steps {
                match step {
                    Step::Push(byte, length) => {
                        let text = vec![byte; length];
                        known.push_back((arena.push(&text), text));
                    }
                    Step::Pop(most) => {
                        for _ in 0..most.min(known.len()) {
                            known.pop_front();
                            prop_assert!(arena.pop().is_none());
                        }
                    }
                }
                for (place, text) in &known {
                    prop_assert_eq!(arena.get(*place), text);
                }
            }
            let bytes: usize = known.iter().map(|(_, text)| text.len()).sum();
            // The first and the last page may be nearly empty.
            prop_assert!(arena.pages.len() <= bytes / (PAGE - LONGEST) + 2);
        }
    }

    #[test]
    fn pages_are_reused_and_a_bounded_number_is_kept() {
        let mut arena = Arena::with_room_for(PAGE / USUAL + 1);
        assert_eq!(arena.spare.len(), 2);
        let (each, pages) = (LONGEST, KEPT + 5);
        for freed in [4, 5] {
            let count = pages * PAGE / each;
            for _ in 0..count {
                arena.push(&vec![b'x'; each]);
            }
            assert_eq!(arena.pages.len(), pages);
            assert_eq!(arena.spare.len(), 0);
            let left = (0..count).filter_map(|_| arena.pop()).count();
            assert_eq!((arena.pages.len(), arena.spare.len()), (1, KEPT));
            assert_eq!(left, 4, "{freed}");
        }
    }
}
