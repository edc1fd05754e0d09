//! The process is killed in the middle of work; what it had acknowledged is there.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use mcpanel_store::{Store, query::EventFilter};

use crate::support::{complete, create, id, is_completed, ns, open};

/// Names the folder to the process that is going to be killed.
const FOLDER: &str = "MCPANEL_TEST_CRASH_FOLDER";

/// Kills; each at another moment.
const KILLS: u64 = 6;

/// Tasks under way at once in the process that is killed.
const IN_FLIGHT: u64 = 16;

/// Not a test by itself: the process that is killed. Prints what was acknowledged.
#[test]
fn victim() {
    let Ok(dir) = std::env::var(FOLDER) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(dir.as_ref());
        let first = *store.watch_events().borrow();
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..IN_FLIGHT {
            let store = store.clone();
            workers.spawn(async move {
                for round in 0.. {
                    let n = first + worker + round * IN_FLIGHT;
                    store.commit(create(n)).await.unwrap();
                    say("created", n);
                    store.commit(complete(n)).await.unwrap();
                    say("completed", n);
                }
            });
        }
        workers.join_all().await;
    });
}

fn say(what: &str, n: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {what} {n}").unwrap();
    out.flush().unwrap();
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut created = Vec::new();
    let mut completed = Vec::new();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::victim", "--exact", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || lines.lines().map_while(Result::ok).collect());
        std::thread::sleep(Duration::from_millis(400 + 170 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines: Vec<String> = reader.join().unwrap();
        for line in &lines {
            // The test harness writes on the same line as the first of ours.
            let Some((_, acknowledged)) = line.split_once("ack ") else {
                continue;
            };
            match acknowledged.split_once(' ') {
                Some(("created", n)) => created.push(n.parse::<u64>().unwrap()),
                Some(("completed", n)) => completed.push(n.parse::<u64>().unwrap()),
                // The last line may be cut.
                _ => {}
            }
        }
        runtime.block_on(async {
            let store = open(dir.path());
            let ids: Vec<_> = created.iter().map(|n| id(*n)).collect();
            let found = store.tasks(&ns(), &ids).await.unwrap();
            assert!(found.iter().all(Option::is_some), "kill {kill}");
            for n in &completed {
                assert!(is_completed(&*store, *n).await, "kill {kill}: task {n}");
            }
            let totals = store.totals(&ns()).await.unwrap().tasks;
            assert!(totals.iter().sum::<u64>() >= created.len() as u64);
            assert!(totals[3] >= completed.len() as u64);
            let last = *store.watch_events().borrow();
            assert_eq!(
                last,
                totals.iter().sum::<u64>() + totals[3],
                "one event a step"
            );
            let events = store
                .events(&ns(), &EventFilter::default(), 0, usize::MAX)
                .await
                .unwrap();
            assert_eq!(events.events.len() as u64, last);
        });
    }
    assert!(completed.len() > 50, "only {} in all", completed.len());
}
