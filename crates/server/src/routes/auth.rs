use utoipa_axum::router::OpenApiRouter;

use crate::{access::Route, app::App};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

pub(super) fn table() -> Vec<Route> {
    Vec::new()
}
