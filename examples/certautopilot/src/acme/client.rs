//! The client: one attempt is one call of each endpoint, and nothing is retried here; that is the queue's work.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use cap_telemetry::names::ErrorClass;
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Directory, Endpoint, Finalize, Identifier, NewOrder, OrderBody, Revoke};
use crate::failure::Failure;
use crate::outbound::Outbound;

/// The label of the `provider` and the `issuer_type` that this client stands for.
pub(crate) const PROVIDER: &str = "acme";

const ALREADY_REVOKED: &str = "urn:ietf:params:acme:error:alreadyRevoked";

/// A client of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Acme {
    outbound: Outbound,
    directory: Uri,
}

impl Acme {
    /// A client of the provider whose directory is here.
    pub(crate) fn new(outbound: Outbound, directory: Uri) -> Self {
        Acme {
            outbound,
            directory,
        }
    }

    /// Gets the certificate chain for a host name and a signing request, in PEM.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub(crate) async fn obtain(&self, domain: &str, csr: String) -> Result<String, Failure> {
        let directory = self.directory().await?;
        let identifier = Identifier {
            kind: "dns".to_owned(),
            value: domain.to_owned(),
        };
        let order = NewOrder {
            identifiers: vec![identifier],
        };
        let order: OrderBody = self
            .post(Endpoint::NewOrder, &directory.new_order, &order)
            .await
            .and_then(|answer| json(Endpoint::NewOrder, &answer))?;
        let order: OrderBody = self
            .post(Endpoint::Finalize, &order.finalize, &Finalize { csr })
            .await
            .and_then(|answer| json(Endpoint::Finalize, &answer))?;
        let certificate = order
            .certificate
            .ok_or_else(|| unexpected(Endpoint::Finalize, "the order has no certificate"))?;
        let answer = self
            .send(
                Endpoint::Certificate,
                Method::GET,
                &certificate,
                Bytes::new(),
            )
            .await?;
        String::from_utf8(answer.into())
            .map_err(|_| unexpected(Endpoint::Certificate, "the certificate is not PEM"))
    }

    /// Revokes a certificate.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub(crate) async fn revoke(&self, pem: String) -> Result<(), Failure> {
        let directory = self.directory().await?;
        let body = Revoke { certificate: pem };
        match self
            .post(Endpoint::Revoke, &directory.revoke_cert, &body)
            .await
        {
            // Whoever asked before was cut off, and asks again.
            Err(failure) if failure.problem.as_deref() == Some(ALREADY_REVOKED) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    async fn directory(&self) -> Result<Directory, Failure> {
        let url = self.directory.to_string();
        let answer = self
            .send(Endpoint::Directory, Method::GET, &url, Bytes::new())
            .await?;
        json(Endpoint::Directory, &answer)
    }

    async fn post(
        &self,
        endpoint: Endpoint,
        url: &str,
        body: &impl Serialize,
    ) -> Result<Bytes, Failure> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| unexpected(endpoint, &error.to_string()))?;
        self.send(endpoint, Method::POST, url, body.into()).await
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        method: Method,
        url: &str,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(
                ACCEPT,
                "application/json, application/pem-certificate-chain",
            )
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| unexpected(endpoint, "the URL that the provider gave is none"))?;
        self.outbound
            .call(PROVIDER, endpoint.as_str(), request)
            .await
    }
}

fn json<T: DeserializeOwned>(endpoint: Endpoint, answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer).map_err(|error| unexpected(endpoint, &error.to_string()))
}

fn unexpected(endpoint: Endpoint, what: &str) -> Failure {
    let message = format!("{PROVIDER} {endpoint}: {what}");
    Failure::new(ErrorClass::IoPermanent, message)
}
