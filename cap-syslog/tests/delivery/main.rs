//! The forwarder against relays of these tests, over real sockets.

mod backfill;
mod poison;
mod probe;
mod relay;
mod settings;
mod status;
mod stream;
mod tls;
mod udp;
