//! Agents and their leases.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{AgentId, Namespace, SessionId, agent::Agent};
use mcpanel_store::{Held, Offer, Result};
use mongodb::bson::{Document, RawDocumentBuf, doc};

use super::{all, distinct, one};
use crate::{
    documents::{Reader, agent, derived, phase},
    error::unavailable,
    mongo::Mongo,
    read::{self, Query},
    schema,
};

/// An agent.
pub async fn agent(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &AgentId,
) -> Result<Option<Arc<Agent>>> {
    let query = read::by_ids(schema::AGENTS, "agent_id", namespace, [id.as_str()]);
    one(mongo, query, agent::decode).await
}

/// All agents of a namespace, by id.
pub async fn agents(mongo: &Mongo, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
    let query = Query::of(schema::AGENTS, doc! { "namespace": namespace.as_str() })
        .by("by_id")
        .sorted(doc! { "agent_id": 1 });
    all(mongo, &query, agent::decode).await
}

/// How many tasks the offer's session holds.
pub async fn held_by_session(mongo: &Mongo, offer: &Offer) -> Result<u32> {
    let held = mongo
        .raw(schema::TASKS)
        .count_documents(doc! { derived::PHASE: phase::held(&offer.namespace, offer.agent_id.as_str(), offer.session.as_str()) })
        .hint(mongodb::options::Hint::Name("by_phase".to_owned()))
        .max_time(Query::MAX_TIME)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(u32::try_from(held).unwrap_or(u32::MAX))
}

/// The live leases of an agent, in all its sessions, by task.
pub async fn leases(mongo: &Mongo, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
    let phases = phase::held_by(namespace, id.as_str()).filter();
    let found = mongo.find(&held(phases)).await?;
    let mut leases = Vec::with_capacity(found.len());
    for each in &found {
        leases.push(lease(each)?.1);
    }
    leases.sort_by(|a, b| a.task_id.cmp(&b.task_id));
    Ok(leases)
}

fn held(phases: Document) -> Query {
    Query::of(schema::TASKS, doc! { derived::PHASE: phases })
        .by("by_phase")
        .only(&["namespace", "task_id", "lease"])
}

fn lease(found: &RawDocumentBuf) -> Result<(Namespace, Held)> {
    let reader = Reader::new(found)?;
    let lease = reader.inner("lease")?;
    let held = Held {
        task_id: reader.parsed("task_id")?,
        attempt: lease.int("attempt")?,
        session: lease.parsed("session_id")?,
    };
    Ok((reader.parsed("namespace")?, held))
}

/// Leases whose session is not the present session of a registered agent.
pub async fn orphaned_leases(mongo: &Mongo, limit: usize) -> Result<Vec<(Namespace, Held)>> {
    let any = doc! { derived::PHASE: phase::all_held().filter() };
    let held_phases = distinct(mongo, schema::TASKS, derived::PHASE, any).await?;
    let mut by_namespace: BTreeMap<&str, Vec<(&str, &str, &str)>> = BTreeMap::new();
    for each in &held_phases {
        if let Some((namespace, agent, session)) = phase::holder_in(each) {
            let held = (agent, session, each.as_str());
            by_namespace.entry(namespace).or_default().push(held);
        }
    }
    let mut orphaned: Vec<&str> = Vec::new();
    for (name, held) in by_namespace {
        let Ok(namespace) = Namespace::parse(name) else {
            continue;
        };
        let ids = held.iter().map(|(agent, _, _)| *agent);
        let query = read::by_ids(schema::AGENTS, "agent_id", &namespace, ids)
            .only(&["agent_id", "session"]);
        let mut present: BTreeMap<String, SessionId> = BTreeMap::new();
        for found in mongo.find(&query).await? {
            let reader = Reader::new(&found)?;
            let session = reader.inner("session")?.parsed("session_id")?;
            present.insert(reader.text("agent_id")?.to_owned(), session);
        }
        let of_nobody = held.into_iter().filter(|(agent, session, _)| {
            present
                .get(*agent)
                .is_none_or(|present| present.as_str() != *session)
        });
        orphaned.extend(of_nobody.map(|(_, _, phase)| phase));
    }
    if orphaned.is_empty() {
        return Ok(Vec::new());
    }
    let query = held(doc! { "$in": orphaned }).at_most(limit);
    let mut orphans = Vec::new();
    for found in mongo.find(&query).await? {
        orphans.push(lease(&found)?);
    }
    orphans.sort_by(|a, b| (&a.0, &a.1.task_id).cmp(&(&b.0, &b.1.task_id)));
    Ok(orphans)
}
