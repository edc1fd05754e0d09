//! Who calls: an API key in `X-API-Key`, or a token or API key in `Authorization: Bearer`.
//!
//! Credentials in a query string are refused even when they are right: they end up in logs and
//! histories. A refusal never tells whether a key was unknown, revoked or expired.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use async_trait::async_trait;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use mcpanel_domain::{AgentId, KeyId, Namespace, Rejection, SessionId, Timestamp, key::ApiKey};
use mcpanel_guard::{
    ApiKeySecret, KeyDigest, Permissions, Principal, Role, Secrets, Tokens, key,
    token::InvalidToken,
};

use crate::error::{ApiError, ApiResult, Code};

/// The header for API keys.
pub const X_API_KEY: &str = "x-api-key";

/// Names under which people send credentials in query strings.
const QUERY_CREDENTIALS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "key",
    "token",
    "x-api-key",
];

/// What is known of credentials that were handed out.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The key with this digest.
    async fn by_digest(&self, digest: &KeyDigest) -> ApiResult<Option<ApiKey>>;

    /// The key with this id.
    async fn by_id(&self, namespace: &Namespace, id: &KeyId) -> ApiResult<Option<ApiKey>>;

    /// The present session of this agent, if it is signed on.
    async fn session(
        &self,
        namespace: &Namespace,
        agent_id: &AgentId,
    ) -> ApiResult<Option<SessionId>>;
}

/// Whose credential it is, and until when.
pub struct Identified {
    /// The caller.
    pub principal: Principal,
    /// The name of its key, where it has one.
    pub name: Option<String>,
    /// When the credential ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// Checks credentials.
pub struct Authenticator {
    admin: KeyDigest,
    tokens: Tokens,
    directory: Arc<dyn Directory>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Authenticator {
    /// Checks against these secrets, keys and sessions.
    pub fn new(
        secrets: &Secrets,
        directory: Arc<dyn Directory>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        Self {
            admin: KeyDigest::of(secrets.admin_key.reveal()),
            tokens: Tokens::new(&secrets.jwt),
            directory,
            clock,
        }
    }

    /// What issues tokens that this accepts.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whose credential the request carries.
    pub async fn identify(&self, headers: &HeaderMap, query: Option<&str>) -> ApiResult<Principal> {
        refuse_in_query(query.unwrap_or_default())?;
        match (
            one(headers, X_API_KEY)?,
            one(headers, header::AUTHORIZATION.as_str())?,
        ) {
            (Some(_), Some(_)) => Err(unauthenticated(
                "send `X-API-Key` or `Authorization`, not both",
            )),
            (Some(key), None) => self.by_key(key).await,
            (None, Some(value)) => match value.split_once(' ') {
                Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => {
                    self.by_bearer(credential.trim()).await
                }
                _ => Err(unauthenticated("`Authorization` must be `Bearer <token>`")),
            },
            (None, None) => Err(unauthenticated(
                "send an API key as `X-API-Key`, or a token as `Authorization: Bearer <token>`",
            )),
        }
    }

    async fn by_bearer(&self, credential: &str) -> ApiResult<Principal> {
        Ok(self.bearer(credential).await?.principal)
    }

    async fn by_key(&self, text: &str) -> ApiResult<Principal> {
        Ok(self.key(text).await?.principal)
    }

    /// Whose token this is, or API key in a token's place.
    pub async fn bearer(&self, credential: &str) -> ApiResult<Identified> {
        if credential.starts_with(key::PREFIX) || self.is_admin_key(credential) {
            return self.key(credential).await;
        }
        let now = (self.clock)();
        let (principal, end) = self
            .tokens
            .read_with_end(credential, now)
            .map_err(|error| match error {
                InvalidToken::NotOurs => unauthenticated("the token is not valid"),
                InvalidToken::Expired { at } => {
                    unauthenticated(format!("the token expired at {at}; get another one"))
                }
                InvalidToken::FromTheFuture => unauthenticated(error.to_string()),
            })?;
        let name = self.check_source(&principal, now).await?;
        Ok(Identified {
            principal,
            name,
            expires_at: Some(end),
        })
    }

    /// Whether a caller of before may still call.
    pub async fn still(&self, principal: &Principal) -> ApiResult<()> {
        self.check_source(principal, (self.clock)()).await.map(drop)
    }

    /// A token ends with what it came from: a revoked key takes the tokens that it bought with it, a new
    /// session of an agent those of the one before. Tells the name of the key.
    async fn check_source(
        &self,
        principal: &Principal,
        now: Timestamp,
    ) -> ApiResult<Option<String>> {
        let namespace = &principal.namespace;
        match &principal.role {
            Role::Admin => Ok(None),
            Role::Key(id) => match self.directory.by_id(namespace, id).await? {
                Some(key) if key.is_valid_at(now) => Ok(Some(key.name)),
                Some(_) | None => Err(unauthenticated("the token is not valid")),
            },
            Role::Agent { agent_id, session } => {
                match self.directory.session(namespace, agent_id).await? {
                    Some(present) if present == *session => Ok(None),
                    Some(_) => Err(Rejection::SessionSuperseded {
                        agent_id: agent_id.clone(),
                    }
                    .into()),
                    None => Err(unauthenticated("the agent of this token signed off")),
                }
            }
        }
    }

    /// Whether the request shows an API key itself, and not a token that one bought.
    pub fn shows_key(&self, headers: &HeaderMap) -> bool {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .map(|(_, credential)| credential.trim());
        headers.contains_key(X_API_KEY)
            || bearer.is_some_and(|text| text.starts_with(key::PREFIX) || self.is_admin_key(text))
    }

    /// Whose API key this is.
    pub async fn key(&self, text: &str) -> ApiResult<Identified> {
        if self.is_admin_key(text) {
            return Ok(Identified {
                principal: Principal::admin(),
                name: None,
                expires_at: None,
            });
        }
        let secret = ApiKeySecret::parse(text)
            .map_err(|error| unauthenticated(format!("the credential {error}")))?;
        let key = self.directory.by_digest(&secret.digest()).await?;
        match key.filter(|key| key.is_valid_at((self.clock)())) {
            Some(key) => Ok(Identified {
                expires_at: key.expires_at,
                name: Some(key.name),
                principal: Principal {
                    role: Role::Key(key.id),
                    namespace: key.namespace,
                    permissions: key
                        .permissions
                        .iter()
                        .filter_map(|word| word.parse().ok())
                        .collect::<Permissions>(),
                },
            }),
            None => Err(unauthenticated("the API key is not valid")),
        }
    }

    fn is_admin_key(&self, text: &str) -> bool {
        KeyDigest::of(text) == self.admin
    }
}

fn refuse_in_query(query: &str) -> ApiResult<()> {
    let found = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| QUERY_CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()));
    match found {
        Some((name, _)) => Err(unauthenticated(format!(
            "credentials in the query (`{name}`) are refused, because they end up in logs; send a header, and replace \
             the credential if it was a real one"
        ))),
        None => Ok(()),
    }
}

/// The only value of a header.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> ApiResult<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim())),
            Err(_) => Err(unauthenticated(format!("`{name}` must be ASCII"))),
        },
        (Some(_), Some(_)) => Err(unauthenticated(format!("`{name}` is there twice"))),
    }
}

fn unauthenticated(detail: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Code::Unauthenticated, detail).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"mcpanel\""),
    )
}

/// The caller of a guarded route, identified and let in by [`access`](crate::access).
#[derive(Debug, Clone)]
pub struct Caller(pub Principal);

impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::internal("a public route asks for its caller"))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
