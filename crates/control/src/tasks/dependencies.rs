//! Whether tasks would wait for each other in a circle.

use std::collections::{HashMap, HashSet};

use mcpanel_domain::{Fault, Rejection, TaskId};

use super::{TaskManager, create::unusable};
use crate::{Error, Result, Scope};

/// Tasks that one check of changed dependencies walks through. A chain longer than this is a
/// pipeline that should be one.
const WALK_TASKS_MAX: usize = 100_000;

impl TaskManager {
    /// Checks that a task may wait for these: they exist, can complete, and do not wait for it.
    pub(super) async fn check_dependencies(
        &self,
        scope: &Scope,
        id: &TaskId,
        dependencies: &[TaskId],
    ) -> Result<()> {
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
        for dependency in dependencies {
            came_from.insert(dependency.clone(), id.clone());
            open.push(dependency.clone());
        }
        while !open.is_empty() {
            if came_from.len() > WALK_TASKS_MAX {
                return Err(Rejection::fault(
                    "/dependencies",
                    "too_many",
                    format!("lead through more than {WALK_TASKS_MAX} tasks"),
                )
                .into());
            }
            let tasks = self.core.store.tasks(&scope.namespace, &open).await?;
            open.clear();
            for task in tasks.into_iter().flatten() {
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
            }
        }
        Ok(())
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
