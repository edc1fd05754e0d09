//! Files that are not as they were written.

use std::{fs, path::Path};

use mcpanel_store::{
    Error, Store,
    query::{EventFilter, Page, TaskFilter},
};
use mcpanel_store_embedded::{EmbeddedStore, OpenError};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::support::{create, id, is_completed, live_through, ns, open, options};

fn refused(dir: &Path) -> OpenError {
    match EmbeddedStore::open(dir, options()) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

/// A closed store with completed tasks 0 to 19.
async fn closed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..20 {
        live_through(&*store, n).await.unwrap();
    }
    store.close().await;
    dir
}

fn tables(dir: &Path) -> Connection {
    Connection::open(dir.join("mcpanel.db")).unwrap()
}

#[tokio::test]
async fn a_changed_row_is_never_served() {
    let dir = closed().await;
    tables(dir.path())
        .execute_batch(
            "UPDATE task SET body = CAST(substr(body, 1, 40) || x'ff' || substr(body, 42) AS BLOB)
             WHERE id = 'task_000003';
             UPDATE payload SET parameters = CAST(replace(parameters, 'xxx', 'xyx') AS BLOB)
             WHERE n = (SELECT payload FROM task WHERE id = 'task_000004');
             UPDATE task SET body = (SELECT body FROM task WHERE id = 'task_000006')
             WHERE id = 'task_000005';",
        )
        .unwrap();
    let store = open(dir.path());
    for n in [3, 5] {
        let Err(Error::Damaged { what }) = store.tasks(&ns(), &[id(n)]).await else {
            panic!("task {n} was served");
        };
        assert!(what.contains(id(n).as_str()), "{what}");
    }
    let payloads = store.payloads(&ns(), &[id(4)]).await;
    assert!(
        matches!(payloads, Err(Error::Damaged { .. })),
        "{payloads:?}"
    );
    assert!(is_completed(&*store, 6).await);
    let page = Page::first(100);
    let listed = store.list_tasks(&ns(), &TaskFilter::default(), &page).await;
    assert!(matches!(listed, Err(Error::Damaged { .. })));
    // A damaged task is not overwritten by a new one of its name, and others are not held up.
    let outcome = store.commit(create(3)).await;
    assert!(matches!(outcome, Err(Error::Damaged { .. })), "{outcome:?}");
    live_through(&*store, 50).await.unwrap();
}

#[tokio::test]
async fn a_changed_event_block_is_never_served() {
    let dir = closed().await;
    tables(dir.path())
        .execute_batch("UPDATE event_block SET body = CAST(body || x'00' AS BLOB)")
        .unwrap();
    let store = open(dir.path());
    let events = store.events(&ns(), &EventFilter::default(), 0, 10).await;
    assert!(matches!(events, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_damaged_live_task_does_not_keep_the_others_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..3 {
        store.commit(create(n)).await.unwrap();
    }
    store.close().await;
    drop(store);
    tables(dir.path())
        .execute_batch("UPDATE task SET body = x'00' WHERE id = 'task_000001'")
        .unwrap();
    let store = open(dir.path());
    let found = store.tasks(&ns(), &[id(0), id(2)]).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    let found = store.tasks(&ns(), &[id(1)]).await;
    assert!(matches!(found, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_damaged_header_names_the_file_and_what_to_do() {
    let dir = closed().await;
    let path = dir.path().join("mcpanel.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[..16].fill(b'?');
    fs::write(&path, &bytes).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("mcpanel.db") && text.contains("restore"),
        "{text}"
    );
}

#[tokio::test]
async fn damaged_pages_are_found_at_start() {
    let dir = closed().await;
    let path = dir.path().join("mcpanel.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in 2..bytes.len() / 8_192 {
        bytes[page * 8_192..page * 8_192 + 64].fill(0xff);
    }
    fs::write(&path, &bytes).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    tables(dir.path())
        .execute_batch("CREATE TABLE theirs (n); PRAGMA user_version = 9;")
        .unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn a_newer_form_is_not_touched() {
    let dir = closed().await;
    tables(dir.path())
        .execute_batch("PRAGMA user_version = 99;")
        .unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(error, OpenError::TooNew { found: 99, .. }),
        "{error}"
    );
}

/// Copies a folder, as a power cut at this moment would leave it at best.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

/// The end of the newest frame of a copied log: where a cut can hurt.
fn newest_end(dir: &Path) -> Option<(std::path::PathBuf, usize)> {
    let mut newest = None;
    for name in ["commit-0.log", "commit-1.log"] {
        let path = dir.join(name);
        let bytes = fs::read(&path).ok()?;
        for at in (0..bytes.len()).step_by(4_096) {
            if bytes[at..].starts_with(b"mcplog\0\x01") {
                let word = |from: usize| {
                    u64::from_le_bytes(bytes[at + from..at + from + 8].try_into().unwrap())
                };
                let length = usize::try_from(word(24) & 0xffff_ffff).unwrap();
                let found = (word(8), path.clone(), at + 32 + length);
                newest = newest.max(Some(found));
            }
        }
    }
    newest.map(|(_, path, end)| (path, end))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// What was flushed before a cut is there after it, in order and without holes: a log that lost its
    /// tail holds a prefix of what was acknowledged.
    #[test]
    fn a_cut_log_holds_a_prefix(tasks in 1_u64..60, cut in 1_usize..20_000) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = open(dir.path());
            for n in 0..tasks {
                live_through(&*store, n).await.unwrap();
            }
            let copied = copy(dir.path());
            if let Some((path, end)) = newest_end(copied.path()) {
                let mut bytes = fs::read(&path).unwrap();
                let from = end.saturating_sub(cut);
                bytes[from..end].fill(0);
                fs::write(&path, &bytes).unwrap();
                // A lone commit is a frame of one page: all but the cut ones are whole.
                let lost = cut.div_ceil(4_096) as u64 + 1;
                let store = match EmbeddedStore::open(copied.path(), options()) {
                    Ok(store) => store,
                    // The cut reached into what the tables had, and left a frame after it.
                    Err(error) => panic!("{error}"),
                };
                let last = *store.watch_events().borrow();
                assert!(last + lost >= 2 * tasks, "{last} of {} events", 2 * tasks);
                for n in 0..last / 2 {
                    assert!(is_completed(&*store, n).await, "task {n} of {last} events");
                }
                let totals = store.totals(&ns()).await.unwrap().tasks;
                assert_eq!(totals.iter().sum::<u64>(), last.div_ceil(2));
                live_through(&*store, 999).await.unwrap();
            }
        });
    }
}
