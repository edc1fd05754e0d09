//! What can be done to tasks.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::Markup;
use mcpanel_domain::{TaskId, task::Status};
use mcpanel_guard::Permission;

use super::{detail, list, parse};
use crate::{
    Dashboard,
    act::{Document, On},
    error::{Failure, Result},
    form::{Form, back_with},
    limits::ROWS_MAX,
    session::{Flash, Viewer},
    ui::text,
};

/// Tasks, as actions know them.
pub struct Tasks;

impl Document for Tasks {
    type Id = TaskId;

    const PATH: &'static str = "/tasks";

    const READ: Permission = Permission::TaskRead;

    fn id(text: &str) -> Result<TaskId> {
        parse(text)
    }

    async fn row(dashboard: &Dashboard, viewer: &Viewer, id: &TaskId) -> Result<Markup> {
        let view = dashboard.control.tasks.get(&viewer.scope, id).await?;
        Ok(list::row(viewer, &view.task))
    }
}

/// Stops a task.
pub async fn cancel(on: On<Tasks>, form: Form) -> Result<Response> {
    let tasks = &on.dashboard.control.tasks;
    let reason = form.text("reason").map(str::to_owned);
    let changed = tasks.cancel(&on.viewer.scope, &on.id, reason).await;
    on.answer(&form, changed, |task| match task.status() {
        Status::Cancelled => "The task is cancelled.".to_owned(),
        _ => "The agent was asked to stop; it hears with its next heartbeat.".to_owned(),
    })
    .await
}

/// Puts a task back in the queue.
pub async fn retry(on: On<Tasks>, form: Form) -> Result<Response> {
    let tasks = &on.dashboard.control.tasks;
    let changed = tasks.retry(&on.viewer.scope, &on.id).await;
    on.answer(&form, changed, |_| {
        "The task is back in the queue with fresh retries.".to_owned()
    })
    .await
}

/// Retries or cancels the rows that were chosen. Each succeeds or fails by itself.
pub async fn change_selected(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    form: Form,
) -> Result<Response> {
    let back = form.back("/tasks").to_owned();
    let retries = match form.text("do") {
        Some("retry") => true,
        Some("cancel") => false,
        _ => return Err(Failure::bad_request("`do` must be `retry` or `cancel`")),
    };
    let ids: Vec<_> = form
        .all("id")
        .take(ROWS_MAX)
        .map(parse)
        .collect::<Result<_>>()?;
    if ids.is_empty() {
        return Ok(back_with(
            &back,
            &Flash::refused("No row was chosen; nothing was changed."),
        ));
    }
    let tasks = &dashboard.control.tasks;
    let (mut done, mut refused) = (0_u64, None);
    for id in &ids {
        let changed = if retries {
            tasks.retry(&viewer.scope, id).await
        } else {
            tasks.cancel(&viewer.scope, id, None).await
        };
        match changed {
            Ok(_) => done += 1,
            Err(error) => {
                let failure = Failure::from(error);
                if failure.status.is_server_error() {
                    return Err(failure);
                }
                refused.get_or_insert(failure.detail);
            }
        }
    }
    let word = if retries { "retried" } else { "cancelled" };
    let mut sentence = format!("{} {word}.", text::counted(done, "task"));
    if let Some(why) = &refused {
        let left = ids.len() as u64 - done;
        sentence.push_str(&format!(" {} not: {why}.", text::count(left)));
    }
    let flash = if done > 0 {
        Flash::done(sentence)
    } else {
        Flash::refused(sentence)
    };
    Ok(back_with(&back, &flash))
}

/// Shows what a task holds. Who did so is written down before it is shown.
pub async fn reveal(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    _: Form,
) -> Result<Markup> {
    let id = parse(&id)?;
    let view = dashboard.control.tasks.reveal(&viewer.scope, &id).await?;
    let viewer = Viewer {
        // Whatever is done on this page leads back to the one that can be asked for again.
        here: format!("/tasks/{id}"),
        ..viewer
    };
    detail::page(&dashboard, &viewer, view, true).await
}
