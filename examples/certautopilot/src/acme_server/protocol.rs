//! The protocol, as far as a client needs it: one handler, since a path is an operation's name
//! and the id of an order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};

use super::fault::{Fault, apply, parse};
use crate::acme::Endpoint;
use crate::ids;
use crate::sync::lock;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Clocks that run behind accept a new certificate.
const BACKDATED: Duration = Duration::from_secs(3600);
const REMEMBERED_CALLS: usize = 10_000;

/// An error of RFC 8555, section 6.7: the status, the end of the type, and the detail.
type Refusal = (u16, &'static str, String);

/// One answered call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation.
    pub endpoint: Endpoint,
    /// The host name it was about, where it was about one.
    pub identifier: Option<String>,
    /// The answer.
    pub status: u16,
    /// The header of W3C Trace Context.
    pub traceparent: Option<String>,
    /// The header of W3C Baggage, which a third party should never get to see.
    pub baggage: Option<String>,
}

#[derive(Debug)]
pub(super) struct Provider {
    base: String,
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
    state: Mutex<Known>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    accounts: HashSet<String>,
    /// By id: the host name, and the certificate once it is issued.
    orders: HashMap<String, (String, Option<String>)>,
    /// The host names that need no proof any more.
    proven: HashSet<String>,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: VecDeque<Call>,
}

impl Provider {
    pub(super) fn new(base: String) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Reference service test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(3650 * DAY);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { base, pem, issuer: Issuer::new(params, key), state: Mutex::default() })
    }

    pub(super) fn url(&self, endpoint: &str, order: &str) -> String {
        let separator = if order.is_empty() { "" } else { "/" };
        format!("{}/{endpoint}{separator}{order}", self.base)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Known> {
        lock(&self.state)
    }

    fn perform(
        &self,
        endpoint: Endpoint,
        id: &str,
        signed: &Signed,
        valid_for: Option<Duration>,
    ) -> Result<Response, Refusal> {
        use Endpoint::{Authorization, Certificate, Challenge, Directory, Finalize};
        use Endpoint::{NewAccount, NewNonce, NewOrder, Order, Revoke};
        let mut state = self.state();
        if endpoint == NewAccount {
            let account = self.url("account", &ids::new("acc"));
            state.accounts.insert(account.clone());
            let body = Json(json!({ "status": "valid" }));
            return Ok((StatusCode::CREATED, [(LOCATION, account)], body).into_response());
        }
        let public = matches!(endpoint, Directory | NewNonce);
        if !public && !state.accounts.contains(&signed.account) {
            return Err((400, "accountDoesNotExist", format!("no account {:?}", signed.account)));
        }
        if endpoint == NewOrder {
            let name = signed.name().ok_or((400, "malformed", "no identifier".to_owned()))?;
            let id = ids::new("ord");
            state.orders.insert(id.clone(), (name, None));
            let (location, order) = (self.url("order", &id), self.order(&state, &id)?);
            return Ok((StatusCode::CREATED, [(LOCATION, location)], order).into_response());
        }
        let challenge = |status| {
            let url = self.url("challenge", id);
            json!({ "type": "dns-01", "url": url, "status": status, "token": id })
        };
        Ok(match endpoint {
            Directory => Json(json!({
                "newNonce": self.url("new-nonce", ""),
                "newAccount": self.url("new-account", ""),
                "newOrder": self.url("new-order", ""),
                "revokeCert": self.url("revoke-cert", ""),
            }))
            .into_response(),
            NewNonce | Revoke => StatusCode::OK.into_response(),
            Order => self.order(&state, id)?.into_response(),
            Authorization => {
                let (name, _) = state.find(id)?;
                let status = if state.proven.contains(name) { "valid" } else { "pending" };
                let host = name.strip_prefix("*.").unwrap_or(name);
                Json(json!({
                    "identifier": { "type": "dns", "value": host },
                    "wildcard": host != name,
                    "status": status,
                    "challenges": [challenge(status)],
                }))
                .into_response()
            }
            Challenge => {
                let (name, _) = state.find(id)?.clone();
                state.proven.insert(name);
                Json(challenge("valid")).into_response()
            }
            Finalize => {
                let (name, _) = state.find(id)?.clone();
                if !state.proven.contains(&name) {
                    return Err((403, "orderNotReady", format!("{name} is not proven")));
                }
                let pem = self.sign(signed, valid_for.unwrap_or(90 * DAY));
                let pem = pem.ok_or((400, "badCSR", "not a signing request".to_owned()))?;
                state.orders.insert(id.to_owned(), (name, Some(pem)));
                self.order(&state, id)?.into_response()
            }
            Certificate => {
                let (_, pem) = state.orders.remove(id).unwrap_or_default();
                let pem = pem.ok_or((404, "malformed", "no such certificate".to_owned()))?;
                ([(CONTENT_TYPE, "application/pem-certificate-chain")], pem).into_response()
            }
            NewAccount | NewOrder | Endpoint::Unknown => StatusCode::NOT_FOUND.into_response(),
        })
    }

    fn order(&self, state: &Known, id: &str) -> Result<Json<Value>, Refusal> {
        let (name, pem) = state.find(id)?;
        let status = match pem {
            Some(_) => "valid",
            None if state.proven.contains(name) => "ready",
            None => "pending",
        };
        let mut order = json!({
            "status": status,
            "identifiers": [{ "type": "dns", "value": name }],
            "authorizations": [self.url("authorization", id)],
            "finalize": self.url("finalize", id),
        });
        if status == "valid" {
            order["certificate"] = self.url("certificate", id).into();
        }
        Ok(Json(order))
    }

    fn sign(&self, signed: &Signed, valid_for: Duration) -> Option<String> {
        let csr = BASE64.decode(signed.payload["csr"].as_str()?).ok()?;
        let mut csr = CertificateSigningRequestParams::from_der(&csr.into()).ok()?;
        (csr.params.not_before, csr.params.not_after) = validity(valid_for);
        Some(csr.signed_by(&self.issuer).ok()?.pem() + &self.pem)
    }
}

impl Known {
    fn find(&self, id: &str) -> Result<&(String, Option<String>), Refusal> {
        self.orders.get(id).ok_or_else(|| (404, "malformed", "no such order".to_owned()))
    }
}

/// What a request says (RFC 8555, section 6.2). Whoever sends it is taken at their word.
#[derive(Debug, Default)]
struct Signed {
    account: String,
    payload: Value,
}

impl Signed {
    fn parse(body: &[u8]) -> Self {
        let jws: Value = serde_json::from_slice(body).unwrap_or_default();
        let part = |name: &str| -> Value {
            let bytes = BASE64.decode(jws[name].as_str().unwrap_or_default());
            serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default()
        };
        let account = part("protected")["kid"].as_str().unwrap_or_default().to_owned();
        Self { account, payload: part("payload") }
    }

    /// The host name that an order is for.
    fn name(&self) -> Option<String> {
        Some(self.payload["identifiers"][0]["value"].as_str()?.to_owned())
    }
}

/// Applies faults around an answer, gives it a nonce (RFC 8555, section 6.5), and records the
/// call.
pub(super) async fn answer(
    State(provider): State<Arc<Provider>>,
    Path(path): Path<Vec<String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (operation, id) = (&path[0], path.get(1).map_or("", String::as_str));
    let Ok(endpoint) = operation.parse::<Endpoint>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let signed = Signed::parse(&body);
    let known = provider.state().orders.get(id).map(|(name, _)| name.clone());
    let identifier = known.or_else(|| signed.name());
    let effect = apply(&mut provider.state().faults, endpoint, identifier.as_deref());
    tokio::time::sleep(effect.latency).await;
    let mut response = match effect.refusal {
        Some((status, retry_after)) => {
            let kind = match status {
                429 => "rateLimited",
                401 | 403 => "unauthorized",
                _ => "serverInternal",
            };
            let mut response = problem((status, kind, "this fault was asked for".to_owned()));
            if let Some(after) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, after.as_secs().into());
            }
            response
        }
        None => provider.perform(endpoint, id, &signed, effect.valid_for).unwrap_or_else(problem),
    };
    if let Ok(nonce) = HeaderValue::from_str(&ids::new("nonce")) {
        response.headers_mut().insert("replay-nonce", nonce);
    }
    let header = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    let mut state = provider.state();
    if state.calls.len() == REMEMBERED_CALLS {
        state.calls.pop_front();
    }
    state.calls.push_back(Call {
        endpoint,
        identifier,
        status: response.status().as_u16(),
        traceparent: header("traceparent"),
        baggage: header("baggage"),
    });
    response
}

/// `POST /inject`: 204, or 400 for anything that is no fault.
pub(super) async fn inject(State(provider): State<Arc<Provider>>, body: Bytes) -> Response {
    let Some(fault) = parse(&body) else {
        let kinds = "status (400 to 599), retry_after_seconds, latency_ms, valid_for_seconds";
        let detail = format!("write an endpoint, one of {kinds}, and identifier or times");
        return problem((400, "malformed", detail));
    };
    provider.state().faults.push(fault);
    StatusCode::NO_CONTENT.into_response()
}

fn problem((status, kind, detail): Refusal) -> Response {
    let kind = format!("urn:ietf:params:acme:error:{kind}");
    let body = Json(json!({ "type": kind, "detail": detail, "status": status }));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// From a little before now until this long from now. Generic over rcgen's time, which rcgen does
/// not export.
fn validity<T: From<SystemTime>>(length: Duration) -> (T, T) {
    let now = SystemTime::now();
    (T::from(now - BACKDATED), T::from(now + length))
}
