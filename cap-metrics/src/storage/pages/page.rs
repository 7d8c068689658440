//! Consecutive series as text. The common beginning of neighbors is stored once, so that a scrape
//! reads it from the cache and memory holds little more than the differences.

/// The text before and after the labels of every series. It begins with the line feed that ends the
/// line before, so that one copy writes both.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) before: String,
    pub(crate) after: &'static str,
}

/// Consecutive series.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// For every run, its head and then the tails of its lines.
    text: String,
    runs: Vec<Shape>,
    /// Where the tail of each line ends in the text.
    ends: Vec<u32>,
    series: Vec<u32>,
    /// The length of all lines, written out.
    text_len: usize,
}

/// How a run lies in its page.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Where its head ends.
    head: u32,
    /// The line after its last one.
    lines: u32,
}

/// Lines with the same beginning, the head.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    page: &'a Page,
    head: &'a str,
    /// Its lines, and where the tail of the first one begins.
    lines: std::ops::Range<usize>,
    start: usize,
}

/// The end of a line, where its value begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail<'a> {
    /// The tail, and the rest of the page.
    text: &'a [u8],
    len: usize,
}

impl Page {
    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn text_len(&self) -> usize {
        self.text_len
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let (mut at, mut first) = (0, 0);
        self.runs.iter().map(move |shape| {
            let (start, lines) = (shape.head as usize, first..shape.lines as usize);
            let head = &self.text[at..start];
            first = lines.end;
            at = self.ends[first - 1] as usize;
            let page = self;
            Run { page, head, lines, start }
        })
    }

    /// Calls `show` with the labels and the number of every series.
    pub(crate) fn each(&self, frame: &Frame, show: &mut dyn FnMut(&str, u32)) {
        let mut line = String::new();
        for run in self.runs() {
            let mut start = run.start;
            for at in run.lines {
                let end = self.ends[at] as usize;
                line.clear();
                line.push_str(run.head);
                line.push_str(&self.text[start..end]);
                start = end;
                let labels = &line[frame.before.len()..line.len() - frame.after.len()];
                show(labels, self.series[at]);
            }
        }
    }

    /// The labels of its first series.
    pub(crate) fn first(&self, frame: &Frame) -> Option<String> {
        let run = self.runs().next()?;
        let tail = &self.text[run.start..self.ends[0] as usize - frame.after.len()];
        Some(format!("{}{tail}", &run.head[frame.before.len()..]))
    }

    /// Appends a series.
    pub(super) fn push(&mut self, labels: &str, series: u32, frame: &Frame) {
        let head = self.last_head().map(|head| &head[frame.before.len()..]);
        let tail = match head.and_then(|head| labels.strip_prefix(head)) {
            Some(tail) => tail,
            None => {
                // Neighbors mostly differ in the last label.
                let (head, tail) = labels.split_at(labels.rfind("=\"").map_or(0, |at| at + 2));
                self.text.push_str(&frame.before);
                self.text.push_str(head);
                let head = offset(self.text.len());
                self.runs.push(Shape { head, lines: 0 });
                tail
            }
        };
        self.text.push_str(tail);
        self.text.push_str(frame.after);
        self.ends.push(offset(self.text.len()));
        self.series.push(series);
        self.text_len += frame.before.len() + labels.len() + frame.after.len();
        if let Some(run) = self.runs.last_mut() {
            run.lines = offset(self.series.len());
        }
    }

    fn last_head(&self) -> Option<&str> {
        let (last, before) = self.runs.split_last()?;
        let start = before.last().map_or(0, |run| self.ends[run.lines as usize - 1]);
        Some(&self.text[start as usize..last.head as usize])
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.runs.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.series.shrink_to_fit();
    }
}

/// A page is far smaller than 4 GiB, unless a single label value is that long.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl<'a> Run<'a> {
    pub(crate) fn head(&self) -> &'a [u8] {
        self.head.as_bytes()
    }

    /// The tail and the number of every series.
    #[inline]
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Tail<'a>, usize)> {
        let text = self.page.text.as_bytes();
        let lines = self.lines.clone();
        let ends = self.page.ends[lines.clone()].iter();
        let mut start = self.start;
        ends.zip(&self.page.series[lines]).map(move |(end, series)| {
            let tail = Tail { text: &text[start..], len: *end as usize - start };
            start = *end as usize;
            (tail, *series as usize)
        })
    }
}

impl Tail<'_> {
    /// A tail of at most this length is copied as whole machine words, which is faster.
    pub(crate) const SHORT: usize = 16;

    #[inline]
    pub(crate) fn push(self, out: &mut Vec<u8>) {
        match self.text.first_chunk::<{ Tail::SHORT }>() {
            Some(chunk) if self.len <= Self::SHORT => {
                let end = out.len() + self.len;
                out.extend_from_slice(chunk);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&self.text[..self.len]),
        }
    }
}
