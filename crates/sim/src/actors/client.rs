//! Clients: they create tasks, one by one, in batches, and again when no answer came.

use mcpanel_control::{Control, Idempotency};
use mcpanel_domain::{Rejection, TaskId, task::NewTask};

use super::wishes;
use crate::{
    observer::Promise,
    world::{Call, World},
};

/// Tries of a client that hears nothing.
const TRIES: usize = 6;

/// Until the calm.
pub async fn live(world: World, number: u64, ills_ms: u64) {
    let name = format!("client-{number}");
    let rounds = world.draw(|random| random.within(2..=8));
    for round in 0..rounds {
        let pause = world.draw(|random| random.within(0..=ills_ms / rounds));
        world.sleep(pause).await;
        if world.is_calm() {
            return;
        }
        let wishes = wish(&world, &name, round);
        if world.draw(|random| random.chance(40)) {
            let key = format!("{name}-{round}");
            let named = world.draw(|random| random.chance(50));
            let again = world.draw(|random| random.chance(50));
            if again {
                let (world, name, key, wishes) =
                    (world.clone(), name.clone(), key.clone(), wishes.clone());
                world
                    .clone()
                    .spawn(async move { insist(&world, &name, &key, wishes, named).await });
            }
            insist(&world, &name, &key, wishes, named).await;
        } else {
            create(&world, &name, wishes).await;
        }
    }
}

/// One to four tasks that may wait for each other and for tasks that are there.
fn wish(world: &World, name: &str, round: u64) -> Vec<NewTask> {
    let now = world.shared().clock.time();
    let mut known: Vec<TaskId> = world
        .shared()
        .observer
        .lock()
        .tasks()
        .keys()
        .cloned()
        .collect();
    world.draw(|random| {
        let count = if random.chance(60) {
            1
        } else {
            random.within(2..=4)
        };
        let mut new = Vec::new();
        for at in 0..count {
            let id = TaskId::parse(&format!("{name}.{round}.{at}")).expect("it is an id");
            new.push(wishes::task(random, id.clone(), &known, now));
            known.push(id);
        }
        new
    })
}

async fn create(world: &World, name: &str, new: Vec<NewTask>) {
    let scope = world.scope(name);
    let call = Call {
        name: "create",
        by: name,
        held: None,
    };
    let answer = world
        .call(call, |control| async move {
            create_all(control, scope, new, None).await
        })
        .await;
    if let Ok(Ok(created)) = answer {
        for task in created {
            world.shared().observer.lock().answered(&task);
        }
    }
}

/// Asks under a key until there is an answer. Where ids are not `named`, each try brings fresh ones,
/// as the server gives them.
async fn insist(world: &World, name: &str, key: &str, wishes: Vec<NewTask>, named: bool) {
    for _ in 0..TRIES {
        let mut new = wishes.clone();
        if !named {
            let fresh = world.draw(|random| random.bits());
            let of = |id: &TaskId| {
                wishes
                    .iter()
                    .position(|each| each.id == *id)
                    .map(|at| TaskId::parse(&format!("{key}.{fresh:x}.{at}")).expect("it is an id"))
            };
            for each in &mut new {
                each.id = of(&each.id).expect("it is one of them");
                for dependency in &mut each.dependencies {
                    if let Some(id) = of(dependency) {
                        *dependency = id;
                    }
                }
            }
        }
        let ids: Vec<TaskId> = new.iter().map(|each| each.id.clone()).collect();
        world.shared().observer.lock().asked_under(key, ids);
        let scope = world.scope(name);
        let request = Idempotency {
            key: key.to_owned(),
            fingerprint: [7; 32],
        };
        let call = Call {
            name: "create-once",
            by: name,
            held: None,
        };
        let answer = world
            .call(call, |control| async move {
                create_all(control, scope, new, Some(request)).await
            })
            .await;
        match answer {
            Ok(Ok(created)) => {
                let mut observer = world.shared().observer.lock();
                for task in &created {
                    observer.answered(task);
                }
                let ids = created.iter().map(|task| task.id.clone()).collect();
                observer.created_under(key, ids);
                return;
            }
            Ok(Err(mcpanel_control::Error::Rejected(Rejection::Exists { id, .. }))) => {
                world
                    .shared()
                    .observer
                    .lock()
                    .blame(Promise::RepeatedRequestsCreateOnce, || {
                        format!("key `{key}` was refused, because its own task `{id}` exists")
                    });
                return;
            }
            Ok(Err(mcpanel_control::Error::Rejected(_))) => return,
            Ok(Err(_)) | Err(_) => {
                let pause = world.draw(|random| random.within(10..=3_000));
                world.sleep(pause).await;
            }
        }
    }
}

async fn create_all(
    control: Control,
    scope: mcpanel_control::Scope,
    mut new: Vec<NewTask>,
    request: Option<Idempotency>,
) -> mcpanel_control::Result<Vec<std::sync::Arc<mcpanel_domain::task::Task>>> {
    if new.len() == 1
        && let Some(one) = new.pop()
    {
        let created = control.tasks.create(&scope, one, request.as_ref()).await?;
        return Ok(vec![created.value.task]);
    }
    let created = control
        .tasks
        .create_batch(&scope, new, request.as_ref())
        .await?;
    Ok(created.value.into_iter().map(|view| view.task).collect())
}
