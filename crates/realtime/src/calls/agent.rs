//! Signing on, being alive, and taking no more.

use std::sync::Arc;

use mcpanel_api::{
    Problem,
    agent::{Agent, AgentRegistered, HeartbeatAnswer},
    socket::Drained,
};
use mcpanel_guard::{Permission, Principal};
use serde::Serialize;
use serde_json::Value;

use super::{desk, ended_by};
use crate::{
    connection::Connection,
    ports::{Answer, Desk},
    refusal::Refusal,
    server::Inner,
};

/// The answer to `agent:attach`.
#[derive(Debug, Serialize)]
pub(super) struct Attached {
    agent: Agent,
}

/// A seat to take once the agent was told.
pub(super) struct Seating<'a> {
    server: &'a Inner,
    connection: &'a Arc<Connection>,
    agent: Principal,
    desk: Arc<dyn Desk>,
}

impl Seating<'_> {
    pub(super) fn take(self) {
        let seats = &self.server.seats;
        seats.take(self.connection, self.agent, self.desk);
    }
}

pub(super) async fn register<'a>(
    server: &'a Arc<Inner>,
    connection: &'a Arc<Connection>,
    body: &str,
) -> Answer<(AgentRegistered, Seating<'a>)> {
    let desk = desk(server)?.clone();
    needs(connection.caller(), Permission::AgentRegister)?;
    one_alone(connection, body)?;
    let signed_on = desk.register(connection.caller(), body).await?;
    let seating = Seating {
        server,
        connection,
        agent: signed_on.principal,
        desk,
    };
    Ok((signed_on.answer, seating))
}

/// Refuses to sign a second agent on where one lives: what the socket says could be either's.
fn one_alone(connection: &Connection, body: &str) -> Answer<()> {
    let seat = connection.seat.lock();
    let Some(seat) = seat.as_ref().filter(|seat| !seat.is_closed()) else {
        return Ok(());
    };
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let names = ["agent_id", "agentId"];
    let asked = names.iter().find_map(|name| asked.get(name)?.as_str());
    if asked == Some(seat.agent_id().as_str()) {
        return Ok(());
    }
    Err(Refusal::Conflict.because(format!(
        "agent `{}` lives on this socket; connect another one for another agent",
        seat.agent_id()
    )))
}

/// Has tasks pushed here for the agent whose token the handshake showed, or that signed on here: after a lost line, or an
/// `agent:drain`.
pub(super) async fn attach<'a>(
    server: &'a Arc<Inner>,
    connection: &'a Arc<Connection>,
) -> Answer<(Attached, Seating<'a>)> {
    let desk = desk(server)?.clone();
    let agent = agent(connection)?;
    let attached = desk.attach(&agent).await;
    let attached = attached.inspect_err(|problem| ended_by(connection, &agent, problem))?;
    let seating = Seating {
        server,
        connection,
        agent,
        desk,
    };
    Ok((Attached { agent: attached }, seating))
}

pub(super) async fn heartbeat(
    server: &Arc<Inner>,
    connection: &Arc<Connection>,
    body: &str,
) -> Answer<HeartbeatAnswer> {
    let desk = desk(server)?;
    let agent = agent(connection)?;
    let answer = desk.heartbeat(&agent, body).await;
    let answer = answer.inspect_err(|problem| ended_by(connection, &agent, problem))?;
    if let Some(seat) = &*connection.seat.lock() {
        seat.nudge();
    }
    Ok(answer)
}

pub(super) fn drain(connection: &Connection) -> Answer<Drained> {
    agent(connection)?;
    if let Some(seat) = &*connection.seat.lock() {
        seat.drain();
    }
    Ok(Drained { draining: true })
}

fn agent(connection: &Connection) -> Answer<Principal> {
    let acting = connection.acting();
    if acting.agent().is_none() {
        return Err(Refusal::Forbidden.because(
            "no agent lives on this socket: sign on with `agent:register`, or connect with an agent's token",
        ));
    }
    Ok(acting)
}

pub(super) fn needs(caller: &Principal, permission: Permission) -> Result<(), Box<Problem>> {
    if caller.may(permission) {
        return Ok(());
    }
    Err(Refusal::Forbidden.because(format!("this needs the permission `{permission}`")))
}
