//! The answer that carries leases.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use mcpanel_api::agent::Claimed;

use super::granted::Granted;
use crate::{
    error::{ApiError, ApiResult},
    views,
};

/// Leases on their way to the agent, and the body that tells them.
pub struct Delivery {
    json: Bytes,
    granted: Granted,
}

impl Delivery {
    /// Writes down what was granted.
    pub(super) fn of(granted: Granted) -> ApiResult<Self> {
        let answer = Claimed {
            tasks: granted.leases().iter().map(views::task::claimed).collect(),
        };
        let json = serde_json::to_vec(&answer).map_err(ApiError::internal)?;
        Ok(Self {
            json: json.into(),
            granted,
        })
    }
}

impl IntoResponse for Delivery {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let body = Leases(Some(self));
        ([(header::CONTENT_TYPE, json)], Body::new(body)).into_response()
    }
}

/// The body: one piece. Once the connection has it, the leases count as delivered.
struct Leases(Option<Delivery>);

impl HttpBody for Leases {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.take().map(|delivery| {
            delivery.granted.delivered();
            Ok(Frame::data(delivery.json))
        });
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.0.as_ref().map_or(0, |delivery| delivery.json.len());
        SizeHint::with_exact(left as u64)
    }
}
