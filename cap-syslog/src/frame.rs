//! How records are delimited on a stream.

use std::str::FromStr;

/// The framing of RFC 6587.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Framing {
    /// Length, space, record (RFC 6587, section 3.4.1; RFC 5425, section 4.3).
    #[default]
    OctetCounting,
    /// Record, line feed (RFC 6587, section 3.4.2), for relays that read lines. A record holds no line feed of its own.
    Newline,
}

impl Framing {
    /// Appends the record that `write` appends, framed.
    pub fn append(self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        write(out);
        match self {
            Framing::Newline => out.push(b'\n'),
            Framing::OctetCounting => {
                let end = out.len();
                let mut prefix = [b' '; 21];
                let mut first = prefix.len() - 1;
                let mut length = end - start;
                while length > 0 {
                    first -= 1;
                    prefix[first] = b'0' + (length % 10) as u8;
                    length /= 10;
                }
                let prefix = &prefix[first..];
                out.extend_from_slice(prefix);
                out.copy_within(start..end, start + prefix.len());
                out[start..start + prefix.len()].copy_from_slice(prefix);
            }
        }
    }
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "octet-counting" => Ok(Framing::OctetCounting),
            "newline" => Ok(Framing::Newline),
            _ => Err(format!(
                "unknown framing {s:?}: write octet-counting or newline"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octet_counting_puts_the_length_before_each_record() {
        let mut out = Vec::new();
        for record in ["0123456789", "x"] {
            Framing::OctetCounting.append(&mut out, |out| out.extend_from_slice(record.as_bytes()));
        }
        assert_eq!(out, b"10 01234567891 x");
    }
}
