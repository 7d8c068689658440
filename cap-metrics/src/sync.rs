//! The atomics and the mutex of the storage. Under `--cfg cap_loom` they are loom's, which tries
//! every interleaving.

#[cfg(cap_loom)]
pub(crate) use loom::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64},
};
#[cfg(not(cap_loom))]
pub(crate) use std::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64},
};
