//! Who looks: a signed session in a cookie that scripts cannot read, and what the person prefers.
//!
//! The session is a token of the same kind that the API takes, so whatever ends a token ends the session: its time, and the
//! revocation of the key behind it. Cookies are never accepted by the API itself.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
};
use mcpanel_control::Scope;
use mcpanel_domain::Timestamp;
use mcpanel_guard::{KeyRole, Permission, Principal};
use sha2::{Digest, Sha256};

use crate::{Person, environment::Environment, error::Failure};

/// The cookie of a session over plain HTTP, as on a developer's machine.
pub const SESSION: &str = "mcpanel_session";

/// The same over HTTPS: browsers then refuse it from anybody but this host.
pub const SESSION_SECURE: &str = "__Host-mcpanel_session";

/// The same for a server that has but a path of a host.
pub const SESSION_BELOW: &str = "__Secure-mcpanel_session";

/// The cookie that ties a sign-in form to the browser it was shown in.
pub const SIGN_IN: &str = "mcpanel_sign_in";

/// The cookie of a sentence to show once.
pub const FLASH: &str = "mcpanel_flash";

/// The cookie of the colour scheme, written by the page's script.
pub const THEME: &str = "mcpanel_theme";

/// The cookie that says `off` where somebody reads logs without wrapping their lines. Scripts write it.
pub const WRAP: &str = "mcpanel_wrap";

/// Longest sentence kept for the next page, in bytes: cookies have 4 KB, and quoting triples some letters.
const FLASH_BYTES_MAX: usize = 800;

/// What people are, from what they may. Each action checks its own permission; this is the word for the whole, and only for
/// what really is that whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Looks.
    ReadOnly,
    /// Starts, cancels and retries: exactly what the role of that name gives.
    Operator,
    /// May do more than look, but not what any role gives.
    Custom,
    /// Gives others access too.
    Admin,
}

impl Role {
    /// The role of a caller.
    pub fn of(principal: &Principal) -> Self {
        let may = principal.permissions;
        if principal.may(Permission::KeyManage) {
            Self::Admin
        } else if KeyRole::of(may) == Some(KeyRole::Operator) {
            Self::Operator
        } else if may.without(KeyRole::ReadOnly.permissions()).is_empty() {
            Self::ReadOnly
        } else {
            Self::Custom
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Operator => "operator",
            Self::Custom => "chosen rights",
            Self::Admin => "admin",
        }
    }
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    /// What the browser's cookie says.
    pub fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, THEME).as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The word in the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A sentence for the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Whether it tells of something that was done.
    pub good: bool,
    /// The sentence.
    pub text: String,
}

impl Flash {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Self {
        Self {
            good: true,
            text: text.into(),
        }
    }

    /// Something was not done.
    pub fn refused(text: impl Into<String>) -> Self {
        Self {
            good: false,
            text: text.into(),
        }
    }

    /// The sentence as headers carry it: `ok=` or `no=` and the text, as in a form.
    pub fn written(&self) -> String {
        let mut end = self.text.len().min(FLASH_BYTES_MAX);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.append_pair(if self.good { "ok" } else { "no" }, &self.text[..end]);
        text.finish()
    }

    /// The cookie that carries it to the next page.
    pub fn cookie(&self) -> HeaderValue {
        set_cookie(FLASH, &self.written(), Some(60), false, true)
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = cookie(headers, FLASH)?;
        let (kind, text) = form_urlencoded::parse(value.as_bytes()).next()?;
        Some(Self {
            good: kind == "ok",
            text: text.into_owned(),
        })
    }
}

/// Somebody who is signed in, and this request of theirs.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who.
    pub principal: Principal,
    /// The same, as the business layer knows it.
    pub scope: Scope,
    /// The name of their key, where they have one.
    pub name: Option<String>,
    /// What every form of this session carries.
    pub csrf: String,
    /// The colour scheme.
    pub theme: Theme,
    /// Whether long lines of logs are wrapped.
    pub wraps: bool,
    /// A sentence that the page before left.
    pub flash: Option<Flash>,
    /// The path and query of this request.
    pub here: String,
    /// Whether this request only looks, so that it can be sent again.
    pub reads: bool,
    /// Where the server stands.
    pub environment: Option<Arc<Environment>>,
    /// Whether a script asks for a part of the page it has.
    pub partial: bool,
    /// The time of the request.
    pub now: Timestamp,
    /// The newest event when the request came: whatever a page shows is at least as new.
    pub newest: u64,
}

impl Viewer {
    /// A viewer for this request.
    pub fn new(
        person: Person,
        session: &str,
        parts: &Parts,
        now: Timestamp,
        newest: u64,
        environment: Option<Arc<Environment>>,
    ) -> Self {
        let Person { principal, name } = person;
        let scope = Scope::new(principal.namespace.clone(), principal.actor());
        Self {
            scope,
            name,
            csrf: csrf_of(session),
            theme: Theme::of(&parts.headers),
            wraps: cookie(&parts.headers, WRAP).as_deref() != Some("off"),
            flash: Flash::of(&parts.headers),
            here: parts
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            reads: matches!(parts.method, Method::GET | Method::HEAD),
            environment,
            partial: parts.headers.contains_key("hx-request"),
            now,
            newest,
            principal,
        }
    }

    /// Whether they hold a permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.may(permission)
    }

    /// What others call them: by the name of their key, else as events write them.
    pub fn known_as(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.scope.actor)
    }

    /// Their role.
    pub fn role(&self) -> Role {
        Role::of(&self.principal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::internal("a public page asks who looks"))
    }
}

/// The token that forms of a session carry. Whoever does not have the session's cookie cannot know it, and it does not tell
/// the cookie.
pub fn csrf_of(session: &str) -> String {
    hex(&Sha256::new()
        .chain_update(b"mcpanel form\0")
        .chain_update(session.as_bytes())
        .finalize())
}

/// Whether two texts are the same, without telling by its duration where they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The session that a request carries.
pub fn session(headers: &HeaderMap) -> Option<String> {
    [SESSION_SECURE, SESSION_BELOW, SESSION]
        .into_iter()
        .find_map(|name| cookie(headers, name))
}

/// The cookies that a request carries: names and values.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    cookies(headers)
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// A `Set-Cookie` that scripts cannot read and other sites cannot send. `max_age_s` of zero deletes it.
pub fn set_cookie(
    name: &str,
    value: &str,
    max_age_s: Option<u64>,
    secure: bool,
    strict: bool,
) -> HeaderValue {
    let mut text = format!("{name}={value}; Path=/; HttpOnly");
    text.push_str(if strict {
        "; SameSite=Strict"
    } else {
        "; SameSite=Lax"
    });
    if let Some(seconds) = max_age_s {
        text.push_str(&format!("; Max-Age={seconds}"));
    }
    if secure {
        text.push_str("; Secure");
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("mcpanel_none=; Max-Age=0"))
}

/// Whether the browser came over HTTPS, here or at the proxy before us.
pub fn is_secure(headers: &HeaderMap) -> bool {
    let says = |name: &str, beginning: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.trim_start().starts_with(beginning))
    };
    says("origin", "https://") || says("x-forwarded-proto", "https")
}
