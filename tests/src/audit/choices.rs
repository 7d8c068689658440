//! Choices made from bytes: what trips up a record is common among them.

/// The bytes that are left to choose with. When they run out, the first of everything is chosen.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    bytes: &'a [u8],
}

/// The parts of a generated text.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "a", "Zoë", "alice@example.com", " ", "  ", "\"", "\\", "]", "[", "=", "|", "\\\"", "\\\\]",
    "\\=", "\\n", "\n", "\r\n", "\0", "\t", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}",
    "\u{feff}", "\u{ffff}", "é", "e\u{301}", "證", "😀", "#012", "...[cut]", "-", ".", "_", ":",
    "\"] forged", "\" event_id=\"forged", " externalId=forged", "\n<8>1 - - - - - -",
    "\n30 <8>1 - - - - - - forged", "event_id", "actor", "actor_",
];

impl<'a> Choices<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Choices { bytes }
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    pub(super) fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// A number from 0 to one less than `end`, which is at most 256.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub(super) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub(super) fn maybe<T>(&mut self, choose: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| choose(self))
    }

    /// Mostly short, at times longer than any record.
    pub(super) fn text(&mut self) -> String {
        let text: String = (0..self.below(12)).map(|_| self.piece()).collect();
        match self.byte() {
            0..10 => text.repeat(1 + self.below(256)),
            10 => text.repeat(1 + 8 * self.below(256)),
            _ => text,
        }
    }

    fn piece(&mut self) -> String {
        match self.byte() {
            0..64 => char::from(self.byte() & 0x7f).to_string(),
            64..96 => {
                let code = self.number() as u32 % 0x11_0000;
                char::from_u32(code).unwrap_or('\u{fffd}').to_string()
            }
            96..128 => "word".repeat(self.below(8)),
            _ => self.one_of(PIECES).to_owned(),
        }
    }
}
