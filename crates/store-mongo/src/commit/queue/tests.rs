//! What is written together, and what beside what.

use mcpanel_domain::{AgentId, Namespace};
use mcpanel_store::{Commit, Write};
use tokio::sync::oneshot;

use super::{Group, Job, SMALL_WRITES, Waiting};

/// A commit that writes agents of these numbers.
fn job(numbers: impl IntoIterator<Item = usize>) -> Job {
    let writes = numbers.into_iter().map(|number| Write::DeleteAgent {
        namespace: Namespace::default_namespace(),
        id: AgentId::parse(&format!("agent-{number}")).unwrap(),
        revision: 1,
    });
    let commit = Commit {
        writes: writes.collect(),
        ..Commit::default()
    };
    let targets = commit.targets().unwrap();
    Job::new(commit, targets, oneshot::channel().0)
}

/// A queue with these commits in it.
fn waiting(jobs: impl IntoIterator<Item = Job>) -> Waiting {
    let mut waiting = Waiting::default();
    for job in jobs {
        waiting.push(job).unwrap();
    }
    waiting
}

fn writes(group: &Group) -> usize {
    group.jobs.iter().map(|job| job.commit.writes.len()).sum()
}

#[test]
fn what_waits_goes_together() {
    let mut waiting = waiting((0..10).map(|at| job([at])));
    assert_eq!(writes(&waiting.take().unwrap()), 10);
    assert!(!waiting.has_some());
}

#[test]
fn a_few_commits_wait_for_a_small_group_and_go_together_then() {
    let mut waiting = waiting([job([0])]);
    let first = waiting.take().unwrap();
    waiting.push(job([1])).unwrap();
    waiting.push(job([2])).unwrap();
    assert!(waiting.take().is_none());
    waiting.release(&first.held);
    assert_eq!(writes(&waiting.take().unwrap()), 2);
}

#[test]
fn many_commits_do_not_wait_for_a_small_group() {
    let mut waiting = waiting([job([0])]);
    let _first = waiting.take().unwrap();
    for at in 1..SMALL_WRITES {
        waiting.push(job([at])).unwrap();
        assert!(waiting.take().is_none(), "{at} writes wait");
    }
    waiting.push(job([SMALL_WRITES])).unwrap();
    assert_eq!(writes(&waiting.take().unwrap()), SMALL_WRITES);
}

#[test]
fn a_few_commits_do_not_wait_for_a_large_group() {
    let mut waiting = waiting([job(0..SMALL_WRITES)]);
    let _large = waiting.take().unwrap();
    waiting.push(job([SMALL_WRITES])).unwrap();
    assert_eq!(writes(&waiting.take().unwrap()), 1);
}

#[test]
fn commits_about_one_document_go_one_after_another() {
    let mut waiting = waiting([job(0..SMALL_WRITES), job([0]), job([SMALL_WRITES])]);
    let first = waiting.take().unwrap();
    assert_eq!(first.jobs.len(), 2);
    assert!(waiting.take().is_none());
    waiting.release(&first.held);
    assert_eq!(writes(&waiting.take().unwrap()), 1);
}
