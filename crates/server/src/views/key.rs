//! API keys.

use mcpanel_api::key::ApiKey;
use mcpanel_domain::key;
use mcpanel_store::query::Position;

/// An API key, without its secret.
pub fn key(key: &key::ApiKey) -> ApiKey {
    ApiKey {
        key_id: key.id.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        hint: key.hint.clone(),
        permissions: key.permissions.clone(),
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        created_by: key.created_by.clone(),
        created_at: key.created_at,
    }
}

/// Where a key stands in lists.
pub fn position(key: &key::ApiKey) -> Position {
    Position {
        created_at: key.created_at,
        id: key.id.to_string(),
    }
}
