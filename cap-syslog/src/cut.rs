//! How a text that was cut shows it.

/// The end of every text that was cut.
pub(crate) const CUT_MARK: &str = "...[cut]";

/// The last position up to `end` at which a character starts, or the text ends.
pub(crate) fn character_boundary(text: &[u8], mut end: usize) -> usize {
    while text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    end
}

/// Cuts the escaped text that starts at `start` in `out` at `end` or a little before: between
/// characters and between escapes.
pub(crate) fn cut_escaped(out: &mut Vec<u8>, start: usize, end: usize) {
    out.truncate(character_boundary(out, end));
    let backslashes = out[start..].iter().rev().take_while(|byte| **byte == b'\\');
    // The other half of the last `\` was cut off.
    if backslashes.count() % 2 == 1 {
        out.pop();
    }
}
