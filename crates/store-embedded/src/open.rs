//! Opening a store: lock the folder, read the tables, read the log after them, start the threads.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    thread,
};

use mcpanel_domain::{TaskId, Timestamp};
use mcpanel_store::{Key, Write, hot::DependencyState};
use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::{
    error::OpenError,
    log::{Log, Recovered, read_entries},
    options::Options,
    settler,
    shared::Shared,
    state::{Beyond, Fates, State},
    store::{EmbeddedStore, Threads},
    tables::{self, Namespaces, Pool, Read},
    writer::{Flusher, Queue, Writer},
};

/// The file that says that the folder is in use.
const LOCK_FILE: &str = "lock";

pub fn open(dir: &Path, options: Options) -> Result<Arc<EmbeddedStore>, OpenError> {
    std::fs::create_dir_all(dir).map_err(|source| OpenError::Folder {
        path: dir.to_path_buf(),
        source,
    })?;
    let lock = lock(dir)?;
    let path = dir.join(tables::FILE);
    let sqlite = tables::sqlite_error("read", &path);
    let connection = tables::open_writer(&path, options.table_pages_max)?;
    let namespaces = Arc::new(Namespaces::load(&connection).map_err(sqlite)?);
    let now = (options.clock)();
    let mut state = State::default();
    state.parameters.limit = options.parameters_cached_bytes;
    let loaded = tables::load(&connection, &namespaces, &path, now, &mut state)?;
    let read = Read {
        connection: &connection,
        namespaces: &namespaces,
    };
    let log = Log::open(dir, options.segment_bytes, loaded.settled, |frame| {
        replay(&mut state, &read, &frame, now)
    })?
    .flush_at_least(options.flush_at_least);
    let tables =
        tables::Writer::new(connection, namespaces.clone(), options.events_kept).map_err(sqlite)?;
    let reader = tables::open_reader(&path).map_err(sqlite)?;
    let shared = Arc::new(Shared {
        dir: dir.to_path_buf(),
        last_seq: watch::Sender::new(state.last_seq),
        state: Mutex::new(state),
        settle_changed: Condvar::new(),
        settle_failure: Mutex::new(None),
        list_gate: RwLock::new(()),
        queue: Queue::new(options.overlap_commits_min),
        pool: Pool::new(path),
        namespaces,
        read_only: Mutex::new(None),
        ended: std::sync::OnceLock::new(),
        runtime: OnceLock::new(),
        flushes: AtomicU64::new(0),
        commits: AtomicU64::new(0),
        options,
    });
    let (threads, settler) = start(&shared, log, reader, tables, dir)?;
    Ok(Arc::new(EmbeddedStore::new(shared, settler, threads, lock)))
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK_FILE);
    let io = |action, source| OpenError::Io {
        action,
        path: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|source| io("open", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: dir.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(io("lock", source)),
    }
}

/// Starts the threads. What the log held beyond the tables is written to them first, so that both
/// segments are free.
fn start(
    shared: &Arc<Shared>,
    log: Log,
    reader: Connection,
    tables: tables::Writer,
    dir: &Path,
) -> Result<(Threads, settler::Handle), OpenError> {
    let thread_failed = |source| OpenError::Io {
        action: "start a thread for",
        path: dir.to_path_buf(),
        source,
    };
    let (handle, settler) = settler::channel();
    {
        let mut state = shared.state.lock();
        if !state.active.is_empty() {
            let recent = state.freeze();
            handle.settle(recent, state.last_seq);
        }
    }
    let settler = thread::Builder::new()
        .name("store-settler".to_owned())
        .spawn({
            let shared = shared.clone();
            move || settler.run(&shared, tables)
        })
        .map_err(thread_failed)?;
    let flusher = Flusher::start(shared.clone()).map_err(thread_failed)?;
    let writer = Writer::new(shared.clone(), log, flusher, reader, handle.clone());
    let writer = thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run())
        .map_err(thread_failed)?;
    Ok((Threads { writer, settler }, handle))
}

/// Takes a frame of the log into memory again, as the writer did before.
fn replay(
    state: &mut State,
    read: &Read<'_>,
    recovered: &Recovered<'_>,
    now: Timestamp,
) -> Result<(), OpenError> {
    let frame = recovered.frame;
    let damaged = |what: String| OpenError::Damaged {
        path: recovered.path.to_path_buf(),
        what,
    };
    let entries = read_entries(frame.body)
        .ok_or_else(|| damaged(format!("flush {} does not decode", frame.number)))?;
    // The events of a store that took in those of another need not begin with the first.
    if state.last_seq == 0 && frame.first_seq > 1 {
        state.last_seq = frame.first_seq - 1;
        state.first_kept = frame.first_seq;
    }
    if frame.first_seq != state.last_seq + 1 {
        return Err(damaged(format!(
            "flush {} begins with event {}, not {}",
            frame.number,
            frame.first_seq,
            state.last_seq + 1
        )));
    }
    let mut events = Vec::new();
    let mut event_count = 0;
    for entry in entries {
        let unreadable = |error| damaged(format!("flush {}: {error}", frame.number));
        let (beyond, fates) = look(state, read, &entry.writes).map_err(unreadable)?;
        state.apply(entry.writes, now, &beyond, &fates);
        events.extend_from_slice(&entry.events);
        event_count += entry.event_count;
    }
    state.apply_events(event_count, events);
    state.active.last_frame = frame.number;
    Ok(())
}

/// What applying these writes needs from the tables.
fn look(
    state: &State,
    read: &Read<'_>,
    writes: &[Write],
) -> mcpanel_store::Result<(Beyond, Fates)> {
    let mut beyond = Beyond::default();
    let mut fates = Fates::default();
    for write in writes {
        match write {
            Write::Task { task, .. } => {
                let key = (task.namespace.clone(), task.id.clone());
                let stands = DependencyState::of(Some(task.status()));
                fates.0.insert(key.clone(), stands);
                if task.revision > 1
                    && state.task(&key).is_none()
                    && let Some(old) = stored(read, &key)?
                {
                    beyond.tasks.insert(key, std::sync::Arc::new(old));
                }
                for dependency in task.dependencies.iter() {
                    let on = (task.namespace.clone(), dependency.clone());
                    let status = match state.task(&on) {
                        Some(found) => Some(found.status()),
                        None => stored(read, &on)?.map(|found| found.status()),
                    };
                    beyond.dependencies.insert(on, DependencyState::of(status));
                }
                if let Some(place) = &task.place {
                    let pipeline = (task.namespace.clone(), place.pipeline_id.clone());
                    let counts = read.stage_counts(&pipeline.0, &pipeline.1)?;
                    if !counts.is_empty() {
                        beyond.stage_counts.insert(pipeline, counts);
                    }
                }
            }
            Write::Logs {
                namespace, task_id, ..
            } => {
                let end = read.log_end(namespace, task_id)?;
                beyond
                    .log_ends
                    .insert((namespace.clone(), task_id.clone()), end);
            }
            _ => {}
        }
    }
    Ok((beyond, fates))
}

fn stored(
    read: &Read<'_>,
    key: &Key<TaskId>,
) -> mcpanel_store::Result<Option<mcpanel_domain::task::Task>> {
    read.document(&key.0, key.1.as_str())
}
