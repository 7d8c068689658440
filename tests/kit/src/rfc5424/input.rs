//! The bytes of a record that are still to be read, and the error at one of them.

/// Why bytes are not a record, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct ParseError {
    /// Offset of the byte that broke the rule.
    pub at: usize,
    /// The rule.
    pub what: &'static str,
}

/// The rest of a record.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), ParseError> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(what));
        }
        self.at += 1;
        Ok(())
    }

    /// A header field and the one space behind it.
    pub(super) fn until_space(&mut self) -> Result<&'a [u8], ParseError> {
        let rest = &self.bytes[self.at..];
        let len = rest
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or(ParseError { at: self.bytes.len(), what: "the record ends in its header" })?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    pub(super) fn wrong(&self, what: &'static str) -> ParseError {
        ParseError { at: self.at, what }
    }
}
