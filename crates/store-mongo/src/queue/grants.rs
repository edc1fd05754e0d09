//! Assignments that documents do not say yet, in the queue.

use mcpanel_domain::{AgentId, Namespace, TaskId, Timestamp};
use mcpanel_store::Grant;

use super::{Queue, TASKS_MAX, entry};
use crate::Away;

/// How old a grant is by Redis's clock when every instance offers to write it, in milliseconds: whoever gave it writes
/// it after a third of that, so it is gone or in trouble.
pub(super) const LEFT_MS: u64 = 3_000;

/// How long a queue is new, in milliseconds: those who gave out tasks before remember them, and have written them by
/// then, though they be slow.
pub(super) const NEW_MS: u64 = 10_000;

/// Such grants told at once. The next look is a quarter of a second later.
pub(super) const LEFT_MAX: usize = 200;

impl Queue {
    /// Turns reservations of this instance into grants, all for one session; tells of each whether it was still
    /// reserved. [`Away`] also when a task was not set aside here, or the queue does not hold everything: write the
    /// assignments then. Once some were granted there is no way back: what cannot be granted then is not.
    pub(crate) async fn grant(
        &self,
        namespace: &Namespace,
        grants: &[Grant],
    ) -> Result<Vec<bool>, Away> {
        let mut granted = Vec::with_capacity(grants.len());
        for some in grants.chunks(TASKS_MAX) {
            match self.grant_some(namespace, some).await {
                Ok(noted) => granted.extend(noted),
                Err(Away) if granted.contains(&true) => {
                    granted.resize(grants.len(), false);
                    break;
                }
                Err(Away) => return Err(Away),
            }
        }
        Ok(granted)
    }

    async fn grant_some(&self, namespace: &Namespace, some: &[Grant]) -> Result<Vec<bool>, Away> {
        let Some(first) = some.first() else {
            return Ok(Vec::new());
        };
        let mut arguments = self.head(namespace);
        arguments.extend([
            u8::from(self.views).to_string(),
            first.agent_id.to_string(),
            first.session.to_string(),
        ]);
        for grant in some {
            let nonce = self
                .returns
                .nonce(namespace, &grant.task_id, grant.revision);
            arguments.extend([
                grant.task_id.to_string(),
                grant.revision.to_string(),
                nonce.ok_or(Away)?.to_string(),
                grant.granted_at.as_ms().to_string(),
                entry::grant(grant),
            ]);
        }
        let key = self.keys.queue(namespace);
        let (whole, noted): (i64, Vec<i64>) =
            self.scripts.grant.run(&self.link, &key, &arguments).await?;
        if whole != 1 {
            return Err(Away);
        }
        let noted: Vec<bool> = noted.into_iter().map(|noted| noted == 1).collect();
        let used = some.iter().zip(&noted).filter(|(_, noted)| **noted);
        self.returns
            .spend(namespace, used.map(|(grant, _)| &grant.task_id));
        Ok(noted)
    }

    /// The grants of tasks, as far as they are known.
    pub(crate) async fn grants_of_tasks(
        &self,
        namespace: &Namespace,
        ids: &[&TaskId],
    ) -> Result<Vec<Grant>, Away> {
        let key = format!("{}|grants", self.keys.queue(namespace));
        let mut grants = Vec::new();
        for some in ids.chunks(TASKS_MAX) {
            let mut ask = redis::cmd("HMGET");
            ask.arg(&key);
            for id in some {
                ask.arg(id.as_str());
            }
            let found: Vec<Option<String>> = self
                .link
                .call(|mut connection| async move { ask.query_async(&mut connection).await })
                .await?;
            let known = some.iter().zip(found);
            grants.extend(known.filter_map(|(id, text)| entry::read_grant(id.as_str(), &text?)));
        }
        Ok(grants)
    }

    /// The grants of an agent that are known, and whether none can be missing.
    pub(crate) async fn grants_of_agent(
        &self,
        namespace: &Namespace,
        agent: &AgentId,
    ) -> Result<(Vec<Grant>, bool), Away> {
        let key = self.keys.queue(namespace);
        let (whole, found): (i64, Vec<String>) = self
            .scripts
            .grants
            .run(&self.link, &key, &[agent.to_string()])
            .await?;
        Ok((read(&found), whole == 1))
    }

    /// Drops grants whose documents moved on. How those stand is to be told next.
    pub(crate) async fn drop_grants(
        &self,
        namespace: &Namespace,
        grants: &[Grant],
        now: Timestamp,
    ) -> Result<(), Away> {
        for some in grants.chunks(TASKS_MAX) {
            let mut arguments = self.head(namespace);
            arguments.push(now.as_ms().to_string());
            arguments.push(u8::from(self.views).to_string());
            for grant in some {
                arguments.push(grant.task_id.to_string());
                arguments.push(entry::grant(grant));
            }
            let key = self.keys.queue(namespace);
            let _: i64 = self.scripts.void.run(&self.link, &key, &arguments).await?;
        }
        Ok(())
    }
}

/// Reads pairs of a task and its grant.
pub(super) fn read(pairs: &[String]) -> Vec<Grant> {
    pairs
        .chunks_exact(2)
        .filter_map(|pair| entry::read_grant(&pair[0], &pair[1]))
        .collect()
}
