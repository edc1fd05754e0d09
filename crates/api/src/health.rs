//! How the server is, as the specification writes it.

use std::collections::BTreeMap;

use mcpanel_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// How something is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Healthy,
    /// It works, not as well as it should.
    Degraded,
    Unhealthy,
    /// This server does not use it.
    NotConfigured,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthStatus {
    pub status: Health,
    /// What is to be known about it, for people.
    pub message: Option<String>,
    /// How long looking took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Figures by name, such as the store's `commits` and `flushes`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
}

/// How the parts are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthChecks {
    pub database: HealthStatus,
    pub redis: HealthStatus,
    pub external_services: HealthStatus,
    pub system_resources: HealthStatus,
}

/// How the server is. `unhealthy` is answered with status 503.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Always `mcpanel`.
    pub service: String,
    pub version: String,
    pub status: Health,
    #[schema(value_type = schema::Time)]
    pub timestamp: Timestamp,
    pub checks: HealthChecks,
}

/// Whether the process runs, or takes requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    pub status: Health,
}
