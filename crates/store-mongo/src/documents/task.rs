//! Tasks: the specification's `tasks` collection, and what else a task is made of.
//!
//! Beside the document's own fields are derived ones, which make timers, claims and counts a matter of
//! an index: see [`derived`].

use std::sync::Arc;

use mcpanel_domain::{
    Timestamp,
    retry::{BackoffStrategy, ErrorType, RetryConfig},
    task::{
        Attempt, CancelRequest, Lease, Outcome, Place, Progress, State, Status, Task, TaskError,
    },
};
use mongodb::bson::{Binary, RawDocument, spec::BinarySubtype};

use super::{
    derived::{self, class_of},
    fields::{Fields, Reader, Unreadable, date, long},
    payload::{self, Large, PART_BYTES_MAX, Shelf},
};

/// The document's own fields.
pub fn encode(task: &Task, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("task_id", task.id.as_str());
    fields.put("namespace", task.namespace.as_str());
    fields.put_u64("revision", task.revision);
    if let Some(place) = &task.place {
        fields.put("pipeline_id", place.pipeline_id.as_str());
        fields.put("stage", i32::from(place.stage));
        fields.put("stage_index", i64::from(place.index));
        fields.put("stage_run", i64::from(place.run));
    }
    fields.put("task_type", task.task_type.as_str());
    fields.put("status", task.status().as_str());
    if let Some(agent) = task.last_agent() {
        fields.put("assigned_agent_id", agent.as_str());
    }
    fields.put_texts(
        "capabilities",
        task.capabilities.iter().map(|each| each.as_str()),
    );
    fields.put_opt(
        "target_agent_id",
        task.target.as_ref().map(|id| id.as_str()),
    );
    fields.put("priority", task.priority);
    fields.put_texts(
        "dependencies",
        task.dependencies.iter().map(|each| each.as_str()),
    );
    fields.put_date_opt("run_at", task.run_at);
    fields.put_date_opt("deadline", task.deadline);
    fields.put_opt("timeout_ms", task.timeout_ms.map(long));
    fields.put("max_retries", i64::from(task.retry.max_retries));
    fields.put_fields("retry_config", retry(&task.retry));
    fields.put("retry_count", i64::from(task.retry_count));
    fields.put("unstarted", i64::from(task.unstarted));
    fields.put("attempt", i64::from(task.attempt));
    match &task.state {
        State::Assigned(held) | State::Running(held) => fields.put_fields("lease", lease(held)),
        State::Retry { at } => fields.put_date("retry_at", *at),
        State::Pending | State::Completed | State::Failed | State::Cancelled => {}
    }
    if !task.attempts.is_empty() {
        let attempts: Vec<Fields> = task
            .attempts
            .iter()
            .map(|each| attempt(each, large))
            .collect();
        fields.put_all("attempts", attempts);
    }
    if task.progress != Progress::default() {
        fields.put_fields("progress", progress(&task.progress));
    }
    if let Some(request) = &task.cancel_requested {
        let mut inner = Fields::new();
        inner.put_date("at", request.at);
        inner.put("by", request.by.as_str());
        inner.put_opt("reason", request.reason.as_deref());
        fields.put_fields("cancel_requested", inner);
    }
    if let Some(found) = &task.error {
        fields.put_fields("error", error(found, large));
    }
    if let Some(metadata) = &task.metadata {
        payload::put(&mut fields, "metadata", metadata, PART_BYTES_MAX, large);
    }
    fields.put_date("created_at", task.created_at);
    fields.put_date("updated_at", task.updated_at);
    fields.put_date_opt("started_at", task.started_at);
    fields.put_date_opt("completed_at", task.completed_at);
    fields.put("created_by", &*task.created_by);
    fields.put(derived::CLASS, class_of(task));
    fields.put_date_opt(derived::READY_FROM, task.ready_at());
    fields.put_date(derived::READY_BY, task.deadline.unwrap_or(Timestamp::MAX));
    fields
}

/// Reads a task.
pub fn decode(document: &RawDocument, shelf: &Shelf) -> Result<Task, Unreadable> {
    let reader = Reader::new(document)?;
    let place = match reader.parsed_opt("pipeline_id")? {
        None => None,
        Some(pipeline_id) => Some(Place {
            pipeline_id,
            stage: reader.int("stage")?,
            index: reader.int("stage_index")?,
            run: reader.int("stage_run")?,
        }),
    };
    let status = reader.word("status", Status::parse)?;
    let held = |reader: &Reader<'_>| read_lease(&reader.inner("lease")?);
    let state = match status {
        Status::Pending => State::Pending,
        Status::Assigned => State::Assigned(held(&reader)?),
        Status::Running => State::Running(held(&reader)?),
        Status::Retry => State::Retry {
            at: reader.date("retry_at")?,
        },
        Status::Completed => State::Completed,
        Status::Failed => State::Failed,
        Status::Cancelled => State::Cancelled,
    };
    Ok(Task {
        id: reader.parsed("task_id")?,
        namespace: reader.parsed("namespace")?,
        revision: reader.int("revision")?,
        task_type: reader.parsed("task_type")?,
        capabilities: reader.list_of("capabilities")?.into(),
        target: reader.parsed_opt("target_agent_id")?,
        place,
        state,
        priority: reader.int("priority")?,
        dependencies: reader.list_of("dependencies")?.into(),
        run_at: reader.date_opt("run_at")?,
        deadline: reader.date_opt("deadline")?,
        timeout_ms: reader.int_opt("timeout_ms")?,
        retry: Arc::new(read_retry(&reader.inner("retry_config")?)?),
        retry_count: reader.int("retry_count")?,
        unstarted: reader.int("unstarted")?,
        attempt: reader.int("attempt")?,
        attempts: reader
            .inner_all("attempts")?
            .iter()
            .map(|each| read_attempt(each, shelf))
            .collect::<Result<_, _>>()?,
        progress: match reader.inner_opt("progress")? {
            Some(inner) => read_progress(&inner)?,
            None => Progress::default(),
        },
        cancel_requested: match reader.inner_opt("cancel_requested")? {
            None => None,
            Some(inner) => Some(CancelRequest {
                at: inner.date("at")?,
                by: inner.text("by")?.to_owned(),
                reason: inner.text_opt("reason")?.map(str::to_owned),
            }),
        },
        error: read_error(&reader, shelf)?,
        metadata: payload::get(&reader, "metadata", shelf)?,
        created_at: reader.date("created_at")?,
        updated_at: reader.date("updated_at")?,
        started_at: reader.date_opt("started_at")?,
        completed_at: reader.date_opt("completed_at")?,
        created_by: Arc::from(reader.text("created_by")?),
    })
}

/// Whether the stored task waits for others.
pub fn is_blocked(document: &RawDocument) -> bool {
    matches!(document.get_array(derived::WAITING_ON), Ok(list) if !list.is_empty())
}

/// A retry policy.
pub fn retry(config: &RetryConfig) -> Fields {
    let mut fields = Fields::new();
    fields.put("maxRetries", i64::from(config.max_retries));
    fields.put_u64("initialDelay", config.initial_delay);
    fields.put_u64("maxDelay", config.max_delay);
    fields.put("backoffStrategy", strategy_word(config.backoff_strategy));
    fields.put_texts(
        "retryableErrors",
        config.retryable_errors.iter().map(|each| each.as_str()),
    );
    fields
}

/// Reads a retry policy.
pub fn read_retry(reader: &Reader<'_>) -> Result<RetryConfig, Unreadable> {
    let words: Vec<String> = reader.list_of("retryableErrors")?;
    let errors: Option<Vec<ErrorType>> = words.iter().map(|word| error_type(word)).collect();
    Ok(RetryConfig {
        max_retries: reader.int("maxRetries")?,
        initial_delay: reader.int("initialDelay")?,
        max_delay: reader.int("maxDelay")?,
        backoff_strategy: reader.word("backoffStrategy", strategy)?,
        retryable_errors: errors
            .ok_or_else(|| reader.problem("retryableErrors", "not a list of known words"))?,
    })
}

fn strategy_word(strategy: BackoffStrategy) -> &'static str {
    match strategy {
        BackoffStrategy::Linear => "linear",
        BackoffStrategy::Exponential => "exponential",
        BackoffStrategy::Fixed => "fixed",
    }
}

fn strategy(word: &str) -> Option<BackoffStrategy> {
    [
        BackoffStrategy::Linear,
        BackoffStrategy::Exponential,
        BackoffStrategy::Fixed,
    ]
    .into_iter()
    .find(|each| strategy_word(*each) == word)
}

fn error_type(word: &str) -> Option<ErrorType> {
    [
        ErrorType::Network,
        ErrorType::Timeout,
        ErrorType::Validation,
        ErrorType::Authentication,
        ErrorType::Authorization,
        ErrorType::BusinessLogic,
        ErrorType::ExternalService,
        ErrorType::System,
    ]
    .into_iter()
    .find(|each| each.as_str() == word)
}

fn nonce(nonce: u128) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: nonce.to_be_bytes().to_vec(),
    }
}

fn read_nonce(reader: &Reader<'_>) -> Result<u128, Unreadable> {
    let bytes: Result<[u8; 16], _> = reader.bytes("nonce")?.try_into();
    bytes
        .map(u128::from_be_bytes)
        .map_err(|_| reader.problem("nonce", "not 16 bytes long"))
}

fn lease(held: &Lease) -> Fields {
    let mut fields = Fields::new();
    fields.put("attempt", i64::from(held.attempt));
    fields.put("nonce", nonce(held.nonce));
    fields.put("agent_id", held.agent_id.as_str());
    fields.put("session_id", held.session.as_str());
    fields.put_date("granted_at", held.granted_at);
    fields.put_date("expires_at", held.expires_at);
    fields.put_date_opt("started_at", held.started_at);
    fields
}

fn read_lease(reader: &Reader<'_>) -> Result<Lease, Unreadable> {
    Ok(Lease {
        attempt: reader.int("attempt")?,
        nonce: read_nonce(reader)?,
        agent_id: reader.parsed("agent_id")?,
        session: reader.parsed("session_id")?,
        granted_at: reader.date("granted_at")?,
        expires_at: reader.date("expires_at")?,
        started_at: reader.date_opt("started_at")?,
    })
}

fn attempt(each: &Attempt, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("number", i64::from(each.number));
    fields.put("nonce", nonce(each.nonce));
    fields.put("agent_id", each.agent_id.as_str());
    fields.put("session_id", each.session.as_str());
    fields.put("assigned_at", date(each.assigned_at));
    fields.put_date_opt("started_at", each.started_at);
    fields.put_date_opt("ended_at", each.ended_at);
    fields.put_opt("outcome", each.outcome.map(Outcome::as_str));
    if let Some(found) = &each.error {
        fields.put_fields("error", error(found, large));
    }
    fields
}

fn read_attempt(reader: &Reader<'_>, shelf: &Shelf) -> Result<Attempt, Unreadable> {
    let outcome = match reader.get("outcome") {
        None => None,
        Some(_) => Some(reader.word("outcome", outcome)?),
    };
    Ok(Attempt {
        number: reader.int("number")?,
        nonce: read_nonce(reader)?,
        agent_id: reader.parsed("agent_id")?,
        session: reader.parsed("session_id")?,
        assigned_at: reader.date("assigned_at")?,
        started_at: reader.date_opt("started_at")?,
        ended_at: reader.date_opt("ended_at")?,
        outcome,
        error: read_error(reader, shelf)?,
    })
}

fn outcome(word: &str) -> Option<Outcome> {
    [
        Outcome::Completed,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::TimedOut,
        Outcome::LeaseLost,
        Outcome::Released,
    ]
    .into_iter()
    .find(|each| each.as_str() == word)
}

fn error(found: &TaskError, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("type", found.kind.as_str());
    fields.put("message", found.message.as_str());
    if let Some(details) = &found.details {
        payload::put(&mut fields, "details", details, PART_BYTES_MAX, large);
    }
    fields
}

fn read_error(reader: &Reader<'_>, shelf: &Shelf) -> Result<Option<TaskError>, Unreadable> {
    let Some(inner) = reader.inner_opt("error")? else {
        return Ok(None);
    };
    Ok(Some(TaskError {
        kind: inner.word("type", error_type)?,
        message: inner.text("message")?.to_owned(),
        details: payload::get(&inner, "details", shelf)?,
    }))
}

fn progress(progress: &Progress) -> Fields {
    let mut fields = Fields::new();
    fields.put("percent", progress.percent);
    fields.put_opt("message", progress.message.as_deref());
    // A list of pairs: an object would lose the order, and could not hold a counter twice.
    let counters: Vec<Fields> = progress
        .counters
        .iter()
        .map(|(name, count)| {
            let mut pair = Fields::new();
            pair.put("name", name.as_str());
            match i64::try_from(*count) {
                Ok(count) => pair.put("count", count),
                Err(_) => pair.put("count", count.to_string()),
            }
            pair
        })
        .collect();
    if !counters.is_empty() {
        fields.put_all("counters", counters);
    }
    fields
}

fn read_progress(reader: &Reader<'_>) -> Result<Progress, Unreadable> {
    Ok(Progress {
        percent: reader.float("percent")?,
        message: reader.text_opt("message")?.map(str::to_owned),
        counters: reader
            .inner_all("counters")?
            .iter()
            .map(|pair| Ok((pair.parsed("name")?, read_count(pair)?)))
            .collect::<Result<_, _>>()?,
    })
}

/// Counters use all 64 bits, of which BSON's numbers have one less: those above are texts.
fn read_count(pair: &Reader<'_>) -> Result<u64, Unreadable> {
    match pair.text_opt("count") {
        Ok(Some(_)) => pair.parsed("count"),
        _ => pair.int("count"),
    }
}
