//! The names of TLS failures, and clients that show a certificate.

use std::sync::Arc;

use cap_egress::{ClientIdentity, Guard, Policy, TlsProblem, Trust};
use cap_testkit::tls::server_config;
use cap_testkit::{Authority, Identity, Security, Server, ServerCertificate};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{LOOPBACK, client, greet_with, host, trust};

/// The answer of a server at 127.0.0.1, or the problem of the handshake or of the first read.
async fn hello(port: u16, trust: &Trust) -> Result<String, (TlsProblem, String)> {
    let guard = Guard::new(Policy::default());
    let connected = guard.connect_tls(&host("127.0.0.1"), port, trust).await;
    let mut stream = connected.map_err(|error| {
        let problem = error.tls_problem().expect("a TLS problem");
        assert!(error.to_string().ends_with(problem.hint()), "{error}");
        assert_eq!(TlsProblem::find(&error), Some(problem));
        (problem, error.to_string())
    })?;
    let mut answer = String::new();
    let talk = async {
        stream.write_all(b"?").await?;
        stream.read_to_string(&mut answer).await
    };
    match talk.await {
        Ok(_) => Ok(answer),
        Err(error) => Err((TlsProblem::find(&error).expect("a TLS problem"), error.to_string())),
    }
}

async fn serve_as(identity: &Identity) -> Server {
    greet_with(Security::Tls(identity).acceptor(&[]).unwrap()).await
}

#[tokio::test]
async fn each_flaw_of_a_certificate_has_its_own_tls_problem() {
    let authority = Authority::new();
    let trust = trust(&authority);
    let stranger = Authority::new();
    for (served, expected) in [
        (authority.server(ServerCertificate::Expired), TlsProblem::Expired),
        (authority.server(ServerCertificate::NotYetValid), TlsProblem::NotYetValid),
        (authority.server_for(&["relay.example"]), TlsProblem::WrongName),
        (authority.server_for(&["127.0.0.2"]), TlsProblem::WrongName),
        (stranger.server_for(&["127.0.0.1"]), TlsProblem::UnknownAuthority),
        (authority.server(ServerCertificate::SelfSigned), TlsProblem::SelfSigned),
        (authority.server(ServerCertificate::SelfSignedAuthority), TlsProblem::SelfSigned),
    ] {
        let server = serve_as(&served).await;
        assert_eq!(hello(server.addr().port(), &trust).await.unwrap_err().0, expected);
    }
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_ca_setting_is_accepted() {
    let appliance = Authority::new().server(ServerCertificate::SelfSigned);
    let server = serve_as(&appliance).await;
    let trust = Trust::system_with_ca(appliance.chain_pem.as_bytes()).unwrap();
    assert_eq!(hello(server.addr().port(), &trust).await.unwrap(), "hello");
}

#[tokio::test]
async fn trust_in_one_self_signed_certificate_covers_no_other() {
    let [trusted, served] =
        [(); 2].map(|()| Authority::new().server(ServerCertificate::SelfSigned));
    let trust = Trust::system_with_ca(trusted.chain_pem.as_bytes()).unwrap();
    let server = serve_as(&served).await;
    assert!(hello(server.addr().port(), &trust).await.is_err(), "same name, other key");
}

#[tokio::test]
async fn mutual_tls_needs_a_client_certificate_of_the_authority() {
    let authority = Authority::new();
    let trust = trust(&authority);
    let (own, strangers) = (client(&authority), client(&Authority::new()));
    // TLS 1.2 has no such alert. This server, like Go's, sends certificate_required anyway.
    for version in [&TLS12, &TLS13] {
        let shown = authority.server(ServerCertificate::Good);
        let config = server_config(&shown, Some(&authority), &[version]);
        let server = greet_with(TlsAcceptor::from(Arc::new(config))).await;
        let port = server.addr().port();
        let without = hello(port, &trust).await.unwrap_err().0;
        assert_eq!(without, TlsProblem::ClientCertificateRequired);
        let refused = hello(port, &trust.clone().with_client_identity(&strangers)).await;
        assert_eq!(refused.unwrap_err().0, TlsProblem::ClientCertificateRefused);
        let accepted = hello(port, &trust.clone().with_client_identity(&own)).await;
        assert_eq!(accepted.unwrap(), "hello", "{version:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_tls_differs_from_a_hang_up() {
    let trust = Trust::system().unwrap();
    for (says, expected) in
        [(&b"220 mail.example ESMTP\r\n"[..], TlsProblem::NotTls), (b"", TlsProblem::BrokenOff)]
    {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(says).await.unwrap();
            stream.shutdown().await.unwrap();
            // Reads until the client is gone, because unread bytes would turn the close into a
            // reset.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        };
        let (refused, ()) = tokio::join!(hello(port, &trust), server);
        assert_eq!(refused.unwrap_err().0, expected);
    }
}

#[test]
fn an_error_that_is_not_about_tls_has_no_tls_problem() {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    assert_eq!(TlsProblem::find(&reset), None);
}

#[test]
fn an_expired_authority_is_named() {
    let (authority, old) = (Authority::new(), Authority::expired("the old authority"));
    let text = format!("{}{}", authority.ca_pem(), old.ca_pem());
    let said = Trust::system_with_ca(text.as_bytes()).unwrap_err().to_string();
    assert!(
        said.contains("certificate 2")
            && said.contains("CN=the old authority) expired at 2020-01-02"),
        "{said}"
    );
}

#[test]
fn a_client_certificate_that_cannot_be_used_says_what_to_paste() {
    let authority = Authority::new();
    let [client, other] = [(); 2].map(|()| authority.client("client.example"));
    let (chain, key) = (&client.chain_pem, &client.key_pem);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let mangled = key.replace("\n-----END", "!\n-----END");
    for (chain, key, advice) in [
        ("", key.as_str(), "the client certificate setting holds no certificate"),
        (key, key, "the client certificate setting holds a private key"),
        (&authority.server(ServerCertificate::Expired).chain_pem, key, "expired at 2020-01-02"),
        (chain, "", "the client key setting holds no private key"),
        (chain, chain, "the client key setting holds a certificate"),
        (chain, &encrypted, "encrypted key"),
        (chain, &mangled, "not valid PEM"),
        (chain, &other.key_pem, "not that of the first client certificate"),
    ] {
        let error = ClientIdentity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(error.is_tls() && said.contains(advice), "{advice}: {said}");
        let secret = key.lines().nth(1).filter(|line| !line.is_empty());
        assert!(secret.is_none_or(|secret| !said.contains(secret)), "{said}");
    }
    let indented = key.replace('\n', "\n  ");
    let identity = ClientIdentity::from_pem(chain.as_bytes(), indented.as_bytes()).unwrap();
    assert_eq!(format!("{identity:?}"), "ClientIdentity { certificates: 1, .. }");
}
