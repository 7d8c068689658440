//! Any events in one stream: a reader of frames finds exactly one record for each, in either
//! framing and after any earlier content of the buffer.

#![no_main]

#[path = "../../tests/src"]
mod reader {
    pub mod audit;
    pub mod cef;
    pub use cap_testkit::rfc5424;
}

use cap_syslog::Framing;
use libfuzzer_sys::fuzz_target;
use reader::audit::Case;

fuzz_target!(|data: &[u8]| {
    for framing in [Framing::OctetCounting, Framing::Newline] {
        // Each event is made from the input that the one before left.
        let cases = (0..data.len().min(4 * 300)).step_by(300);
        let cases: Vec<_> =
            cases.map(|from| Case::from_bytes(&data[from..]).framed_by(framing)).collect();
        let mut stream = Vec::new();
        for case in &cases {
            case.append_frame(&mut stream);
        }
        let mut rest = stream.as_slice();
        for case in &cases {
            let (record, after) = match framing {
                Framing::OctetCounting => counted(rest),
                _ => line(rest),
            };
            if let Err(why) = case.expected().check(record) {
                panic!("{why}\n{case:?}");
            }
            rest = after;
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
    }
});

/// `MSG-LEN SP MSG`, RFC 6587 section 3.4.1.
fn counted(stream: &[u8]) -> (&[u8], &[u8]) {
    let digits = stream.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (length, rest) = stream.split_at(digits);
    assert_ne!(length.first(), Some(&b'0'), "MSG-LEN has no leading zero");
    let length: usize = String::from_utf8_lossy(length).parse().expect("MSG-LEN");
    assert_eq!(rest.first(), Some(&b' '), "a space follows MSG-LEN");
    rest[1..].split_at(length)
}

/// `MSG LF`, section 3.4.2.
fn line(stream: &[u8]) -> (&[u8], &[u8]) {
    let end = stream.iter().position(|byte| *byte == b'\n').expect("a line feed");
    (&stream[..end], &stream[end + 1..])
}
