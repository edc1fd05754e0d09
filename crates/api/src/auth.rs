//! Tokens: short-lived credentials that an API key buys.

use mcpanel_domain::{Namespace, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// Asks for a token. The caller shows an API key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"permissions": ["task:read"], "expires_in_ms": 900000}))]
pub struct TokenRequest {
    /// Some of the key's permissions; all of them when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Permissions>)]
    pub permissions: Option<Vec<String>>,
    /// How long the token is good for, in milliseconds, up to a day; an hour when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1000, maximum = 86400000)]
    pub expires_in_ms: Option<u64>,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenResponse {
    /// Send it as `Authorization: Bearer <token>`.
    pub token: String,
    /// Always `Bearer`.
    pub token_type: String,
    #[schema(value_type = schema::Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    pub permissions: Vec<String>,
}
