//! Operators: they cancel, retry, delegate and change tasks, drain and remove agents, and ask why.

use std::sync::Arc;

use mcpanel_control::{Control, OperationRequest, Scope};
use mcpanel_domain::{
    AgentId, TaskId, Timestamp,
    agent::{self, Admission},
    operation,
    task::{Filter, Search, Status, Task, new::Changes},
};

use super::{AGENTS, ALL_ROUNDER, wishes};
use crate::{
    random::Random,
    world::{Call, World},
};

/// Until the calm; then it opens again what it closed.
pub async fn live(world: World) {
    while !world.is_calm() {
        let pause = world.draw(|random| {
            let most = if random.chance(20) { 10 } else { 5_000 };
            random.within(0..=most)
        });
        world.sleep(pause).await;
        if world.draw(|random| random.chance(15)) {
            let admission = world.draw(|random| {
                *random
                    .pick(&[Admission::Open, Admission::Draining, Admission::Disabled])
                    .unwrap_or(&Admission::Open)
            });
            let id = world.draw(any_agent);
            admit(&world, &id, admission).await;
        } else if world.draw(|random| random.chance(6)) {
            bulk(&world).await;
        } else if let Some(id) = any_task(&world) {
            let wish = wish(&world);
            if world.draw(|random| random.chance(30)) {
                let world = world.clone();
                world
                    .clone()
                    .spawn(async move { steer(&world, id, wish).await });
            } else {
                steer(&world, id, wish).await;
            }
        }
    }
    for number in 0..AGENTS {
        let id = AgentId::parse(&format!("agent-{number}")).expect("it is an id");
        // An agent that signs on later keeps a closed door, so ask until it is open.
        while !world.is_over() && !admit(&world, &id, Admission::Open).await {
            world.sleep(1_000).await;
        }
    }
    while !world.is_over() {
        let helper = AgentId::parse(ALL_ROUNDER).expect("it is an id");
        for id in stranded(&world) {
            steer(&world, id, Wish::Delegate(Some(helper.clone()))).await;
        }
        world.sleep(5_000).await;
    }
}

/// Tasks that are meant for an agent which cannot do them: somebody delegated, somebody else changed what
/// they need.
fn stranded(world: &World) -> Vec<TaskId> {
    let observer = world.shared().observer.lock();
    observer
        .tasks()
        .values()
        .filter(|task| !task.status().is_terminal())
        .filter(|task| {
            task.target.as_ref().is_some_and(|target| {
                let agent = observer.agents().get(target);
                agent.is_none_or(|agent| !agent.offers(&task.capabilities))
            })
        })
        .map(|task| task.id.clone())
        .collect()
}

#[derive(Debug, Clone)]
enum Wish {
    Cancel,
    Retry,
    Delegate(Option<AgentId>),
    Update(Box<Changes>),
    Explain,
    Look,
    Unregister(AgentId),
}

impl Wish {
    fn name(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Delegate(_) => "delegate",
            Self::Update(_) => "update",
            Self::Explain => "explain",
            Self::Look => "get",
            Self::Unregister(_) => "unregister",
        }
    }
}

fn any_agent(random: &mut Random) -> AgentId {
    let number = random.within(0..=AGENTS - 1);
    AgentId::parse(&format!("agent-{number}")).expect("it is an id")
}

fn any_task(world: &World) -> Option<TaskId> {
    let known: Vec<TaskId> = world
        .shared()
        .observer
        .lock()
        .tasks()
        .keys()
        .cloned()
        .collect();
    world.draw(|random| random.pick(&known).cloned())
}

fn wish(world: &World) -> Wish {
    let now = world.shared().clock.time();
    let known: Vec<TaskId> = world
        .shared()
        .observer
        .lock()
        .tasks()
        .keys()
        .cloned()
        .collect();
    world.draw(|random| match random.within(0..=99) {
        0..=14 => Wish::Cancel,
        15..=34 => Wish::Retry,
        35..=41 => Wish::Delegate(None),
        42..=48 => Wish::Delegate(Some(any_agent(random))),
        49..=68 => Wish::Update(Box::new(changes(random, &known, now))),
        69..=80 => Wish::Explain,
        81..=96 => Wish::Look,
        _ => Wish::Unregister(any_agent(random)),
    })
}

fn changes(random: &mut Random, known: &[TaskId], now: Timestamp) -> Changes {
    let mut changes = Changes {
        now,
        ..Changes::default()
    };
    match random.within(0..=6) {
        0 => changes.priority = Some(random.within(0..=9) as i32),
        1 => {
            changes.run_at = Some(
                random
                    .chance(50)
                    .then(|| now.plus_ms(random.within(1..=9_000))),
            )
        }
        2 => {
            let deadline = random.within(1_000..=60_000);
            changes.deadline = Some(random.chance(50).then(|| now.plus_ms(deadline)));
        }
        3 => changes.dependencies = Some(wishes::dependencies(random, known)),
        4 => changes.capabilities = Some(wishes::skills(random)),
        5 => changes.retry = Some(Arc::new(wishes::retry(random))),
        _ => changes.timeout_ms = Some(Some(random.within(100..=5_000))),
    }
    changes
}

async fn steer(world: &World, id: TaskId, wish: Wish) {
    let floor = world.shared().observer.lock().task_floor(&id);
    let call = Call {
        name: wish.name(),
        by: "operator",
        held: None,
    };
    let scope = world.scope("operator");
    let answer = world
        .call(call, |control| async move {
            ask(control, scope, id, wish).await
        })
        .await;
    if let Ok(Ok(Some(task))) = answer {
        world.shared().observer.lock().task_shown(&task, floor);
    }
}

async fn ask(
    control: Control,
    scope: Scope,
    id: TaskId,
    wish: Wish,
) -> mcpanel_control::Result<Option<Arc<Task>>> {
    let tasks = &control.tasks;
    match wish {
        Wish::Cancel => tasks.cancel(&scope, &id, None).await.map(Some),
        Wish::Retry => tasks.retry(&scope, &id).await.map(Some),
        Wish::Delegate(agent) => tasks.delegate(&scope, &id, agent.as_ref()).await.map(Some),
        Wish::Update(changes) => tasks.update(&scope, &id, *changes, None).await.map(Some),
        Wish::Explain => tasks.explain(&scope, &id).await.map(|said| Some(said.task)),
        Wish::Look => tasks.get(&scope, &id).await.map(|view| Some(view.task)),
        Wish::Unregister(agent) => control
            .agents
            .unregister(&scope, &agent)
            .await
            .map(|()| None),
    }
}

/// Wishes something of many tasks at once, and now and then thinks better of it.
async fn bulk(world: &World) {
    let request = world.draw(|random| {
        let mut filter = Filter::default();
        let kind = if random.chance(70) {
            filter.task_type = wishes::skills(random).first().cloned();
            operation::Kind::Retry
        } else {
            // Few at a time, or nothing would be left to run.
            filter.stage = Some(random.within(1..=4) as u16);
            filter.statuses = vec![Status::Pending];
            operation::Kind::Cancel
        };
        OperationRequest {
            kind,
            search: Search {
                filter,
                text: random.chance(50).then(|| random.within(0..=9).to_string()),
            },
            all: false,
            reason: None,
        }
    });
    let call = Call {
        name: "operate",
        by: "operator",
        held: None,
    };
    let abort = world.draw(|random| random.chance(20));
    let scope = world.scope("operator");
    // What becomes of it is the observer's business.
    let _ = world
        .call(call, |control| async move {
            let operations = &control.operations;
            let begun = operations.create(&scope, request, None).await?.value;
            if abort {
                operations.abort(&scope, &begun.id).await?;
            }
            mcpanel_control::Result::Ok(())
        })
        .await;
}

/// Opens or closes an agent to work; tells whether that is done, or there is no such agent.
async fn admit(world: &World, id: &AgentId, admission: Admission) -> bool {
    let call = Call {
        name: "admit",
        by: "operator",
        held: None,
    };
    let scope = world.scope("operator");
    let id = id.clone();
    let answer = world
        .call(call, |control| async move {
            let changes = agent::Changes {
                admission: Some(admission),
                ..agent::Changes::default()
            };
            control
                .agents
                .update(&scope, &id, changes, None)
                .await
                .map(drop)
        })
        .await;
    matches!(
        answer,
        Ok(Ok(()) | Err(mcpanel_control::Error::Rejected(_)))
    )
}
