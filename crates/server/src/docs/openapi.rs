//! The OpenAPI document: what the handlers say, completed by what all of them have in common.

use std::collections::BTreeMap;

use mcpanel_api::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, ContactBuilder, Content, ExternalDocs, InfoBuilder,
        LicenseBuilder, OpenApi, OpenApiBuilder, OpenApiVersion, Ref, ResponseBuilder,
        SecurityRequirement, Server, ServerBuilder,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

use crate::{
    access::{Access, Route},
    auth::X_API_KEY,
    error::PROBLEM_JSON,
};

/// What `tags` group the operations.
const TAGS: &[(&str, &str)] = &[
    (
        "agents",
        "Programs that sign on, offer capabilities and take work.",
    ),
    ("tasks", "Units of work, handed out under leases."),
    ("pipelines", "Runs of stages over data."),
    ("templates", "Versioned descriptions of pipelines."),
    ("artifacts", "Files that travel between stages."),
    ("events", "Everything that happened, to read and to follow."),
    (
        "operations",
        "One wish about many tasks, carried out in the background.",
    ),
    (
        "metrics",
        "How things stand and stood: queues, counts and times, minute by minute.",
    ),
    ("keys", "API keys and tokens."),
    ("discovery", "What there is to be found."),
    ("health", "How the server is."),
];

const API_KEY: &str = "api_key";
const BEARER: &str = "bearer";

/// The server that the document is from, which is found at `url`.
pub fn here(url: &str) -> Server {
    ServerBuilder::new()
        .url(url)
        .description(Some("This server"))
        .build()
}

/// A document without operations, to collect them in.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("mcpanel")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Agents sign on, tasks are delegated to them reliably, pipelines run over data, people watch.\n\n\
             Errors are problem documents (RFC 9457) whose `errors` lists every fault. Times are RFC 3339 in UTC, \
             durations are milliseconds in fields that end in `_ms`.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .contact(Some(ContactBuilder::new().name(Some("mcpanel")).build()))
        .build();
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info)
        .servers(Some([here("/")]))
        .tags(Some(TAGS.iter().map(|(name, words)| {
            TagBuilder::new()
                .name(*name)
                .description(Some(*words))
                .build()
        })))
        .external_docs(Some(ExternalDocs::new("https://mcpanel.dev")))
        .components(Some(components()))
        .build()
}

fn components() -> Components {
    let mut schemas = mcpanel_api::schema::all();
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    Problem::schemas(&mut schemas);
    let key = ApiKey::Header(ApiKeyValue::with_description(
        "X-API-Key",
        "An API key, such as the one in `admin.key`. The administrator's works on the namespace `default`, or on the one \
         that `X-Namespace` names.",
    ));
    debug_assert!("X-API-Key".eq_ignore_ascii_case(X_API_KEY));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token, or an API key."))
        .build();
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(API_KEY, SecurityScheme::ApiKey(key))
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .build()
}

/// Adds to every operation what the route table says of it, and the problem document as the answer to every fault.
pub fn describe(openapi: &mut OpenApi, table: &[Route]) {
    let routes: BTreeMap<&str, &Route> =
        table.iter().map(|route| (route.operation, route)).collect();
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        let access = operation
            .operation_id
            .as_deref()
            .and_then(|id| routes.get(id))
            .map(|route| route.access);
        operation
            .responses
            .responses
            .insert("default".to_owned(), problem().into());
        let (words, security) = match access {
            None => continue,
            Some(Access::Public) => ("Needs no credentials.".to_owned(), Vec::new()),
            Some(Access::Caller) => ("Needs credentials.".to_owned(), credentials()),
            Some(Access::Needs(permission)) => (
                format!("Needs the permission `{permission}`."),
                credentials(),
            ),
        };
        let description = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{description}\n\n{words}").trim().to_owned());
        operation.security = Some(security);
    }
}

fn credentials() -> Vec<SecurityRequirement> {
    [API_KEY, BEARER]
        .map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()))
        .into()
}

fn problem() -> utoipa::openapi::Response {
    ResponseBuilder::new()
        .description("Refused or failed; `code` says why.")
        .content(
            PROBLEM_JSON,
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
        &mut item.head,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}
