//! How records are delimited on a stream.

cap_names::closed_enum! {
    /// The framing of RFC 6587.
    #[derive(Default)]
    pub enum Framing: "framing" {
        /// Length, space, record (RFC 6587, section 3.4.1; RFC 5425, section 4.3).
        #[default]
        OctetCounting = "octet-counting",
        /// Record, line feed (RFC 6587, section 3.4.2), for relays that read lines. A record never
        /// contains a line feed.
        Newline = "newline",
    }
}

impl Framing {
    /// Appends the record that `write` appends, with its frame.
    pub fn append(self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Newline => {
                write(out);
                out.push(b'\n');
            }
            Self::OctetCounting => {
                let start = out.len();
                // Most lengths have three digits. A record with another length is moved.
                out.extend_from_slice(b"000 ");
                let record = start + 4;
                write(out);
                let length = out.len() - record;
                if let (100..1000, Some(digits)) = (length, out[start..].first_chunk_mut()) {
                    *digits = [length / 100, length / 10 % 10, length % 10].map(|n| b'0' + n as u8);
                } else {
                    out.splice(start..record, format!("{length} ").into_bytes());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octet_counting_puts_the_length_before_each_record() {
        for length in [0, 1, 9, 10, 99, 100, 999, 1000, 65536] {
            let record = "r".repeat(length);
            let mut out = b"before".to_vec();
            Framing::OctetCounting.append(&mut out, |out| out.extend_from_slice(record.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&out), format!("before{length} {record}"));
        }
    }
}
