//! Short-lived JSON Web Tokens, signed with HS256.
//!
//! One algorithm and one key: what a token's header says about either is compared, never obeyed.
//! Expiry is judged here and not by the library, which would read the clock itself.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use mcpanel_domain::{AgentId, KeyId, Namespace, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    hs256,
    permission::Permissions,
    principal::{Principal, Role},
    secret::Secret,
};

/// Who issues our tokens.
pub const ISSUER: &str = "mcpanel";

/// Longest token read, in bytes: ours stay below 1 KiB even with every permission.
pub const TOKEN_BYTES_MAX: usize = 4_096;

/// How far the clocks of two instances may differ, in seconds.
pub const LEEWAY_S: i64 = 5;

/// How long a token lives when nobody says, in milliseconds: an hour.
pub const LIFETIME_MS_DEFAULT: u64 = 3_600_000;

/// Longest life of a token that a key buys, in milliseconds: a day.
pub const LIFETIME_MS_MAX: u64 = 24 * 3_600_000;

/// How long an agent's token lives, in milliseconds: 30 days. It ends with its session, which the
/// server checks on every call, so that a long life costs nothing.
pub const AGENT_LIFETIME_MS: u64 = 30 * 24 * 3_600_000;

/// Why a token was refused. Callers hear of it in general words only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is not a token of ours: wrong shape, algorithm, signature, issuer or claims.
    #[error("the token is not valid")]
    NotOurs,
    /// It was ours.
    #[error("the token expired at {at}")]
    Expired { at: Timestamp },
    /// It says that it was issued later than now.
    #[error("the token was issued in the future; check the clocks")]
    FromTheFuture,
}

/// Signs and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    ns: Namespace,
    perms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    /// Seconds since the epoch.
    iat: i64,
    /// Seconds since the epoch.
    exp: i64,
    jti: String,
}

impl Tokens {
    /// Signs with this secret.
    pub fn new(secret: &Secret) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_exp = false;
        Self {
            sign: EncodingKey::from_secret(secret.reveal().as_bytes()),
            check: DecodingKey::from_secret(secret.reveal().as_bytes()),
            validation,
        }
    }

    /// Issues a token for `principal` that expires after `lifetime_ms`, and says when that is.
    /// `random` makes its id (`jti`) unique.
    pub fn issue(
        &self,
        principal: &Principal,
        lifetime_ms: u64,
        now: Timestamp,
        random: u128,
    ) -> (String, Timestamp) {
        let expires_at = Timestamp::from_ms(now.plus_ms(lifetime_ms).as_ms() / 1_000 * 1_000);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: principal.actor(),
            ns: principal.namespace.clone(),
            perms: principal.permissions.words(),
            sid: principal.agent().map(|(_, session)| session.clone()),
            iat: now.as_ms() / 1_000,
            exp: expires_at.as_ms() / 1_000,
            jti: format!("{random:032x}"),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("strings and numbers serialise, and an HMAC key of any length signs");
        (token, expires_at)
    }

    /// Reads a token, and refuses one that is not ours or not valid at `now`.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Principal, InvalidToken> {
        self.read_with_end(token, now)
            .map(|(principal, _)| principal)
    }

    /// Reads a token as [`Tokens::read`] does, and tells when it ends, for whoever holds a line open on its account.
    pub fn read_with_end(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Principal, Timestamp), InvalidToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(InvalidToken::NotOurs);
        }
        let claims = decode::<Claims>(token, &self.check, &self.validation)
            .map_err(|_| InvalidToken::NotOurs)?
            .claims;
        let now_s = now.as_ms() / 1_000;
        if claims.exp.saturating_add(LEEWAY_S) <= now_s {
            return Err(InvalidToken::Expired {
                at: Timestamp::from_ms(claims.exp.saturating_mul(1_000)),
            });
        }
        if claims.iat > now_s.saturating_add(LEEWAY_S) {
            return Err(InvalidToken::FromTheFuture);
        }
        let role = role(&claims.sub, claims.sid).ok_or(InvalidToken::NotOurs)?;
        // A permission of a newer server is not understood here, so it is not granted here.
        let permissions = claims
            .perms
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect::<Permissions>();
        let principal = Principal {
            role,
            namespace: claims.ns,
            permissions,
        };
        let end = Timestamp::from_ms(claims.exp.saturating_mul(1_000));
        Ok((principal, end))
    }
}

/// The reverse of [`Principal::actor`].
fn role(subject: &str, session: Option<SessionId>) -> Option<Role> {
    match (subject.split_once(':'), session) {
        (None, None) if subject == "admin" => Some(Role::Admin),
        (Some(("key", id)), None) => KeyId::parse(id).ok().map(Role::Key),
        (Some(("agent", id)), Some(session)) => {
            let agent_id = AgentId::parse(id).ok()?;
            Some(Role::Agent { agent_id, session })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
