//! What moved in the queue, for the views.

use mcpanel_domain::{AgentId, Namespace, PipelineId, TaskId};

use super::Queue;
use crate::Away;

/// Something that the views must look at, with what the queue knows of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// A task changed; no record when it ended long ago or never was.
    Task(TaskId, Option<Record>),
    /// A task left an agent; the record tells whether it came back.
    Left(AgentId, TaskId, Option<Record>),
    /// An agent changed, or how many leases it holds.
    Agent(AgentId, u32),
    /// A pipeline or one of its tasks changed.
    Pipeline(PipelineId),
}

/// The part of a task's record that the views show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// `p` pending, `y` retry, `a` assigned, `r` running, `x` ended.
    pub(crate) status: char,
    pub(crate) priority: i32,
    /// Who holds it.
    pub(crate) agent: Option<AgentId>,
    /// Since when it stands so (a pending task: since it was created), in milliseconds.
    pub(crate) since_ms: i64,
}

/// What an instance that may keep the views must look at, as texts to say later that they were seen.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// Whether this instance keeps the views.
    pub(crate) mine: bool,
    /// What moved.
    pub(crate) moves: Vec<Move>,
    texts: Vec<String>,
}

impl Queue {
    /// What moved, if `who` keeps the views; it goes on keeping them for `kept_ms`.
    pub(crate) async fn moves(
        &self,
        namespace: &Namespace,
        who: &str,
        kept_ms: u64,
        limit: usize,
    ) -> Result<Moves, Away> {
        let key = self.keys.queue(namespace);
        let arguments = [who.to_owned(), kept_ms.to_string(), limit.to_string()];
        let (mine, found): (i64, Vec<String>) =
            self.scripts.moves.run(&self.link, &key, &arguments).await?;
        let mut moves = Moves {
            mine: mine == 1,
            ..Moves::default()
        };
        for three in found.chunks_exact(3) {
            if let Some(each) = read(&three[0], &three[1], &three[2]) {
                moves.moves.push(each);
            }
            moves.texts.push(three[0].clone());
        }
        Ok(moves)
    }

    /// The views show what these moves led to.
    pub(crate) async fn seen(
        &self,
        namespace: &Namespace,
        who: &str,
        moves: Moves,
    ) -> Result<(), Away> {
        let key = self.keys.queue(namespace);
        let mut arguments = vec![who.to_owned()];
        arguments.extend(moves.texts);
        let _: i64 = self.scripts.moved.run(&self.link, &key, &arguments).await?;
        Ok(())
    }

    /// Notes agents and pipelines that the views must look at.
    pub(crate) async fn note(
        &self,
        namespace: &Namespace,
        agents: impl Iterator<Item = &AgentId>,
        pipelines: impl Iterator<Item = &PipelineId>,
    ) -> Result<(), Away> {
        let mut members: Vec<String> = agents.map(|id| format!("a {id}")).collect();
        members.extend(pipelines.map(|id| format!("p {id}")));
        self.mark(namespace, members).await
    }

    /// Notes what the views must look at, as the scripts do: `t TASK`, `l AGENT TASK`, `a AGENT`, `p PIPELINE`.
    pub(crate) async fn mark(
        &self,
        namespace: &Namespace,
        members: Vec<String>,
    ) -> Result<(), Away> {
        if members.is_empty() || !self.views {
            return Ok(());
        }
        self.name(namespace).await?;
        let key = format!("{}|moved", self.keys.queue(namespace));
        for some in members.chunks(super::TASKS_MAX) {
            let mut command = redis::cmd("SADD");
            command.arg(&key).arg(some);
            let _: i64 = self
                .link
                .call(|mut connection| async move { command.query_async(&mut connection).await })
                .await?;
        }
        Ok(())
    }
}

fn read(text: &str, record: &str, load: &str) -> Option<Move> {
    let (kind, rest) = text.split_once(' ')?;
    match kind {
        "t" => Some(Move::Task(TaskId::parse(rest).ok()?, read_record(record))),
        "l" => {
            let (agent, id) = rest.split_once(' ')?;
            let (agent, id) = (AgentId::parse(agent).ok()?, TaskId::parse(id).ok()?);
            Some(Move::Left(agent, id, read_record(record)))
        }
        "a" => Some(Move::Agent(
            AgentId::parse(rest).ok()?,
            load.parse().unwrap_or(0),
        )),
        "p" => Some(Move::Pipeline(PipelineId::parse(rest).ok()?)),
        _ => None,
    }
}

/// Reads a record as the scripts write it: place and token, then the fields of [`super::entry::fields`]. Of a task that
/// was granted, the token tells to whom and since when; its document does not say so yet.
fn read_record(text: &str) -> Option<Record> {
    let fields: Vec<&str> = text.split('|').collect();
    if *fields.first()? == "g" {
        let mut token = fields.get(1)?.split(' ');
        return Some(Record {
            status: 'a',
            priority: fields.get(7)?.parse().ok()?,
            agent: AgentId::parse(token.next()?).ok(),
            since_ms: token.nth(1)?.parse().ok()?,
        });
    }
    Some(Record {
        status: fields.get(3)?.chars().next()?,
        priority: fields.get(7)?.parse().ok()?,
        agent: AgentId::parse(fields.get(10)?).ok(),
        since_ms: fields.get(12)?.parse().ok()?,
    })
}
