//! Rooms: joining with what was missed, and leaving.

use std::sync::Arc;

use mcpanel_api::{
    Problem,
    socket::{Subscribe, Subscribed, Unsubscribed},
};

use serde_json::Value;

use super::ended_by;
use crate::{
    connection::Connection,
    ports::Answer,
    refusal::{Refusal, quoted},
    room::Room,
    server::Inner,
};

pub(super) async fn subscribe(
    server: &Inner,
    connection: &Arc<Connection>,
    body: &str,
) -> Answer<Subscribed> {
    let asked = read(body)?;
    let rooms = rooms(&asked)?;
    let caller = connection.acting();
    for room in &rooms {
        // The agent of the socket sees what agents see; who connected, what its own credentials open.
        room.let_in(connection.caller())
            .or_else(|refused| room.let_in(&caller).map_err(|_| refused))?;
    }
    let still = server.parts.identify.still(connection.caller()).await;
    still.inspect_err(|problem| ended_by(connection, connection.caller(), problem))?;
    let channel = connection.channel().ok_or_else(ended)?;
    channel.subscribe(connection.id, rooms, asked.after).await
}

pub(super) fn unsubscribe(connection: &Connection, body: &str) -> Answer<Unsubscribed> {
    let rooms = rooms(&read(body)?)?;
    let channel = connection.channel().ok_or_else(ended)?;
    let left = channel.unsubscribe(connection.id, &rooms);
    Ok(Unsubscribed { rooms: left as u64 })
}

/// What a subscription says, with a fault for each field that says something else.
fn read(body: &str) -> Answer<Subscribe> {
    let fields = match serde_json::from_str(body).unwrap_or_default() {
        // `subscribe("namespace")` means what it looks like.
        Value::String(room) => {
            return Ok(Subscribe {
                room: Some(room),
                ..Subscribe::default()
            });
        }
        Value::Object(fields) => fields,
        _ => {
            return Err(Refusal::fault(
                "",
                "invalid",
                "is none: send the name of a room, or an object with `room` or `rooms`, and `after` where you come back",
            ));
        }
    };
    let mut asked = Subscribe::default();
    for (name, value) in fields {
        let pointer = format!("/{}", quoted(&name));
        let fault = |detail: &str| Refusal::fault(&pointer, "invalid", detail);
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("room", Value::String(room)) => asked.room = Some(room),
            ("room", _) => return Err(fault("is the name of a room, such as `namespace`")),
            ("rooms", Value::Array(rooms)) => {
                let names = rooms.iter().map(|room| room.as_str().map(str::to_owned));
                let names: Option<Vec<String>> = names.collect();
                asked.rooms = names.ok_or_else(|| fault("is a list of names of rooms"))?;
            }
            ("rooms", _) => return Err(fault("is a list of names of rooms")),
            ("after", after) => {
                let after = after.as_u64();
                let after = after.ok_or_else(|| fault("is the number of an event, from 0"))?;
                asked.after = Some(after);
            }
            _ => {
                return Err(Refusal::fault(
                    &pointer,
                    "unknown_field",
                    "is no field; there are `room`, `rooms` and `after`",
                ));
            }
        }
    }
    Ok(asked)
}

fn rooms(asked: &Subscribe) -> Result<Vec<Room>, Box<Problem>> {
    let one = asked.room.iter().map(|room| Room::parse(room, "/room"));
    let several = asked.rooms.iter().enumerate();
    let several = several.map(|(at, room)| Room::parse(room, &format!("/rooms/{at}")));
    let rooms: Vec<Room> = one.chain(several).collect::<Result<_, _>>()?;
    if rooms.is_empty() {
        return Err(Refusal::fault(
            "/room",
            "required",
            "is missing; `namespace` is the room of everything",
        ));
    }
    Ok(rooms)
}

fn ended() -> Box<Problem> {
    Refusal::Overloaded.because("the socket is ending")
}
