//! Requests that may be repeated: the first answer is remembered in the commit of what it made.

use mcpanel_domain::{Payload, limits::IDEMPOTENCY_KEPT_MS};
use mcpanel_store::{IdempotencyRecord, Write};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, Scope, core::Core};

/// What the caller sent with a request that it may repeat.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Its key.
    pub key: String,
    /// SHA-256 of what it asked, to tell a repetition from another request.
    pub fingerprint: [u8; 32],
}

/// Something created, now or when the same request first came.
#[derive(Debug, Clone)]
pub struct Created<T> {
    /// What was created.
    pub value: T,
    /// Whether it had been created before.
    pub replayed: bool,
}

impl<T> Created<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value,
            replayed: false,
        }
    }

    pub(crate) fn replayed(value: T) -> Self {
        Self {
            value,
            replayed: true,
        }
    }
}

impl Idempotency {
    fn stored_key(&self, scope: &Scope) -> String {
        // The length keeps `a` with key `b:c` apart from `a:b` with key `c`.
        format!("{}:{}:{}", scope.actor.len(), scope.actor, self.key)
    }

    /// Whether a request with this key was answered before, whatever it asked.
    pub(crate) async fn is_known(
        request: Option<&Self>,
        core: &Core,
        scope: &Scope,
    ) -> Result<bool> {
        let Some(request) = request else {
            return Ok(false);
        };
        let record = core
            .store
            .idempotency(&scope.namespace, &request.stored_key(scope))
            .await?;
        Ok(record.is_some_and(|record| record.expires_at > core.now()))
    }

    /// What the same request created before, if it came before.
    pub(crate) async fn outcome<T: DeserializeOwned>(
        request: Option<&Self>,
        core: &Core,
        scope: &Scope,
    ) -> Result<Option<T>> {
        let Some(request) = request else {
            return Ok(None);
        };
        let record = core
            .store
            .idempotency(&scope.namespace, &request.stored_key(scope))
            .await?;
        let Some(record) = record.filter(|record| record.expires_at > core.now()) else {
            return Ok(None);
        };
        if record.fingerprint != request.fingerprint {
            return Err(Error::IdempotencyMismatch {
                key: request.key.clone(),
            });
        }
        record.outcome.read().map(Some).map_err(|error| {
            Error::Store(mcpanel_store::Error::Damaged {
                what: format!("idempotency record `{}`: {error}", request.key),
            })
        })
    }

    /// The write that remembers what was created.
    pub(crate) fn record<T: Serialize>(
        &self,
        core: &Core,
        scope: &Scope,
        outcome: &T,
    ) -> Result<Write> {
        let now = core.now();
        let outcome = Payload::of(outcome).map_err(|error| {
            Error::Store(mcpanel_store::Error::Unavailable {
                reason: format!("cannot write the idempotency record: {error}"),
            })
        })?;
        Ok(Write::Idempotency(IdempotencyRecord {
            namespace: scope.namespace.clone(),
            key: self.stored_key(scope),
            fingerprint: self.fingerprint,
            outcome,
            created_at: now,
            expires_at: now.plus_ms(IDEMPOTENCY_KEPT_MS),
        }))
    }
}
