//! `mcpanel tasks submit --dry-run`: every task is looked at as a server would look at it, and none is sent.
//!
//! All that is wrong is told, each with its line, where submitting stops at the first: what follows may depend on it.
//! No server is asked, so that what only a server knows stays open: ids that it has, and tasks to wait for that are
//! not in the file.

use std::collections::HashMap;

use mcpanel_api::{TaskId, task::NewTask};
use mcpanel_server::trial;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Failure, Result,
    commands::common::{
        documents::{Document, Documents},
        json,
    },
    exit::Exit,
    output::{self, cell::now, numbers::counted},
};

/// Ids that are remembered to compare others with: about a hundred megabytes.
const IDS_KEPT_MAX: usize = 1_000_000;

/// Tries one task, and writes what would be sent.
pub fn try_one(task: &NewTask) -> Result {
    output::jsonl(&json::tried(task, |json| trial::new_task(json, now()))?)?;
    Ok(Exit::Ok)
}

/// Tries all tasks of a file, and writes those that would be sent.
pub fn try_all(mut tasks: Documents<Box<RawValue>>) -> Result {
    let mut trial = Trial {
        source: tasks.source().to_owned(),
        ids: HashMap::new(),
        awaited: HashMap::new(),
        right: 0,
        wrong: 0,
    };
    loop {
        match tasks.next() {
            Ok(None) => return trial.end(),
            Ok(Some(task)) => trial.look(&task)?,
            Err(failure) if failure.exit == Exit::Usage => {
                trial.refuse(&failure);
                if !tasks.recover()? {
                    return trial.end();
                }
            }
            Err(failure) => return Err(failure),
        }
    }
}

struct Trial {
    source: String,
    /// The line of each id.
    ids: HashMap<TaskId, u64>,
    /// The first line that waits for each id that has not come yet.
    awaited: HashMap<TaskId, u64>,
    right: u64,
    wrong: u64,
}

/// What makes tasks hang together, of right and of wrong ones.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ties {
    task_id: Option<TaskId>,
    dependencies: Vec<TaskId>,
}

impl Trial {
    fn look(&mut self, Document { line, body }: &Document<Box<RawValue>>) -> Result<()> {
        let tried = trial::new_task(body.get().as_bytes(), now());
        // What cannot be read is told already.
        let ties = serde_json::from_str(body.get()).unwrap_or_default();
        let mut faults = self.tie(*line, ties);
        match tried {
            Ok(task) if faults.is_empty() => {
                self.right += 1;
                return output::jsonl(&task);
            }
            Ok(_) => {}
            Err(error) => faults.insert(0, Failure::refused(&error.problem()).what),
        }
        let faults = faults.join("\n  ");
        let place = format!("`{}` line {line}", self.source);
        self.refuse(&Failure::usage(faults).about(&place));
        Ok(())
    }

    /// What is wrong between this task and those before it.
    fn tie(&mut self, line: u64, ties: Ties) -> Vec<String> {
        let mut faults = Vec::new();
        let is_full = self.is_full();
        for id in ties.dependencies {
            if !is_full && !self.ids.contains_key(&id) && ties.task_id.as_ref() != Some(&id) {
                self.awaited.entry(id).or_insert(line);
            }
        }
        let Some(id) = ties.task_id else {
            return faults;
        };
        if let Some(waits) = self.awaited.remove(&id) {
            faults.push(format!(
                "`/task_id` is `{id}`, which line {waits} waits for; put it before that line"
            ));
        }
        match self.ids.get(&id) {
            Some(first) => faults.push(format!("`/task_id` is `{id}`, as on line {first}")),
            None if is_full => {}
            None => {
                self.ids.insert(id, line);
            }
        }
        faults
    }

    fn is_full(&self) -> bool {
        self.ids.len() + self.awaited.len() >= IDS_KEPT_MAX
    }

    fn refuse(&mut self, failure: &Failure) {
        failure.show();
        self.wrong += 1;
    }

    fn end(self) -> Result {
        if self.is_full() {
            output::say(format_args!(
                "after {IDS_KEPT_MAX} ids no more were compared with each other"
            ));
        } else if let Some((id, line)) = self.awaited.iter().min_by_key(|(_, line)| **line) {
            let others = match self.awaited.len() {
                1 => "is".to_owned(),
                count => format!("and {} more are", count - 1),
            };
            output::say(format_args!(
                "`{id}`, which line {line} waits for, {others} not in `{}`: a server must have what is waited for",
                self.source
            ));
        }
        if self.wrong == 0 {
            output::say(format_args!("would submit {}", counted(self.right, "task")));
            return Ok(Exit::Ok);
        }
        let all = counted(self.right + self.wrong, "task");
        Err(Failure::usage(format!(
            "{} of {all} cannot be submitted; nothing was sent",
            self.wrong
        ))
        .hint("mend the lines that are named, and try again"))
    }
}
