//! The derived state must be the same whether it followed every change or is built from what they led to.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{
    AgentId, Name, Namespace, PipelineId, SessionId, TaskId, Timestamp,
    pipeline::StageCounts,
    task::{Lease, NewTask, Place, State, Status, Task},
};
use proptest::prelude::*;

use super::{DependencyState, Hot};
use crate::{Due, Held, Key, Offer, query::Totals};

const AGENTS: [&str; 2] = ["ada", "bob"];
const TASKS: usize = 8;

/// A change of one of a few tasks.
#[derive(Debug, Clone, Copy)]
enum Change {
    Create {
        waits_for: Option<usize>,
        priority: i32,
        pipeline: Option<usize>,
        delay_ms: u16,
    },
    Assign(usize),
    End(usize),
    Retry(u16),
    /// Puts an ended or held one back.
    Pending,
    Percent(u8),
    WaitFor(Option<usize>),
}

fn change() -> impl Strategy<Value = (usize, Change)> {
    let waits_for = || proptest::option::weighted(0.4, 0..TASKS);
    let change = prop_oneof![
        3 => (waits_for(), -1..2_i32, proptest::option::of(0..2_usize), 0..40_u16).prop_map(
            |(waits_for, priority, pipeline, delay_ms)| Change::Create {
                waits_for,
                priority,
                pipeline,
                delay_ms,
            }
        ),
        2 => (0..2_usize).prop_map(Change::Assign),
        3 => (0..3_usize).prop_map(Change::End),
        1 => (0..40_u16).prop_map(Change::Retry),
        1 => Just(Change::Pending),
        1 => (0..101_u8).prop_map(Change::Percent),
        1 => waits_for().prop_map(Change::WaitFor),
    ];
    (0..TASKS, change)
}

/// The documents, as a store has them.
type Tasks = BTreeMap<Key<TaskId>, Arc<Task>>;

fn ns() -> Namespace {
    Namespace::default_namespace()
}

fn id(n: usize) -> TaskId {
    TaskId::parse(&format!("t{n}")).unwrap()
}

fn key(n: usize) -> Key<TaskId> {
    (ns(), id(n))
}

/// The document after a change; `None` when it does not apply.
fn changed(old: Option<&Task>, n: usize, change: Change, now: Timestamp) -> Option<Task> {
    if let Change::Create {
        waits_for,
        priority,
        pipeline,
        delay_ms,
    } = change
    {
        let mut new = NewTask::of_type(id(n), Name::parse("work").unwrap());
        new.priority = priority;
        new.run_at = Some(now.plus_ms(delay_ms.into()));
        new.dependencies = waits_for
            .filter(|on| *on != n)
            .map(id)
            .into_iter()
            .collect();
        new.place = pipeline.map(|at| Place {
            pipeline_id: PipelineId::parse(&format!("p{at}")).unwrap(),
            stage: 1,
            index: 0,
            run: 1,
        });
        let created = new.create(&ns(), &Arc::from("tests"), now).task;
        return created.filter(|_| old.is_none());
    }
    let mut task = old?.clone();
    task.revision += 1;
    // Completed is for good.
    if task.status() == Status::Completed {
        return None;
    }
    match change {
        Change::Create { .. } => return None,
        Change::Assign(agent) if task.ready_at().is_some() => {
            task.attempt += 1;
            task.state = State::Assigned(Lease {
                attempt: task.attempt,
                nonce: 1,
                agent_id: AgentId::parse(AGENTS[agent]).unwrap(),
                session: SessionId::parse("s").unwrap(),
                granted_at: now,
                expires_at: now.plus_ms(100),
                started_at: None,
            });
        }
        Change::Assign(_) => return None,
        Change::End(0) => task.state = State::Completed,
        Change::End(1) => task.state = State::Failed,
        Change::End(_) => task.state = State::Cancelled,
        Change::Retry(ms) => {
            task.state = State::Retry {
                at: now.plus_ms(ms.into()),
            };
        }
        Change::Pending => task.state = State::Pending,
        Change::Percent(percent) => task.progress.percent = percent.into(),
        Change::WaitFor(on) if task.state == State::Pending => {
            task.dependencies = on.filter(|on| *on != n).map(id).into_iter().collect();
        }
        Change::WaitFor(_) => return None,
    }
    Some(task)
}

fn apply(hot: &mut Hot, tasks: &Tasks, old: Option<&Task>, new: &Arc<Task>, now: Timestamp) {
    hot.apply_task(old, new, now, &mut |id| {
        let found = tasks.get(&(ns(), id.clone()));
        DependencyState::of(found.map(|task| task.status()))
    });
}

fn rebuilt(tasks: &Tasks, now: Timestamp) -> Hot {
    let mut hot = Hot::default();
    for task in tasks.values() {
        if task.status().is_terminal() {
            hot.count_ended(task);
        } else {
            apply(&mut hot, tasks, None, task, now);
        }
    }
    hot
}

/// Everything that can be asked.
#[derive(Debug, PartialEq)]
struct Answers {
    totals: Totals,
    stages: Vec<Vec<StageCounts>>,
    leases: Vec<Vec<Held>>,
    dependents: Vec<Vec<TaskId>>,
    doomed: Vec<(Namespace, TaskId, TaskId)>,
    unsettled: Vec<(Namespace, PipelineId)>,
    live: usize,
    next_due: Option<Timestamp>,
    due: Vec<Due>,
    /// By priority and age; turns between pipelines depend on the past, so here they are left out.
    ready: Vec<(i32, TaskId)>,
}

fn ask(hot: &mut Hot, now: Timestamp) -> Answers {
    let offer = Offer {
        namespace: ns(),
        agent_id: AgentId::parse("eve").unwrap(),
        session: SessionId::parse("s").unwrap(),
        capabilities: vec![Name::parse("work").unwrap()],
        concurrency: 1_000,
        max: 1_000,
    };
    // What falls due is put off to this moment, so that both sides' timers are equally late.
    let mut due = hot.due(now, 100);
    due.sort();
    for each in &due {
        hot.rearm(each, now);
    }
    let next_due = hot.next_due();
    let taken = hot.take_ready(&offer, now);
    hot.unreserve(&ns(), &taken, now);
    let mut ready: Vec<_> = taken
        .iter()
        .map(|task| (task.priority, task.id.clone()))
        .collect();
    ready.sort();
    Answers {
        totals: hot.totals(&ns()),
        stages: ["p0", "p1"]
            .map(|each| hot.stage_counts(&ns(), &PipelineId::parse(each).unwrap()))
            .to_vec(),
        leases: AGENTS
            .map(|each| hot.leases(&ns(), &AgentId::parse(each).unwrap()))
            .to_vec(),
        dependents: (0..TASKS).map(|n| hot.dependents(&ns(), &id(n))).collect(),
        doomed: hot.doomed(100),
        unsettled: hot.unsettled(),
        live: hot.live_count(),
        next_due,
        due,
        ready,
    }
}

proptest! {
    #[test]
    fn following_changes_leads_where_building_anew_leads(
        changes in proptest::collection::vec(change(), 1..60),
    ) {
        let mut now = Timestamp::from_ms(1_000);
        let mut tasks = Tasks::new();
        let mut hot = Hot::default();
        for (n, change) in changes {
            now = now.plus_ms(7);
            let old = tasks.get(&key(n)).cloned();
            let Some(new) = changed(old.as_deref(), n, change, now).map(Arc::new) else {
                continue;
            };
            tasks.insert(key(n), new.clone());
            apply(&mut hot, &tasks, old.as_deref(), &new, now);
            prop_assert_eq!(ask(&mut hot, now), ask(&mut rebuilt(&tasks, now), now));
        }
    }

    /// Whatever is claimed, given back and changed in between: no slot stays taken.
    #[test]
    fn slots_never_leak(
        steps in proptest::collection::vec((0..TASKS, 0..4_u8, 1..4_u32), 1..60),
    ) {
        let now = Timestamp::from_ms(1_000);
        let mut tasks = Tasks::new();
        let mut hot = Hot::default();
        let offer = |max| Offer {
            namespace: ns(),
            agent_id: AgentId::parse("ada").unwrap(),
            session: SessionId::parse("s").unwrap(),
            capabilities: vec![Name::parse("work").unwrap()],
            concurrency: 3,
            max,
        };
        let mut claims: Vec<Vec<Arc<Task>>> = Vec::new();
        for (n, what, max) in steps {
            match what {
                0 => {
                    let room = hot.slots.room(&offer(max)).min(max);
                    let claim = hot.take_ready(&offer(max), now);
                    prop_assert!(claim.len() <= room as usize);
                    claims.push(claim);
                }
                1 if !claims.is_empty() => {
                    let claim = claims.swap_remove(n % claims.len());
                    hot.unreserve(&ns(), &claim, now);
                }
                _ => {
                    let old = tasks.get(&key(n)).cloned();
                    let change = match (what, &old) {
                        (_, None) => Change::Create {
                            waits_for: None,
                            priority: 0,
                            pipeline: None,
                            delay_ms: 0,
                        },
                        (2, _) => Change::Assign(0),
                        _ => Change::Pending,
                    };
                    if let Some(new) = changed(old.as_deref(), n, change, now).map(Arc::new) {
                        tasks.insert(key(n), new.clone());
                        apply(&mut hot, &tasks, old.as_deref(), &new, now);
                    }
                }
            }
        }
        for claim in claims {
            hot.unreserve(&ns(), &claim, now);
        }
        for n in 0..TASKS {
            if let Some(old) = tasks.get(&key(n)).cloned()
                && let Some(new) = changed(Some(&old), n, Change::End(0), now).map(Arc::new)
            {
                tasks.insert(key(n), new.clone());
                apply(&mut hot, &tasks, Some(&old), &new, now);
            }
        }
        prop_assert_eq!(hot.slots.room(&offer(9)), 3);
    }
}
