//! Random operations on this queue and on the in-memory store, which must agree in every answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mcpanel_domain::{
    AgentId, TaskId, Timestamp,
    task::{State, Task},
};
use mcpanel_store::{Commit, Offer, Store, Write, memory::MemoryStore};

use super::super::Queue;
use crate::testing::{Dice, assigned, next, now, ns, of_pipeline, offer, queue, servers, task};

const SEEDS: u64 = 12;

/// The model knows no reservations that run out, so none may, however slow the machine.
const UNDISTURBED_MS: u64 = 3_600_000;
const STEPS: usize = 250;

struct Both {
    memory: MemoryStore,
    redis: Arc<Queue>,
    tasks: BTreeMap<TaskId, Task>,
    clock: Arc<AtomicI64>,
}

impl Both {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.clock.load(Ordering::Relaxed))
    }

    async fn save(&mut self, task: Task) {
        let write = Write::Task {
            task: Arc::new(task.clone()),
            parameters: None,
            result: None,
        };
        self.memory.commit(Commit::of(write)).await.unwrap();
        self.tasks.insert(task.id.clone(), task.clone());
        let mut changed = vec![(Arc::new(task.clone()), self.blocked(&task))];
        if task.state == State::Completed {
            let freed = self.tasks.values().filter(|each| {
                each.dependencies.contains(&task.id)
                    && !each.status().is_terminal()
                    && !self.blocked(each)
            });
            changed.extend(freed.map(|each| (Arc::new(each.clone()), false)));
        }
        self.redis
            .put(&ns(), &changed, self.now(), false)
            .await
            .unwrap();
    }

    fn blocked(&self, task: &Task) -> bool {
        task.dependencies
            .iter()
            .any(|on| self.tasks[on].state != State::Completed)
    }

    async fn take(&self, offer: &Offer) -> Vec<Arc<Task>> {
        let expected = self.memory.take_ready(offer, self.now()).await.unwrap();
        let taken = self.redis.take(offer, offer.max, self.now()).await.unwrap();
        let expected_ids: Vec<(TaskId, u64)> = expected
            .iter()
            .map(|task| (task.id.clone(), task.revision))
            .collect();
        assert_eq!(taken.tasks, expected_ids);
        expected
    }

    fn any(&self, dice: &mut Dice, wanted: impl Fn(&Task) -> bool) -> Option<Task> {
        let found: Vec<&Task> = self.tasks.values().filter(|task| wanted(task)).collect();
        (!found.is_empty()).then(|| dice.pick(&found).clone())
    }
}

fn new_task(both: &Both, dice: &mut Dice, n: usize) -> Task {
    let skills: [&[&str]; 4] = [&["read"], &["write"], &["read", "write"], &[]];
    let mut task = task(&format!("t{n:03}"), dice.pick(&skills));
    task.created_at = both.now();
    task.priority = dice.pick(&[0, 0, 0, 1, -1]);
    if dice.below(4) > 0 {
        task = of_pipeline(task, dice.pick(&["p", "q", "r"]));
    }
    if dice.below(8) == 0 {
        task.target = Some(AgentId::parse("ada").unwrap());
    }
    if dice.below(4) == 0 {
        task.deadline = Some(both.now().plus_ms(10_000_000 + dice.below(5)));
    }
    if dice.below(5) == 0 {
        task.run_at = Some(both.now().plus_ms(dice.below(20)));
    }
    if dice.below(6) == 0
        && let Some(on) = both.any(dice, |each| !each.status().is_terminal())
    {
        task.dependencies = [on.id].into();
    }
    task
}

#[tokio::test]
async fn it_answers_as_the_queue_in_memory_does() {
    for (_, address) in servers() {
        for seed in 1..=SEEDS {
            let clock = Arc::new(AtomicI64::new(now().as_ms()));
            let reader = clock.clone();
            let mut both = Both {
                memory: MemoryStore::new(Arc::new(move || {
                    Timestamp::from_ms(reader.load(Ordering::Relaxed))
                })),
                redis: queue(&address).await,
                tasks: BTreeMap::new(),
                clock,
            };
            both.redis
                .reservation_ms
                .store(UNDISTURBED_MS, Ordering::Relaxed);
            let mut dice = Dice(seed);
            let mut claims: Vec<(Offer, Vec<Arc<Task>>)> = Vec::new();
            for step in 0..STEPS {
                match dice.below(10) {
                    0..=3 => {
                        let task = new_task(&both, &mut dice, step);
                        both.save(task).await;
                    }
                    4 | 5 => {
                        let skills: [&[&str]; 3] = [&["read"], &["write"], &["read", "write"]];
                        let agent = dice.pick(&["ada", "bob"]);
                        let max = u32::try_from(dice.below(4)).unwrap() + 1;
                        let offer = offer(agent, dice.pick(&skills), 6, max);
                        let taken = both.take(&offer).await;
                        claims.push((offer, taken));
                    }
                    6 if !claims.is_empty() => {
                        let at = usize::try_from(dice.below(claims.len() as u64)).unwrap();
                        let (offer, taken) = claims.swap_remove(at);
                        if dice.below(3) > 0 {
                            for task in &taken {
                                if both.tasks[&task.id].revision == task.revision {
                                    let held = assigned(task, &offer, both.now());
                                    both.save(held).await;
                                }
                            }
                        }
                        both.memory.unreserve(&ns(), &taken);
                        both.redis
                            .give_back(&ns(), taken.iter().map(|task| &**task));
                    }
                    7 => {
                        if let Some(task) = both.any(&mut dice, |task| task.lease().is_some()) {
                            let at = both.now().plus_ms(dice.below(9));
                            let state = match dice.below(4) {
                                0 => State::Retry { at },
                                1 => State::Failed,
                                _ => State::Completed,
                            };
                            both.save(next(&task, |task| task.state = state)).await;
                        }
                    }
                    8 => {
                        let waits = |task: &Task| task.ready_at().is_some();
                        if let Some(task) = both.any(&mut dice, waits) {
                            both.save(next(&task, |task| task.priority += 1)).await;
                        }
                    }
                    _ => {
                        let ms = i64::try_from(dice.below(8)).unwrap();
                        both.clock.fetch_add(ms, Ordering::Relaxed);
                        both.memory.due(both.now(), 1_000).await.unwrap();
                        both.redis.promote(&ns(), both.now()).await.unwrap();
                    }
                }
                let state = both.redis.promote(&ns(), both.now()).await.unwrap();
                both.memory.due(both.now(), 1_000).await.unwrap();
                let totals = both.memory.totals(&ns()).await.unwrap();
                assert_eq!(state.ready, totals.ready, "seed {seed}, step {step}");
                if let Some(task) = both.any(&mut dice, |_| true) {
                    let expected = both.memory.ready_ahead(&ns(), &task.id).await.unwrap();
                    let (_, ahead) = both.redis.ahead(&ns(), &task.id).await.unwrap();
                    assert_eq!(ahead, expected, "seed {seed}, step {step}");
                }
            }
        }
    }
}
