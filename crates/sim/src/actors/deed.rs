//! What an agent does with a task in its hands, and what it learns from the answer.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use mcpanel_control::{Completion, Control, NewArtifact, Scope};
use mcpanel_domain::{
    AgentId, ArtifactId, Payload, Rejection, TaskId,
    artifact::CHUNK_ROLE,
    log::Level,
    retry::ErrorType,
    task::{Progress, Proof, Task, TaskError},
};
use mcpanel_store::Error as StoreError;

use crate::{
    observer::Promise,
    world::{Call, World},
};

/// A task that an agent was given.
#[derive(Debug, Clone)]
pub struct InHand {
    pub id: TaskId,
    pub proof: Proof,
    pub started: bool,
    pub percent: f64,
    /// Chunks that the work brings: some for a stage's task, none for others.
    pub chunks: u32,
    /// Chunks that are stored.
    pub stored: u32,
    pub asked_to_stop: bool,
}

/// What an agent process has in memory: gone when it crashes.
#[derive(Debug, Default)]
pub struct Hands {
    pub held: Vec<InHand>,
    /// Leases it once had.
    pub old: Vec<(TaskId, Proof)>,
    /// It was told that it is nobody any more.
    pub disowned: bool,
}

/// A call about a task in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Start,
    Report,
    Log,
    Store,
    Complete,
    CompleteInBatch,
    Fail,
    Release,
    ConfirmCancel,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Report => "report",
            Self::Log => "log",
            Self::Store => "store",
            Self::Complete => "complete",
            Self::CompleteInBatch => "complete-batch",
            Self::Fail => "fail",
            Self::Release => "release",
            Self::ConfirmCancel => "confirm-cancel",
        }
    }

    fn completes(self) -> bool {
        matches!(self, Self::Complete | Self::CompleteInBatch)
    }

    fn ends(self) -> bool {
        match self {
            Self::Complete
            | Self::CompleteInBatch
            | Self::Fail
            | Self::Release
            | Self::ConfirmCancel => true,
            Self::Start | Self::Report | Self::Log | Self::Store => false,
        }
    }
}

impl InHand {
    /// What is in hand after a claim. How many chunks the work brings follows from the attempt, so that
    /// attempts differ.
    pub fn of(task: &Task, proof: Proof) -> Self {
        let bytes = task.id.as_str().bytes();
        let sum: u32 = bytes.map(u32::from).sum::<u32>() + task.attempt;
        Self {
            id: task.id.clone(),
            proof,
            started: false,
            percent: 0.0,
            chunks: if task.place.is_some() { sum % 4 } else { 0 },
            stored: 0,
            asked_to_stop: false,
        }
    }

    /// What is not in hand any more, or never was.
    pub fn old(id: TaskId, proof: Proof) -> Self {
        Self {
            id,
            proof,
            started: true,
            percent: 99.0,
            chunks: 1,
            stored: 9,
            asked_to_stop: false,
        }
    }

    /// Whether this work fails whenever it is tried.
    pub fn is_poison(&self) -> bool {
        self.id.as_str().bytes().map(u32::from).sum::<u32>() % 11 == 0
    }
}

/// Does it, and brings the hands up to date. False when no answer came.
pub async fn perform(
    world: &World,
    agent: &AgentId,
    hands: &Rc<RefCell<Hands>>,
    work: InHand,
    deed: Deed,
) -> bool {
    let (good, won) = {
        let observer = world.shared().observer.lock();
        let won = observer
            .tasks()
            .get(&work.id)
            .is_some_and(|task| task.status() == mcpanel_domain::task::Status::Completed);
        (observer.is_good(&work.id, work.proof), won)
    };
    let call = Call {
        name: deed.name(),
        by: agent.as_str(),
        held: Some((work.id.clone(), work.proof)),
    };
    let scope = world.agent_scope(agent);
    let asked = InHand {
        proof: world.shown_lease(&work.id, work.proof),
        ..work.clone()
    };
    let answer = world
        .call(call, |control| async move {
            ask(control, scope, asked, deed).await
        })
        .await;
    let Ok(answer) = answer else {
        return false;
    };
    let mut observer = world.shared().observer.lock();
    match answer {
        Ok(task) => {
            if !good {
                observer.blame(Promise::StaleLeaseChangesNothing, || {
                    format!(
                        "{} of `{}` with {:?} was accepted",
                        deed.name(),
                        work.id,
                        work.proof
                    )
                });
            }
            if let Some(task) = &task {
                if deed.completes() {
                    observer.completed(task, work.proof);
                } else {
                    observer.answered(task);
                }
            }
            drop(observer);
            hands.borrow_mut().learn(&work, deed);
            true
        }
        Err(mcpanel_control::Error::Rejected(rejection)) => {
            if good && won && deed.completes() {
                observer.blame(Promise::CompletesAtMostOnce, || {
                    format!(
                        "the winner of `{}` was refused when it repeated itself: {rejection}",
                        work.id
                    )
                });
            }
            drop(observer);
            if matches!(
                rejection,
                Rejection::StaleLease { .. } | Rejection::LeaseExpired { .. }
            ) {
                hands.borrow_mut().let_go(&work);
            }
            true
        }
        // The file is there: an earlier try went through.
        Err(mcpanel_control::Error::Store(StoreError::Conflict(_))) if deed == Deed::Store => {
            drop(observer);
            hands.borrow_mut().learn(&work, deed);
            true
        }
        Err(_) => false,
    }
}

impl Hands {
    fn learn(&mut self, work: &InHand, deed: Deed) {
        if deed.ends() {
            self.let_go(work);
            return;
        }
        let Some(held) = self.held.iter_mut().find(|held| held.proof == work.proof) else {
            return;
        };
        match deed {
            Deed::Start => held.started = true,
            Deed::Report => {
                held.started = true;
                held.percent = held.percent.max(work.percent);
            }
            Deed::Store => held.stored = held.stored.max(work.stored + 1),
            _ => {}
        }
    }

    /// Puts a task out of hand, remembering its lease.
    pub fn let_go(&mut self, work: &InHand) {
        self.held.retain(|held| held.proof != work.proof);
        self.old.push((work.id.clone(), work.proof));
    }
}

async fn ask(
    control: Control,
    scope: Scope,
    work: InHand,
    deed: Deed,
) -> mcpanel_control::Result<Option<Arc<Task>>> {
    let tasks = &control.tasks;
    let (id, proof) = (&work.id, work.proof);
    let completion = || Completion {
        task_id: id.clone(),
        proof,
        result: Payload::parse(r#"{"done":true}"#).ok(),
    };
    match deed {
        Deed::Start => tasks.start(&scope, id, proof).await.map(Some),
        Deed::Report => {
            let progress = Progress {
                percent: work.percent,
                ..Progress::default()
            };
            tasks.report(&scope, id, proof, progress).await.map(Some)
        }
        Deed::Log => {
            let line = (None, Level::Info, "at work".to_owned());
            tasks
                .append_logs(&scope, id, proof, vec![line])
                .await
                .map(|()| None)
        }
        Deed::Store => {
            let new = chunk(&work);
            control.catalog.create_artifact(&scope, new, None).await?;
            Ok(None)
        }
        Deed::Complete => tasks.complete(&scope, completion()).await.map(Some),
        Deed::CompleteInBatch => {
            let mut outcomes = tasks.complete_batch(&scope, vec![completion()]).await?;
            outcomes.pop().transpose()
        }
        Deed::Fail => {
            let kind = match work.percent as u32 % 3 {
                0 => ErrorType::Validation,
                _ => ErrorType::Network,
            };
            let error = TaskError::new(kind, "it did not work");
            tasks.fail(&scope, id, proof, error).await.map(Some)
        }
        Deed::Release => tasks
            .release(&scope, id, proof, "not now".to_owned())
            .await
            .map(Some),
        Deed::ConfirmCancel => tasks.confirm_cancel(&scope, id, proof).await.map(Some),
    }
}

/// The next chunk of the work. Its id follows from its place, so that a repeated try makes no second.
fn chunk(work: &InHand) -> NewArtifact {
    let id = format!("{}.a{}.{}", work.id, work.proof.attempt, work.stored);
    NewArtifact {
        id: ArtifactId::parse(&id).expect("task ids of a run are short"),
        pipeline_id: None,
        made_by: Some((work.id.clone(), work.proof)),
        index: work.stored,
        name: format!("chunk-{}", work.stored),
        role: CHUNK_ROLE.to_owned(),
        media_type: "application/jsonl".to_owned(),
        size_bytes: 1,
        sha256: "0".repeat(64),
        records: Some(1),
        metadata: Payload::empty(),
    }
}
