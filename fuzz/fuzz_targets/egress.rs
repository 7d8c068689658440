//! Any text as a host, and policies with any settings: nothing panics, and no spelling or embedding
//! of a denied address is allowed.

#![no_main]

#[path = "egress/host.rs"]
mod host;
#[path = "egress/policy.rs"]
mod policy;

use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(written) = std::str::from_utf8(data) {
        host::check(written);
    }
    if let Ok(case) = policy::Case::arbitrary_take_rest(Unstructured::new(data)) {
        case.check();
    }
});
