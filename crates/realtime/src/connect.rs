//! The handshake: who connects, with which credential.

use std::{fmt, sync::Arc};

use axum::http::HeaderMap;
use mcpanel_api::Problem;
use mcpanel_guard::Role;
use serde::Deserialize;
use serde_json::value::RawValue;
use socketioxide::{
    ParserError,
    extract::{AckSender, Event, SocketRef, TryData},
};

use crate::{
    calls,
    connection::{Connection, SocketLine},
    hub::Party,
    ports::{Answer, Credential},
    refusal::Refusal,
    server::Inner,
};

/// What clients give as `auth`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Auth {
    token: Option<String>,
    #[serde(alias = "apiKey")]
    api_key: Option<String>,
}

/// A refused handshake, as clients see it: in `connect_error`, with the code first.
pub(crate) struct Refused(Box<Problem>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

/// Lets a socket in, or refuses it and counts that.
pub(crate) async fn let_in(
    server: Arc<Inner>,
    socket: SocketRef,
    auth: TryData<Auth>,
) -> Result<(), Refused> {
    let figures = server.figures.clone();
    let outcome = enter(server, socket, auth).await;
    outcome.inspect_err(|refused| figures.refused(&refused.0.code))
}

/// Lets a socket in, or refuses it. Runs before the client hears that it is connected, so that nothing it sends is
/// missed.
async fn enter(server: Arc<Inner>, socket: SocketRef, auth: TryData<Auth>) -> Result<(), Refused> {
    let shown = credential(&socket.req_parts().headers, auth.0).map_err(Refused)?;
    let identity = server
        .parts
        .identify
        .identify(&shown)
        .await
        .map_err(Refused)?;
    // The clocks of others are given some leeway by who identifies; a socket let in by it would be ended at once.
    if let Some(at) = identity.expires_at
        && at <= server.parts.identify.now()
    {
        let why = format!("the token expired at {at}; connect with a new one");
        return Err(Refused(unauthenticated(&why)));
    }
    let namespace = identity.principal.namespace.clone();
    let party = party(&identity.principal.role);
    let connection = Arc::new(Connection::new(
        server.next_id(),
        identity,
        socket.clone(),
        &server,
    ));
    server.add(socket.id, connection.clone()).map_err(Refused)?;
    let line = Arc::new(SocketLine(Arc::downgrade(&connection)));
    let channel = server.hub.enter(&namespace, connection.id, line, party);
    connection.entered(channel);
    listen(&server, &socket);
    Ok(())
}

fn listen(server: &Arc<Inner>, socket: &SocketRef) {
    // The socket owns its handlers, so they find their connection by its id: holding it, neither would ever be freed.
    let calls = Arc::downgrade(server);
    socket.on_fallback(
        move |socket: SocketRef,
              Event(event): Event,
              TryData(body): TryData<Box<RawValue>>,
              ack: AckSender| {
            // Here and not in the future: handlers run in the order of the messages, their futures do not.
            if let Some(server) = calls.upgrade()
                && let Some(connection) = server.connection(socket.id)
            {
                calls::receive(&server, &connection, event, body, ack);
            }
            std::future::ready(())
        },
    );
    let ends = Arc::downgrade(server);
    socket.on_disconnect(move |socket: SocketRef| {
        if let Some(server) = ends.upgrade()
            && let Some(connection) = server.remove(socket.id)
        {
            if !connection.has_ended() {
                server.figures.left.one_more();
            }
            connection.leave();
        }
        std::future::ready(())
    });
}

fn party(role: &Role) -> Option<Party> {
    match role {
        Role::Admin => None,
        Role::Key(id) => Some(Party::Key(id.clone())),
        Role::Agent { agent_id, .. } => Some(Party::Agent(agent_id.clone())),
    }
}

pub(crate) fn credential(
    headers: &HeaderMap,
    auth: Result<Auth, ParserError>,
) -> Answer<Credential> {
    let auth =
        auth.map_err(|_| unauthenticated("`auth` must be an object with `token` or `api_key`"))?;
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let bearer = match header("authorization").map(|value| value.split_once(' ')) {
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("bearer") => {
            Some(token.trim().to_owned())
        }
        Some(_) => return Err(unauthenticated("`Authorization` must be `Bearer <token>`")),
        None => None,
    };
    let mut shown = [
        auth.token.map(Credential::Bearer),
        auth.api_key.map(Credential::Key),
        bearer.map(Credential::Bearer),
        header("x-api-key").map(|key| Credential::Key(key.to_owned())),
    ]
    .into_iter()
    .flatten();
    match (shown.next(), shown.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(unauthenticated(
            "connect with `auth: {token}` or `auth: {api_key}`, or with the header `Authorization` or `X-API-Key`",
        )),
        (Some(_), Some(_)) => Err(unauthenticated("show one credential, not several")),
    }
}

fn unauthenticated(detail: &str) -> Box<Problem> {
    Refusal::Unauthenticated.because(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(headers: &[(&'static str, &str)], auth: &str) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        match credential(&map, Ok(serde_json::from_str(auth).unwrap())) {
            Ok(Credential::Bearer(token)) => Ok(format!("bearer {token}")),
            Ok(Credential::Key(key)) => Ok(format!("key {key}")),
            Err(problem) => Err(problem.detail),
        }
    }

    #[test]
    fn a_credential_comes_in_one_of_four_places() {
        assert_eq!(shown(&[], r#"{"token":"t"}"#).unwrap(), "bearer t");
        assert_eq!(shown(&[], r#"{"api_key":"k"}"#).unwrap(), "key k");
        assert_eq!(shown(&[], r#"{"apiKey":"k"}"#).unwrap(), "key k");
        assert_eq!(
            shown(&[("authorization", "Bearer t")], "{}").unwrap(),
            "bearer t"
        );
        assert_eq!(
            shown(&[("x-api-key", "k")], r#"{"more":1}"#).unwrap(),
            "key k"
        );
    }

    #[test]
    fn none_or_several_are_refused() {
        assert!(shown(&[], "{}").unwrap_err().starts_with("connect with"));
        assert!(shown(&[("authorization", "Basic x")], "{}").is_err());
        let both = shown(&[("x-api-key", "k")], r#"{"token":"t"}"#);
        assert_eq!(both.unwrap_err(), "show one credential, not several");
    }
}
