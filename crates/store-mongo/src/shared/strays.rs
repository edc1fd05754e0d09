//! What the views show and should not: members that no change will ever move again.
//!
//! They are left by another database that was here before, by a server that lost some keys and kept others, or by a hand.
//! A sweep has everything that is shown looked at anew; what does not exist goes.

use mcpanel_domain::{AgentId, Namespace};
use redis::Cmd;

use super::Shared;
use crate::Away;

/// Members read in one go.
const PAGE: usize = 500;

impl Shared {
    /// Has everything looked at that the views show of tasks and of these agents.
    pub(super) async fn note_shown(
        &self,
        namespace: &Namespace,
        agents: &[&AgentId],
    ) -> Result<(), Away> {
        for word in ["pending", "retry", "running"] {
            let key = self.keys.tasks_in(namespace, word);
            let mut cursor = 0_u64;
            loop {
                let mut scan = redis::cmd("ZSCAN");
                scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
                let (next, found): (u64, Vec<(String, f64)>) = self.ask(scan).await?;
                let marks = found.iter().map(|(id, _)| format!("t {id}"));
                self.queue.mark(namespace, marks.collect()).await?;
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        let mut active = redis::cmd("SMEMBERS");
        active.arg(self.keys.agents_active(namespace));
        let active: Vec<String> = self.ask(active).await?;
        let marks = active.iter().map(|id| format!("a {id}"));
        self.queue.mark(namespace, marks.collect()).await?;
        let active: Vec<AgentId> = active
            .iter()
            .filter_map(|id| AgentId::parse(id).ok())
            .collect();
        let all: Vec<&AgentId> = agents.iter().copied().chain(&active).collect();
        for some in all.chunks(PAGE) {
            let reads = some.iter().map(|agent| {
                let key = self.keys.tasks_of(namespace, agent);
                let mut read = redis::cmd("ZRANGE");
                read.arg(&key).arg(0).arg(-1);
                (key, read)
            });
            let reads: Vec<(String, Cmd)> = reads.collect();
            let found: Vec<Vec<String>> = self
                .link
                .call(|mut connection| async move { connection.send_all(reads).await })
                .await?;
            let of_agent = |(agent, ids): (&&AgentId, Vec<String>)| {
                let agent = (*agent).clone();
                ids.into_iter().map(move |id| format!("l {agent} {id}"))
            };
            let marks = some.iter().zip(found).flat_map(of_agent);
            self.queue.mark(namespace, marks.collect()).await?;
        }
        Ok(())
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: Cmd) -> Result<T, Away> {
        self.link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await
    }
}
