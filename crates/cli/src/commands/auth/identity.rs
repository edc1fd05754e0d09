//! Who a credential is, as the server sees it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcpanel_api::{Timestamp, auth::TokenRequest};
use mcpanel_client::{Client, Credential, Error};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Result,
    exit::Exit,
    output::{
        cell::{Cell, text},
        listing::Row,
    },
};

/// How long the token lives that is bought only to read it, in milliseconds: the shortest the API sells.
const GLANCE_MS: u64 = 1_000;

/// Who a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `admin`, `key:<id>` or `agent:<id>`: what stands in `created_by`.
    pub who: String,
    /// Whose documents it sees.
    pub namespace: String,
    /// What it may.
    pub permissions: Vec<String>,
    /// `api_key` or `token`.
    pub credential: &'static str,
    /// When the token ends; null for a key, whose end only `mcpanel keys list` knows.
    pub expires_at: Option<Timestamp>,
    /// The server that says so.
    pub url: String,
    /// Where the credential was found.
    pub found_in: String,
}

/// What a token says. It is read, not checked: that is the server's part.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    ns: String,
    perms: Vec<String>,
    exp: i64,
}

/// Asks the server who the caller is.
pub async fn ask(client: &Client, found_in: String) -> Result<Identity> {
    let url = client.base_url().to_owned();
    match &client.config().credential {
        Credential::None => Err(Failure::new("there is no credential to ask about")
            .exit(Exit::Denied)
            .hint(
                "`mcpanel auth login` keeps one; or set MCPANEL_API_KEY, or give `--token-file`",
            )),
        Credential::ApiKey(_) => {
            // A token that a key buys says who the key is.
            let glance = TokenRequest {
                permissions: None,
                expires_in_ms: Some(GLANCE_MS),
            };
            let bought = client.create_token(&glance).await?;
            let claims = claims(&bought.token)?;
            Ok(Identity {
                who: claims.sub,
                namespace: bought.namespace.to_string(),
                permissions: bought.permissions,
                credential: "api_key",
                expires_at: None,
                url,
                found_in,
            })
        }
        Credential::Token(token) => {
            let claims = claims(token)?;
            // Any call tells whether the server takes the token; to be forbidden is to be known.
            match client.health().await {
                Ok(_) => {}
                Err(Error::Problem { problem, .. })
                    if problem.status == 403 || problem.status == 503 => {}
                Err(error) => return Err(error.into()),
            }
            Ok(Identity {
                who: claims.sub,
                namespace: claims.ns,
                permissions: claims.perms,
                credential: "token",
                expires_at: Some(Timestamp::from_ms(claims.exp.saturating_mul(1_000))),
                url,
                found_in,
            })
        }
    }
}

fn claims(token: &str) -> Result<Claims> {
    let read = || {
        let middle = token.split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(middle).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    read().ok_or_else(|| {
        Failure::new("the token is none of an mcpanel server")
            .exit(Exit::Denied)
            .hint("take one that `mcpanel auth token` or an agent's registration answered")
    })
}

impl Row for Identity {
    const HEADER: &'static [&'static str] =
        &["WHO", "NAMESPACE", "CREDENTIAL", "EXPIRES", "SERVER"];

    fn name(&self) -> String {
        self.who.clone()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.who),
            text(&self.namespace),
            text(self.credential),
            self.expires_at.into(),
            text(&self.url),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("WHO", text(&self.who)),
            ("NAMESPACE", text(&self.namespace)),
            ("PERMISSIONS", Cell::words(&self.permissions)),
            ("CREDENTIAL", text(self.credential)),
            ("EXPIRES", self.expires_at.into()),
            ("FOUND IN", text(&self.found_in)),
            ("SERVER", text(&self.url)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read() {
        let body =
            br#"{"iss":"mcpanel","sub":"key:key_1","ns":"default","perms":["task:read"],"exp":9}"#;
        let token = format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(body));
        let read = claims(&token).unwrap();
        assert_eq!((read.sub.as_str(), read.exp), ("key:key_1", 9));
        for text in ["", "a.b.c", "a..c", "..", "a.e30.c"] {
            assert_eq!(claims(text).unwrap_err().exit, Exit::Denied, "{text}");
        }
    }
}
