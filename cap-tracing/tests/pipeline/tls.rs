//! `https` and `grpcs`: TLS from the first byte, and only to a collector of a trusted authority.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_testkit::{ANY_PORT, Authority, Background, OtlpReceiver, Security, ServerCertificate};

use crate::support::{LONG, connector, jobs, tracer_to};

#[test]
fn a_private_authority_is_trusted_when_configured_and_only_then() {
    let authority = Authority::new();
    let identity = authority.server(ServerCertificate::Good);
    for scheme in ["https", "grpcs"] {
        let identity = identity.clone();
        let start =
            async move || OtlpReceiver::start_with(ANY_PORT, Security::Tls(&identity)).await;
        let collector = Background::start(start).unwrap();
        let endpoint = format!("{scheme}://{}", collector.addr());

        let stranger = tracer_to(&endpoint, connector(), |config| {
            config.retry_for = std::time::Duration::from_millis(100);
        });
        jobs(&stranger, 2);
        let stats = stranger.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (0, 2), "{stats}");

        let trust = Trust::system_with_ca(authority.ca_pem().as_bytes()).unwrap();
        let guarded = Connector::new(Guard::new(Policy::default()), trust);
        let tracer = tracer_to(&endpoint, guarded, |_| {});
        jobs(&tracer, 2);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (2, 0), "{stats}");
        assert_eq!(collector.spans().len(), 2);
        let over_http2 = collector.requests()[0].path.contains("TraceService");
        assert_eq!(over_http2, scheme == "grpcs");
    }
}

#[test]
fn the_first_bytes_on_the_wire_are_a_client_hello() {
    for scheme in ["https", "grpcs"] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let endpoint = format!("{scheme}://{}", listener.local_addr().unwrap());
        let tracer = tracer_to(&endpoint, connector(), |_| {});
        jobs(&tracer, 1);
        let mut wire = listener.accept().unwrap().0;
        let mut record = [0; 5];
        wire.read_exact(&mut record).unwrap();
        // A record of type handshake (RFC 8446, 5.1) whose message is a ClientHello (4).
        assert_eq!(record[..2], [22, 3], "{scheme}");
        let mut message = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
        wire.read_exact(&mut message).unwrap();
        assert_eq!(message[0], 1, "{scheme}");
        // Nothing follows it before the server has spoken.
        wire.set_nonblocking(true).unwrap();
        let after = wire.read(&mut [0]).unwrap_err();
        assert_eq!(after.kind(), std::io::ErrorKind::WouldBlock, "{scheme}");
        tracer.shutdown(std::time::Duration::ZERO);
    }
}
