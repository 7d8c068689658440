//! Errors as problem JSON (RFC 9457).

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cap_telemetry::names::ErrorClass;
use cap_telemetry::trace;
use serde_json::json;

use crate::failure::Failure;
use crate::store;

/// An error that a caller gets to see.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Problem { status, detail }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this resource has other methods",
        )
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }
}

/// The database's errors are for the operator, who finds them in the span and the log.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        trace::current_span().record_error(ErrorClass::IoTransient, &error);
        ::tracing::error!(%error, "a request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the database failed")
    }
}

/// What an external system did wrong is no fault of the caller.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        trace::current_span().record_error(failure.class, &failure);
        let status = match failure.class {
            ErrorClass::Validation => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorClass::IoTransient => StatusCode::SERVICE_UNAVAILABLE,
            ErrorClass::Network | ErrorClass::Auth | ErrorClass::IoPermanent => {
                StatusCode::BAD_GATEWAY
            }
        };
        Problem::new(status, failure.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        }));
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
