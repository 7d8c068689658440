//! The endpoints.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;

use super::authority::{Authority, VALIDITY};
use super::calls::Calls;
use super::faults::{Effect, Fault, Faults, Refusal};
use super::injection::Injection;
use super::orders::Orders;
use crate::acme::wire::{Directory, Endpoint, Finalize, NewOrder, OrderBody, Problem, Revoke};

#[derive(Debug)]
pub(super) struct Provider {
    base: String,
    authority: Authority,
    orders: Orders,
    faults: Faults,
    calls: Calls,
}

impl Provider {
    pub(super) fn new(base: &str) -> Result<Self, rcgen::Error> {
        Ok(Provider {
            base: base.to_owned(),
            authority: Authority::new()?,
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

    /// Applies faults around an answer, and records the call.
    async fn answer(
        &self,
        endpoint: Endpoint,
        identifier: Option<String>,
        headers: &HeaderMap,
        answer: impl FnOnce(&Effect) -> Response + Send,
    ) -> Response {
        let effect = self.faults.apply(endpoint, identifier.as_deref());
        tokio::time::sleep(effect.latency).await;
        let response = match &effect.refusal {
            Some(refusal) => refused(refusal),
            None => answer(&effect),
        };
        self.calls
            .record(endpoint, identifier, headers, response.status());
        response
    }
}

pub(super) fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/directory", get(directory))
        .route("/new-order", post(new_order))
        .route("/order/{id}/finalize", post(finalize))
        .route("/certificate/{id}", get(certificate))
        .route("/revoke-cert", post(revoke))
        .route("/inject", post(inject))
        .with_state(provider)
}

type Shared = State<Arc<Provider>>;

async fn directory(State(provider): Shared, headers: HeaderMap) -> Response {
    let body = Directory {
        new_order: provider.url("/new-order"),
        revoke_cert: provider.url("/revoke-cert"),
    };
    let answer = |_: &Effect| Json(body).into_response();
    provider
        .answer(Endpoint::Directory, None, &headers, answer)
        .await
}

async fn new_order(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let name = parse::<NewOrder>(&body).and_then(|order| match &order.identifiers[..] {
        [only] if only.kind == "dns" => Ok(only.value.clone()),
        _ => Err("one identifier of type dns, please".to_owned()),
    });
    let identifier = name.as_ref().ok().cloned();
    let answer = |_: &Effect| match name {
        Ok(name) => {
            let id = provider.orders.open(name);
            let location = [(LOCATION, provider.url(&format!("/order/{id}")))];
            let body = provider.order_body(&id, "ready");
            (StatusCode::CREATED, location, Json(body)).into_response()
        }
        Err(detail) => problem(400, "malformed", &detail),
    };
    provider
        .answer(Endpoint::NewOrder, identifier, &headers, answer)
        .await
}

async fn finalize(
    State(provider): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let name = provider.orders.name(&id);
    let identifier = name.clone();
    let answer = |effect: &Effect| {
        let Some(name) = name else {
            return problem(404, "malformed", "no such order");
        };
        let valid_for = effect.valid_for.unwrap_or(VALIDITY);
        let signed = parse::<Finalize>(&body)
            .and_then(|request| provider.authority.sign(&request.csr, &name, valid_for));
        match signed {
            Ok(pem) => {
                provider.orders.issued(&id, pem);
                Json(provider.order_body(&id, "valid")).into_response()
            }
            Err(detail) => problem(400, "badCSR", &detail),
        }
    };
    provider
        .answer(Endpoint::Finalize, identifier, &headers, answer)
        .await
}

async fn certificate(
    State(provider): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let identifier = provider.orders.name(&id);
    let answer = |_: &Effect| match provider.orders.fetch(&id) {
        Some(pem) => ([(CONTENT_TYPE, "application/pem-certificate-chain")], pem).into_response(),
        None => problem(404, "malformed", "no such certificate"),
    };
    provider
        .answer(Endpoint::Certificate, identifier, &headers, answer)
        .await
}

async fn revoke(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let request = parse::<Revoke>(&body);
    let pem = request
        .map(|request| request.certificate)
        .unwrap_or_default();
    let identifier = provider.orders.holder(&pem);
    let known = identifier.is_some();
    let answer = |_: &Effect| {
        if known {
            provider.orders.revoke(&pem);
            StatusCode::OK.into_response()
        } else {
            problem(
                400,
                "alreadyRevoked",
                "no such certificate, or it is revoked already",
            )
        }
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
        Err(detail) => problem(400, "malformed", &detail),
    }
}

impl Provider {
    fn order_body(&self, id: &str, status: &str) -> OrderBody {
        let issued = status == "valid";
        OrderBody {
            status: status.to_owned(),
            finalize: self.url(&format!("/order/{id}/finalize")),
            certificate: issued.then(|| self.url(&format!("/certificate/{id}"))),
        }
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
    let mut response = problem(refusal.status, kind, "this fault was asked for");
    if let Some(after) = refusal.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, after.as_secs().into());
    }
    response
}

fn problem(status: u16, kind: &str, detail: &str) -> Response {
    let body = Problem {
        kind: format!("urn:ietf:params:acme:error:{kind}"),
        detail: detail.to_owned(),
        status,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(CONTENT_TYPE, "application/problem+json")];
    (status, content_type, Json(body)).into_response()
}
