//! Schemas of values whose Rust types live in the domain.
//!
//! The markers here are never constructed. A field says `#[schema(value_type = schema::Id)]`, and the
//! OpenAPI document gets a component `Id` whose bounds are the domain's own constants, so the
//! documented limit and the enforced one cannot part.

use std::borrow::Cow;

use mcpanel_domain::{limits, task::COUNTERS_MAX};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{
            AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Ref, SchemaFormat, Type,
        },
    },
};

/// What every id looks like: no leading dot, nothing that means something in a path.
pub const ID_PATTERN: &str = "^[A-Za-z0-9_:-][A-Za-z0-9._:-]*$";

/// Longest opaque token of ours (lease, cursor) taken from outside: an id, two numbers and a
/// checksum in base64 stay below 250.
pub const TOKEN_CHARS_MAX: usize = 512;

/// Permissions of one credential: there are 16 kinds, and room for those to come.
pub const PERMISSIONS_MAX: usize = 64;

/// What a file name looks like: no folder, no control character, no leading dot.
pub const FILE_NAME_PATTERN: &str = "^[^./\\\\\\p{Cc}][^/\\\\\\p{Cc}]*$";

fn text(description: &str, max: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .min_length(Some(1))
        .max_length(Some(max))
}

fn name() -> ObjectBuilder {
    text(
        "A short word that rules compare: a task type, a capability, a namespace.",
        limits::NAME_CHARS_MAX,
    )
    .pattern(Some(ID_PATTERN))
    .examples([serde_json::json!("bias_detection")])
}

fn integer(description: &str, min: i64, max: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some(description))
        .minimum(Some(min))
        .maximum(Some(max))
}

fn list(description: &str, item: &str, max: usize) -> ArrayBuilder {
    ArrayBuilder::new()
        .description(Some(description))
        .items(Ref::from_schema_name(item))
        .max_items(Some(max))
}

/// A bound of the domain as a schema figure.
fn figure(bound: u64) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident = $schema:expr $(, refers to $item:ident)?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.build().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
            $(
                fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    schemas.push(($item::name().into_owned(), $item::schema()));
                    $item::schemas(schemas);
                }
            )?
        }
    )+

        /// Every schema here, by name. The OpenAPI document takes them all, because those that only
        /// parameters refer to are not collected with the operations.
        pub fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![$(($name::name().into_owned(), $name::schema()),)+]
        }
    };
}

markers! {
    /// An identifier.
    Id = text("An identifier: letters, digits and `. _ : -`, not beginning with a dot.", limits::ID_CHARS_MAX)
        .pattern(Some(ID_PATTERN))
        .examples([serde_json::json!("task_01jgk3v8f2q4x6z8b0d2f4h6j8")]);
    /// A word that rules compare.
    Name = name();
    /// A title for people.
    Title = text("A title for people.", limits::TITLE_CHARS_MAX);
    /// A text for people.
    Text = text("A text for people.", limits::TEXT_CHARS_MAX).min_length(Some(0));
    /// A text that is looked for.
    SearchText = text("A text that is looked for; case does not matter.", limits::SEARCH_TEXT_CHARS_MAX);
    /// A file name.
    FileName = text("A file name, without folders.", limits::TITLE_CHARS_MAX)
        .pattern(Some(FILE_NAME_PATTERN))
        .examples([serde_json::json!("counselling.csv")]);
    /// An address.
    Url = text("An absolute `http` or `https` address.", limits::URL_CHARS_MAX)
        .pattern(Some(URL_PATTERN))
        .examples([serde_json::json!("http://127.0.0.1:9000/run")]);
    /// A moment.
    Time = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A moment: RFC 3339, written in UTC with milliseconds; any offset is read."))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples([serde_json::json!("2026-01-02T03:04:05.678Z")]);
    /// Free-form JSON.
    Payload = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(format!(
            "A free-form JSON object of up to {} bytes, kept as it was sent, but for white space and needless escapes. Larger data travels as an artifact.",
            limits::PAYLOAD_BYTES_MAX
        )))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)));
    /// A file.
    Bytes = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The bytes of a file, as they are."))
        .content_media_type("application/octet-stream");
    /// An agent's own counters.
    Counters = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Counters of an agent's own, by name, such as `records`."))
        .max_properties(Some(COUNTERS_MAX))
        .property_names(Some(name().build()))
        .additional_properties(Some(Schema::from(integer("A count.", 0, i64::MAX))))
        .examples([serde_json::json!({"records": 1482})]);
    /// The proof of holding a task.
    Lease = text("The lease token that the claim answered; calls about work in hand carry it.", TOKEN_CHARS_MAX)
        .examples([serde_json::json!("1-00112233445566778899aabbccddeeff")]);
    /// Where a page ends.
    Cursor = text("Where the previous page ended (its `next_cursor`), opaque.", TOKEN_CHARS_MAX);
    /// Items of a page.
    Limit = integer("Items of a page.", 1, i64::from(limits::PAGE_ITEMS_MAX))
        .default(Some(limits::PAGE_ITEMS_DEFAULT.into()));
    /// Urgency.
    Priority = integer(
        "Higher runs first.",
        i64::from(*limits::PRIORITY_RANGE.start()),
        i64::from(*limits::PRIORITY_RANGE.end()),
    )
    .default(Some(0.into()));
    /// How long one attempt may take.
    TimeoutMs = integer("How long one attempt may take, in milliseconds.", 1, figure(limits::TIMEOUT_MS_MAX));
    /// Attempts after the first.
    Retries = integer("Attempts after the first.", 0, i64::from(limits::RETRIES_MAX));
    /// A pause between attempts.
    RetryDelayMs = integer("A pause between two attempts, in milliseconds.", 0, figure(limits::RETRY_DELAY_MS_MAX));
    /// How much an agent holds.
    Concurrency = integer("How many tasks an agent may hold at once.", 1, i64::from(limits::CONCURRENCY_MAX))
        .default(Some(limits::CONCURRENCY_DEFAULT.into()));
    /// How much a claim takes.
    ClaimMax = integer("How many tasks to hand out at most.", 1, i64::from(limits::CLAIM_TASKS_MAX))
        .default(Some(1.into()));
    /// How long a claim waits.
    ClaimWaitMs = integer(
        "How long to wait for work when there is none, in milliseconds.",
        0,
        figure(limits::CLAIM_WAIT_MS_MAX),
    )
    .default(Some(0.into()));
    /// A stage's number.
    StageNumber = integer("The number of a stage within its pipeline.", 1, figure(limits::STAGES_MAX as u64));
    /// What an agent can or a task needs.
    Capabilities = list("What an agent offers or a task needs.", "Name", limits::CAPABILITIES_MAX), refers to Name;
    /// Words to find a document by.
    Tags = list("Words to find a document by.", "Title", limits::TAGS_MAX), refers to Title;
    /// Tasks to wait for.
    Dependencies = list("Tasks that must complete first.", "Id", limits::DEPENDENCIES_MAX), refers to Id;
    /// Tasks in hand.
    TaskIds = list("Ids of tasks.", "Id", limits::CONCURRENCY_MAX as usize), refers to Id;
    /// What a credential allows.
    Permissions = ArrayBuilder::new()
        .description(Some("What a credential allows, such as `task:read`."))
        .items(text("A permission.", limits::NAME_CHARS_MAX).build())
        .max_items(Some(PERMISSIONS_MAX))
        .examples([serde_json::json!(["task:read", "task:execute"])]);
    /// Stages to wait for.
    StageDependencies = list("Stages that must complete first.", "StageNumber", limits::STAGES_MAX), refers to StageNumber;
}

/// What an address looks like: no credentials, no spaces; the host is checked where it is used.
pub const URL_PATTERN: &str = "^https?://[^\\s@]+$";
