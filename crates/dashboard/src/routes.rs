//! Every page and action, each with who may use it. The guard is put before each route where the route is made, so that none
//! can be without.

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{MethodRouter, get, post},
};
use mcpanel_guard::Permission;

use crate::{
    Dashboard, assets,
    guard::{Access, Gate, guard},
    live,
    pages::{agents, artifacts, events, operations, overview, pipelines, settings, sign_in, tasks},
    views,
};

/// One route.
pub struct Route {
    /// The method; `HEAD` goes with `GET`.
    pub method: Method,
    /// The path as axum writes it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    handler: MethodRouter<Dashboard>,
}

fn see(path: &'static str, access: Access, handler: MethodRouter<Dashboard>) -> Route {
    Route {
        method: Method::GET,
        path,
        access,
        handler,
    }
}

fn act(path: &'static str, access: Access, handler: MethodRouter<Dashboard>) -> Route {
    Route {
        method: Method::POST,
        path,
        access,
        handler,
    }
}

/// Every route there is.
pub fn table() -> Vec<Route> {
    use Access::{Needs, Public, SignedIn};
    use Permission as P;
    vec![
        see("/assets/{hash}/{name}", Public, get(assets::get)),
        see("/sign-in", Public, get(sign_in::show)),
        act("/sign-in", Public, post(sign_in::enter)),
        act("/sign-out", SignedIn, post(sign_in::leave)),
        see("/live", SignedIn, get(live::stream)),
        see("/", SignedIn, get(overview::show)),
        see("/agents", Needs(P::AgentRead), get(agents::list)),
        see("/agents/{agent_id}", Needs(P::AgentRead), get(agents::show)),
        act(
            "/agents/{agent_id}/admission",
            Needs(P::AgentManage),
            post(agents::admit),
        ),
        act(
            "/agents/{agent_id}/forget",
            Needs(P::AgentManage),
            post(agents::forget),
        ),
        see("/tasks", Needs(P::TaskRead), get(tasks::list)),
        act("/tasks", Needs(P::TaskManage), post(tasks::change_selected)),
        see("/tasks/{task_id}", Needs(P::TaskRead), get(tasks::show)),
        see("/tasks/{task_id}/log", Needs(P::TaskRead), get(tasks::log)),
        act(
            "/tasks/{task_id}/cancel",
            Needs(P::TaskManage),
            post(tasks::cancel),
        ),
        act(
            "/tasks/{task_id}/retry",
            Needs(P::TaskManage),
            post(tasks::retry),
        ),
        act(
            "/tasks/{task_id}/reveal",
            Needs(P::TaskRead),
            post(tasks::reveal),
        ),
        see("/pipelines", Needs(P::PipelineRead), get(pipelines::list)),
        see(
            "/pipelines/new",
            Needs(P::PipelineCreate),
            get(pipelines::new),
        ),
        act(
            "/pipelines/new",
            Needs(P::PipelineCreate),
            post(pipelines::create),
        ),
        see(
            "/pipelines/{pipeline_id}",
            Needs(P::PipelineRead),
            get(pipelines::show),
        ),
        see(
            "/pipelines/{pipeline_id}/stages/{stage}",
            Needs(P::PipelineRead),
            get(pipelines::stage),
        ),
        act(
            "/pipelines/{pipeline_id}/execute",
            Needs(P::PipelineManage),
            post(pipelines::execute),
        ),
        act(
            "/pipelines/{pipeline_id}/cancel",
            Needs(P::PipelineManage),
            post(pipelines::cancel),
        ),
        act(
            "/pipelines/{pipeline_id}/retry",
            Needs(P::PipelineManage),
            post(pipelines::retry),
        ),
        act(
            "/pipelines/{pipeline_id}/stages/{stage}/execute",
            Needs(P::PipelineManage),
            post(pipelines::execute_stage),
        ),
        see(
            "/artifacts/{artifact_id}/download",
            Needs(P::ArtifactRead),
            get(artifacts::download),
        ),
        see(
            "/artifacts/{artifact_id}",
            Needs(P::ArtifactRead),
            get(artifacts::show),
        ),
        see(
            "/artifacts/{artifact_id}/view",
            Needs(P::ArtifactRead),
            get(artifacts::view),
        ),
        see("/events", Needs(P::EventRead), get(events::list)),
        see("/events/export", Needs(P::EventRead), get(events::export)),
        act("/views/{list}", SignedIn, post(views::save)),
        act("/views/{list}/remove", SignedIn, post(views::remove)),
        see("/operations", Needs(P::TaskRead), get(operations::list)),
        act(
            "/operations",
            Needs(P::TaskManage),
            post(operations::create),
        ),
        see(
            "/operations/new",
            Needs(P::TaskManage),
            get(operations::new),
        ),
        see(
            "/operations/{operation_id}",
            Needs(P::TaskRead),
            get(operations::show),
        ),
        act(
            "/operations/{operation_id}/abort",
            Needs(P::TaskManage),
            post(operations::abort),
        ),
        see("/settings", SignedIn, get(settings::home)),
        see("/settings/keys", Needs(P::KeyManage), get(settings::keys)),
        act(
            "/settings/keys",
            Needs(P::KeyManage),
            post(settings::create_key),
        ),
        act(
            "/settings/keys/{key_id}/revoke",
            Needs(P::KeyManage),
            post(settings::revoke_key),
        ),
        see(
            "/settings/templates",
            Needs(P::PipelineRead),
            get(settings::templates),
        ),
        act(
            "/settings/templates",
            Needs(P::TemplateManage),
            post(settings::store_template),
        ),
        see(
            "/settings/templates/{template_id}",
            Needs(P::PipelineRead),
            get(settings::template),
        ),
    ]
}

/// The router over a dashboard.
pub fn router(dashboard: &Dashboard) -> Router {
    let mut router: Router<Dashboard> = Router::new();
    for route in table() {
        let gate = Gate {
            dashboard: dashboard.clone(),
            access: route.access,
        };
        let handler = route
            .handler
            .layer(middleware::from_fn_with_state(gate, guard));
        router = router.route(route.path, handler);
    }
    router.with_state(dashboard.clone())
}
