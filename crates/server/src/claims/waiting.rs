//! How many claims wait.

use std::{collections::HashMap, sync::Arc};

use mcpanel_domain::{AgentId, Namespace};
use parking_lot::Mutex;

use crate::{
    error::{ApiError, Code},
    limits::{CLAIMS_WAITING_MAX, CLAIMS_WAITING_PER_AGENT_MAX},
};

/// When to try again after a refused wait, in seconds: a claim that does not wait is taken at any time.
const RETRY_AFTER_S: u32 = 1;

/// The claims that wait for work, counted.
#[derive(Clone, Default)]
pub struct Waiting(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    total: u32,
    by_agent: HashMap<(Namespace, AgentId), u32>,
}

/// A place among the waiting claims, free again when dropped.
pub(super) struct Place {
    counts: Arc<Mutex<Counts>>,
    agent: (Namespace, AgentId),
}

impl Waiting {
    /// How many claims wait.
    pub fn total(&self) -> u32 {
        self.0.lock().total
    }

    /// Takes a place, or refuses when the agent or the server has too many.
    pub(super) fn enter(&self, namespace: &Namespace, agent: &AgentId) -> Result<Place, ApiError> {
        let agent = (namespace.clone(), agent.clone());
        let mut counts = self.0.lock();
        if counts.total >= CLAIMS_WAITING_MAX {
            let detail = format!("{CLAIMS_WAITING_MAX} claims wait already");
            return Err(ApiError::new(Code::Overloaded, detail).retry_after_s(RETRY_AFTER_S));
        }
        let mine = counts.by_agent.get(&agent).copied().unwrap_or(0);
        if mine >= CLAIMS_WAITING_PER_AGENT_MAX {
            let detail = format!(
                "this agent has {mine} claims waiting; at most {CLAIMS_WAITING_PER_AGENT_MAX}"
            );
            return Err(ApiError::new(Code::TooMany, detail).retry_after_s(RETRY_AFTER_S));
        }
        counts.total += 1;
        counts.by_agent.insert(agent.clone(), mine + 1);
        Ok(Place {
            counts: self.0.clone(),
            agent,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        counts.total -= 1;
        let last = counts.by_agent.get_mut(&self.agent).is_none_or(|mine| {
            *mine -= 1;
            *mine == 0
        });
        if last {
            counts.by_agent.remove(&self.agent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agent_has_its_own_places_and_gets_them_back() {
        let waiting = Waiting::default();
        let namespace = Namespace::default_namespace();
        let [one, other] = ["one", "other"].map(|id| AgentId::parse(id).unwrap());
        let mut places: Vec<Place> = (0..CLAIMS_WAITING_PER_AGENT_MAX)
            .map(|_| waiting.enter(&namespace, &one).unwrap())
            .collect();
        let refused = waiting.enter(&namespace, &one).err().unwrap();
        assert_eq!(refused.code(), Code::TooMany);
        let elsewhere = waiting.enter(&namespace, &other).unwrap();
        places.pop();
        places.push(waiting.enter(&namespace, &one).unwrap());
        drop((places, elsewhere));
        assert_eq!(waiting.total(), 0);
        assert!(waiting.0.lock().by_agent.is_empty());
    }
}
