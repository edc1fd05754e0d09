//! Callers.

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, Response, request::Builder},
};
use serde_json::Value;
use tower::ServiceExt;

use super::Answer;

/// A caller with headers of its own.
#[derive(Clone)]
pub struct Client {
    router: Router,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A request on its way.
pub struct Call {
    router: Router,
    request: Builder,
}

impl Client {
    pub fn new(router: Router) -> Self {
        Self {
            router,
            headers: Vec::new(),
        }
    }

    /// The same caller, who sends this header with every request.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        let name = HeaderName::from_static(name);
        client.headers.push((name, value.parse().unwrap()));
        client
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).empty().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path).json(&body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).empty().await
    }

    /// A change of what has this entity tag.
    pub async fn put(&self, path: &str, tag: &str, body: Value) -> Answer {
        self.request("PUT", path)
            .header("if-match", tag)
            .json(&body)
            .await
    }

    /// A request to be completed.
    pub fn request(&self, method: &str, path: &str) -> Call {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Call {
            router: self.router.clone(),
            request,
        }
    }
}

impl Call {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it with a JSON body.
    pub async fn json(self, body: &Value) -> Answer {
        self.header("content-type", "application/json")
            .body(body.to_string())
            .await
    }

    /// Sends it without a body.
    pub async fn empty(self) -> Answer {
        self.body(Body::empty()).await
    }

    /// Sends it with this body.
    pub async fn body(self, body: impl Into<Body>) -> Answer {
        Answer::of(self.unread(body).await).await
    }

    /// Sends it; the body of the answer is unread.
    pub async fn unread(self, body: impl Into<Body>) -> Response<Body> {
        let request = self.request.body(body.into()).unwrap();
        self.router.oneshot(request).await.unwrap()
    }
}
