//! Whether tasks would wait for each other in a circle.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use mcpanel_domain::{
    Fault, Rejection, TaskId,
    task::{self, Command, Task, new::Changes},
};
use mcpanel_store::{Commit, Write};

use super::{TaskManager, check_revision, create::unusable};
use crate::{Error, Result, Scope, act, core::Core, grants::Standing};

/// Tasks that one check of changed dependencies walks through, ended ones too.
const WALK_TASKS_MAX: usize = 100_000;

/// Live tasks among them: as many as a task may wait for directly. All of them are written with the change; a longer
/// chain is a pipeline that should be one.
const TOUCHED_TASKS_MAX: usize = 1_000;

impl TaskManager {
    /// Changes what a task waits for, among other things.
    ///
    /// Two changes at once could close a circle that neither sees. So every live task on the way is written again, one
    /// revision on: whoever changed one of them meanwhile, on this server or on another, was faster, and the check
    /// begins anew.
    pub(super) async fn update_dependencies(
        &self,
        scope: &Scope,
        id: &TaskId,
        changes: Changes,
        revision: Option<u64>,
    ) -> Result<Arc<Task>> {
        // Those of this process need not meet as conflicts.
        let _alone = self.core.dependencies.lock().await;
        for _ in Core::tries() {
            let dependencies = changes.dependencies.as_deref().unwrap_or_default();
            let on_the_way = self.check_dependencies(scope, id, dependencies).await?;
            let (standing, _) = self.core.standing(&scope.namespace, id, None).await?;
            let task = standing.task.clone();
            check_revision(&task, revision)?;
            let now = self.core.now();
            let update = Changes {
                now,
                ..changes.clone()
            };
            let decision = task::decide(&task, Command::Update(update), now)?;
            let Some(next) = decision.task.map(Arc::new) else {
                return Ok(task);
            };
            let touched = on_the_way.iter().map(|each| task::touch(&each.task, now));
            let commit = Commit {
                writes: touched
                    .map(Arc::new)
                    .chain([next.clone()])
                    .map(|task| Write::Task {
                        task,
                        parameters: None,
                        result: None,
                    })
                    .collect(),
                events: on_the_way
                    .iter()
                    .flat_map(|each| each.granted.clone())
                    .chain(standing.events(decision.events))
                    .collect(),
                ..Commit::default()
            };
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => {
                    act::perform(&self.core, &scope.namespace, decision.effects).await;
                    return Ok(next);
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    /// Checks that a task may wait for these: they exist, can complete, and do not wait for it. Answers the live tasks
    /// that it would wait for, directly or not.
    async fn check_dependencies(
        &self,
        scope: &Scope,
        id: &TaskId,
        dependencies: &[TaskId],
    ) -> Result<Vec<Standing>> {
        let found = self
            .core
            .store
            .tasks(&scope.namespace, dependencies)
            .await?;
        let faults: Vec<Fault> = dependencies
            .iter()
            .zip(&found)
            .enumerate()
            .filter_map(|(at, (dependency, task))| {
                unusable(dependency, task.as_ref()).map(|detail| {
                    Fault::new(format!("/dependencies/{at}"), "unknown_dependency", detail)
                })
            })
            .collect();
        if !faults.is_empty() {
            return Err(Error::invalid(faults));
        }
        let mut came_from: HashMap<TaskId, TaskId> = HashMap::new();
        let mut open: Vec<TaskId> = Vec::new();
        let mut on_the_way = Vec::new();
        for dependency in dependencies {
            came_from.insert(dependency.clone(), id.clone());
            open.push(dependency.clone());
        }
        while !open.is_empty() {
            if came_from.len() > WALK_TASKS_MAX || on_the_way.len() > TOUCHED_TASKS_MAX {
                return Err(Rejection::fault(
                    "/dependencies",
                    "too_many",
                    format!("lead through more than {TOUCHED_TASKS_MAX} tasks that have not ended"),
                )
                .into());
            }
            let tasks = self.core.store.tasks(&scope.namespace, &open).await?;
            open.clear();
            let documents = tasks.into_iter().flatten().collect();
            for each in self.core.stand(&scope.namespace, documents).await {
                let task = &each.task;
                // What has ended waits for nobody.
                if task.status().is_terminal() && task.id != *id {
                    continue;
                }
                if task.id == *id {
                    return Err(Rejection::DependencyCycle {
                        cycle: path_back(id, &came_from),
                        pointer: "/dependencies".to_owned(),
                    }
                    .into());
                }
                for next in task.dependencies.iter() {
                    if !came_from.contains_key(next) {
                        came_from.insert(next.clone(), task.id.clone());
                        open.push(next.clone());
                    }
                }
                on_the_way.push(each);
            }
        }
        Ok(on_the_way)
    }
}

/// The circle through `id`, in the order in which each waits for the next.
fn path_back(id: &TaskId, came_from: &HashMap<TaskId, TaskId>) -> Vec<TaskId> {
    let mut path = vec![id.clone()];
    let mut at = id;
    while let Some(before) = came_from.get(at) {
        path.push(before.clone());
        if before == id {
            break;
        }
        at = before;
    }
    path.reverse();
    path
}

/// A circle among new tasks, first task repeated at the end. Walks without recursion: a batch
/// can be one chain of a thousand tasks.
pub(super) fn find_cycle(tasks: &HashMap<&TaskId, &[TaskId]>) -> Option<Vec<TaskId>> {
    let mut starts: Vec<&TaskId> = tasks.keys().copied().collect();
    starts.sort();
    let mut done: HashSet<&TaskId> = HashSet::new();
    for start in starts {
        if done.contains(start) {
            continue;
        }
        let mut path: Vec<(&TaskId, usize)> = vec![(start, 0)];
        let mut on_path: HashSet<&TaskId> = HashSet::from([start]);
        while let Some((id, next)) = path.last_mut() {
            let edges = tasks.get(*id).copied().unwrap_or_default();
            let Some(to) = edges.get(*next) else {
                done.insert(*id);
                on_path.remove(*id);
                path.pop();
                continue;
            };
            *next += 1;
            let Some((to, _)) = tasks.get_key_value(to) else {
                continue;
            };
            if on_path.contains(*to) {
                let at = path.iter().position(|(each, _)| each == to).unwrap_or(0);
                let mut cycle: Vec<TaskId> =
                    path[at..].iter().map(|(each, _)| (*each).clone()).collect();
                cycle.push((*to).clone());
                return Some(cycle);
            }
            if !done.contains(*to) {
                on_path.insert(*to);
                path.push((*to, 0));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle_of(edges: &[(&str, &[&str])]) -> Option<Vec<String>> {
        let owned: Vec<(TaskId, Vec<TaskId>)> = edges
            .iter()
            .map(|(id, to)| {
                let to = to.iter().map(|each| TaskId::parse(each).unwrap()).collect();
                (TaskId::parse(id).unwrap(), to)
            })
            .collect();
        let map = owned.iter().map(|(id, to)| (id, to.as_slice())).collect();
        find_cycle(&map).map(|cycle| cycle.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn finds_a_circle_and_names_its_members() {
        assert_eq!(
            cycle_of(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])]),
            Some(vec!["a".into(), "b".into(), "c".into(), "a".into()])
        );
        assert_eq!(
            cycle_of(&[("a", &["a"])]),
            Some(vec!["a".into(), "a".into()])
        );
    }

    #[test]
    fn a_diamond_is_no_circle() {
        assert_eq!(
            cycle_of(&[
                ("a", &["b", "c"]),
                ("b", &["d"]),
                ("c", &["d"]),
                ("d", &["outside"])
            ]),
            None
        );
    }

    #[test]
    fn a_chain_of_a_thousand_does_not_overflow() {
        let owned: Vec<(TaskId, Vec<TaskId>)> = (0..1_000)
            .map(|n| {
                let to = vec![TaskId::parse(&format!("t{}", n + 1)).unwrap()];
                (TaskId::parse(&format!("t{n}")).unwrap(), to)
            })
            .collect();
        let map = owned.iter().map(|(id, to)| (id, to.as_slice())).collect();
        assert_eq!(find_cycle(&map), None);
    }
}
