//! The connector under hyper's client.

use std::time::Duration;

use bytes::Bytes;
use cap_egress::{Connector, Error, Guard, Policy, Trust};
use cap_testkit::{ANY_PORT, Authority, Security, Server};
use http::{Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::support::{Script, Tripwire, ips, trust};

type Body = Empty<Bytes>;

fn client(connector: Connector) -> Client<Connector, Body> {
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
        let mut response = Response::new(request.uri().path().to_owned());
        if request.uri().path() == "/moved" {
            *response.status_mut() = StatusCode::FOUND;
            let location = "http://169.254.169.254/latest/meta-data/".parse().unwrap();
            response.headers_mut().insert(http::header::LOCATION, location);
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Answers every request with its path.
async fn serve(tls: Option<TlsAcceptor>) -> Server {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    Server::start(listener, tls, answer).unwrap()
}

async fn get(client: &Client<Connector, Body>, uri: &str) -> (StatusCode, String) {
    let response = client.get(uri.parse().unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_client_reaches_an_http_server_through_the_guard() {
    let server = serve(None).await;
    let port = server.addr().port();
    let client = client(Connector::new(Guard::new(Policy::default()), Trust::system().unwrap()));
    for host in ["127.0.0.1", "localhost", "0x7f.1"] {
        let answer = get(&client, &format!("http://{host}:{port}/v1/traces")).await;
        assert_eq!(answer, (StatusCode::OK, "/v1/traces".to_owned()));
    }
}

#[tokio::test]
async fn a_client_reaches_an_https_server_of_a_trusted_authority_only() {
    let authority = Authority::new();
    let server =
        serve(Security::Tls(&authority.server_for(&["localhost"])).acceptor(&[b"http/1.1"])).await;
    let port = server.addr().port();
    let uri = format!("https://localhost:{port}/v1/traces");
    let guard = Guard::new(Policy::default());

    let trust = trust(&authority);
    let answer = get(&client(Connector::new(guard.clone(), trust)), &uri).await;
    assert_eq!(answer, (StatusCode::OK, "/v1/traces".to_owned()));

    let stranger = client(Connector::new(guard, Trust::system().unwrap()));
    let error = stranger.get(uri.parse().unwrap()).await.unwrap_err();
    assert!(ours(&error).is_tls());
}

#[tokio::test]
async fn a_connector_that_offers_h2_tells_the_client_what_was_agreed() {
    use hyper_util::client::legacy::connect::Connection;

    let authority = Authority::new();
    let server =
        serve(Security::Tls(&authority.server_for(&["localhost"])).acceptor(&[b"h2"])).await;
    let port = server.addr().port();
    let trust = trust(&authority);
    let connector = Connector::new(Guard::new(Policy::default()), trust);
    let uri: Uri = format!("https://localhost:{port}").parse().unwrap();

    let error = connector.clone().call(uri.clone()).await.unwrap_err();
    assert!(error.is_tls(), "only HTTP/1.1 is offered by default");

    let stream = connector.with_alpn(&[b"h2"]).call(uri).await.unwrap();
    assert!(stream.connected().is_negotiated_h2());
}

#[tokio::test]
async fn a_client_learns_why_the_guard_refused_and_nothing_is_sent() {
    let listener = Tripwire::set();
    let answers = ips(&["127.0.0.1", "169.254.169.254"]);
    let guard = Guard::builder(Policy::default()).resolver(Script::answering([answers])).build();
    let client = client(Connector::new(guard.clone(), Trust::system().unwrap()));

    let uri: Uri = format!("http://relay.example:{}/", listener.port()).parse().unwrap();
    let outcome = tokio::time::timeout(Duration::from_secs(10), client.get(uri)).await;
    let error = outcome.expect("the listener never answers").unwrap_err();
    assert!(ours(&error).is_denied());
    assert!(listener.is_untouched());
    assert_eq!(guard.denials().values().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_redirect_to_the_metadata_address_is_not_followed() {
    let server = serve(None).await;
    let port = server.addr().port();
    let guard = Guard::new(Policy::default());
    let client = client(Connector::new(guard.clone(), Trust::system().unwrap()));
    let (status, _) = get(&client, &format!("http://127.0.0.1:{port}/moved")).await;
    assert_eq!(status, StatusCode::FOUND);
    assert!(guard.denials().values().all(|count| *count == 0), "the redirect was followed");
}

#[tokio::test]
async fn an_unknown_scheme_is_an_error_that_says_what_to_write() {
    let mut connector = Connector::new(Guard::new(Policy::default()), Trust::system().unwrap());
    let error = connector.call("ftp://127.0.0.1".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a URI that starts with ftp:// cannot be connected to; write http:// or https://"
    );
}

/// The guard's error inside the client's.
fn ours<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a Error {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref()).unwrap()
}
