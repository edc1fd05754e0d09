//! Whether stages make a graph that can run.

use std::collections::{HashMap, HashSet};

use super::StageDefinition;
use crate::{
    Fault,
    limits::{CAPABILITIES_MAX, PAYLOAD_BYTES_MAX, STAGES_MAX, TIMEOUT_MS_MAX, TITLE_CHARS_MAX},
    text::bad_title,
};

/// Everything wrong with a list of stages, with pointers below `/stages`.
pub fn check(stages: &[StageDefinition]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if stages.is_empty() {
        faults.push(Fault::new(
            "/stages",
            "empty",
            "has no stage; at least one is needed",
        ));
    }
    if stages.len() > STAGES_MAX {
        faults.push(Fault::new(
            "/stages",
            "too_many",
            format!("has {} stages; at most {STAGES_MAX}", stages.len()),
        ));
        return faults;
    }
    let mut numbers = HashSet::new();
    for (at, stage) in stages.iter().enumerate() {
        if stage.number == 0 {
            faults.push(Fault::new(
                format!("/stages/{at}/stage"),
                "out_of_range",
                "is 0; stages are numbered from 1",
            ));
        }
        if !numbers.insert(stage.number) {
            faults.push(Fault::new(
                format!("/stages/{at}/stage"),
                "repeated",
                format!("is {} a second time", stage.number),
            ));
        }
        check_stage(at, stage, &mut faults);
    }
    for (at, stage) in stages.iter().enumerate() {
        for (place, dependency) in stage.dependencies.iter().enumerate() {
            if !numbers.contains(dependency) {
                faults.push(Fault::new(
                    format!("/stages/{at}/dependencies/{place}"),
                    "unknown_dependency",
                    format!("names stage {dependency}, which is not in the list"),
                ));
            }
        }
    }
    if faults.is_empty()
        && let Some(cycle) = find_cycle(stages)
    {
        let path: Vec<String> = cycle.iter().map(ToString::to_string).collect();
        let at = stages
            .iter()
            .position(|stage| Some(&stage.number) == cycle.first())
            .unwrap_or(0);
        faults.push(Fault::new(
            format!("/stages/{at}/dependencies"),
            "dependency_cycle",
            format!(
                "stages wait for each other in a circle: {}",
                path.join(" → ")
            ),
        ));
    }
    faults
}

fn check_stage(at: usize, stage: &StageDefinition, faults: &mut Vec<Fault>) {
    if let Some(why) = bad_title(&stage.name, TITLE_CHARS_MAX) {
        faults.push(Fault::new(format!("/stages/{at}/name"), "length", why));
    }
    if stage.capabilities.len() > CAPABILITIES_MAX {
        faults.push(Fault::new(
            format!("/stages/{at}/capabilities"),
            "too_many",
            format!(
                "has {} items; at most {CAPABILITIES_MAX}",
                stage.capabilities.len()
            ),
        ));
    }
    if let Some(ms) = stage.timeout_ms
        && (ms == 0 || ms > TIMEOUT_MS_MAX)
    {
        faults.push(Fault::new(
            format!("/stages/{at}/timeout_ms"),
            "out_of_range",
            format!("is {ms}; must be from 1 to {TIMEOUT_MS_MAX} (30 days)"),
        ));
    }
    if stage.parameters.size_bytes() > PAYLOAD_BYTES_MAX {
        faults.push(Fault::new(
            format!("/stages/{at}/parameters"),
            "too_large",
            format!(
                "has {} bytes; at most {PAYLOAD_BYTES_MAX}",
                stage.parameters.size_bytes()
            ),
        ));
    }
    let prefix = format!("/stages/{at}/retry_config");
    faults.extend(
        stage
            .retry
            .faults()
            .into_iter()
            .map(|fault| fault.under(&prefix)),
    );
}

/// A circle among the stages, first stage repeated at the end; each stage is visited once.
fn find_cycle(stages: &[StageDefinition]) -> Option<Vec<u16>> {
    let edges: HashMap<u16, &[u16]> = stages
        .iter()
        .map(|stage| (stage.number, stage.dependencies.as_slice()))
        .collect();
    let mut done = HashSet::new();
    for stage in stages {
        let mut path = Vec::new();
        if let Some(cycle) = walk(stage.number, &edges, &mut path, &mut done) {
            return Some(cycle);
        }
    }
    None
}

/// Depth is bounded by [`STAGES_MAX`], so recursion is safe.
fn walk(
    number: u16,
    edges: &HashMap<u16, &[u16]>,
    path: &mut Vec<u16>,
    done: &mut HashSet<u16>,
) -> Option<Vec<u16>> {
    if let Some(at) = path.iter().position(|each| *each == number) {
        let mut cycle = path[at..].to_vec();
        cycle.push(number);
        return Some(cycle);
    }
    if done.contains(&number) {
        return None;
    }
    path.push(number);
    for next in edges.get(&number).copied().unwrap_or_default() {
        if let Some(cycle) = walk(*next, edges, path, done) {
            return Some(cycle);
        }
    }
    path.pop();
    done.insert(number);
    None
}
