//! The wire format of Protocol Buffers, as far as OTLP spans need it.

/// Appends fields to a buffer. The length of a nested message is known once the message is written:
/// it gets the number of bytes that it usually takes, and a wrong guess moves the message.
pub(super) trait Protobuf {
    fn varint(&mut self, value: u64);

    /// A field of type bytes or string.
    fn bytes(&mut self, field: u8, value: &[u8]);

    /// The same, omitted if it is empty, as proto3 has it for fields without presence.
    fn bytes_if_any(&mut self, field: u8, value: &[u8]) {
        if !value.is_empty() {
            self.bytes(field, value);
        }
    }

    /// A field of an integer type or an enum.
    fn integer(&mut self, field: u8, value: u64);

    /// The same, omitted if it is 0.
    fn integer_if_any(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.integer(field, value);
        }
    }

    fn fixed64(&mut self, field: u8, value: u64);

    fn fixed32(&mut self, field: u8, value: u32);

    /// A field that is a message. `LENGTH` is the number of bytes that its length usually takes.
    fn message<const LENGTH: usize>(&mut self, field: u8, write: impl FnOnce(&mut Self));
}

/// How a field's value is written (Protocol Buffers, Encoding, Message Structure).
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Len = 2,
    Fixed32 = 5,
}

impl Protobuf for Vec<u8> {
    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    #[inline]
    fn bytes(&mut self, field: u8, value: &[u8]) {
        tag(self, field, Wire::Len);
        self.varint(value.len() as u64);
        self.extend_from_slice(value);
    }

    #[inline]
    fn integer(&mut self, field: u8, value: u64) {
        tag(self, field, Wire::Varint);
        self.varint(value);
    }

    #[inline]
    fn fixed64(&mut self, field: u8, value: u64) {
        tag(self, field, Wire::Fixed64);
        self.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn fixed32(&mut self, field: u8, value: u32) {
        tag(self, field, Wire::Fixed32);
        self.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn message<const LENGTH: usize>(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        tag(self, field, Wire::Len);
        let at = self.len();
        self.extend_from_slice(&[0; LENGTH]);
        let begin = self.len();
        write(self);
        let length = self.len() - begin;
        let needed = varint_len(length);
        if needed != LENGTH {
            self.resize(at + needed.max(LENGTH) + length, 0);
            self.copy_within(begin..begin + length, at + needed);
            self.truncate(at + needed + length);
        }
        let (mut value, last) = (length, at + needed - 1);
        for byte in &mut self[at..last] {
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        self[last] = value as u8;
    }
}

#[inline]
fn tag(out: &mut Vec<u8>, field: u8, wire: Wire) {
    out.varint(u64::from(field) << 3 | wire as u64);
}

/// The number of bytes that a length takes.
fn varint_len(length: usize) -> usize {
    (usize::BITS - (length | 1).leading_zeros()).div_ceil(7) as usize
}
