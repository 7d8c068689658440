//! Errors as problem JSON (RFC 9457).

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cap_telemetry::names::ErrorClass;
use cap_telemetry::trace;
use serde_json::json;

use crate::accounts::Unauthenticated;
use crate::failure::Failure;
use crate::{kek, store};

pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self { status, detail }
    }

    pub(super) fn bad_request(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn conflict(detail: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }
}

impl From<Unauthenticated> for Problem {
    fn from(error: Unauthenticated) -> Self {
        match error {
            Unauthenticated::InvalidActor => Self::bad_request(error),
            _ => Self::new(StatusCode::UNAUTHORIZED, error),
        }
    }
}

/// The database's errors are for the operator, who finds them in the span and the log.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        trace::current_span().record_error(ErrorClass::IoTransient, &error);
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the database failed")
    }
}

impl From<kek::Error> for Problem {
    fn from(error: kek::Error) -> Self {
        match error {
            kek::Error::Store(error) => error.into(),
            kek::Error::Running(_) => Self::conflict(error),
            _ => Self::new(StatusCode::SERVICE_UNAVAILABLE, error),
        }
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
        Self::new(status, failure.message)
    }
}

macro_rules! from_rejections {
    ($($rejection:ty),+) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                Self::new(rejection.status(), rejection.body_text())
            }
        }
    )+};
}

from_rejections!(JsonRejection, PathRejection, QueryRejection);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        }));
        let content_type = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
