//! Who creates, and who works: what a busy afternoon looks like, as fast as two processors shared by all bear easily.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Result, bail};
use mcpanel_api::{
    AgentId, Payload, TaskId,
    agent::{Claim, Heartbeat, RegisterAgent},
    pipeline::NewPipeline,
    task::{Complete, Fail, NewTask, NewTasks, Start, Task},
};
use mcpanel_client::{Error, IdempotencyKey};
use serde_json::json;
use tokio::{
    sync::{Mutex as Turn, watch},
    task::JoinSet,
};

use crate::{balance::Balanced, book::Book};

/// Agents of a run.
pub const AGENTS: usize = 6;
/// Tasks that an agent holds at once.
pub const CONCURRENCY: u32 = 4;
/// Tasks that are created together where several are.
const BATCH: usize = 10;
/// How often an agent says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// One of so many tasks takes long, one of so many fails the first time.
const LONG_EVERY: u64 = 60;
const FAILS_EVERY: u64 = 40;
/// How long a long one takes: over several heartbeats.
const LONG: Duration = Duration::from_secs(7);
/// Pauses between creations.
const SINGLE_PAUSE: Duration = Duration::from_millis(40);
const BATCH_PAUSE: Duration = Duration::from_millis(500);
const PIPELINE_PAUSE: Duration = Duration::from_millis(1_500);

/// What the load consists of. Each part ends in its time after its signal.
pub struct Load {
    creators: JoinSet<Result<()>>,
    agents: JoinSet<Result<()>>,
    stop_creating: watch::Sender<bool>,
    stop_working: watch::Sender<bool>,
}

impl Load {
    /// Begins.
    pub fn begin(balanced: impl Fn(usize) -> Balanced, book: &Book) -> Self {
        let mut load = Self {
            creators: JoinSet::new(),
            agents: JoinSet::new(),
            stop_creating: watch::Sender::new(false),
            stop_working: watch::Sender::new(false),
        };
        for number in 0..2 {
            let stop = load.stop_creating.subscribe();
            load.creators
                .spawn(create_singly(balanced(number), book.clone(), stop));
        }
        let stop = load.stop_creating.subscribe();
        load.creators
            .spawn(create_batches(balanced(2), book.clone(), stop));
        let stop = load.stop_creating.subscribe();
        load.creators
            .spawn(create_pipelines(balanced(0), book.clone(), stop));
        for number in 0..AGENTS {
            let agent = Agent {
                number,
                admin: balanced(number),
                book: book.clone(),
            };
            load.agents.spawn(agent.live(load.stop_working.subscribe()));
        }
        load
    }

    /// Creates nothing more.
    pub async fn stop_creating(&mut self) -> Result<()> {
        self.stop_creating.send_replace(true);
        ended(&mut self.creators).await
    }

    /// Works on nothing more.
    pub async fn stop_working(&mut self) -> Result<()> {
        self.stop_working.send_replace(true);
        ended(&mut self.agents).await
    }
}

async fn ended(parts: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(outcome) = parts.join_next().await {
        outcome??;
    }
    Ok(())
}

fn task() -> NewTask {
    NewTask {
        parameters: Payload::of(&json!({"text": "x".repeat(300)})).ok(),
        ..NewTask::of_type("fault".parse().expect("a name"))
    }
}

/// Waits, unless told to stop.
async fn pause(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

async fn create_singly(at: Balanced, book: Book, mut stop: watch::Receiver<bool>) -> Result<()> {
    let task = task();
    while pause(&mut stop, SINGLE_PAUSE).await {
        let key = IdempotencyKey::random();
        let (task, key) = (&task, &key);
        let made = at
            .call(|client| async move { client.create_task(task, key).await })
            .await?;
        book.note_created([made.task_id]);
    }
    Ok(())
}

async fn create_batches(at: Balanced, book: Book, mut stop: watch::Receiver<bool>) -> Result<()> {
    let batch = NewTasks {
        tasks: vec![task(); BATCH],
    };
    while pause(&mut stop, BATCH_PAUSE).await {
        let key = IdempotencyKey::random();
        let (batch, key) = (&batch, &key);
        let made = at
            .call(|client| async move { client.create_task_ids(batch, key).await })
            .await?;
        book.note_created(made);
    }
    Ok(())
}

/// Pipelines of three stages that follow each other.
async fn create_pipelines(at: Balanced, book: Book, mut stop: watch::Receiver<bool>) -> Result<()> {
    let stage = |number: u16, dependencies: &[u16]| {
        json!({
            "stage": number, "name": format!("stage {number}"), "task_type": "fault",
            "dependencies": dependencies, "mode": "single",
        })
    };
    let pipeline: NewPipeline = serde_json::from_value(json!({
        "name": "fault run",
        "stages": [stage(1, &[]), stage(2, &[1]), stage(3, &[2])],
        "execute": true,
    }))?;
    while pause(&mut stop, PIPELINE_PAUSE).await {
        let key = IdempotencyKey::random();
        let (pipeline, key) = (&pipeline, &key);
        let made = at
            .call(|client| async move { client.create_pipeline(pipeline, key).await })
            .await?;
        book.note_pipeline(made.pipeline_id);
    }
    Ok(())
}

/// The id of an agent.
pub fn agent_id(number: usize) -> AgentId {
    format!("fault-{number}").parse().expect("an id")
}

/// Signs an agent on; gives it a voice of its own.
pub async fn sign_on(admin: &Balanced, number: usize) -> Result<Balanced, Error> {
    let registration = RegisterAgent {
        agent_id: Some(agent_id(number)),
        name: format!("agent {number}"),
        kind: "test".parse().expect("a name"),
        capabilities: vec!["fault".parse().expect("a name")],
        concurrency: Some(CONCURRENCY),
        version: None,
        endpoint_url: None,
        health_check_url: None,
        metadata: None,
    };
    let (registration, key) = (&registration, &IdempotencyKey::random());
    let signed = admin
        .call(|client| async move { client.register_agent(registration, key).await })
        .await?;
    admin.with_token(&signed.token)
}

#[derive(Clone)]
struct Agent {
    number: usize,
    admin: Balanced,
    book: Book,
}

/// How an agent's session ended.
enum Ended {
    Told,
    Lost,
}

impl Agent {
    /// Signs on, and on again whenever its session is lost, until it is told to stop.
    async fn live(self, stop: watch::Receiver<bool>) -> Result<()> {
        loop {
            let own = sign_on(&self.admin, self.number).await?;
            // A heartbeat names what is in hand, so none may be sent while a claim is under way.
            let hands = Arc::new(Hands::default());
            let beating = tokio::spawn(beat(own.clone(), self.number, hands.clone()));
            let ended = self.work(&own, &hands, stop.clone()).await;
            beating.abort();
            match ended? {
                Ended::Told => return Ok(()),
                Ended::Lost => self.book.note_lost_session(),
            }
        }
    }

    async fn work(
        &self,
        own: &Balanced,
        hands: &Arc<Hands>,
        stop: watch::Receiver<bool>,
    ) -> Result<Ended> {
        let id = agent_id(self.number);
        // Long work goes on beside the short: an agent that only waited for it would look like a server that stands still.
        let mut aside = JoinSet::new();
        while !*stop.borrow() {
            while let Some(done) = aside.try_join_next() {
                done??;
            }
            let free = CONCURRENCY.saturating_sub(u32::try_from(aside.len())?);
            if free == 0 {
                if let Some(done) = aside.join_next().await {
                    done??;
                }
                continue;
            }
            let claim = &Claim {
                max: Some(free),
                wait_ms: Some(500),
            };
            let turn = hands.turn.lock().await;
            let id = &id;
            let claimed = own
                .call(|client| async move { client.claim(id, claim).await })
                .await;
            let tasks = match claimed {
                Ok(claimed) => claimed.tasks,
                Err(error) if is_lost(&error) => {
                    ended(&mut aside).await?;
                    return Ok(Ended::Lost);
                }
                Err(error) => bail!("a claim was refused: {}", error.chain()),
            };
            hands.take(&tasks);
            drop(turn);
            for task in tasks {
                if is_long(&task) {
                    let (agent, own, hands) = (self.clone(), own.clone(), hands.clone());
                    aside.spawn(async move { agent.finish(&own, &hands, &task).await });
                } else {
                    self.finish(own, hands, &task).await?;
                }
            }
        }
        ended(&mut aside).await?;
        Ok(Ended::Told)
    }

    async fn finish(&self, own: &Balanced, hands: &Hands, task: &Task) -> Result<()> {
        self.work_on(own, task).await?;
        hands.put_down(&task.task_id);
        Ok(())
    }

    async fn work_on(&self, own: &Balanced, task: &Task) -> Result<()> {
        let Some(lease) = task.lease.clone() else {
            bail!("`{}` was handed out without a lease", task.task_id);
        };
        let id = &task.task_id;
        if task.retry_count == 0 && lot(task).is_multiple_of(FAILS_EVERY) {
            let error = json!({"type": "network", "message": "as planned"});
            let fail = &Fail {
                lease,
                error: serde_json::from_value(error)?,
            };
            let failed = own
                .call(|client| async move { client.fail_task(id, fail).await })
                .await;
            return self.judge(failed.map(drop)).map(drop);
        }
        if is_long(task) {
            let start = &Start {
                lease: lease.clone(),
            };
            let started = own
                .call(|client| async move { client.start_task(id, start).await })
                .await;
            if !self.judge(started.map(drop))? {
                return Ok(());
            }
            tokio::time::sleep(LONG).await;
        }
        let result = json!({"by": self.number, "lease": lease}).to_string();
        let complete = &Complete {
            lease,
            result: Payload::parse(&result).ok(),
        };
        let done = own
            .call(|client| async move { client.complete_task(id, complete).await })
            .await;
        if self.judge(done.map(drop))? && self.book.note_completed(id.clone(), result) {
            bail!("`{id}` was completed twice");
        }
        Ok(())
    }

    /// Whether it was done. That the lease is somebody else's by now is no fault.
    fn judge(&self, outcome: Result<(), Error>) -> Result<bool> {
        match outcome {
            Ok(()) => Ok(true),
            Err(Error::Problem { problem, .. }) if problem.status == 409 => {
                self.book.note_late();
                Ok(false)
            }
            Err(error) => bail!("a report was refused: {}", error.chain()),
        }
    }
}

/// A number that a task has by chance, and keeps.
fn lot(task: &Task) -> u64 {
    task.task_id.as_str().bytes().map(u64::from).sum()
}

fn is_long(task: &Task) -> bool {
    lot(task).is_multiple_of(LONG_EVERY)
}

/// What an agent holds.
#[derive(Default)]
struct Hands {
    turn: Turn<()>,
    tasks: Mutex<BTreeSet<TaskId>>,
}

impl Hands {
    fn take(&self, tasks: &[Task]) {
        let mut held = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        held.extend(tasks.iter().map(|task| task.task_id.clone()));
    }

    fn put_down(&self, id: &TaskId) {
        let mut held = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        held.remove(id);
    }

    fn list(&self) -> Vec<TaskId> {
        let held = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        held.iter().cloned().collect()
    }
}

/// Heartbeats until nobody listens. A session that is lost shows itself with the next claim.
async fn beat(own: Balanced, number: usize, hands: Arc<Hands>) {
    let id = agent_id(number);
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let turn = hands.turn.lock().await;
        let beat = Heartbeat {
            tasks: Some(hands.list()),
            ..Heartbeat::default()
        };
        let (id, beat) = (&id, &beat);
        let heard = own
            .call(|client| async move { client.heartbeat(id, beat).await })
            .await;
        drop(turn);
        if heard.is_err() {
            return;
        }
    }
}

fn is_lost(error: &Error) -> bool {
    match error {
        Error::Problem { problem, .. } => problem.status == 409 || problem.status == 401,
        _ => false,
    }
}
