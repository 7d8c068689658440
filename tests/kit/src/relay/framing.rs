//! A byte stream to frames by RFC 6587: octet counting (3.4.1) or a newline after each record
//! (3.4.2).

use std::fmt::Write as _;

/// The longest frame a relay takes.
const LONGEST: usize = 64 * 1024;

/// The framing of records on the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayFraming {
    /// `MSG-LEN SP MSG`.
    OctetCounting,
    /// `MSG LF`.
    Newline,
}

/// The broken rule of the framing. No frame can be found after it.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameError(pub String);

/// Takes a stream apart into frames. It serves a test that reads a socket itself, too:
///
/// ```
/// use cap_testkit::{Deframer, RelayFraming};
///
/// let mut frames = Deframer::new(RelayFraming::OctetCounting);
/// frames.buffer().extend(b"3 abc2 d");
/// assert_eq!(frames.next().unwrap().unwrap(), b"abc");
/// assert!(frames.next().unwrap().is_none());
/// ```
#[derive(Debug)]
pub struct Deframer {
    framing: RelayFraming,
    bytes: Vec<u8>,
    /// How much of `bytes` was handed out. The next read removes it, not each frame.
    taken: usize,
}

impl Deframer {
    /// At the start of a stream.
    pub fn new(framing: RelayFraming) -> Self {
        Self { framing, bytes: Vec::new(), taken: 0 }
    }

    /// The bytes not yet handed out, to be read into.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.reserve(LONGEST);
        &mut self.bytes
    }

    /// The next whole frame, if it has arrived.
    ///
    /// # Errors
    /// When the bytes break the framing; then no later frame can be found.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would end where bytes are missing"
    )]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let rest = &self.bytes[self.taken..];
        let found = match self.framing {
            RelayFraming::OctetCounting => counted(rest)?,
            RelayFraming::Newline => line(rest)?,
        };
        Ok(found.map(|(frame, taken)| {
            let frame = frame.to_vec();
            self.taken += taken;
            frame
        }))
    }
}

type Found<'a> = Option<(&'a [u8], usize)>;

fn counted(rest: &[u8]) -> Result<Found<'_>, FrameError> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if rest.first() == Some(&b'0') || digits > 6 {
        return Err(wrong("MSG-LEN is a number without leading zeros", rest));
    }
    match rest.get(digits) {
        None => return Ok(None),
        Some(b' ') if digits > 0 => {}
        Some(_) => return Err(wrong("MSG-LEN and a space start a frame", rest)),
    }
    let len = (rest[..digits].iter()).fold(0, |len, digit| len * 10 + usize::from(digit - b'0'));
    if len > LONGEST {
        return Err(wrong("a frame has at most 65536 bytes", rest));
    }
    let start = digits + 1;
    Ok((rest.get(start..start + len)).map(|frame| (frame, start + len)))
}

fn line(rest: &[u8]) -> Result<Found<'_>, FrameError> {
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(len) if len <= LONGEST => Ok(Some((&rest[..len], len + 1))),
        None if rest.len() <= LONGEST => Ok(None),
        _ => Err(wrong("a line has at most 65536 bytes", rest)),
    }
}

fn wrong(what: &str, rest: &[u8]) -> FrameError {
    let mut message = what.to_owned();
    let start = String::from_utf8_lossy(&rest[..rest.len().min(40)]);
    write!(message, ", not {start:?}").expect("a String takes every write");
    FrameError(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a stream that arrives `step` bytes at a time, and whether it broke.
    fn frames(framing: RelayFraming, bytes: &[u8], step: usize) -> (Vec<String>, bool) {
        let mut deframer = Deframer::new(framing);
        let mut frames = Vec::new();
        for bytes in bytes.chunks(step) {
            deframer.buffer().extend(bytes);
            loop {
                match deframer.next() {
                    Ok(Some(frame)) => frames.push(String::from_utf8(frame).expect("text")),
                    Ok(None) => break,
                    Err(_) => return (frames, true),
                }
            }
        }
        (frames, false)
    }

    #[test]
    fn octet_counting_is_strict() {
        let long = format!("65536 {}", "x".repeat(65536));
        for (bytes, expected, broken) in [
            ("3 abc2 d\n6 incom", vec!["abc", "d\n"], false),
            ("3 abc\n3 abc", vec!["abc"], true),
            ("03 abc", vec![], true),
            ("0 ", vec![], true),
            ("3abc", vec![], true),
            (" abc", vec![], true),
            ("<34>1 ", vec![], true),
            ("65537 x", vec![], true),
            ("99999999999999999999 x", vec![], true),
            (&long, vec![&long[6..]], false),
        ] {
            for step in [1, bytes.len()] {
                let (found, failed) = frames(RelayFraming::OctetCounting, bytes.as_bytes(), step);
                assert!(found == expected && failed == broken, "{bytes:.40}");
            }
        }
    }

    #[test]
    fn newline_framing_takes_lines_and_no_endless_ones() {
        assert_eq!(
            frames(RelayFraming::Newline, b"a b\n\n3 c\nrest", 2),
            (vec!["a b".to_owned(), String::new(), "3 c".to_owned()], false)
        );
        assert_eq!(frames(RelayFraming::Newline, &[b'x'; LONGEST + 1], 4096), (vec![], true));
    }
}
