//! Which authorities and names TLS accepts.

use std::time::Duration;

use cap_egress::{Guard, Policy, Stage, Trust};
use cap_testkit::{Authority, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Tripwire, connect, greet, host, trust};

/// What the server says, or the refusal.
async fn greeting(server: &Server, to: &str, trust: &Trust) -> Result<String, cap_egress::Error> {
    let mut stream = connect(server, to, trust).await?;
    stream.write_all(b"?").await.unwrap();
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await.unwrap();
    Ok(String::from_utf8(greeting.to_vec()).unwrap())
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_once_it_is_added() {
    let authority = Authority::new();
    let server = greet(&authority, &["relay.example"]).await;

    let error = greeting(&server, "relay.example", &Trust::system().unwrap()).await.unwrap_err();
    assert_eq!(error.stage(), Stage::Tls);
    assert!(error.is_tls() && !error.is_denied() && !error.is_timeout());
    assert!(error.to_string().contains("add that authority's certificate"), "{error}");

    let trust = trust(&authority);
    assert_eq!(greeting(&server, "relay.example", &trust).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = greet(&authority, &["relay.example"]).await;
    let trust = trust(&authority);
    for other in ["other.example", "127.0.0.1"] {
        let error = greeting(&server, other, &trust).await.unwrap_err();
        assert!(error.is_tls());
        assert!(error.to_string().contains("for another name"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_for_an_address_is_accepted_for_that_address() {
    let authority = Authority::new();
    let server = greet(&authority, &["127.0.0.1"]).await;
    let trust = trust(&authority);
    assert_eq!(greeting(&server, "127.0.0.1", &trust).await.unwrap(), "hello");
}

#[tokio::test]
async fn several_authorities_in_one_text_are_all_trusted() {
    let (first, second) = (Authority::new(), Authority::new());
    let text = format!(
        "# first\n{}\r\nsecond:\n{}",
        first.ca_pem(),
        second.ca_pem().replace('\n', "\r\n")
    );
    let trust = Trust::system_with_ca(text.as_bytes()).unwrap();
    for authority in [first, second] {
        let server = greet(&authority, &["relay.example"]).await;
        assert_eq!(greeting(&server, "relay.example", &trust).await.unwrap(), "hello");
    }
    assert!(format!("{trust:?}").contains("added_roots: 2"), "{trust:?}");
}

#[tokio::test]
async fn a_silent_tls_server_ends_with_the_handshake_timeout() {
    let listener = Tripwire::set();
    let guard = Guard::builder(Policy::default())
        .connect_timeout(Duration::from_secs(3600))
        .handshake_timeout(Duration::from_millis(200))
        .build();
    let trust = Trust::system().unwrap();
    let error = guard.connect_tls(&host("127.0.0.1"), listener.port(), &trust).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.stage(), Stage::Tls);
    assert!(error.to_string().contains("200ms"), "{error}");
}

#[tokio::test]
async fn a_denied_address_is_refused_before_tls() {
    let listener = Tripwire::set();
    let guard = Guard::new(Policy::default().with_denied(vec!["127.0.0.1/32".parse().unwrap()]));
    let trust = Trust::system().unwrap();
    let error = guard.connect_tls(&host("127.0.0.1"), listener.port(), &trust).await.unwrap_err();
    assert!(error.is_denied());
    assert!(listener.is_untouched());
}

#[test]
fn a_ca_setting_that_cannot_be_used_says_what_to_paste() {
    let authority = Authority::new();
    let (ca, key) = (authority.ca_pem(), authority.key_pem());
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let marker = "-----BEGIN CERTIFICATE-----\n";
    for (text, advice) in [
        (String::new(), "holds no certificate"),
        ("relay.example".to_owned(), "holds no certificate"),
        (key.clone(), "holds a private key"),
        (format!("{ca}{key}"), "holds a private key"),
        (format!("{ca}{encrypted}"), "holds a private key"),
        (
            format!("{ca}{marker}MIIB!!!\n-----END CERTIFICATE-----\n"),
            "the CA setting has a certificate 2 that is not valid PEM",
        ),
        (
            format!("{marker}AAAA\n-----END CERTIFICATE-----\n"),
            "the CA setting has a certificate 1 that is valid PEM but not a certificate",
        ),
        (ca.replace("-----END CERTIFICATE-----", ""), "not valid PEM"),
        (ca.replace('\n', " "), "with its line breaks"),
        (format!("{ca}# the second: {ca}"), "with their line breaks"),
    ] {
        let error = Trust::system_with_ca(text.as_bytes()).unwrap_err();
        assert!(error.is_tls());
        assert!(error.to_string().contains(advice), "{advice}: {error}");
        assert!(!format!("{error:?}").contains(&key[40..80]), "the key is repeated");
    }
}

#[test]
fn a_ca_text_indented_as_in_yaml_is_read() {
    let ca = Authority::new().ca_pem().replace('\n', "\n    ");
    assert!(Trust::system_with_ca(format!("    {ca}").as_bytes()).is_ok());
}

#[test]
fn a_client_config_offers_the_protocols_it_was_asked_for() {
    let trust = Trust::system().unwrap();
    assert_eq!(
        trust.client_config(&[b"h2", b"http/1.1"]).alpn_protocols,
        [&b"h2"[..], b"http/1.1"]
    );
    assert!(trust.client_config(&[]).alpn_protocols.is_empty());
}
