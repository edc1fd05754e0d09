//! Claims of this instance that wait for work.

use std::collections::VecDeque;

use mcpanel_domain::{AgentId, Namespace};
use mcpanel_store::Offer;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{Notify, oneshot};

use super::entry::suits;

/// Waiting claims whose free slots are asked for in one go: a script of some hundred microseconds.
pub(super) const CANDIDATES_MAX: usize = 256;

/// Waiting claims by namespace, longest waiting first, and what was heard since they were last looked at.
#[derive(Default)]
pub(super) struct Waiters {
    waiting: Mutex<FxHashMap<Namespace, VecDeque<Waiter>>>,
    news: Mutex<FxHashMap<Namespace, News>>,
    pub(super) heard: Notify,
}

struct Waiter {
    offer: Offer,
    wake: oneshot::Sender<()>,
}

/// What happened in a namespace.
#[derive(Default)]
pub(super) struct News {
    /// Lanes in which tasks became ready.
    pub(super) lanes: FxHashSet<String>,
    /// Agents of which a slot became free.
    pub(super) agents: FxHashSet<AgentId>,
}

/// A message between instances: namespace, lanes as `COUNT LANE`, agents; a line each, parts split by `|`.
pub(super) fn read_news(message: &str) -> Option<(Namespace, News)> {
    let mut lines = message.split('\n');
    let namespace = Namespace::parse(lines.next()?).ok()?;
    let lanes = lines.next()?.split('|').filter_map(|part| {
        let (_, lane) = part.split_once(' ')?;
        Some(lane.to_owned())
    });
    let agents = lines.next()?.split('|');
    let news = News {
        lanes: lanes.collect(),
        agents: agents.filter_map(|id| AgentId::parse(id).ok()).collect(),
    };
    Some((namespace, news))
}

impl Waiters {
    pub(super) fn add(&self, offer: &Offer) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        let queue = waiting.entry(offer.namespace.clone()).or_default();
        // Claims that gave up leave their place; sweep them before the queue could grow with them.
        if queue.len() == queue.capacity() {
            queue.retain(|waiter| !waiter.wake.is_closed());
        }
        queue.push_back(Waiter {
            offer: offer.clone(),
            wake,
        });
        woken
    }

    /// Takes note of news; whoever looks after the waiters is told.
    pub(super) fn hear(&self, namespace: Namespace, news: News) {
        let mut all = self.news.lock();
        let known = all.entry(namespace).or_default();
        known.lanes.extend(news.lanes);
        known.agents.extend(news.agents);
        drop(all);
        self.heard.notify_one();
    }

    /// What was heard since the last call.
    pub(super) fn take_news(&self) -> FxHashMap<Namespace, News> {
        std::mem::take(&mut *self.news.lock())
    }

    /// Namespaces in which somebody waits.
    pub(super) fn namespaces(&self) -> Vec<Namespace> {
        let mut waiting = self.waiting.lock();
        waiting.retain(|_, queue| {
            queue.retain(|waiter| !waiter.wake.is_closed());
            !queue.is_empty()
        });
        waiting.keys().cloned().collect()
    }

    /// Wakes a claim of each agent: a slot of it became free.
    pub(super) fn wake_agents(&self, namespace: &Namespace, agents: &FxHashSet<AgentId>) {
        let mut waiting = self.waiting.lock();
        let Some(queue) = waiting.get_mut(namespace) else {
            return;
        };
        for agent in agents {
            let at = queue
                .iter()
                .position(|waiter| waiter.offer.agent_id == *agent && !waiter.wake.is_closed());
            if let Some(waiter) = at.and_then(|at| queue.remove(at)) {
                // It may have given up; nothing is lost then.
                let _ = waiter.wake.send(());
            }
        }
    }

    /// The longest waiting claims that could run tasks of these lanes; of any, when there are none.
    pub(super) fn candidates(
        &self,
        namespace: &Namespace,
        lanes: Option<&FxHashSet<String>>,
    ) -> Vec<Offer> {
        let waiting = self.waiting.lock();
        let Some(queue) = waiting.get(namespace) else {
            return Vec::new();
        };
        queue
            .iter()
            .filter(|waiter| !waiter.wake.is_closed())
            .map(|waiter| &waiter.offer)
            .filter(|offer| lanes.is_none_or(|lanes| lanes.iter().any(|lane| may_run(offer, lane))))
            .take(CANDIDATES_MAX)
            .cloned()
            .collect()
    }

    /// Wakes as many of the candidates with room as there are tasks for them.
    pub(super) fn wake(&self, candidates: &[Offer], rooms: &[i64], mut lanes: Vec<(u64, String)>) {
        let mut waiting = self.waiting.lock();
        for (offer, room) in candidates.iter().zip(rooms) {
            if *room <= 0 {
                continue;
            }
            let work = lanes
                .iter_mut()
                .find(|(count, lane)| *count > 0 && may_run(offer, lane));
            let Some((count, _)) = work else { continue };
            let Some(queue) = waiting.get_mut(&offer.namespace) else {
                return;
            };
            let at = queue.iter().position(|waiter| {
                waiter.offer.agent_id == offer.agent_id
                    && waiter.offer.session == offer.session
                    && !waiter.wake.is_closed()
            });
            if let Some(waiter) = at.and_then(|at| queue.remove(at))
                && waiter.wake.send(()).is_ok()
            {
                // It takes at least one and at most what it has room and appetite for.
                let takes = u64::try_from(*room).unwrap_or(1).min(u64::from(offer.max));
                *count = count.saturating_sub(takes.max(1));
            }
        }
    }

    /// Puts those who wait longest behind the others, so that many without room do not hide one
    /// that has some.
    pub(super) fn rotate(&self, namespace: &Namespace) {
        let mut waiting = self.waiting.lock();
        if let Some(queue) = waiting.get_mut(namespace)
            && queue.len() > CANDIDATES_MAX
        {
            queue.rotate_left(CANDIDATES_MAX);
        }
    }

    /// Wakes everybody: the queue is away, and each must ask elsewhere.
    pub(super) fn wake_all(&self, namespace: &Namespace) {
        let queue = self.waiting.lock().remove(namespace);
        for waiter in queue.into_iter().flatten() {
            let _ = waiter.wake.send(());
        }
    }
}

fn may_run(offer: &Offer, lane: &str) -> bool {
    suits(lane, offer.agent_id.as_str(), &offer.capabilities)
}
