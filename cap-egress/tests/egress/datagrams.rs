//! UDP sockets behind the same policy.

use std::io::ErrorKind;

use cap_egress::{DenialClass, Guard, Policy, Stage};
use tokio::net::UdpSocket;

use crate::support::{LOOPBACK, Script, host, ips};

#[tokio::test]
async fn datagrams_reach_the_checked_address_of_either_family() {
    for written in ["127.0.0.1", "[::1]"] {
        let to = host(written);
        let receiver = UdpSocket::bind((to.as_ip().unwrap(), 0)).await.unwrap();
        let port = receiver.local_addr().unwrap().port();
        let sender = Guard::new(Policy::default()).connect_udp(&to, port).await.unwrap();
        sender.send(b"record").await.unwrap();
        let mut received = [0; 16];
        let (length, _) = receiver.recv_from(&mut received).await.unwrap();
        assert_eq!(&received[..length], b"record");
    }
}

#[tokio::test]
async fn a_denied_target_gets_no_udp_socket_in_any_spelling() {
    let guard = Guard::builder(Policy::default())
        .resolver(Script::answering([
            ips(&["169.254.169.254"]),
            ips(&["127.0.0.1", "::ffff:169.254.169.254"]),
        ]))
        .build();
    for written in [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "relay.example",
        "relay.example",
    ] {
        let error = guard.connect_udp(&host(written), 514).await.unwrap_err();
        assert_eq!(error.stage(), Stage::Policy, "{written}");
        assert_eq!(error.denial().unwrap().class(), DenialClass::Metadata);
    }
}

#[tokio::test]
async fn a_closed_port_is_noticed_on_the_connected_socket() {
    let unused = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let port = unused.local_addr().unwrap().port();
    drop(unused);
    let guard = Guard::new(Policy::default());
    let sender = guard.connect_udp(&host("127.0.0.1"), port).await.unwrap();
    sender.send(b"record").await.unwrap();
    let refused = sender.recv(&mut [0; 1]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
