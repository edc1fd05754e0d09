//! How an answer tells of limits: `RateLimit-Policy` and `RateLimit`, as the IETF's draft has them, so that callers can
//! slow down before they are refused.

use axum::http::{HeaderName, HeaderValue};
use mcpanel_store_mongo::rates::Limit;

use super::Standing;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The headers of a standing: `"reads";q=2000;w=10`, a quota of 2,000 in a window of 10 s, and `"reads";r=1990;t=1`, 1,990 of
/// which are left, all again in 1 s.
pub(super) fn of(standing: &Standing) -> [(HeaderName, HeaderValue); 2] {
    let Limit { burst, per_second } = standing.limit;
    let name = standing.kind.name();
    let left = standing.allowance.left.min(burst);
    let window_s = burst.div_ceil(per_second.max(1));
    let full_in_s = (burst - left).div_ceil(per_second.max(1));
    [
        (POLICY, format!("\"{name}\";q={burst};w={window_s}")),
        (LIMIT, format!("\"{name}\";r={left};t={full_in_s}")),
    ]
    .map(|(name, text)| {
        let value = HeaderValue::try_from(text).expect("names and digits are a header value");
        (name, value)
    })
}
