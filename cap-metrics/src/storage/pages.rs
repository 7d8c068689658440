//! The series of a family as text in order, rendered once and copied by every scrape.

mod page;

use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use page::{Frame, Page, Tail};

/// The most series of a page, and the most bytes of their lines. A full page is split. A scrape can
/// pause between two pages.
const SERIES: usize = 512;
const TEXT: usize = 256 * 1024;

/// A series that no scrape has seen yet.
#[derive(Debug)]
pub(crate) struct Inserted {
    /// Its labels as text, without braces.
    pub(crate) labels: Box<str>,
    /// The number of its cells.
    pub(crate) series: u32,
}

/// The series of a family at one time.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pages: Vec<Arc<Page>>,
    series: usize,
}

/// Series in the order of their labels. Only scrapes use them; a recorder never waits for this
/// lock.
#[derive(Debug)]
pub(crate) struct Pages {
    frame: Frame,
    merged: Mutex<Arc<Snapshot>>,
}

impl Pages {
    pub(crate) fn new(frame: Frame) -> Self {
        Self { frame, merged: Mutex::default() }
    }

    /// The pages of at least `series` series. `inserted` returns the series that it has not
    /// returned before. A page without a new series is not copied.
    pub(crate) fn snapshot(
        &self,
        series: usize,
        inserted: impl FnOnce() -> Vec<Inserted>,
    ) -> Arc<Snapshot> {
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if merged.series < series {
            let mut inserted = inserted();
            inserted.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
            *merged = Arc::new(Snapshot {
                series: merged.series + inserted.len(),
                pages: self.merge(&merged.pages, inserted),
            });
        }
        Arc::clone(&merged)
    }

    fn merge(&self, pages: &[Arc<Page>], inserted: Vec<Inserted>) -> Vec<Arc<Page>> {
        let mut merged = Vec::with_capacity(pages.len() + inserted.len() / SERIES + 1);
        let mut inserted = inserted.into_iter().peekable();
        let none = Arc::default();
        let pages = if pages.is_empty() { std::slice::from_ref(&none) } else { pages };
        for (n, page) in pages.iter().enumerate() {
            // A new series goes into the last page that begins before it.
            let next = pages.get(n + 1).and_then(|page| page.first(&self.frame));
            let mine =
                |inserted: &Inserted| next.as_ref().is_none_or(|next| *inserted.labels < **next);
            if inserted.peek().is_none_or(|inserted| !mine(inserted)) {
                merged.push(Arc::clone(page));
                continue;
            }
            let mut filling = Page::default();
            let mut push = |labels: &str, series| {
                if filling.len() >= SERIES || filling.text_len() >= TEXT {
                    merged.push(Arc::new(std::mem::take(&mut filling)));
                }
                filling.push(labels, series, &self.frame);
            };
            page.each(&self.frame, &mut |labels, series| {
                while let Some(inserted) = inserted.next_if(|inserted| *inserted.labels < *labels) {
                    push(&inserted.labels, inserted.series);
                }
                push(labels, series);
            });
            while let Some(inserted) = inserted.next_if(|inserted| mine(inserted)) {
                push(&inserted.labels, inserted.series);
            }
            filling.shrink();
            merged.push(Arc::new(filling));
        }
        merged
    }
}

impl Snapshot {
    /// How many series there are. They are numbered from 0.
    pub(crate) fn series(&self) -> usize {
        self.series
    }

    pub(crate) fn page(&self, at: usize) -> Option<&Page> {
        self.pages.get(at).map(|page| &**page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_in_order_whenever_they_are_inserted() {
        let pages = Pages::new(Frame { before: "\nx{".to_owned(), after: "} " });
        let mut expected = Vec::new();
        // A stride that is coprime to the count visits every number, in no order.
        for batch in 0..7u32 {
            let inserted: Vec<_> = (0..500)
                .map(|n| (batch * 500 + n) * 1297 % 3500)
                .map(|series| Inserted { labels: labels(series).into(), series })
                .collect();
            expected.extend(inserted.iter().map(|inserted| inserted.series));
            expected.sort_unstable_by_key(|series| labels(*series));
            let snapshot = pages.snapshot(expected.len(), || inserted);
            assert_eq!(snapshot.series(), expected.len());
            let mut lines = expected.iter().map(|series| (labels(*series), *series));
            let mut page = 0;
            while let Some(one) = snapshot.page(page) {
                page += 1;
                let mut written = Vec::new();
                for run in one.runs() {
                    for (tail, series) in run.lines() {
                        let start = written.len();
                        written.extend_from_slice(run.head());
                        tail.push(&mut written);
                        let (labels, expected) = lines.next().expect("no more than were inserted");
                        assert_eq!(series as u32, expected);
                        let line = format!("\nx{{{labels}}} ");
                        assert_eq!(String::from_utf8_lossy(&written[start..]), line);
                    }
                }
                assert_eq!(written.len(), one.text_len());
            }
            assert!(lines.next().is_none());
        }
    }

    /// Short and long values at the end, values that end like the beginning of one, and lines that
    /// share no beginning.
    fn labels(series: u32) -> String {
        match series % 5 {
            0 => format!("n=\"{series:04}\""),
            1 => format!("a=\"{}\",n=\"{series}{}\"", series % 7, "x".repeat(series as usize % 40)),
            2 => format!("a=\"{series:04}=\""),
            3 => format!("a=\"{series:04}\",z=\"{series} and more than a short text holds\""),
            _ => format!("{series:04}"),
        }
    }
}
