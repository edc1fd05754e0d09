//! The pages: Swagger UI from the crate that brings it along, Redoc from `assets/redoc`.

use std::{io::Read, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{
    error::{ApiError, ApiResult},
    etag,
    extract::Path,
    mount::BasePath,
};

/// `gzip -9n` of `redoc.standalone.js`; see the README beside it.
static REDOC: &[u8] = include_bytes!("../../assets/redoc/redoc.standalone.js.gz");

/// `BASE` stands for the path below which the server is found.
static REDOC_PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>mcpanel API</title></head>
<body style=\"margin:0\"><redoc spec-url=\"BASE/openapi.json\"></redoc><script src=\"BASE/redoc/redoc.standalone.js\"></script></body>
</html>
";

/// What the pages may load: what comes from here. Both libraries write style attributes; Redoc searches in a
/// worker that it makes itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// Browsers keep the libraries for a day; a new version of the server is seen by then.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// Ask each time; the entity tag makes that cheap.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");

#[derive(Clone)]
struct Docs {
    json: Bytes,
    etag: HeaderValue,
    swagger: Arc<Config<'static>>,
}

/// `/openapi.json`, `/docs` and `/redoc` for this document, of a server that is found below `base`.
pub fn router<S: Clone + Send + Sync + 'static>(
    mut openapi: OpenApi,
    base: Option<&BasePath>,
) -> Router<S> {
    let base = base.map(ToString::to_string).unwrap_or_default();
    if !base.is_empty() {
        openapi.servers = Some(vec![super::openapi::here(&base)]);
    }
    let redoc = Html(REDOC_PAGE.replace("BASE", &base));
    let json = Bytes::from(
        openapi
            .to_json()
            .expect("the document serialises")
            .into_bytes(),
    );
    let digest: String = Sha256::digest(&json)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let docs = Docs {
        json,
        etag: etag::of_text(&digest),
        swagger: Arc::new(
            Config::from(format!("{base}/openapi.json"))
                .display_operation_id(true)
                .persist_authorization(false),
        ),
    };
    Router::new()
        .route("/openapi.json", get(json_document))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(swagger_index))
        .route("/docs/{file}", get(swagger_file))
        .route("/redoc", get(|| async move { page(redoc.into_response()) }))
        .route("/redoc/redoc.standalone.js", get(redoc_library))
        .with_state(docs)
}

async fn json_document(State(docs): State<Docs>, headers: HeaderMap) -> Response {
    if etag::is_known(&headers, &docs.etag) {
        return (
            axum::http::StatusCode::NOT_MODIFIED,
            [(header::ETAG, docs.etag)],
        )
            .into_response();
    }
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, ASK),
        (header::ETAG, docs.etag),
    ];
    (headers, docs.json).into_response()
}

async fn swagger_index(State(docs): State<Docs>, headers: HeaderMap) -> ApiResult<Response> {
    swagger(&docs, "index.html", &headers)
}

async fn swagger_file(
    State(docs): State<Docs>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    swagger(&docs, &file, &headers)
}

fn swagger(docs: &Docs, file: &str, headers: &HeaderMap) -> ApiResult<Response> {
    let found = utoipa_swagger_ui::serve(file, docs.swagger.clone())
        .map_err(|error| ApiError::internal(error.to_string()))?
        .ok_or_else(|| ApiError::not_found("file", file))?;
    let kind = HeaderValue::try_from(found.content_type).map_err(ApiError::internal)?;
    let bytes = Bytes::from(found.bytes.into_owned());
    let response = if found.gzpipped {
        unpacked(bytes, headers)?
    } else {
        bytes.into_response()
    };
    Ok(page(with_kind(response, kind)))
}

async fn redoc_library(headers: HeaderMap) -> ApiResult<Response> {
    let response = unpacked(Bytes::from_static(REDOC), &headers)?;
    let mut response = with_kind(
        response,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    response.headers_mut().insert(header::CACHE_CONTROL, KEEP);
    Ok(response)
}

/// Compressed bytes as they are for who reads gzip, which is every browser, and unpacked for the rest.
fn unpacked(gzip: Bytes, headers: &HeaderMap) -> ApiResult<Response> {
    let vary = (header::VARY, HeaderValue::from_static("accept-encoding"));
    let reads_gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("gzip"));
    if reads_gzip {
        let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return Ok(([vary, encoding], gzip).into_response());
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..])
        .read_to_end(&mut plain)
        .map_err(ApiError::internal)?;
    Ok(([vary], plain).into_response())
}

fn with_kind(mut response: Response, kind: HeaderValue) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn page(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(header::CACHE_CONTROL, ASK);
    response
}
