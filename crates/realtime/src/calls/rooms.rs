//! Rooms: joining with what was missed, and leaving.

use std::sync::Arc;

use mcpanel_api::{
    Problem,
    socket::{Subscribe, Subscribed, Unsubscribed},
};

use super::ended_by;
use crate::{connection::Connection, ports::Answer, refusal::Refusal, room::Room, server::Inner};

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

fn read(body: &str) -> Answer<Subscribe> {
    // `subscribe("namespace")` means what it looks like.
    if let Ok(room) = serde_json::from_str::<String>(body) {
        return Ok(Subscribe {
            room: Some(room),
            ..Subscribe::default()
        });
    }
    serde_json::from_str(body).map_err(|error| Refusal::fault("", "invalid", error.to_string()))
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
