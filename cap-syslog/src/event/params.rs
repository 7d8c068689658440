//! The parameters of an event, each written as the lengths of name and value, then name and value.

use std::borrow::Cow;

/// PARAM-NAME of RFC 5424, section 6.3.3.
const NAME_LIMIT: usize = 32;

/// The parameters that follow, as PARAM-NAME and value.
#[derive(Clone)]
pub(crate) struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (name, value) = (self.length(), self.length());
        Some((self.take(name), self.take(value)))
    }
}

impl<'a> Params<'a> {
    /// Reads what [`push`] wrote.
    #[inline]
    pub(super) fn of(written: &'a [u8]) -> Self {
        Params { rest: written }
    }

    /// The number of bytes that follow.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    #[inline]
    fn length(&mut self) -> usize {
        let (mut length, mut shift) = (0, 0);
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            length |= usize::from(byte & LOW) << shift;
            if byte & MORE == 0 {
                break;
            }
            shift += BITS;
        }
        length
    }
}

/// A length is written in ASCII characters, so that the text stays UTF-8. Each holds six bits, the
/// lowest first, and a flag for more.
const BITS: u32 = 6;
const LOW: u8 = (1 << BITS) - 1;
const MORE: u8 = 1 << BITS;

fn push_length(text: &mut String, mut length: usize) {
    while length >> BITS != 0 {
        text.push(char::from(MORE | length as u8 & LOW));
        length >>= BITS;
    }
    text.push(char::from(length as u8));
}

pub(super) fn push(text: &mut String, name: &str, value: &str) {
    push_length(text, name.len());
    push_length(text, value.len());
    text.push_str(name);
    text.push_str(value);
}

const FIELD_NAMES: [&str; 6] =
    ["event_id", "event_type", "org_id", "project_id", "actor", "resource"];

pub(super) fn name(name: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(plain);
    let mut clean = if fits {
        Cow::Borrowed(name)
    } else {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let clean: String = name.chars().map(plain).take(NAME_LIMIT).collect();
        match clean.as_str() {
            "" => Cow::Borrowed("_"),
            _ => Cow::Owned(clean),
        }
    };
    // After the replacement, so that `event.id` does not become a name of a field.
    if FIELD_NAMES.contains(&&*clean) {
        clean.to_mut().insert_str(0, "x_");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_are_reduced_to_safe_characters() {
        let cases = [
            ("trace_id", "trace_id"),
            ("a.b-c d=e\"]é", "a_b_c_d_e___"),
            ("", "_"),
            ("actor", "x_actor"),
            ("event.id", "x_event_id"),
            ("a_very_long_name_that_goes_on_and_on", "a_very_long_name_that_goes_on_an"),
        ];
        for (given, expected) in cases {
            assert_eq!(name(given), expected);
        }
    }
}
