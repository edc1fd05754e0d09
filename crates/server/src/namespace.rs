//! Whose documents an administrator looks at: `X-Namespace`.
//!
//! Everybody else sees the namespace of their credentials and no other, so the header changes nothing for them: named,
//! their own is what they have, and another one is refused before anybody looks whether it exists.

use axum::http::HeaderMap;
use mcpanel_domain::Namespace;
use mcpanel_guard::{Principal, Role};

use crate::error::{ApiError, ApiResult, Code, quoted};

/// The header by which an administrator names a namespace.
pub const X_NAMESPACE: &str = "x-namespace";

/// The caller in the namespace that the request names, if it names one.
pub fn chosen(mut principal: Principal, headers: &HeaderMap) -> ApiResult<Principal> {
    let Some(wanted) = named(headers)? else {
        return Ok(principal);
    };
    if principal.role == Role::Admin {
        principal.namespace = wanted;
    } else if principal.namespace != wanted {
        return Err(ApiError::new(
            Code::Forbidden,
            "only an administrator names a namespace; leave `X-Namespace` out",
        ));
    }
    Ok(principal)
}

fn named(headers: &HeaderMap) -> ApiResult<Option<Namespace>> {
    let mut values = headers.get_all(X_NAMESPACE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(fault("duplicate", "is there twice".to_owned()));
    }
    let text = value.to_str().unwrap_or_default().trim();
    Namespace::parse(text).map(Some).map_err(|error| {
        let shown = quoted(&String::from_utf8_lossy(value.as_bytes()));
        fault("not_a_namespace", format!("is `{shown}`, which {error}"))
    })
}

fn fault(code: &'static str, detail: String) -> ApiError {
    ApiError::fault("/X-Namespace", code, detail)
}
