//! The style sheet and the scripts: in the binary, under names that change with their content.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{error::Failure, session::hex};

/// Files under names that hold their hash never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Its plain name.
    pub name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal, $kind:literal, $path:literal;)+) => {
        /// Every file.
        pub static ALL: &[Asset] = &[$(Asset {
            name: $name,
            media_type: $kind,
            bytes: include_bytes!(concat!("../assets/", $path)),
        },)+];
    };
}

assets! {
    "app.css", "text/css; charset=utf-8", "css/app.css";
    "parts.css", "text/css; charset=utf-8", "css/parts.css";
    "htmx.js", "text/javascript; charset=utf-8", "htmx/htmx.min.js";
    "page.js", "text/javascript; charset=utf-8", "js/page.js";
    "live.js", "text/javascript; charset=utf-8", "js/live.js";
    "rows.js", "text/javascript; charset=utf-8", "js/rows.js";
    "chart.js", "text/javascript; charset=utf-8", "js/chart.js";
    "keys.js", "text/javascript; charset=utf-8", "js/keys.js";
    "icon.svg", "image/svg+xml", "icon.svg";
}

static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    ALL.iter()
        .map(|asset| hex(&Sha256::digest(asset.bytes)[..8]))
        .collect()
});

/// Where a file is; its plain name where there is none of it.
pub fn url(name: &str) -> String {
    match ALL.iter().position(|asset| asset.name == name) {
        Some(at) => format!("/assets/{}/{name}", HASHES[at]),
        None => format!("/assets/none/{name}"),
    }
}

/// Answers with a file. A former hash is answered with what there is now, and not kept.
pub async fn get(
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let at = ALL.iter().position(|asset| asset.name == name);
    let at = at.ok_or_else(|| Failure::not_found("file", &name))?;
    let (asset, current) = (&ALL[at], &HASHES[at]);
    let etag = HeaderValue::try_from(format!("\"{current}\"")).map_err(Failure::internal)?;
    let keep = if hash == *current {
        FOREVER
    } else {
        HeaderValue::from_static("no-cache")
    };
    let fields = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, keep)];
    if headers.get(header::IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let kind = HeaderValue::from_static(asset.media_type);
    Ok((fields, [(header::CONTENT_TYPE, kind)], asset.bytes).into_response())
}
