//! Agents: the specification's `agents` collection, and what else an agent is made of.
//!
//! `status` is what can be said without counting leases: an agent with all its slots in use is `active`
//! here and `busy` in the API. `auth_token` is never written: tokens are signed, not stored.

use mcpanel_domain::agent::{Admission, Agent, Health, Liveness, Session};
use mongodb::bson::RawDocument;

use super::{
    fields::{Fields, Reader, Unreadable},
    payload::{self, INLINE_BYTES_MAX, Large, Shelf},
};

/// The document.
pub fn encode(agent: &Agent, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("agent_id", agent.id.as_str());
    fields.put("namespace", agent.namespace.as_str());
    fields.put_u64("revision", agent.revision);
    fields.put_u64("settings_revision", agent.settings_revision);
    fields.put("name", agent.name.as_str());
    fields.put("type", agent.agent_type.as_str());
    fields.put_texts(
        "capabilities",
        agent.capabilities.iter().map(|each| each.as_str()),
    );
    fields.put("status", agent.status(0).as_str());
    fields.put("concurrency", i64::from(agent.concurrency));
    let mut session = Fields::new();
    session.put("session_id", agent.session.id.as_str());
    session.put("epoch", i64::from(agent.session.epoch));
    session.put_date("opened_at", agent.session.opened_at);
    fields.put_fields("session", session);
    fields.put_date("last_heartbeat", agent.session.last_heartbeat);
    fields.put("liveness", liveness_word(agent.liveness));
    if let Health::Error(reason) = &agent.health {
        fields.put("health_error", reason.as_str());
    }
    fields.put("admission", admission_word(agent.admission));
    payload::put(
        &mut fields,
        "metadata",
        &agent.metadata,
        INLINE_BYTES_MAX,
        large,
    );
    fields.put_texts("permissions", agent.permissions.iter().map(String::as_str));
    fields.put_opt("version", agent.version.as_deref());
    fields.put_opt("endpoint_url", agent.endpoint_url.as_deref());
    fields.put_opt("health_check_url", agent.health_check_url.as_deref());
    fields.put_date("registered_at", agent.registered_at);
    fields.put_date("updated_at", agent.updated_at);
    fields
}

/// Reads an agent.
pub fn decode(document: &RawDocument, shelf: &Shelf) -> Result<Agent, Unreadable> {
    let reader = Reader::new(document)?;
    let session = reader.inner("session")?;
    let text = |name: &str| reader.text_opt(name).map(|found| found.map(str::to_owned));
    Ok(Agent {
        id: reader.parsed("agent_id")?,
        namespace: reader.parsed("namespace")?,
        revision: reader.int("revision")?,
        settings_revision: reader.int("settings_revision")?,
        name: reader.text("name")?.to_owned(),
        agent_type: reader.parsed("type")?,
        capabilities: reader.list_of("capabilities")?,
        concurrency: reader.int("concurrency")?,
        session: Session {
            id: session.parsed("session_id")?,
            epoch: session.int("epoch")?,
            opened_at: session.date("opened_at")?,
            last_heartbeat: reader.date("last_heartbeat")?,
        },
        liveness: reader.word("liveness", liveness)?,
        health: text("health_error")?.map_or(Health::Well, Health::Error),
        admission: reader.word("admission", admission)?,
        metadata: payload::need(&reader, "metadata", shelf)?,
        permissions: reader.list_of("permissions")?,
        version: text("version")?,
        endpoint_url: text("endpoint_url")?,
        health_check_url: text("health_check_url")?,
        registered_at: reader.date("registered_at")?,
        updated_at: reader.date("updated_at")?,
    })
}

fn liveness_word(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Active => "active",
        Liveness::Suspect => "suspect",
        Liveness::Inactive => "inactive",
    }
}

fn liveness(word: &str) -> Option<Liveness> {
    [Liveness::Active, Liveness::Suspect, Liveness::Inactive]
        .into_iter()
        .find(|each| liveness_word(*each) == word)
}

fn admission_word(admission: Admission) -> &'static str {
    match admission {
        Admission::Open => "open",
        Admission::Draining => "draining",
        Admission::Disabled => "disabled",
    }
}

fn admission(word: &str) -> Option<Admission> {
    [Admission::Open, Admission::Draining, Admission::Disabled]
        .into_iter()
        .find(|each| admission_word(*each) == word)
}
