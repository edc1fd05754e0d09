//! API keys: shown once, kept as a hash.

use mcpanel_domain::{KeyId, Namespace, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{page::page, schema};

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    #[schema(value_type = schema::Id)]
    pub key_id: KeyId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    pub name: String,
    /// The first characters of the secret, to recognise it by.
    pub hint: String,
    pub permissions: Vec<String>,
    #[schema(value_type = Option<schema::Time>)]
    pub expires_at: Option<Timestamp>,
    #[schema(value_type = Option<schema::Time>)]
    pub revoked_at: Option<Timestamp>,
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
}

/// Makes an API key. Nobody can give a permission that they do not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "nightly import", "permissions": ["pipeline:create", "pipeline:read"], "expires_at": "2027-01-01T00:00:00Z"}))]
pub struct NewApiKey {
    #[schema(value_type = schema::Title)]
    pub name: String,
    #[schema(value_type = schema::Permissions)]
    pub permissions: Vec<String>,
    /// The namespace it opens; the caller's own when left out. Only an administrator names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub namespace: Option<Namespace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub expires_at: Option<Timestamp>,
}

/// A new API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyMade {
    /// What is known about it.
    pub key: ApiKey,
    /// The secret, shown this once: send it as `X-API-Key`. Left out when the request was made before (header
    /// `Idempotent-Replayed`): it is not kept. Revoke the key if its first answer got lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

page! {
    /// A page of API keys.
    ApiKeyPage, keys: ApiKey
}
