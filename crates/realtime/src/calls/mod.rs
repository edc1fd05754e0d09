//! What comes over a socket: within its bounds, in its lane, to its function, and the answer back.

mod agent;
mod rooms;
mod task;

use std::sync::Arc;

use mcpanel_api::{Problem, socket::Ack};
use mcpanel_guard::Principal;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use socketioxide::{ParserError, extract::AckSender};
use tokio::time::Instant;

use crate::{
    connection::Connection,
    end::End,
    flood::Verdict,
    lanes::{Call, Lane, argument, unwrapped},
    ports::{Answer, Desk, Hold},
    refusal::{Refusal, quoted},
    server::Inner,
};

/// What is listened to; `progress:update` is the specification's name of `task:progress`.
pub(crate) const EVENTS: [&str; 14] = [
    "subscribe",
    "unsubscribe",
    "agent:register",
    "agent:attach",
    "agent:heartbeat",
    "agent:drain",
    "task:start",
    "task:progress",
    "progress:update",
    "task:complete",
    "task:fail",
    "task:release",
    "task:cancel",
    "task:log",
];

/// Takes a message, in the order of its socket.
pub(crate) fn receive(
    server: &Arc<Inner>,
    connection: &Arc<Connection>,
    event: String,
    body: Result<Box<RawValue>, ParserError>,
    ack: AckSender,
) {
    if connection.has_ended() {
        return;
    }
    server.figures.received(&event);
    // What cannot be read has binary parts, which nothing here takes.
    let Ok(body) = body else {
        return answer::<()>(
            server,
            ack,
            Err(Refusal::MalformedJson.because("send JSON, without binary parts")),
        );
    };
    let body = argument(&body);
    let bytes = body.get().len();
    let verdict = connection.flood.lock().take(bytes, Instant::now());
    match verdict {
        Verdict::Taken => {}
        Verdict::Refused(why) => {
            server.figures.calls_flooding.one_more();
            return send::<()>(ack, Err(Refusal::TooMany.because(why)));
        }
        Verdict::Ended => return connection.end(End::TooMany),
    }
    let body = match unwrapped(&event, body) {
        Ok(body) => body,
        Err(problem) => {
            connection.flood.lock().done(bytes);
            return answer::<()>(server, ack, Err(problem));
        }
    };
    let lane = Lane::of(&event, &body);
    let call = Call {
        event,
        body,
        ack,
        bytes,
    };
    if connection.lanes.lock().push(&lane, call) {
        tokio::spawn(work_through(server.clone(), connection.clone(), lane));
    }
}

/// Answers the calls of a lane, one after the other.
async fn work_through(server: Arc<Inner>, connection: Arc<Connection>, lane: Lane) {
    loop {
        let call = connection.lanes.lock().next(&lane);
        let Some(call) = call else { return };
        if !connection.has_ended() {
            perform(&server, &connection, &call.event, &call.body, call.ack).await;
        }
        connection.flood.lock().done(call.bytes);
    }
}

async fn perform(
    server: &Arc<Inner>,
    connection: &Arc<Connection>,
    event: &str,
    body: &RawValue,
    ack: AckSender,
) {
    let body = body.get();
    let hold = |hold| task::hold(server, connection, hold, body);
    match event {
        "subscribe" => answer(
            server,
            ack,
            rooms::subscribe(server, connection, body).await,
        ),
        "unsubscribe" => answer(server, ack, rooms::unsubscribe(connection, body)),
        // Answered before the first task is pushed, so that an agent knows who it is when it comes.
        "agent:register" => match agent::register(server, connection, body).await {
            Ok((told, seating)) => {
                answer(server, ack, Ok(told));
                seating.take();
            }
            Err(problem) => answer::<()>(server, ack, Err(problem)),
        },
        "agent:attach" => match agent::attach(server, connection).await {
            Ok((told, seating)) => {
                answer(server, ack, Ok(told));
                seating.take();
            }
            Err(problem) => answer::<()>(server, ack, Err(problem)),
        },
        "agent:heartbeat" => answer(
            server,
            ack,
            agent::heartbeat(server, connection, body).await,
        ),
        "agent:drain" => answer(server, ack, agent::drain(connection)),
        "task:start" => answer(server, ack, hold(Hold::Start).await),
        "task:progress" | "progress:update" => answer(server, ack, hold(Hold::Progress).await),
        "task:complete" => answer(server, ack, hold(Hold::Complete).await),
        "task:fail" => answer(server, ack, hold(Hold::Fail).await),
        "task:release" => answer(server, ack, hold(Hold::Release).await),
        "task:cancel" => answer(server, ack, hold(Hold::ConfirmCancel).await),
        "task:log" => answer(server, ack, hold(Hold::Log).await),
        other => answer::<()>(server, ack, Err(unknown(other))),
    }
}

/// Counts what became of a call, and acknowledges it.
fn answer<T: Serialize>(server: &Inner, ack: AckSender, outcome: Answer<T>) {
    match outcome {
        Ok(_) => server.figures.calls_answered.one_more(),
        Err(_) => server.figures.calls_refused.one_more(),
    }
    send(ack, outcome);
}

/// Sends an acknowledgement, to who asked for one. On a full line it is lost: all calls are safe to repeat.
fn send<T: Serialize>(ack: AckSender, outcome: Answer<T>) {
    let body = to_raw_value(&Ack::from(outcome)).expect("answers are JSON objects");
    if let Err(error) = ack.send(&*body) {
        tracing::debug!(%error, "cannot acknowledge a call");
    }
}

/// The desk, where this instance has one.
fn desk(server: &Inner) -> Answer<&Arc<dyn Desk>> {
    server.parts.desk.as_ref().ok_or_else(|| {
        Refusal::Forbidden
            .because("this instance only shows events; agents connect to one that runs the API")
    })
}

/// Ends the socket whose caller may not call any more.
fn ended_by(connection: &Arc<Connection>, caller: &Principal, problem: &Problem) {
    if let Some(end) = End::of(problem, caller) {
        connection.end(end);
    }
}

fn unknown(event: &str) -> Box<Problem> {
    Refusal::NotFound.because(format!(
        "no event `{}` is listened to; there are `{}`",
        quoted(event),
        EVENTS.join("`, `")
    ))
}
