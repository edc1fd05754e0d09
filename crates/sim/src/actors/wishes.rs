//! What callers ask for, drawn by chance.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Name, Payload, TaskId, Timestamp,
    pipeline::{Mode, StageDefinition},
    retry::{BackoffStrategy, ErrorType, RetryConfig},
    task::NewTask,
};

use super::{ALL_ROUNDER, SKILLS, skill};
use crate::random::Random;

/// A new task that may wait for some of `known`.
pub fn task(random: &mut Random, id: TaskId, known: &[TaskId], now: Timestamp) -> NewTask {
    let word = random.pick(&SKILLS).copied().unwrap_or(SKILLS[0]);
    let mut new = NewTask::of_type(id, skill(word));
    new.priority = random.within(0..=4) as i32 - 2;
    new.retry = Arc::new(retry(random));
    if random.chance(40) {
        new.dependencies = dependencies(random, known);
    }
    if random.chance(20) {
        new.run_at = Some(now.plus_ms(random.within(1..=20_000)));
    }
    if random.chance(20) {
        new.deadline = Some(now.plus_ms(random.within(25_000..=120_000)));
    }
    if random.chance(30) {
        new.timeout_ms = Some(random.within(200..=20_000));
    }
    if random.chance(15) {
        new.target = AgentId::parse(ALL_ROUNDER).ok();
    }
    if random.chance(20) {
        new.capabilities = skills(random);
    }
    new
}

/// Some of these, each once.
pub fn dependencies(random: &mut Random, known: &[TaskId]) -> Vec<TaskId> {
    let mut chosen: Vec<TaskId> = Vec::new();
    for _ in 0..random.within(1..=3) {
        if let Some(id) = random.pick(known)
            && !chosen.contains(id)
        {
            chosen.push(id.clone());
        }
    }
    chosen
}

/// One or two skills.
pub fn skills(random: &mut Random) -> Vec<Name> {
    let first = random.below(SKILLS.len());
    let second = random.below(SKILLS.len());
    vec![skill(SKILLS[first]), skill(SKILLS[second])]
}

/// A retry policy whose delays suit a short run.
pub fn retry(random: &mut Random) -> RetryConfig {
    let strategies = [
        BackoffStrategy::Fixed,
        BackoffStrategy::Linear,
        BackoffStrategy::Exponential,
    ];
    let classes = [
        vec![ErrorType::Network, ErrorType::Timeout],
        vec![ErrorType::Network],
        vec![],
    ];
    RetryConfig {
        max_retries: random.within(0..=4) as u32,
        initial_delay: random.within(0..=2_000),
        max_delay: random.within(2_000..=8_000),
        backoff_strategy: *random.pick(&strategies).unwrap_or(&BackoffStrategy::Fixed),
        retryable_errors: random.pick(&classes).cloned().unwrap_or_default(),
    }
}

/// One to five stages; each but the first waits for some before it.
pub fn stages(random: &mut Random) -> Vec<StageDefinition> {
    let count = random.within(1..=5) as u16;
    (1..=count)
        .map(|number| {
            let mut dependencies = Vec::new();
            if number > 1 && random.chance(90) {
                dependencies.push(random.within(1..=u64::from(number) - 1) as u16);
            }
            if number > 2 && random.chance(40) && !dependencies.contains(&(number - 1)) {
                dependencies.push(number - 1);
            }
            let mode = *random
                .pick(&[Mode::Single, Mode::Map, Mode::Map, Mode::Reduce])
                .unwrap_or(&Mode::Single);
            let word = random.pick(&SKILLS).copied().unwrap_or(SKILLS[0]);
            StageDefinition {
                number,
                name: format!("stage-{number}"),
                task_type: skill(word),
                capabilities: Vec::new(),
                dependencies,
                mode,
                timeout_ms: random.chance(30).then(|| random.within(500..=20_000)),
                retry: retry(random),
                parameters: Payload::empty(),
            }
        })
        .collect()
}
