//! What agents call over sockets: one function of the business layer each, as behind the routes.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_api::{
    Problem,
    agent::{Agent, Heartbeat, HeartbeatAnswer},
    socket::{
        AgentRegister, TaskAnswer, TaskComplete, TaskFail, TaskHeld, TaskLog, TaskProgress,
        TaskRelease,
    },
    task::Task,
};
use mcpanel_control::{Claim, Completion, Scope};
use mcpanel_domain::{
    AgentId, Rejection, SessionId, TaskId,
    agent::Registration,
    task::{self as rules, Progress, TaskError},
};
use mcpanel_guard::{Permissions, Principal};
use mcpanel_realtime::ports::{Answer, Desk, Hold, SignedOn};
use tokio::sync::oneshot;

use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult},
    routes,
    views::{self, task::proof},
};

/// What is written down for a task that was given back without a reason.
const NO_REASON: &str = "the agent gave it back";

/// The calls of agents.
pub(super) struct Calls {
    app: App,
}

impl Calls {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    /// The caller as the business layer knows it, if it may still call.
    async fn scope(&self, caller: &Principal) -> ApiResult<Scope> {
        self.app.authenticator.still(caller).await?;
        Ok(self.app.scope(caller))
    }

    async fn signed_on(&self, caller: &Principal, body: &str) -> ApiResult<SignedOn> {
        let request: AgentRegister = body::read(body.as_bytes())?;
        let scope = self.scope(caller).await?;
        let agents = &self.app.control.agents;
        let registration = registration(request, || agents.new_id());
        let signed_on = agents.register(&scope, registration, None).await?;
        let (answer, principal) = routes::welcome(&self.app, &signed_on.value);
        Ok(SignedOn { answer, principal })
    }

    async fn attached(&self, agent: &Principal) -> ApiResult<Agent> {
        let scope = self.scope(agent).await?;
        let (id, _) = of(agent)?;
        let view = self.app.control.agents.get(&scope, id).await?;
        Ok(views::agent::agent(&view))
    }

    async fn alive(&self, agent: &Principal, body: &str) -> ApiResult<HeartbeatAnswer> {
        let request: Heartbeat = body::read(body.as_bytes())?;
        let scope = self.scope(agent).await?;
        let (id, session) = of(agent)?;
        let health = views::agent::health(&request);
        let agents = &self.app.control.agents;
        let answer = agents
            .heartbeat(&scope, id, Some(session), health, request.tasks.as_deref())
            .await?;
        Ok(views::agent::heartbeat(answer))
    }

    async fn held(&self, caller: &Principal, hold: Hold, body: &str) -> ApiResult<TaskAnswer> {
        let scope = self.scope(caller).await?;
        let body = body.as_bytes();
        let task = match hold {
            Hold::Start => self.started(&scope, body::read(body)?).await?,
            Hold::Progress => self.progressed(&scope, body::read(body)?).await?,
            Hold::Complete => self.completed(&scope, body::read(body)?).await?,
            Hold::Fail => self.failed(&scope, body::read(body)?).await?,
            Hold::Release => self.released(&scope, body::read(body)?).await?,
            Hold::ConfirmCancel => self.stopped(&scope, body::read(body)?).await?,
            Hold::Log => return self.logged(&scope, body::read(body)?).await,
        };
        Ok(answer(&task))
    }

    async fn started(&self, scope: &Scope, said: TaskHeld) -> ApiResult<Arc<rules::Task>> {
        let tasks = &self.app.control.tasks;
        Ok(tasks
            .start(scope, &said.task_id, proof(&said.lease))
            .await?)
    }

    async fn progressed(&self, scope: &Scope, said: TaskProgress) -> ApiResult<Arc<rules::Task>> {
        let progress = Progress {
            percent: said.progress,
            message: said.message,
            counters: said.counters.into_iter().collect(),
        };
        let tasks = &self.app.control.tasks;
        Ok(tasks
            .report(scope, &said.task_id, proof(&said.lease), progress)
            .await?)
    }

    async fn completed(&self, scope: &Scope, said: TaskComplete) -> ApiResult<Arc<rules::Task>> {
        let completion = Completion {
            task_id: said.task_id,
            proof: proof(&said.lease),
            result: said.result,
        };
        Ok(self.app.control.tasks.complete(scope, completion).await?)
    }

    async fn failed(&self, scope: &Scope, said: TaskFail) -> ApiResult<Arc<rules::Task>> {
        let error = TaskError {
            kind: said.error.kind.into(),
            message: said.error.message,
            details: said.error.details,
        };
        let tasks = &self.app.control.tasks;
        Ok(tasks
            .fail(scope, &said.task_id, proof(&said.lease), error)
            .await?)
    }

    async fn released(&self, scope: &Scope, said: TaskRelease) -> ApiResult<Arc<rules::Task>> {
        let reason = said.reason.unwrap_or_else(|| NO_REASON.to_owned());
        let tasks = &self.app.control.tasks;
        Ok(tasks
            .release(scope, &said.task_id, proof(&said.lease), reason)
            .await?)
    }

    async fn stopped(&self, scope: &Scope, said: TaskHeld) -> ApiResult<Arc<rules::Task>> {
        let tasks = &self.app.control.tasks;
        Ok(tasks
            .confirm_cancel(scope, &said.task_id, proof(&said.lease))
            .await?)
    }

    async fn logged(&self, scope: &Scope, said: TaskLog) -> ApiResult<TaskAnswer> {
        let lines = said
            .lines
            .into_iter()
            .map(views::history::new_line)
            .collect();
        let tasks = &self.app.control.tasks;
        tasks
            .append_logs(scope, &said.task_id, proof(&said.lease), lines)
            .await?;
        let view = tasks.get(scope, &said.task_id).await?;
        Ok(answer(&view.task))
    }

    async fn claimed(&self, agent: &Principal, max: u32) -> ApiResult<Vec<Task>> {
        let scope = self.scope(agent).await?;
        let claimed = self
            .app
            .control
            .tasks
            .claim(&scope, &asked(agent, max)?)
            .await?;
        Ok(claimed.iter().map(views::task::claimed).collect())
    }

    async fn ready(&self, agent: &Principal) -> ApiResult<oneshot::Receiver<()>> {
        let scope = self.app.scope(agent);
        let tasks = &self.app.control.tasks;
        Ok(tasks.wait_ready(&scope, &asked(agent, 1)?).await?)
    }
}

#[async_trait]
impl Desk for Calls {
    async fn register(&self, caller: &Principal, body: &str) -> Answer<SignedOn> {
        self.signed_on(caller, body).await.map_err(refused)
    }

    async fn attach(&self, agent: &Principal) -> Answer<Agent> {
        self.attached(agent).await.map_err(refused)
    }

    async fn heartbeat(&self, agent: &Principal, body: &str) -> Answer<HeartbeatAnswer> {
        self.alive(agent, body).await.map_err(refused)
    }

    async fn hold(&self, caller: &Principal, hold: Hold, body: &str) -> Answer<TaskAnswer> {
        self.held(caller, hold, body).await.map_err(refused)
    }

    async fn claim(&self, agent: &Principal, max: u32) -> Answer<Vec<Task>> {
        self.claimed(agent, max).await.map_err(refused)
    }

    async fn work(&self, agent: &Principal) -> Answer<oneshot::Receiver<()>> {
        self.ready(agent).await.map_err(refused)
    }

    async fn give_back(&self, agent: &Principal, task_id: &TaskId, lease: &str, reason: &str) {
        let scope = self.app.scope(agent);
        let tasks = &self.app.control.tasks;
        let given_back = tasks
            .release(&scope, task_id, proof(lease), reason.to_owned())
            .await;
        // Its lease may be over by now; then it is back already.
        if let Err(error) = given_back {
            tracing::debug!(task.id = %task_id, %error, "cannot give back an undelivered task");
        }
    }
}

/// A refusal on its way to a socket.
pub(super) fn refused(error: ApiError) -> Box<Problem> {
    Box::new(error.into_problem())
}

fn answer(task: &rules::Task) -> TaskAnswer {
    TaskAnswer {
        task_id: task.id.clone(),
        status: views::task::status(task.status()),
        attempt: task.attempt,
        progress: task.progress.percent,
        cancel_requested: task.cancel_requested.is_some(),
    }
}

fn asked(agent: &Principal, max: u32) -> ApiResult<Claim> {
    let (id, session) = of(agent)?;
    Ok(Claim {
        agent_id: id.clone(),
        session: Some(session.clone()),
        max,
    })
}

/// The agent and session of a caller that is one; the edge sees to it that it is.
fn of(agent: &Principal) -> ApiResult<(&AgentId, &SessionId)> {
    let none = || Rejection::not_found("agent", agent.actor()).into();
    agent.agent().ok_or_else(none)
}

fn registration(request: AgentRegister, fresh: impl FnOnce() -> AgentId) -> Registration {
    let id = request.agent_id.unwrap_or_else(fresh);
    Registration {
        name: request.name.unwrap_or_else(|| id.to_string()),
        id,
        agent_type: request.agent_type,
        capabilities: request.capabilities,
        concurrency: request.concurrency,
        metadata: request.metadata.unwrap_or_default(),
        permissions: Permissions::of_agent().words(),
        version: request.version,
        endpoint_url: None,
        health_check_url: None,
    }
}
