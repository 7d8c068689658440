//! Escaping by blocks of 16 bytes: a block without special characters is copied as it is.

/// The characters that a text escapes.
pub(super) trait Escapes {
    /// Bytes that get a `\` before them. Repeat one for fewer than three, and use [`NONE`] for
    /// none.
    const QUOTED: [u8; 3];

    /// Writes a control character: `#` and its three octal digits, as relays do.
    fn control(byte: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&[
            b'#',
            b'0' + (byte >> 6),
            b'0' + (byte >> 3 & 7),
            b'0' + (byte & 7),
        ]);
    }
}

/// No byte, in [`Escapes::QUOTED`]: it is a control character, which is escaped before quoted bytes
/// are looked for.
pub(super) const NONE: u8 = 0;

/// Appends `value`, escaped.
#[inline(always)]
pub(super) fn append<E: Escapes>(value: &[u8], out: &mut Vec<u8>) {
    // Nearly every identifier is one or two blocks, and a copy of constant length needs no call.
    let Some(last) = value.last_chunk::<BLOCK>() else {
        return append_short::<E>(value, out);
    };
    let (blocks, rest) = value.as_chunks::<BLOCK>();
    for block in blocks {
        append_block::<E>(block, out);
    }
    if rest.is_empty() {
        return;
    }
    if is_plain::<E, BLOCK>(last) {
        // The last block overlaps the one before. It is plain, so the overlap is written again
        // unchanged.
        out.truncate(out.len() - (BLOCK - rest.len()));
        out.extend_from_slice(last);
    } else {
        append_bytes::<E>(rest, out);
    }
}

const BLOCK: usize = 16;

#[inline(always)]
fn append_block<E: Escapes>(block: &[u8; BLOCK], out: &mut Vec<u8>) {
    if is_plain::<E, BLOCK>(block) {
        out.extend_from_slice(block);
    } else {
        append_bytes::<E>(block, out);
    }
}

#[inline(always)]
fn append_short<E: Escapes>(value: &[u8], out: &mut Vec<u8>) {
    match (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        (Some(first), Some(last)) if is_plain::<E, 8>(first) && is_plain::<E, 8>(last) => {
            out.extend_from_slice(first);
            out.truncate(out.len() - (16 - value.len()));
            out.extend_from_slice(last);
        }
        _ => append_bytes::<E>(value, out),
    }
}

fn append_bytes<E: Escapes>(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        if byte.is_ascii_control() {
            E::control(byte, out);
        } else {
            if E::QUOTED.contains(&byte) {
                out.push(b'\\');
            }
            out.push(byte);
        }
    }
}

/// Whether no byte is a control character or quoted. Each comparison is a distance that is 0 for a
/// match. The least distance of all bytes needs no early exit, so the compiler makes it a few
/// vector instructions.
#[inline(always)]
fn is_plain<E: Escapes, const N: usize>(block: &[u8; N]) -> bool {
    let [first, second, third] = E::QUOTED;
    let least = block.iter().fold(u8::MAX, |least, byte| {
        least
            .min(byte.saturating_sub(0x1f))
            .min(byte ^ 0x7f)
            .min(byte ^ first)
            .min(byte ^ second)
            .min(byte ^ third)
    });
    least != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rule;

    impl Escapes for Rule {
        const QUOTED: [u8; 3] = *br#""\]"#;
    }

    #[test]
    fn a_special_character_is_escaped_at_every_position() {
        for length in 0..70 {
            let plain = "x".repeat(length);
            let mut out = b"before".to_vec();
            append::<Rule>(plain.as_bytes(), &mut out);
            assert_eq!(out, format!("before{plain}").into_bytes());
            for at in 0..length {
                for (special, escaped) in
                    [('"', "\\\""), (']', "\\]"), ('\n', "#012"), ('\u{7f}', "#177")]
                {
                    let mut value = plain.clone();
                    value.replace_range(at..=at, &special.to_string());
                    let mut expected = plain.clone();
                    expected.replace_range(at..=at, escaped);
                    let mut out = b"before".to_vec();
                    append::<Rule>(value.as_bytes(), &mut out);
                    assert_eq!(String::from_utf8_lossy(&out[6..]), expected);
                }
            }
        }
    }
}
