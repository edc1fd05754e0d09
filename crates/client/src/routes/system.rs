//! The server itself: health, services, the description of its API.

use bytes::Bytes;
use mcpanel_api::{
    discovery::Services,
    health::{HealthCheck, Probe},
};
use reqwest::StatusCode;

use crate::{Client, Result};

impl Client {
    /// How the server and its parts are, also when they are unwell.
    pub async fn health(&self) -> Result<HealthCheck> {
        self.read("/api/v1/health")
            .answering(StatusCode::SERVICE_UNAVAILABLE)
            .answer()
            .await
    }

    /// Whether the process runs.
    pub async fn health_live(&self) -> Result<Probe> {
        self.read("/health/live").answer().await
    }

    /// Whether the server takes requests.
    pub async fn health_ready(&self) -> Result<Probe> {
        self.read("/health/ready")
            .answering(StatusCode::SERVICE_UNAVAILABLE)
            .answer()
            .await
    }

    /// The services of the server.
    pub async fn discover_services(&self) -> Result<Services> {
        self.read("/api/v1/discovery/services").answer().await
    }

    /// The OpenAPI document, as bytes.
    pub async fn openapi(&self) -> Result<Bytes> {
        self.read("/openapi.json").bytes().await
    }
}
