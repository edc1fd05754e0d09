//! Events: reading and following what happened.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method},
    response::{IntoResponse, Response, Sse},
};
use mcpanel_api::event::{Event, EventPage, EventQuery, FollowQuery};
use mcpanel_control::EVENTS_PER_READ_MAX;
use mcpanel_domain::task::Needle;
use mcpanel_guard::Permission;
use mcpanel_store::query::EventFilter;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::needs;
use crate::{
    access::Route,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Caller, Query},
    follow::{self, Follower},
    limits::EVENT_READS_MAX,
    views::{self, page},
};

/// Where a reconnecting follower says how far it came.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(stream))
}

pub(super) fn table() -> Vec<Route> {
    let read = |path, operation| needs(Method::GET, path, operation, Permission::EventRead, None);
    vec![
        read("/api/v1/events", "list_events"),
        read("/api/v1/events/stream", "stream_events"),
    ]
}

/// Lists events
///
/// Oldest first, after the number that `after` names or from the moment `happened_from`. With a filter a page may hold few
/// events or none and still not be the last: `has_more` tells.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "events", params(EventQuery),
    responses((status = 200, description = "A page of events.", body = EventPage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventQuery>,
) -> ApiResult<Json<EventPage>> {
    let scope = app.scope(&caller);
    let limit = page::size(query.limit);
    let filter = EventFilter {
        kinds: views::event::kinds(query.kind.as_deref())?,
        task_id: query.task_id,
        agent_id: query.agent_id,
        pipeline_id: query.pipeline_id,
        by: query.by,
        from: query.happened_from,
        before: query.happened_before,
        text: query.text.as_deref().map(Needle::new),
    };
    let span = app.control.events.span(&filter).await?;
    let begin = query.after.unwrap_or_default().max(span.after);
    let mut events = Vec::new();
    let mut after = begin;
    let mut reset = false;
    let mut last = begin;
    // Where what was asked for ends.
    let mut end = begin;
    for read in 0..EVENT_READS_MAX {
        let manager = &app.control.events;
        let found = manager
            .list(&scope, &filter, after, EVENTS_PER_READ_MAX)
            .await?;
        if read == 0 && follow::lost(after, &found) {
            reset = true;
            // The store never came as far as this caller: all that there is, is new to it.
            if after > found.last {
                after = span.after;
                continue;
            }
        }
        last = found.last;
        end = span.to.map_or(last, |to| to.min(last));
        after = found.scanned_to;
        let room = limit - events.len();
        if found.events.len() > room {
            events.extend(found.events.into_iter().take(room));
            after = events.last().map_or(after, |event| event.seq);
            break;
        }
        events.extend(found.events);
        if events.len() == limit || after >= end {
            break;
        }
    }
    Ok(Json(EventPage {
        events: events
            .iter()
            .map(|event| views::event::event(event))
            .collect(),
        next_after: after,
        last_seq: last,
        has_more: after < end,
        reset,
    }))
}

/// Follows events
///
/// Server-sent events: `id` is the number, `event` the kind, `data` the same JSON as in the list. It goes on after the number in
/// `Last-Event-ID`, which browsers send by themselves when they reconnect, or in `after`; without either it begins with
/// what happens next. A comment comes every 15 seconds. `event: reset` means that events are gone which the
/// follower has not seen: it must read anew what it knows from events; its `data` tells `last_seq` and `first_kept`, and
/// the stream goes on after `last_seq`. The server ends it after a while; reconnect.
#[utoipa::path(
    get, path = "/api/v1/events/stream", operation_id = "stream_events", tag = "events",
    params(FollowQuery, ("Last-Event-ID" = Option<u64>, Header, description = "The number of the last event that was seen.")),
    responses((status = 200, description = "Events as they happen.", content_type = "text/event-stream", body = Event))
)]
async fn stream(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<FollowQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let after = last_event_id(&headers)?.or(query.after);
    let filter = EventFilter {
        kinds: views::event::kinds(query.kind.as_deref())?,
        task_id: query.task_id,
        agent_id: query.agent_id,
        pipeline_id: query.pipeline_id,
        by: query.by,
        text: query.text.as_deref().map(Needle::new),
        ..EventFilter::default()
    };
    let scope = app.scope(&caller);
    let follower = Follower::new(app, scope, filter, after)?;
    // Proxies that gather answers before they pass them on would hold the events back.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(follower.words())).into_response())
}

fn last_event_id(headers: &HeaderMap) -> ApiResult<Option<u64>> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(ApiError::fault(
            "/Last-Event-ID",
            "wrong_type",
            "must be the number of an event",
        )),
    }
}
