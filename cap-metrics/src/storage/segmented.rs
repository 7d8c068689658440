//! An array that grows without moving its elements.

use std::sync::OnceLock;

/// The elements of the first segment. Each further segment has twice as many as the one before.
const FIRST: usize = 4;
const SEGMENTS: usize = 26;

/// Elements by number. A segment is filled with defaults when one of its elements is first used.
#[derive(Debug)]
pub(crate) struct Segmented<T> {
    segments: [OnceLock<Box<[T]>>; SEGMENTS],
}

impl<T: Default> Segmented<T> {
    pub(crate) fn new() -> Self {
        Self { segments: [const { OnceLock::new() }; SEGMENTS] }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> &T {
        let (segment, offset) = place(at);
        match self.segments[segment].get() {
            Some(elements) => &elements[offset],
            None => self.grow(segment, offset),
        }
    }

    /// The element, if its segment exists.
    pub(crate) fn existing(&self, at: usize) -> Option<&T> {
        let (segment, offset) = place(at);
        self.segments[segment].get()?.get(offset)
    }

    /// The segments that exist, each with the number of its first element.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (usize, &[T])> {
        let numbered = self.segments.iter().enumerate();
        numbered.filter_map(|(n, segment)| Some(((FIRST << n) - FIRST, &**segment.get()?)))
    }

    #[cold]
    fn grow(&self, segment: usize, offset: usize) -> &T {
        let elements = self.segments[segment]
            .get_or_init(|| (0..FIRST << segment).map(|_| T::default()).collect());
        &elements[offset]
    }
}

#[inline]
fn place(at: usize) -> (usize, usize) {
    let shifted = at + FIRST;
    let segment = (shifted.ilog2() - FIRST.ilog2()) as usize;
    (segment, shifted - (FIRST << segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let mut next = (0, 0);
        for at in 0..10_000 {
            assert_eq!(place(at), next, "{at}");
            next = match next {
                (segment, offset) if offset + 1 == FIRST << segment => (segment + 1, 0),
                (segment, offset) => (segment, offset + 1),
            };
        }
    }
}
