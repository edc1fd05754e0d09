//! API keys and tokens.

use mcpanel_api::{
    KeyId,
    auth::{TokenRequest, TokenResponse},
    key::{ApiKeyMade, ApiKeyPage, NewApiKey},
    page::PageQuery,
};
use reqwest::Method;

use crate::{Client, IdempotencyKey, Result};

impl Client {
    /// Buys a token with the API key of this client.
    pub async fn create_token(&self, request: &TokenRequest) -> Result<TokenResponse> {
        self.post("/api/v1/auth/token", request)
            .repeatable()
            .answer()
            .await
    }

    /// Makes an API key; its secret is in the answer, this once.
    pub async fn create_key(&self, new: &NewApiKey, key: &IdempotencyKey) -> Result<ApiKeyMade> {
        self.post("/api/v1/keys", new).keyed(key).answer().await
    }

    /// A page of API keys.
    pub async fn list_keys(&self, page: &PageQuery) -> Result<ApiKeyPage> {
        self.read("/api/v1/keys").query(page).answer().await
    }

    /// Revokes an API key.
    pub async fn delete_key(&self, id: &KeyId) -> Result<()> {
        self.change(Method::DELETE, &format!("/api/v1/keys/{id}"))
            .done()
            .await
    }
}
