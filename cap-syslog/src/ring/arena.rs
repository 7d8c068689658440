//! Arena one after the other, which leave in the order in which they came.

use std::collections::VecDeque;

/// Bytes of a page.
const PAGE: usize = 64 * 1024;
/// Longer texts are kept by themselves, so that little of a page is wasted.
pub(super) const LONGEST: usize = PAGE / 16;
/// Pages that are kept for what comes: two megabytes.
const KEPT: usize = 32;
/// What an event usually takes.
const USUAL: usize = 512;

/// Each text is copied to where the one before it ends. In a piece of memory for each, wherever the allocator had one left, every line of
/// it would be far away from everything when it is written, and again when it is read: by then that is most of what an event costs.
#[derive(Debug)]
pub(super) struct Arena {
    pages: VecDeque<Page>,
    /// The number of the first of them.
    first: u64,
    spare: Vec<Page>,
}

#[derive(Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    /// Arena that have not left.
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
    /// Has the memory for so many usual ones, up to what it keeps.
    pub(super) fn with_room_for(count: usize) -> Self {
        let pages = (count * USUAL).div_ceil(PAGE).min(KEPT);
        Arena {
            pages: VecDeque::with_capacity(pages),
            first: 0,
            spare: (0..pages).map(|_| Page::new()).collect(),
        }
    }

    /// A text of [`LONGEST`] bytes at most.
    pub(super) fn push(&mut self, text: &[u8]) -> Place {
        let last = self.pages.back();
        if last.is_none_or(|page| page.bytes.len() + text.len() > PAGE) {
            self.pages
                .push_back(self.spare.pop().unwrap_or_else(Page::new));
        }
        let index = self.pages.len() - 1;
        let page = &mut self.pages[index];
        let start = page.bytes.len();
        page.bytes.extend_from_slice(text);
        page.held += 1;
        Place {
            page: self.first + index as u64,
            start,
            end: page.bytes.len(),
        }
    }

    pub(super) fn get(&self, place: Place) -> &[u8] {
        let page = &self.pages[(place.page - self.first) as usize];
        &page.bytes[place.start..place.end]
    }

    /// The first text leaves. What is given back is to be freed.
    pub(super) fn pop(&mut self) -> Option<Page> {
        let page = self.pages.front_mut()?;
        page.held -= 1;
        if page.held > 0 {
            return None;
        }
        // It is whole again: the next text comes to where this one was, if it is the only one.
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
        Page {
            bytes: Vec::with_capacity(PAGE),
            held: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One comes, or so many leave.
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
        fn what_has_not_left_is_as_it_came(steps in proptest::collection::vec(step(), 0..200)) {
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
            // At both ends a page may hold little.
            prop_assert!(arena.pages.len() <= bytes / (PAGE - LONGEST) + 2);
        }
    }

    #[test]
    fn pages_are_used_again_and_no_more_are_kept_than_what_a_burst_may_need() {
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
