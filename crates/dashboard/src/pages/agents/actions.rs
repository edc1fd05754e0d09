//! What can be done to an agent.

use axum::response::Response;
use maud::Markup;
use mcpanel_domain::{
    AgentId,
    agent::{Admission, Changes},
};
use mcpanel_guard::Permission;

use super::{list::row, parse};
use crate::{
    Dashboard,
    act::{Document, On},
    error::{Failure, Result},
    form::{Form, back_with},
    session::{Flash, Viewer},
};

/// Agents, as actions know them.
pub struct Agents;

impl Document for Agents {
    type Id = AgentId;

    const PATH: &'static str = "/agents";

    const READ: Permission = Permission::AgentRead;

    fn id(text: &str) -> Result<AgentId> {
        parse(text)
    }

    async fn row(dashboard: &Dashboard, viewer: &Viewer, id: &AgentId) -> Result<Markup> {
        let view = dashboard.control.agents.get(&viewer.scope, id).await?;
        Ok(row(viewer, &view))
    }
}

/// Drains, disables or opens an agent.
pub async fn admit(on: On<Agents>, form: Form) -> Result<Response> {
    let (admission, word) = match form.text("to") {
        Some("open") => (Admission::Open, "takes work"),
        Some("draining") => (
            Admission::Draining,
            "finishes what it has and gets nothing new",
        ),
        Some("disabled") => (Admission::Disabled, "gets no work"),
        _ => {
            return Err(Failure::bad_request(
                "`to` must be `open`, `draining` or `disabled`",
            ));
        }
    };
    let changes = Changes {
        admission: Some(admission),
        ..Changes::default()
    };
    let agents = &on.dashboard.control.agents;
    let changed = agents.update(&on.viewer.scope, &on.id, changes, None).await;
    on.answer(&form, changed, |_| format!("Agent {} {word}.", on.id))
        .await
}

/// Signs an agent off in its place. Its page is gone then, so the list is where this leads.
pub async fn forget(on: On<Agents>, _: Form) -> Result<Response> {
    let agents = &on.dashboard.control.agents;
    agents.unregister(&on.viewer.scope, &on.id).await?;
    let done = Flash::done(format!("Agent {} is forgotten.", on.id));
    Ok(back_with("/agents", &done))
}
