//! The series of a family as text, in order, rendered once: what a scrape copies.

use std::sync::{Arc, Mutex, PoisonError};

/// Series of a page; a full one is split. A page is what a scrape writes between two chances to pause.
const PAGE: usize = 512;

/// A series that no scrape has seen yet.
#[derive(Debug)]
pub(crate) struct Born {
    /// Its labels as text, without braces.
    pub(crate) labels: Box<str>,
    /// The number under which its values are kept.
    pub(crate) series: u32,
}

/// Consecutive series.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    /// Where each series ends in the text.
    ends: Vec<u32>,
    series: Vec<u32>,
}

/// The pages of a family at one time.
pub(crate) type Snapshot = Arc<Vec<Arc<Page>>>;

/// What stands before and after the labels of every series in the text. It begins with the line feed that ends the line before: a copy
/// takes it along.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) before: String,
    pub(crate) after: &'static str,
}

/// Series in the order of their labels. Only scrapes come here; recorders hand over what is born and never wait for this.
#[derive(Debug)]
pub(crate) struct Pages {
    frame: Frame,
    merged: Mutex<Snapshot>,
}

impl Pages {
    pub(crate) fn new(frame: Frame) -> Self {
        Pages {
            frame,
            merged: Mutex::default(),
        }
    }

    /// The pages, with everything in them that `born` gives. Pages without a newborn stay as they are.
    pub(crate) fn snapshot(&self, born: impl FnOnce() -> Vec<Born>) -> Snapshot {
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut born = born();
        if !born.is_empty() {
            born.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
            *merged = Arc::new(self.merge(&merged, born));
        }
        Arc::clone(&merged)
    }

    pub(crate) fn frame(&self) -> &Frame {
        &self.frame
    }

    fn merge(&self, pages: &[Arc<Page>], born: Vec<Born>) -> Vec<Arc<Page>> {
        let mut merged = Vec::with_capacity(pages.len() + born.len() / PAGE + 1);
        let mut born = born.into_iter().peekable();
        let none = Arc::default();
        let pages = if pages.is_empty() {
            std::slice::from_ref(&none)
        } else {
            pages
        };
        for (n, page) in pages.iter().enumerate() {
            // Newborns belong to the last page that begins before them.
            let next = pages
                .get(n + 1)
                .and_then(|page| page.labels(0, &self.frame));
            let mine = |born: &Born| next.is_none_or(|next| *born.labels < *next);
            if born.peek().is_none_or(|born| !mine(born)) {
                merged.push(Arc::clone(page));
                continue;
            }
            let mut filling = Page::default();
            let mut push = |labels: &str, series| {
                if filling.series.len() == PAGE {
                    merged.push(Arc::new(std::mem::take(&mut filling)));
                }
                filling.push(labels, series, &self.frame);
            };
            for at in 0..page.len() {
                let labels = page.labels(at, &self.frame).unwrap_or_default();
                while let Some(born) = born.next_if(|born| *born.labels < *labels) {
                    push(&born.labels, born.series);
                }
                push(labels, page.series[at]);
            }
            while let Some(born) = born.next_if(|born| mine(born)) {
                push(&born.labels, born.series);
            }
            filling.shrink();
            merged.push(Arc::new(filling));
        }
        merged
    }
}

impl Page {
    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// The text and the number of every series.
    #[inline]
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let text = self.text.as_bytes();
        let mut start = 0;
        self.ends
            .iter()
            .zip(&self.series)
            .map(move |(end, series)| {
                let line = &text[start..*end as usize];
                start = *end as usize;
                (line, *series as usize)
            })
    }

    /// The labels of a series.
    pub(crate) fn labels(&self, at: usize, frame: &Frame) -> Option<&str> {
        let end = *self.ends.get(at)? as usize - frame.after.len();
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        Some(&self.text[start + frame.before.len()..end])
    }

    fn push(&mut self, labels: &str, series: u32, frame: &Frame) {
        self.text.push_str(&frame.before);
        self.text.push_str(labels);
        self.text.push_str(frame.after);
        // Past 4 GiB of labels in one page there is no scrape to serve anyway.
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.series.push(series);
    }

    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.series.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_stand_in_order_whenever_they_are_born() {
        let pages = Pages::new(Frame {
            before: "\nx{".to_owned(),
            after: "} ",
        });
        let mut expected = Vec::new();
        // A stride that is coprime to the count visits every number, in no order.
        for batch in 0..7u32 {
            let born: Vec<_> = (0..500)
                .map(|n| (batch * 500 + n) * 1297 % 3500)
                .map(|series| Born {
                    labels: format!("n=\"{series:04}\"").into(),
                    series,
                })
                .collect();
            expected.extend(born.iter().map(|born| born.series));
            expected.sort_unstable();
            let snapshot = pages.snapshot(|| born);
            let seen: Vec<_> = snapshot.iter().flat_map(|page| page.lines()).collect();
            assert_eq!(seen.len(), expected.len());
            for ((line, series), expected) in seen.into_iter().zip(&expected) {
                assert_eq!(series as u32, *expected);
                assert_eq!(line, format!("\nx{{n=\"{expected:04}\"}} ").as_bytes());
            }
        }
    }
}
