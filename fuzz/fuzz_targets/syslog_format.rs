//! Any event with any settings: the record is within its limit, and a strict parser reads every
//! field back.

#![no_main]

#[path = "../../tests/src"]
mod reader {
    pub mod audit;
    pub mod cef;
    pub use cap_testkit::rfc5424;
}

use libfuzzer_sys::fuzz_target;
use reader::audit::Case;

fuzz_target!(|data: &[u8]| {
    let case = Case::from_bytes(data);
    if let Err(why) = case.expected().check(&case.record()) {
        panic!("{why}\n{case:?}");
    }
});
