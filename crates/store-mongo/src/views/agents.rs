//! `agents:active`, `agents:capabilities:{capability}` and `agents:status:{agent_id}`.

use mcpanel_domain::{
    AgentId, Name, Namespace,
    agent::{Admission, Agent, Health, Status},
};
use rustc_hash::FxHashSet;

use super::{Interrupted, Views, Writes};
use crate::{queue::Move, source::Source};

/// The field of an agent's hash that tells which capability sets it is in.
const CAPABILITIES: &str = "capabilities";

/// Longest metadata that is shown, in bytes: what people write by hand. Longer ones stand in MongoDB alone.
const METADATA_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn show(
    views: &Views,
    source: &dyn Source,
    namespace: &Namespace,
    moves: &[Move],
    writes: &mut Writes,
) -> Result<(), Interrupted> {
    let moved: Vec<(&AgentId, u32)> = moves
        .iter()
        .filter_map(|each| match each {
            Move::Agent(id, load) => Some((id, *load)),
            Move::Task(..) | Move::Left(..) | Move::Pipeline(_) => None,
        })
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    let shown = shown_capabilities(views, namespace, &moved).await?;
    for ((id, load), shown) in moved.into_iter().zip(shown) {
        let agent = source.agent(namespace, id).await?;
        write(views, namespace, id, agent.as_deref(), load, &shown, writes);
    }
    Ok(())
}

/// The capability sets that each is in now.
async fn shown_capabilities(
    views: &Views,
    namespace: &Namespace,
    agents: &[(&AgentId, u32)],
) -> Result<Vec<Vec<Name>>, Interrupted> {
    let mut reads = Writes::default();
    for (id, _) in agents {
        let key = views.keys.agent_status(namespace, id);
        reads.push(&key, "HGET", |command| {
            command.arg(CAPABILITIES);
        });
    }
    let commands = reads.0;
    let found: Vec<Option<String>> = views
        .link
        .call(|mut connection| async move { connection.send_all(commands).await })
        .await?;
    let parse = |text: Option<String>| {
        let text = text.unwrap_or_default();
        text.split(',')
            .filter_map(|name| Name::parse(name).ok())
            .collect()
    };
    Ok(found.into_iter().map(parse).collect())
}

fn write(
    views: &Views,
    namespace: &Namespace,
    id: &AgentId,
    agent: Option<&Agent>,
    load: u32,
    shown: &[Name],
    writes: &mut Writes,
) {
    let keys = &views.keys;
    let present: FxHashSet<&Name> = agent
        .map(|agent| agent.capabilities.iter().collect())
        .unwrap_or_default();
    for gone in shown.iter().filter(|name| !present.contains(name)) {
        writes.push(&keys.agents_with(namespace, gone), "SREM", |command| {
            command.arg(id.as_str());
        });
    }
    for capability in present {
        writes.push(
            &keys.agents_with(namespace, capability),
            "SADD",
            |command| {
                command.arg(id.as_str());
            },
        );
    }
    let status = agent.map(|agent| agent.status(load));
    let active = matches!(status, Some(Status::Active | Status::Busy));
    let change = if active { "SADD" } else { "SREM" };
    writes.push(&keys.agents_active(namespace), change, |command| {
        command.arg(id.as_str());
    });
    let key = keys.agent_status(namespace, id);
    let (Some(agent), Some(status)) = (agent, status) else {
        writes.push(&key, "DEL", |_| {});
        return;
    };
    let capabilities: Vec<&str> = agent
        .capabilities
        .iter()
        .map(|name| name.as_str())
        .collect();
    let admission = match agent.admission {
        Admission::Open => "open",
        Admission::Draining => "draining",
        Admission::Disabled => "disabled",
    };
    let error = match &agent.health {
        Health::Well => "",
        Health::Error(error) => error,
    };
    let metadata = match agent.metadata.as_str() {
        short if short.len() <= METADATA_BYTES_MAX => short,
        _ => "",
    };
    let fields: [(&str, &str); 12] = [
        ("status", status.as_str()),
        ("name", &agent.name),
        ("type", agent.agent_type.as_str()),
        (CAPABILITIES, &capabilities.join(",")),
        ("concurrency", &agent.concurrency.to_string()),
        ("leases", &load.to_string()),
        ("admission", admission),
        ("error", error),
        ("session_id", agent.session.id.as_str()),
        ("last_heartbeat", &agent.session.last_heartbeat.to_string()),
        ("registered_at", &agent.registered_at.to_string()),
        ("metadata", metadata),
    ];
    writes.push(&key, "HSET", |command| {
        for (field, value) in fields {
            command.arg(field).arg(value);
        }
    });
}
