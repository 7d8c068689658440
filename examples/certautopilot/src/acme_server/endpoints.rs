//! The endpoints.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use axum::{Json, Router};
use cap_telemetry::trace::{TraceLayer, Tracing};
use serde::de::DeserializeOwned;

use super::authority::{Authority, VALIDITY};
use super::calls::Calls;
use super::faults::{Effect, Fault, Faults, Refusal};
use super::injection::Injection;
use super::orders::{Holder, Orders};
use super::signed::{Refused, Signed, Signers, decoded, malformed};
use super::wire::{
    Authorization, Challenge, Directory, Finalize, Identifier, NewOrder, Order, Problem, Revoke,
};
use crate::acme::{self, Endpoint};

#[derive(Debug)]
pub(super) struct Provider {
    base: String,
    authority: Authority,
    signers: Signers,
    orders: Orders,
    faults: Faults,
    calls: Calls,
}

impl Provider {
    pub(super) fn new(base: &str) -> Result<Self, rcgen::Error> {
        Ok(Provider {
            base: base.to_owned(),
            authority: Authority::new()?,
            signers: Signers::default(),
            orders: Orders::default(),
            faults: Faults::default(),
            calls: Calls::default(),
        })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn authority(&self) -> &str {
        self.authority.pem()
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Applies faults around an answer, gives it a nonce (RFC 8555, section 6.5), and records the call.
    async fn answer(
        &self,
        endpoint: Endpoint,
        identifier: Option<String>,
        headers: &HeaderMap,
        answer: impl FnOnce(&Effect) -> Result<Response, Refused> + Send,
    ) -> Response {
        let effect = self.faults.apply(endpoint, identifier.as_deref());
        tokio::time::sleep(effect.latency).await;
        let mut response = match &effect.refusal {
            Some(refusal) => refused(refusal),
            None => answer(&effect).unwrap_or_else(|refused| problem(&refused)),
        };
        if let Ok(nonce) = HeaderValue::from_str(&self.signers.nonce()) {
            response.headers_mut().insert("replay-nonce", nonce);
        }
        self.calls
            .record(endpoint, identifier, headers, response.status());
        response
    }

    fn open(&self, path: &str, body: &[u8]) -> Result<Signed, Refused> {
        self.signers.open(&self.url(path), body)
    }

    /// An order of the signer's, as it stands.
    fn order(&self, id: &str, signed: &Signed) -> Result<Order, Refused> {
        let (name, status) = self.orders.find(id, &signed.account)?;
        let certificate = (status == "valid").then(|| self.url(&format!("/certificate/{id}")));
        Ok(Order {
            status,
            identifiers: [dns(name)],
            authorizations: [self.url(&format!("/authorization/{id}"))],
            finalize: self.url(&format!("/order/{id}/finalize")),
            certificate,
        })
    }

    fn challenge(&self, id: &str, status: &'static str) -> Challenge {
        Challenge {
            kind: "dns-01",
            url: self.url(&format!("/challenge/{id}")),
            status,
            token: id.to_owned(),
        }
    }
}

pub(super) fn router(provider: Arc<Provider>, tracing: Tracing) -> Router {
    Router::new()
        .route("/directory", get(directory))
        .route("/new-nonce", head(nonce))
        .route("/new-account", post(new_account))
        .route("/new-order", post(new_order))
        .route("/order/{id}", post(order))
        .route("/order/{id}/finalize", post(finalize))
        .route("/authorization/{id}", post(authorization))
        .route("/challenge/{id}", post(challenge))
        .route("/certificate/{id}", post(certificate))
        .route("/revoke-cert", post(revoke))
        .route("/inject", post(inject))
        .layer(TraceLayer::new(tracing))
        .with_state(provider)
}

type Shared = State<Arc<Provider>>;
/// A request about an order, by its id.
type OfOrder = (Shared, Path<String>, HeaderMap, Bytes);

async fn directory(State(provider): Shared, headers: HeaderMap) -> Response {
    let body = Directory {
        new_nonce: provider.url("/new-nonce"),
        new_account: provider.url("/new-account"),
        new_order: provider.url("/new-order"),
        revoke_cert: provider.url("/revoke-cert"),
    };
    let answer = |_: &Effect| Ok(Json(body).into_response());
    provider
        .answer(Endpoint::Directory, None, &headers, answer)
        .await
}

async fn nonce(State(provider): Shared, headers: HeaderMap) -> Response {
    let answer = |_: &Effect| Ok(StatusCode::OK.into_response());
    provider
        .answer(Endpoint::NewNonce, None, &headers, answer)
        .await
}

async fn new_account(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let answer = |_: &Effect| {
        let accounts = provider.url("/account");
        let registered = provider
            .signers
            .register(&provider.url("/new-account"), &accounts, &body);
        let (account, new) = registered?;
        let status = match new {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        let body = Json(serde_json::json!({ "status": "valid" }));
        Ok((status, [(LOCATION, account)], body).into_response())
    };
    provider
        .answer(Endpoint::NewAccount, None, &headers, answer)
        .await
}

async fn new_order(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let wanted = provider.open("/new-order", &body).and_then(|signed| {
        let order: NewOrder = signed.payload()?;
        match &order.identifiers[..] {
            [only] if only.kind == "dns" => Ok((signed, only.value.clone())),
            _ => Err(malformed("one identifier of type dns, please")),
        }
    });
    let identifier = wanted.as_ref().ok().map(|(_, name)| name.clone());
    let answer = |_: &Effect| {
        let (signed, name) = wanted?;
        let account = signed.account.clone();
        let id = provider.orders.open(Holder { account, name });
        let location = [(LOCATION, provider.url(&format!("/order/{id}")))];
        let order = provider.order(&id, &signed)?;
        Ok((StatusCode::CREATED, location, Json(order)).into_response())
    };
    provider
        .answer(Endpoint::NewOrder, identifier, &headers, answer)
        .await
}

async fn order((State(provider), Path(id), headers, body): OfOrder) -> Response {
    let answer = |_: &Effect| {
        let signed = provider.open(&format!("/order/{id}"), &body)?;
        Ok(Json(provider.order(&id, &signed)?).into_response())
    };
    let name = provider.orders.name(&id);
    provider
        .answer(Endpoint::Order, name, &headers, answer)
        .await
}

async fn authorization((State(provider), Path(id), headers, body): OfOrder) -> Response {
    let answer = |_: &Effect| {
        let signed = provider.open(&format!("/authorization/{id}"), &body)?;
        let (name, order) = provider.orders.find(&id, &signed.account)?;
        let status = match order {
            "pending" => "pending",
            _ => "valid",
        };
        let below = name.strip_prefix("*.");
        let body = Authorization {
            identifier: dns(below.unwrap_or(&name).to_owned()),
            status,
            challenges: [provider.challenge(&id, status)],
            wildcard: below.is_some(),
        };
        Ok(Json(body).into_response())
    };
    let name = provider.orders.name(&id);
    provider
        .answer(Endpoint::Authorization, name, &headers, answer)
        .await
}

/// There is nobody to ask whether the proof is in place: it is taken for given.
async fn challenge((State(provider), Path(id), headers, body): OfOrder) -> Response {
    let answer = |_: &Effect| {
        let signed = provider.open(&format!("/challenge/{id}"), &body)?;
        provider.orders.find(&id, &signed.account)?;
        provider.orders.authorize(&id);
        Ok(Json(provider.challenge(&id, "valid")).into_response())
    };
    let name = provider.orders.name(&id);
    provider
        .answer(Endpoint::Challenge, name, &headers, answer)
        .await
}

async fn finalize((State(provider), Path(id), headers, body): OfOrder) -> Response {
    let answer = |effect: &Effect| {
        let signed = provider.open(&format!("/order/{id}/finalize"), &body)?;
        let (name, status) = provider.orders.find(&id, &signed.account)?;
        if status != "ready" {
            return Err((403, "orderNotReady", format!("the order is {status}")));
        }
        let csr = decoded(&signed.payload::<Finalize>()?.csr)?;
        let valid_for = effect.valid_for.unwrap_or(VALIDITY);
        let pem = provider.authority.sign(&csr, &name, valid_for);
        let pem = pem.map_err(|detail| (400, "badCSR", detail))?;
        provider.orders.issued(&id, pem);
        Ok(Json(provider.order(&id, &signed)?).into_response())
    };
    let name = provider.orders.name(&id);
    provider
        .answer(Endpoint::Finalize, name, &headers, answer)
        .await
}

async fn certificate((State(provider), Path(id), headers, body): OfOrder) -> Response {
    let identifier = provider.orders.name(&id);
    let answer = |_: &Effect| {
        let signed = provider.open(&format!("/certificate/{id}"), &body)?;
        let pem = provider.orders.fetch(&id, &signed.account);
        let pem = pem.ok_or_else(|| (404, "malformed", "no such certificate".to_owned()))?;
        let content_type = [(CONTENT_TYPE, "application/pem-certificate-chain")];
        Ok((content_type, pem).into_response())
    };
    provider
        .answer(Endpoint::Certificate, identifier, &headers, answer)
        .await
}

async fn revoke(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let wanted = provider.open("/revoke-cert", &body).and_then(|signed| {
        let der = decoded(&signed.payload::<Revoke>()?.certificate)?;
        Ok((signed.account, acme::fingerprint_of(&der)))
    });
    let holder = match &wanted {
        Ok((account, fingerprint)) => {
            let holder = provider.orders.holder(fingerprint);
            holder.filter(|holder| holder.account == *account)
        }
        Err(_) => None,
    };
    let identifier = holder.map(|holder| holder.name);
    let known = identifier.is_some();
    let answer = |_: &Effect| {
        let (_, fingerprint) = wanted?;
        if !known {
            let detail = "no such certificate of this account, or it is revoked already";
            return Err((400, "alreadyRevoked", detail.to_owned()));
        }
        provider.orders.revoke(&fingerprint);
        Ok(StatusCode::OK.into_response())
    };
    provider
        .answer(Endpoint::Revoke, identifier, &headers, answer)
        .await
}

async fn inject(State(provider): Shared, body: Bytes) -> Response {
    match parse::<Injection>(&body).and_then(Fault::try_from) {
        Ok(fault) => {
            provider.faults.inject(fault);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(detail) => problem(&(400, "malformed", detail)),
    }
}

fn dns(value: String) -> Identifier {
    Identifier {
        kind: "dns".to_owned(),
        value,
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn refused(refusal: &Refusal) -> Response {
    let kind = match refusal.status {
        429 => "rateLimited",
        401 | 403 => "unauthorized",
        _ => "serverInternal",
    };
    let detail = "this fault was asked for".to_owned();
    let mut response = problem(&(refusal.status, kind, detail));
    if let Some(after) = refusal.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, after.as_secs().into());
    }
    response
}

fn problem((status, kind, detail): &Refused) -> Response {
    let body = Problem {
        kind: format!("urn:ietf:params:acme:error:{kind}"),
        detail: detail.clone(),
        status: *status,
    };
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(CONTENT_TYPE, "application/problem+json")];
    (status, content_type, Json(body)).into_response()
}
