//! Pages of lists: newest first, each page naming where the next one begins.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::schema;

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items of the page, 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    #[param(value_type = Option<schema::Limit>)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Cursor>)]
    #[param(value_type = Option<schema::Cursor>)]
    pub cursor: Option<String>,
}

/// Declares the page of one kind of list: `{"<plural>": [...], "next_cursor": ...}`.
macro_rules! page {
    ($(#[$doc:meta])* $name:ident, $items:ident: $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub struct $name {
            /// The items, newest first.
            pub $items: Vec<$item>,
            /// Where the next page begins; null on the last page.
            #[schema(value_type = Option<$crate::schema::Cursor>)]
            pub next_cursor: Option<String>,
        }
    };
}
pub(crate) use page;
