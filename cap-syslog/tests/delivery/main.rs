//! The forwarder against listeners of the tests' own, over real sockets.

mod backfill;
mod poison;
mod probe;
mod relay;
mod settings;
mod status;
mod stream;
mod tls;
mod udp;
