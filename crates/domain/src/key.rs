//! API keys, as they are kept: the hash of a secret that was shown once.

use serde::{Deserialize, Serialize};

use crate::{KeyId, Namespace, Timestamp};

/// A stored API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its public id.
    pub id: KeyId,
    /// What its holder may see.
    pub namespace: Namespace,
    /// Counts changes of this document, from 1.
    pub revision: u64,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the secret. The secret has 256 random bits, so a slow hash would protect nothing more.
    pub sha256: [u8; 32],
    /// The first characters of the secret, to recognise it by.
    pub hint: String,
    /// The specification's permission words.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it works at this moment.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
