//! The rules of agents, one by one and against random sequences of commands.

mod liveness;
mod properties;
mod settings;

use super::{
    Admission, Agent, Changes, Command, Decision, Health, Liveness, Registration, Status, decide,
    register,
};
use crate::{AgentId, Name, Namespace, Payload, Rejection, SessionId, Timestamp};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_000_000 + ms)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn session(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

fn registration() -> Registration {
    Registration {
        id: AgentId::parse("a").unwrap(),
        name: "An agent".to_owned(),
        agent_type: name("worker"),
        capabilities: vec![name("write"), name("read"), name("write")],
        concurrency: Some(2),
        metadata: Payload::empty(),
        permissions: Vec::new(),
        version: None,
        endpoint_url: None,
        health_check_url: None,
    }
}

fn sign_on(known: Option<&Agent>, of: &str, now: Timestamp) -> Agent {
    let namespace = Namespace::default_namespace();
    let decision = register(known, registration(), &namespace, session(of), now);
    decision.unwrap().agent.unwrap()
}

fn agent() -> Agent {
    sign_on(None, "s1", at(0))
}

fn heartbeat(of: &str, health: Option<Health>) -> Command {
    Command::Heartbeat {
        session: session(of),
        health,
    }
}

fn decision(agent: &Agent, command: Command, now: Timestamp) -> Decision {
    decide(agent, command, now).unwrap()
}

fn change(agent: &Agent, command: Command, now: Timestamp) -> Agent {
    decision(agent, command, now).agent.unwrap()
}
