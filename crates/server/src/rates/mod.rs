//! How many calls a caller may make: named limits, counted by all instances together.
//!
//! - [`limits`]: the limits, their names, and how they are written
//! - [`buckets`]: who has how many calls left
//! - [`purses`]: what of that an instance knows without asking
//! - [`headers`]: how an answer tells it
//!
//! Each caller (an API key, an agent) has a bucket of each kind, and each namespace one for what all its callers read and
//! write. The
//! administrator is not limited: who holds that key can change the limits as well. Refused credentials never get here.

mod buckets;
mod headers;
mod limits;
mod purses;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use mcpanel_guard::{Permission, Principal, Role};
use mcpanel_store_mongo::rates::{Allowance, Limit, Rates};

pub use limits::{InvalidLimits, Kind, Limits};

use crate::{
    access::{Access, Route},
    error::{ApiError, ApiResult, Code},
};
use buckets::Buckets;

/// Counts calls, and refuses those that are too many.
#[derive(Clone, Default)]
pub struct RateLimits(Option<Arc<Counting>>);

struct Counting {
    limits: Limits,
    buckets: Buckets,
}

/// What an answer tells its caller about a limit.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    kind: Kind,
    limit: Limit,
    allowance: Allowance,
}

impl RateLimits {
    /// Counts in these buckets.
    pub fn new(limits: Limits, rates: Rates) -> Self {
        Self((!limits.are_off()).then(|| {
            Arc::new(Counting {
                limits,
                buckets: Buckets::new(rates),
            })
        }))
    }

    /// Counts a call; none when nothing limits it.
    pub(crate) async fn count(
        &self,
        route: &Route,
        principal: &Principal,
    ) -> ApiResult<Option<Standing>> {
        let Some(counting) = &self.0 else {
            return Ok(None);
        };
        let namespace = &principal.namespace;
        let caller = match &principal.role {
            Role::Admin => return Ok(None),
            Role::Key(_) | Role::Agent { .. } => format!("{namespace}|{}", principal.actor()),
        };
        let kind = kind_of(route);
        let own = counting.take(kind, &caller).await?;
        // Leases would run out, and work be done twice, if other callers could have a heartbeat or a result refused.
        if kind == Kind::Work {
            return Ok(own);
        }
        let all = counting.take(Kind::Namespace, namespace.as_str()).await?;
        // What is the caller's own says more to the caller.
        Ok(own.or(all))
    }

    /// Calls that were refused so far, by limit.
    pub(crate) fn refused(&self) -> Vec<(Kind, u64)> {
        let of = |counting: &Arc<Counting>| counting.buckets.refused();
        self.0.as_ref().map(of).unwrap_or_default()
    }
}

impl Counting {
    async fn take(&self, kind: Kind, whose: &str) -> ApiResult<Option<Standing>> {
        let Some(limit) = self.limits.of(kind) else {
            return Ok(None);
        };
        let standing = Standing {
            kind,
            limit,
            allowance: self.buckets.take(kind, whose, limit).await,
        };
        match standing.allowance.allowed {
            true => Ok(Some(standing)),
            false => Err(standing.refusal()),
        }
    }
}

impl Standing {
    /// Tells the caller.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in headers::of(self) {
            headers.insert(name, value);
        }
    }

    fn refusal(&self) -> ApiError {
        let Limit { burst, per_second } = self.limit;
        let whose = match self.kind {
            Kind::Namespace => "all callers of this namespace together",
            Kind::Reads | Kind::Writes | Kind::Work => "this caller",
        };
        let detail = format!(
            "the limit `{}` allows {whose} {per_second} calls a second, and {burst} at once",
            self.kind.name()
        );
        // Whole seconds, as the header has them; never none, which would mean at once.
        let wait_s = self.allowance.retry_after.as_secs_f64().ceil().max(1.0);
        let refusal = ApiError::new(Code::RateLimited, detail).retry_after_s(wait_s as u32);
        headers::of(self)
            .into_iter()
            .fold(refusal, |refusal, (name, value)| {
                refusal.with_header(name, value)
            })
    }
}

/// What kind of call a route is.
fn kind_of(route: &Route) -> Kind {
    match (&route.method, route.access) {
        (_, Access::Needs(Permission::TaskExecute)) => Kind::Work,
        (method, _) if method == Method::GET => Kind::Reads,
        _ => Kind::Writes,
    }
}
