//! Logs that are larger than a commit should be.

use mcpanel_domain::{Payload, TaskId, limits::LOG_LINES_KEPT, log::Line};
use mcpanel_store::{Commit, Write};

use super::{filler::line, *};
use crate::portion::{COMMIT_BYTES, pieces};

/// A task with a log of which a single commit would be too large.
const LONG: &str = "task_long";
/// Lines of that log: several pages of it.
const LINES: usize = 2_500;
/// Bytes of each of its lines: three commits of them.
const LINE: usize = 3 * COMMIT_BYTES / LINES;

pub fn long_log() -> Vec<Line> {
    let text = "x".repeat(LINE);
    (0..LINES).map(|n| line(&format!("{n} {text}"))).collect()
}

fn filler(end: &End) -> Filler<'_> {
    Filler {
        end,
        namespace: Namespace::default_namespace(),
    }
}

fn logs(lines: &[Line]) -> Write {
    Write::Logs {
        namespace: Namespace::default_namespace(),
        task_id: TaskId::parse(LONG).unwrap(),
        lines: lines.to_vec(),
    }
}

/// Three tasks, the second of which has this log, written as agents write logs: a part at a time.
pub async fn fill_with_log(end: &End, lines: &[Line]) {
    let filler = filler(end);
    for (at, id) in ["task_before", LONG, "task_behind"].into_iter().enumerate() {
        let task = filler.task(id, at as i64, &[]);
        filler.create(&task, "{}").await;
        if id == LONG {
            for some in lines.chunks(500) {
                filler.commit(vec![logs(some)]).await;
            }
        } else {
            filler.complete(&task).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_larger_than_a_commit_arrives_whole() {
    let (first, second, third) = (memory(), embedded(), memory());
    fill_with_log(&first.end, &long_log()).await;
    move_all(&first.end, &second.end).await;
    move_all(&second.end, &third.end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_which_a_part_is_there_is_completed() {
    for there in [0, 1, 1_000, 1_700, LINES] {
        let (from, to) = (memory(), embedded());
        fill_with_log(&from.end, &long_log()).await;
        let task = filler(&from.end).task(LONG, 1, &[]);
        let created = Write::Task {
            task: Arc::new(task),
            parameters: Some(Payload::empty()),
            result: None,
        };
        for write in [created, logs(&long_log()[..there])] {
            let commit = Commit {
                writes: vec![write],
                import: true,
                ..Commit::default()
            };
            to.end.store.commit(commit).await.unwrap();
        }
        move_all(&from.end, &to.end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_first_lines_were_forgotten_is_the_same_afterwards() {
    let most = usize::try_from(LOG_LINES_KEPT).unwrap();
    let (from, to) = (memory(), embedded());
    let lines: Vec<Line> = (0..most + 1_000).map(|n| line(&n.to_string())).collect();
    fill_with_log(&from.end, &lines).await;
    move_all(&from.end, &to.end).await;
    let namespace = Namespace::default_namespace();
    let id = TaskId::parse(LONG).unwrap();
    let first = to.end.store.logs(&namespace, &id, 0, 1).await.unwrap();
    assert_eq!(first[0].message, "1000");
}

#[test]
fn a_piece_has_no_more_bytes_than_it_may_unless_it_is_one_line() {
    let lines: Vec<Line> = [10, 10, 500, 10, 100].map(|n| line(&"x".repeat(n))).into();
    let cut = pieces(lines.clone(), 200);
    let lengths: Vec<(usize, usize)> = cut
        .iter()
        .map(|(some, bytes)| (some.len(), *bytes))
        .collect();
    assert_eq!(lengths, [(2, 148), (1, 564), (1, 74), (1, 164)]);
    let together: Vec<Line> = cut.into_iter().flat_map(|(some, _)| some).collect();
    assert_eq!(together, lines);
    assert!(pieces(Vec::new(), 200).is_empty());
}
